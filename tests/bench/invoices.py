"""How long a month takes from its calls to the files: collected, checked, approved, issued, PDFs and e-invoices."""

import os
import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta
from typing import Any

from tests.bench.figure import Figure, emit, note
from tests.bench.ground import Ground, ground

CUSTOMERS = int(os.environ.get("BENCH_CUSTOMERS", "1000"))
CALLS = 1_000 * CUSTOMERS
DESTINATIONS, WORKERS = 20, 2
BEGINS, ENDS = date(2026, 10, 1), date(2026, 11, 1)
# Calls of a month, the same number for each customer, spread over its days and destinations.
_SPREAD = """
  FROM unnest(%(tenants)s::int[]) AS t(pk), generate_series(1, %(each)s) AS n,
       LATERAL (SELECT md5(t.pk || '.' || n)::uuid AS key,
                       %(begins)s::timestamptz + ((n * 7919 + t.pk * 104729) %% 2600000) * interval '1 second'
                       + n * interval '1 millisecond' AS at) AS c
"""
_CALLS = f"""
INSERT INTO calls_cdr (tenant_id, msp_id, invited, id, call, node_name, sequence, direction, side, call_id, caller,
    caller_sent, called, called_sent, ringing, answered, ended, end_unknown, talk_ms, code, reason, released_by,
    ingress, ingress_name, egress, egress_name, attempts, "limit", screening, attestation, user_agent, disposition,
    received)
SELECT t.pk, %(msp)s, c.at, c.key, c.key, 'bench', n, 'out', '', 'c' || n, '+493012345678', '+493012345678',
    '+442079460018', '+442079460018', c.at, c.at, c.at + interval '1 minute', false, 60000, 200, '', 'caller',
    'teams', '', 'g1', '', '[]', '', '', '', '', 'answered', c.at
{_SPREAD}"""
_CHARGES = f"""
INSERT INTO rating_charge (tenant_id, msp_id, invited, id, answered, direction, destination, prefix, outcome, micros,
    currency, seconds, billed, deck_id, rate_id, rated_at)
SELECT t.pk, %(msp)s, c.at, c.key, c.at, 'out', 'Country ' || n %% %(destinations)s, '44', 'rated',
    (n * 7919 + t.pk * 31) %% 400000, 'EUR', 60, 60, 1, 1, c.at
{_SPREAD}"""
_WRONG = """
SELECT count(*) FROM (
    SELECT l.id FROM receivables_invoiceline l LEFT JOIN receivables_billedcharge b ON b.line_id = l.id
     GROUP BY l.id HAVING l.exact <> coalesce(sum(b.micros - b."off"), 0) OR l.quantity <> count(b.id)
) AS lines
"""


def run() -> list[Figure]:
    """Print what a run of a thousand customers and a million calls takes; every line is held against its calls."""
    with ground() as on:
        msp = _customers()
        _calls(msp)
        took = _bill(on, msp)
        _hold(msp)
    whole = sum(took.values())
    parts = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in took.items())
    return [
        emit(
            f"invoice run, {CUSTOMERS:,} customers, {CALLS:,} CDRs, PDFs and e-invoices",
            whole,
            "s",
            at_most=300,
            remark=f"{parts}; files by {WORKERS} processes",
        )
    ]


def _customers() -> Any:
    from portal.core.audit import Actor
    from portal.db import contexts
    from tenants.models import Customer, Msp
    from tenants.services.customers import create_customer
    from voice.receivables.tests import make

    note(f"invoices: {CUSTOMERS} customers")
    with contexts.public():
        msp = Msp.objects.get(slug="northwind")
    for number in range(CUSTOMERS - msp.customers.count()):
        customer = Customer(msp=msp, name=f"Bench {number:04}", label=f"b{number}", country="DE", time_zone="UTC")
        create_customer(customer, by=Actor.system("bench"))
    with contexts.msp(msp):
        company = make.entity(msp)
        for customer in Customer.objects.filter(msp=msp).order_by("pk"):
            make.served(company, customer)
    return msp


