"""Calls that were priced again after they had been billed, or before: on the next invoice, once."""

import uuid
from datetime import UTC, date, datetime

import pytest

from portal.db import contexts
from voice.rating.models import Account
from voice.rating.tests.make import give, stored_deck, stored_rate
from voice.receivables.services import drop, runs
from voice.receivables.tests import make
from voice.receivables.tests.charges import NOON, charges
from voice.receivables.tests.months import ENDS, EUR, invoices, issue, run_of, state_of
from voice.rerating.models import Adjustment
from voice.rerating.tests.make import applied, calls, proposed

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("jobs_wait")]


def test_what_was_priced_again_is_on_the_next_invoice_once(served, northwind):
    def adjust(micros):
        moved = {"tenant_id": served.tenant_id, "msp_id": northwind.pk, "invited": NOON, "answered": NOON, "calls": 0}
        with contexts.ingest():
            Adjustment.objects.create(
                **moved, call=uuid.uuid4(), direction="out", destination="Germany", currency="EUR", micros=micros,
                proposal_id=1, made_at=NOON,
        )  # fmt: skip

    charges(served.tenant, 10 * EUR)
    adjust(-2 * EUR)
    adjust(-EUR)
    run = run_of(northwind)
    (invoice,) = invoices(served.tenant)
    line = invoice.lines.get(kind="credit")
    assert (invoice.net, line.net, line.basis["entries"]) == (7 * EUR, -3 * EUR, 2)
    drop(invoice, by=make.BY)
    assert set(Adjustment.objects.values_list("invoice_id", flat=True)) == {None}
    again = run_of(northwind)
    assert invoices(served.tenant)[0].net == 7 * EUR
    runs.approve_customers(again, None, by=make.BY)
    issue(again)
    run_of(northwind, ENDS, date(2026, 12, 1))
    assert state_of(run.msp.invoice_runs.get(begins=ENDS), served.tenant) == "nothing"


def test_a_proposal_that_was_applied_is_on_the_next_invoice_and_on_no_other(served, northwind):
    sell = stored_deck(northwind, free=["internal", "emergency", "in"])
    stored_rate(sell, "44", 70_000, destination="United Kingdom")
    right = stored_deck(northwind, "As agreed")
    stored_rate(right, "44", 50_000, destination="United Kingdom")
    give(sell, served.tenant)
    calls(served.tenant, 3, at=datetime(2026, 9, 10, 12, tzinfo=UTC))
    september = date(2026, 9, 1)
    run = run_of(northwind, september)
    runs.approve_customers(run, None, by=make.BY)
    issue(run)

    span = {"begins": datetime(2026, 9, 1, tzinfo=UTC), "ends": datetime(2026, 10, 1, tzinfo=UTC)}
    found = proposed(northwind, make.BY, customers=[served.tenant_id], sell_deck=right, **span)
    assert applied(found, make.BY, reason="Another price was agreed").state == "applied"
    calls(served.tenant, 2, at=NOON)
    october = run_of(northwind)
    first, second = invoices(served.tenant)
    assert (first.number, first.net, first.total) == ("2026-00001", 210_000, 250_000)
    lines = {line.text: line for line in second.lines.all()}
    assert {text: (line.kind, line.net) for text, line in lines.items()} == {
        "Calls to United Kingdom": ("usage", 140_000),
        "Priced again: Calls to United Kingdom": ("credit", -60_000),
    }
    assert lines["Priced again: Calls to United Kingdom"].basis["entries"] == 3
    (change,) = october.findings.filter(code="change")
    runs.tick(change, by=make.BY)
    runs.approve_customers(october, None, by=make.BY)
    issue(october)

    # The same calls are right now: rated once more they differ in nothing, and November bears nothing of them.
    assert proposed(northwind, make.BY, customers=[served.tenant_id], sell_deck=right, **span).changed == 0
    november = run_of(northwind, ENDS, date(2026, 12, 1))
    assert state_of(november, served.tenant) == "nothing"
    assert Adjustment.objects.filter(invoice_id=second.pk).count() == 3
    # To the account by which calls stop the customer owes both invoices, and no more.
    assert Account.objects.get(pk=served.tenant_id).balance_micros == -first.total - second.total
