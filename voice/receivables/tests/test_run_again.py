"""Calls that were priced again after they had been billed, or before: on the next invoice, once, as their plan asks."""

import uuid
from datetime import UTC, date, datetime

import pytest

from portal.db import contexts
from voice.plans.tests import make as agreed
from voice.plans.tiers import Tier
from voice.rating.models import Account
from voice.rating.money import read_micros
from voice.rating.tests.make import give, stored_deck, stored_rate
from voice.rating.tests.test_pricing_document import ALL
from voice.receivables.explaining import figures_of, steps_of
from voice.receivables.models import BilledCharge, BilledMonth
from voice.receivables.services import approve, drop, runs
from voice.receivables.services import issue as issue_one
from voice.receivables.services.months import draft_month
from voice.receivables.tests import make
from voice.receivables.tests.charges import NOON, charges
from voice.receivables.tests.months import BEGINS, ENDS, EUR, invoices, issue, run_of, state_of
from voice.rerating.models import Adjustment
from voice.rerating.tests.make import applied, calls, proposed

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("jobs_wait")]


def adjust(customer, micros, charge=None, **facts):
    """Note that a call was priced again."""
    at, call = (charge.answered, charge.id) if charge else (NOON, uuid.uuid4())
    told = {
        "tenant_id": customer.pk, "msp_id": customer.msp_id, "invited": charge.invited if charge else NOON,
        "answered": at, "call": call, "direction": "out", "destination": "Germany", "currency": "EUR", "calls": 0,
        "micros": micros, "proposal_id": 1, "made_at": NOON,
    }  # fmt: skip
    with contexts.ingest():
        return Adjustment.objects.create(**told | facts)


def test_what_was_priced_again_is_on_the_next_invoice_once(served, northwind):
    charges(served.tenant, 10 * EUR)
    adjust(served.tenant, -2 * EUR)
    adjust(served.tenant, -EUR)
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


DECEMBER = date(2026, 12, 1)
FEE = {"kind": "monthly", "name": "Fee", "amount": 10 * EUR}
MINUTES = {"kind": "minutes", "name": "Included", "minutes": 3}
TIERS = {"kind": "tiers", "name": "By volume", "tiers": (Tier(None, 30_000),)}
OFF = {"kind": "discount", "name": "Ten off", "per_million": 100_000, "scope": "calls"}


def again_in(invoice):
    return {line.text: line for line in invoice.lines.all() if line.basis.get("rule") == "again"}


