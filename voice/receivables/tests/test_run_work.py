"""The work of a run: one at a time, again, taken up where a worker died, and issued without a gap."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from portal.core.models import Job
from portal.db import contexts
from voice.receivables import tasks
from voice.receivables.models import Invoice, InvoiceRun
from voice.receivables.services import runs
from voice.receivables.tests import make
from voice.receivables.tests.charges import charges
from voice.receivables.tests.months import BEGINS, ENDS, EUR, invoices, issue, run_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("jobs_wait")]


def test_a_month_that_lasts_is_not_billed(northwind):
    with pytest.raises(ValidationError, match="until 1 December 2026 00:00 UTC"):
        runs.start_run(northwind, ENDS, by=make.BY, now=datetime(2026, 11, 30, 23, 59, tzinfo=UTC))
    with pytest.raises(ValidationError, match="first day of a month"):
        runs.start_run(northwind, date(2026, 10, 2), by=make.BY, now=make.NOW)


def test_two_runs_at_once_of_one_msp(served, northwind, fabrikam):
    runs.start_run(northwind, BEGINS, by=make.BY, now=make.NOW)
    for begins in (BEGINS, date(2026, 9, 1)):
        with pytest.raises(ValidationError, match="at work"):
            runs.start_run(northwind, begins, by=make.BY, now=make.NOW)
    with pytest.raises(IntegrityError), transaction.atomic():
        InvoiceRun.objects.create(msp=northwind, begins=date(2026, 8, 1), ends=date(2026, 9, 1))
    with contexts.msp(fabrikam):
        runs.start_run(fabrikam, BEGINS, by=make.BY, now=make.NOW)


def test_collecting_again_leaves_what_is_approved_as_it_is(served, globex, northwind):
    make.served(served.entity, globex)
    charges(served.tenant, EUR)
    charges(globex, EUR)
    run = run_of(northwind)
    kept = run.customers.get(tenant=served.tenant)
    runs.approve_customers(run, [kept.pk], by=make.BY)
    charges(served.tenant, 2 * EUR)
    charges(globex, 2 * EUR)
    again = run_of(northwind)

    assert again.pk == run.pk
    assert [invoices(each)[0].net for each in (served.tenant, globex)] == [EUR, 3 * EUR]


def test_a_worker_that_dies_loses_one_customer_and_a_sweep_goes_on(served, globex, northwind, monkeypatch):
    make.served(served.entity, globex)
    charges(served.tenant, EUR)
    charges(globex, 2 * EUR)
    run = runs.start_run(northwind, BEGINS, by=make.BY, now=make.NOW)
    first = run.customers.order_by("pk").first()
    with monkeypatch.context() as dying:
        dying.setattr(
            runs, "_note", lambda *_args: None if _args[1] in (None, first) else (_ for _ in ()).throw(SystemExit)
        )
        with pytest.raises(SystemExit):
            runs.collect(run)
    assert sorted(run.customers.values_list("state", flat=True)) == ["drafted", "waiting"]
    run.refresh_from_db()
    assert run.is_working and runs.take_up_runs(northwind, timezone.now()) == 0

    later = timezone.now() + timedelta(minutes=5)
    assert [runs.take_up_runs(northwind, later) for _ in range(2)] == [1, 0]
    tasks.jobs.KINDS["invoices.collect"](Job(params={"run": run.pk}), lambda *_args: None)
    run.refresh_from_db()
    assert run.state == "ready"
    assert [len(invoices(each)) for each in (served.tenant, globex)] == [1, 1]


def test_issuing_goes_on_where_it_stopped_and_numbers_have_no_gap(served, globex, northwind, monkeypatch):
    make.served(served.entity, globex)
    for customer in (served.tenant, globex):
        charges(customer, EUR)
    run = run_of(northwind)
    runs.approve_customers(run, None, by=make.BY)
    run.refresh_from_db()
    runs.start_issuing(run, on=make.TODAY, by=make.BY)
    with monkeypatch.context() as dying:
        real, calls = runs.issue, []

        def issue_once(*args, **facts):
            calls.append(1)
            made = real(*args, **facts)
            if len(calls) == 2:
                raise SystemExit
            return made

        dying.setattr(runs, "issue", issue_once)
        with pytest.raises(SystemExit):
            runs.issue_approved(run)
    assert sorted(Invoice.objects.values_list("number", flat=True)) == ["", "2026-00001"]
    tasks.jobs.KINDS["invoices.issue"](Job(params={"run": run.pk}), lambda *_args: None)

    assert sorted(Invoice.objects.values_list("number", flat=True)) == ["2026-00001", "2026-00002"]
    assert all(invoice.files.filter(kind__in=("pdf", "xml")).count() == 2 for invoice in Invoice.objects.all())
    run.refresh_from_db()
    assert run.state == "ready"


def test_a_customer_that_cannot_be_issued_goes_back_and_the_others_go_out(served, globex, northwind):
    other = make.entity(northwind, name="Second GmbH")
    make.served(other, globex)
    for customer in (served.tenant, globex):
        charges(customer, EUR)
    run = run_of(northwind)
    make.issued(served, EUR, name="later", on=date(2026, 12, 24))
    runs.approve_customers(run, None, by=make.BY)
    issue(run)

    assert [invoices(each)[0].state for each in (served.tenant, globex)] == ["draft", "issued"]
    assert "earlier date" in run.findings.get(code="not_issued").facts["words"]
