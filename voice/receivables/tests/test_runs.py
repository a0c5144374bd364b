"""A run's months: which calls become which lines, and what they come to."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection

from portal.db import contexts
from voice.currencies.models import ExchangeRate
from voice.rating.money import to_minor
from voice.receivables.models import BilledCharge, BillingProfile
from voice.receivables.services import runs
from voice.receivables.tests import make
from voice.receivables.tests.charges import NOON, charges
from voice.receivables.tests.months import ENDS, EUR, invoices, issue, run_of, state_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("jobs_wait")]


def test_a_month_becomes_an_invoice_with_each_call_on_its_line(served, northwind):
    made = charges(served.tenant, 1_234_567, ("France", 45), 8, ("France", 99_950))
    charges(served.tenant, 0, direction="internal", outcome="free")
    run = run_of(northwind)

    assert (run.state, state_of(run, served.tenant)) == ("ready", "drafted")
    (invoice,) = invoices(served.tenant)
    lines = {line.text: line for line in invoice.lines.all()}
    assert {text: (line.quantity, line.exact, line.net) for text, line in lines.items()} == {
        "Calls to France": (2, 99_995, 100_000),
        "Calls to Germany": (2, 1_234_575, 1_230_000),
        "Internal calls": (1, 0, 0),
    }
    on = dict(BilledCharge.objects.values_list("id", "line__text"))
    assert [on[each.id] for each in made] == ["Calls to Germany", "Calls to France"] * 2
    assert invoice.net == 1_330_000


def test_lines_speak_the_language_of_the_customers_documents(served, northwind):
    BillingProfile.objects.filter(pk=served.pk).update(language="")
    made = charges(served.tenant, 3 * EUR, ("France", EUR))
    run_of(northwind)

    (invoice,) = invoices(served.tenant)
    assert {line.text for line in invoice.lines.all()} == {"Gespräche: France", "Gespräche: Germany"}
    assert BilledCharge.objects.filter(id__in=[each.id for each in made]).count() == 2


def test_late_calls_go_on_the_next_invoice_and_none_on_two(served, northwind):
    charges(served.tenant, 10 * EUR)
    run = run_of(northwind)
    runs.approve_customers(run, None, by=make.BY)
    issue(run)
    charges(served.tenant, 7 * EUR)
    charges(served.tenant, 2 * EUR, at=NOON + timedelta(days=31))
    later = run_of(northwind, ENDS, date(2026, 12, 1))

    assert [invoice.net for invoice in invoices(served.tenant)] == [10 * EUR, 9 * EUR]
    late = later.findings.get(code="late")
    assert (late.level, late.facts) == ("note", {"calls": 1, "oldest": "2026-10-15"})
    again = run_of(northwind)
    assert state_of(again, served.tenant) == "drafted" and len(invoices(served.tenant)) == 2


def test_calls_at_the_edge_of_the_month_are_billed_with_the_month_of_their_answer(served, northwind):
    charges(served.tenant, EUR, at=datetime(2026, 10, 31, 23, 59, 54, tzinfo=UTC))
    charges(served.tenant, 5 * EUR, at=datetime(2026, 10, 31, 23, 59, 56, tzinfo=UTC))
    run_of(northwind)

    assert invoices(served.tenant)[0].net == EUR


def test_foreign_calls_are_converted_as_a_sum_and_rounded_once(served, northwind):
    ExchangeRate.objects.create(
        msp=northwind, base="EUR", quote="USD", nanos=1_084_300_000, day=date(2026, 10, 30), kind="manual", source="ECB"
    )
    charges(served.tenant, 12_000_000, 345_678, currency="USD")
    charges(served.tenant, EUR)
    run_of(northwind)

    lines = {line.group: line for line in invoices(served.tenant)[0].lines.all()}
    assert lines["out USD"].net == 11_390_000 and lines["out"].net == EUR
    assert lines["out USD"].basis["micros"] == 12_345_678 and "1.0843" in lines["out USD"].basis["rate"]
    assert BilledCharge.objects.filter(line=lines["out USD"]).count() == 2


def test_nothing_to_bill_is_no_invoice(served, northwind):
    charges(served.tenant, 0, direction="emergency", outcome="free")

    assert state_of(run_of(northwind), served.tenant) == "nothing"
    assert not BilledCharge.objects.exists()


def test_many_calls_sum_to_the_total_to_the_cent(served, northwind):
    """The bench of invoice runs does the same over a million."""
    charges(served.tenant, 0)
    with contexts.ingest(), connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO rating_charge (tenant_id, msp_id, invited, id, answered, direction, destination, prefix,
                   outcome, micros, currency, seconds, billed, deck_id, rate_id, rated_at)
               SELECT %s, %s, %s::timestamptz + n * interval '500 milliseconds', gen_random_uuid(), %s, 'out',
                   'D' || n %% 200, '49', 'rated', (n::bigint * 7919) %% 400000, 'EUR', 60, 60, 1, 1, now()
                 FROM generate_series(1, 100000) n""",
            [served.tenant_id, served.msp_id, NOON.replace(hour=1), NOON],
        )
    run_of(northwind)

    (invoice,) = invoices(served.tenant)
    lines = list(invoice.lines.all())
    expected = {}
    for n in range(1, 100_001):
        expected[n % 200] = expected.get(n % 200, 0) + n * 7919 % 400_000
    assert {line.text: line.exact for line in lines if line.quantity > 1} == {
        f"Calls to D{n}": micros for n, micros in expected.items()
    }
    assert invoice.net == sum(to_minor(line.exact, "EUR") for line in lines) == sum(line.net for line in lines)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*), sum(micros) FROM receivables_billedcharge")
        assert cursor.fetchone() == (100_001, sum(expected.values()))