class TestWhatAPlanMakesOfIt:
    @pytest.mark.parametrize("is_billed", [True, False], ids=["billed", "not billed yet"])
    @pytest.mark.parametrize("number", range(7))
    def test_each_line_of_the_example_is_what_is_asked(self, billed, northwind, number, is_billed):
        (example,) = [each for each in ALL if each.kind == "asked_again"]
        assert len(example.rows) == 7
        row = example.rows[number]
        posted, off, should, entry = (read_micros(row[name]) for name in ("Posted", "Taken off", "Should be", "Entry"))
        assert entry == should - posted
        # A call of four minutes: three are included, or all of them.
        plan = [FEE, *([MINUTES | {"minutes": 3 if off < posted else 4}] if off else [])]
        plan += [OFF] if row["Discount"] == "10 %" else []
        assert row["Discount"] in ("0 %", "10 %")
        agreed.contract(billed.tenant, agreed.published(northwind, *plan), starts=BEGINS)
        (call,) = charges(billed.tenant, posted, seconds=240, billed=240)
        if is_billed:
            draft_month(billed, BEGINS, ENDS, by=make.BY)
            adjust(billed.tenant, entry, call)
            bill, _found = draft_month(billed, ENDS, DECEMBER, by=make.BY)
        else:
            adjust(billed.tenant, entry, call)
            bill, _found = draft_month(billed, BEGINS, ENDS, by=make.BY)
        (line,) = again_in(bill).values()
        assert BilledCharge.objects.get().off == off
        assert line.exact == read_micros(row["Asked"])

    def test_calls_that_the_plan_prices_by_volume_ask_nothing_more_or_less(self, billed, northwind):
        agreed.contract(billed.tenant, agreed.published(northwind, FEE, TIERS), starts=BEGINS)
        up, down = charges(billed.tenant, EUR, EUR)
        october, _found = draft_month(billed, BEGINS, ENDS, by=make.BY)
        adjust(billed.tenant, EUR, up)
        adjust(billed.tenant, -EUR // 2, down)

        november, _found = draft_month(billed, ENDS, DECEMBER, by=make.BY)

        assert (october.net, november.net) == (10 * EUR + 60_000, 10 * EUR)

    def test_the_discount_is_that_of_the_bill_that_has_the_call(self, billed, northwind):
        """The discount holds in October only: November's calls have none, and an entry of October's has it still."""
        billed.language = "en"
        billed.save()
        agreed.contract(billed.tenant, agreed.published(northwind, FEE, OFF | {"months": 1}), starts=BEGINS)
        (first,) = charges(billed.tenant, 10 * EUR)
        draft_month(billed, BEGINS, ENDS, by=make.BY)
        (second,) = charges(billed.tenant, 10 * EUR, at=NOON.replace(month=11))
        adjust(billed.tenant, -2 * EUR, first)
        adjust(billed.tenant, -EUR, second)

        november, _found = draft_month(billed, ENDS, DECEMBER, by=make.BY)

        (line,) = again_in(november).values()
        assert line.net == -1_800_000 - EUR and november.net == 10 * EUR + 10 * EUR - 2_800_000
        assert steps_of(line, "EUR", figures_of(november, line.position))[:2] == [
            "2 calls were priced again; this is the difference to what was posted for them before.",
            "-€0.20 of it are the discounts on calls of the bills that these calls are on.",
        ]

    @pytest.mark.parametrize(("entry", "missing"), [(10 * EUR, 10 * EUR), (-10 * EUR, 30 * EUR), (30 * EUR, 0)])
    @pytest.mark.parametrize("scope", ["calls", "all"])
    def test_what_is_asked_counts_towards_the_minimum(self, billed, northwind, entry, missing, scope):
        least = {"kind": "commitment", "name": "At least", "amount": 100 * EUR, "scope": scope}
        agreed.contract(billed.tenant, agreed.published(northwind, least), starts=BEGINS)
        (call,) = charges(billed.tenant, 80 * EUR)
        adjust(billed.tenant, entry, call)

        invoice, _found = draft_month(billed, BEGINS, ENDS, by=make.BY)

        lacks = invoice.lines.filter(kind="commitment").first()
        assert (lacks.net if lacks else 0, invoice.net) == (missing, max(100 * EUR, 80 * EUR + entry))

    @pytest.mark.parametrize(("entry", "asked"), [(-50 * EUR, 50 * EUR), (50 * EUR, 150 * EUR)])
    def test_what_an_earlier_month_asks_is_no_part_of_the_minimum(self, billed, northwind, entry, asked):
        """November's calls are below its minimum: what October gives back comes off it."""
        least = {"kind": "commitment", "name": "At least", "amount": 100 * EUR, "scope": "calls"}
        agreed.contract(billed.tenant, agreed.published(northwind, least), starts=BEGINS)
        (call,) = charges(billed.tenant, 1_000 * EUR)
        draft_month(billed, BEGINS, ENDS, by=make.BY)
        charges(billed.tenant, 80 * EUR, at=NOON.replace(month=11))
        adjust(billed.tenant, entry, call)

        november, _found = draft_month(billed, ENDS, DECEMBER, by=make.BY)

        assert november.lines.get(kind="commitment").net == 20 * EUR
        assert november.net == asked

    def test_margins_count_what_is_asked_and_what_the_plan_bears(self, billed, northwind):
        agreed.contract(billed.tenant, agreed.published(northwind, FEE, MINUTES), starts=BEGINS)
        (call,) = charges(billed.tenant, 200_000, seconds=240, billed=240)
        adjust(billed.tenant, -100_000, call)
        invoice, _found = draft_month(billed, BEGINS, ENDS, by=make.BY)
        (line,) = again_in(invoice).values()
        issue_one(approve(invoice, by=make.BY), on=make.TODAY, by=make.BY)

        assert list(BilledMonth.objects.values_list("micros", "off")) == [(100_000, 150_000 - 75_000)]
        assert steps_of(line, "EUR", figures_of(invoice, line.position))[1] == (
            "Of -€0.10, included minutes and prices by volume bear -€0.075."
        )

    def test_a_month_in_which_the_plan_bears_all_of_it_asks_for_no_invoice(self, billed, northwind):
        agreed.contract(billed.tenant, agreed.published(northwind, MINUTES), starts=BEGINS)
        (call,) = charges(billed.tenant, 200_000, seconds=180, billed=180)
        draft_month(billed, BEGINS, ENDS, by=make.BY)
        adjust(billed.tenant, -100_000, call)

        assert draft_month(billed, ENDS, DECEMBER, by=make.BY)[0] is None