def _calls(msp: Any) -> None:
    from django.db import connection

    from portal.db import contexts
    from portal.db.partitions import ensure_days

    note(f"invoices: {CALLS} calls, priced")
    days = [BEGINS + timedelta(days=day) for day in range((ENDS - BEGINS).days + 1)]
    for table in ("calls_cdr", "rating_charge"):
        ensure_days(table, days)
    with contexts.msp(msp):
        tenants = list(msp.customers.order_by("pk").values_list("pk", flat=True))
    span: dict[str, Any] = {
        "msp": msp.pk, "tenants": tenants, "each": CALLS // len(tenants), "destinations": DESTINATIONS,
        "begins": datetime.combine(BEGINS, datetime.min.time(), UTC),
    }  # fmt: skip
    with contexts.ingest(), connection.cursor() as cursor:
        cursor.execute(_CALLS, span)
        cursor.execute(_CHARGES, span)
    with contexts.owner(), connection.cursor() as cursor:
        cursor.execute("ANALYZE calls_cdr, rating_charge")


def _bill(on: Ground, msp: Any) -> dict[str, float]:
    from unittest import mock

    from portal.core.audit import Actor
    from portal.db import contexts
    from voice.receivables import services
    from voice.receivables.services import runs

    by, took = Actor.system("bench"), {}
    with contexts.msp(msp), mock.patch("portal.core.jobs.run_job.apply_async"):
        note("invoices: the run")
        began = time.perf_counter()
        run = runs.start_run(msp, BEGINS, by=by, now=datetime(2026, 11, 2, tzinfo=UTC))
        _work(on, "collect", run.pk)
        took["collected and checked"] = time.perf_counter() - began
        began = time.perf_counter()
        done, held = runs.approve_customers(run, None, by=by)
        if held:
            for finding in runs.open_warnings(run):
                runs.tick(finding, by=by)
            done += runs.approve_customers(run, None, by=by)[0]
        assert done == CUSTOMERS, (done, held, list(run.findings.values_list("code", flat=True)[:5]))
        took["approved"] = time.perf_counter() - began
        began = time.perf_counter()
        run.refresh_from_db()
        runs.start_issuing(run, on=ENDS, by=by)
        _work(on, "issue", run.pk)
        took["issued"] = time.perf_counter() - began
        began = time.perf_counter()
        _work(on, "files", run.pk)
        took["files"] = time.perf_counter() - began
        assert services.without_files() == []
    return took


def _work(on: Ground, what: str, run: int) -> None:
    """Let the workers do a part of the run in processes of their own, as Celery's do."""
    command = [sys.executable, "-m", "tests.bench.invoices", what, str(run)]
    workers = [subprocess.Popen([*command, str(number)], env=on.environment) for number in range(WORKERS)]
    assert [worker.wait() for worker in workers] == [0] * WORKERS, what


def _hold(msp: Any) -> None:
    """Hold the numbers and the lines against the calls, to the last of them."""
    from django.db import connection

    from portal.db import contexts
    from voice.receivables.models import BilledCharge, Invoice, InvoiceFile

    with contexts.msp(msp):
        issued = Invoice.objects.issued().filter(source="run")
        assert sorted(issued.values_list("sequence", flat=True)) == list(range(1, CUSTOMERS + 1))
        assert BilledCharge.objects.count() == CALLS // CUSTOMERS * CUSTOMERS
        assert InvoiceFile.objects.count() == 3 * CUSTOMERS
        with connection.cursor() as cursor:
            cursor.execute(_WRONG)
            assert cursor.fetchone() == (0,)


def work(what: str, run: int, number: int) -> None:
    """Do one worker's share of a run."""
    import logging

    import django

    django.setup()
    logging.disable(logging.INFO)
    from portal.db import contexts
    from tenants.models import Msp
    from voice.receivables import services
    from voice.receivables.models import Invoice, InvoiceRun
    from voice.receivables.services import runs

    with contexts.public():
        msp = Msp.objects.get(slug="northwind")
    with contexts.msp(msp):
        row = InvoiceRun.objects.select_related("msp").get(pk=run)
        if what == "collect":
            runs.collect(row)
        elif what == "issue":
            runs.issue_approved(row)
        else:
            for invoice in Invoice.objects.filter(pk__in=services.without_files()[number::WORKERS]):
                services.store_files(invoice)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings_test")
    work(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
