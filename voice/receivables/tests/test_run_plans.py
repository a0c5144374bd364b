"""What plans give and ask in a run: given once, closed with the month, opened with a draft that is thrown away."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError

from voice.plans import ordering
from voice.plans.bills import FEE, PlanBill, PlanItem, plan_bill
from voice.plans.models import Credit
from voice.plans.ordering import billed_until
from voice.plans.tests import make as agreed
from voice.plans.tiers import Tier
from voice.receivables import selectors
from voice.receivables.models import BilledCharge, BillingProfile, Entry, Invoice, TaxRule
from voice.receivables.services import add_rule, approve, drop, months, runs
from voice.receivables.services import issue as issue_one
from voice.receivables.services.documents import made
from voice.receivables.services.months import draft_month
from voice.receivables.tests import make
from voice.receivables.tests.charges import NOON, charges
from voice.receivables.tests.months import BEGINS, ENDS, EUR, codes, invoices, issue, run_of, state_of, words_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("jobs_wait")]


def test_what_a_plan_gave_is_given_until_the_draft_is_dropped(billed, northwind, monkeypatch):
    charges(billed.tenant, 1_234_567)
    fee = PlanItem(FEE, "fees", "Seats", 10 * EUR, basis={"rule": "each"})

    def bill(*args):
        return PlanBill([fee, *plan_bill(*args).items], draws=[("minutes", "", BEGINS, 600)])

    monkeypatch.setattr(months, "plan_bill", bill)

    invoice, _found = draft_month(billed, BEGINS, ENDS, by=make.BY)
    assert billed_until(billed.tenant) == ENDS

    drop(invoice, by=make.BY)
    assert billed_until(billed.tenant) is None


def test_what_rolls_over_from_a_billed_month_is_given_once(billed, northwind):
    fee = {"kind": "monthly", "name": "Fee", "amount": 10 * EUR}
    minutes = {"kind": "minutes", "name": "Included minutes", "minutes": 10, "roll_over": 1}
    agreed.contract(billed.tenant, agreed.published(northwind, fee, minutes), starts=BEGINS)
    months_ = [(BEGINS, 240), (ENDS, 1200), (date(2026, 12, 1), 1200)]
    covered = []
    for begins, seconds in months_:
        at = datetime(begins.year, begins.month, 15, 12, tzinfo=UTC)
        charges(billed.tenant, seconds * 1_000, at=at, seconds=seconds, billed=seconds)
        ends = (begins + timedelta(days=31)).replace(day=1)
        invoice, _found = draft_month(billed, begins, ends, by=make.BY)
        (call,) = BilledCharge.objects.filter(line__invoice=invoice)
        covered.append(call.covered)

    # Six minutes of October come to November, and nothing of either to December.
    assert covered == [240, 960, 600]


MINUTES = {"kind": "minutes", "name": "Included minutes", "minutes": 10, "roll_over": 1}
TRIAL = {"kind": "monthly", "name": "Fee", "amount": 10 * EUR}
DECEMBER = date(2026, 12, 1)


def covered(invoice):
    return sorted(BilledCharge.objects.filter(line__invoice=invoice).values_list("covered", flat=True))


def talk(customer, seconds, at=NOON):
    charges(customer, seconds * 1_000, at=at, seconds=seconds, billed=seconds)


class TestAMonthOverNothing:
    def test_what_included_minutes_bear_is_an_invoice_over_nothing_that_closes_the_month(self, billed, northwind):
        BillingProfile.objects.filter(pk=billed.pk).update(language="en")
        agreed.contract(billed.tenant, agreed.published(northwind, MINUTES), starts=BEGINS)
        talk(billed.tenant, 240)
        run = run_of(northwind)
        runs.approve_customers(run, None, by=make.BY)
        issue(run)

        (october,) = invoices(billed.tenant)
        assert (october.state, october.number, october.total) == ("issued", "2026-00001", 0)
        assert covered(october) == [240]
        assert not Entry.objects.exists() and selectors.open_amount(october) == 0
        # A late call draws what October left, and what rolls over is what then remains.
        talk(billed.tenant, 300, at=NOON + timedelta(hours=2))
        talk(billed.tenant, 900, at=NOON + timedelta(days=31))
        run_of(northwind, ENDS, DECEMBER)
        november = invoices(billed.tenant)[1]
        assert covered(november) == [300, 660] and november.net == 240_000
        assert november.lines.get(text="Calls to Germany").quantity == 2

    def test_a_month_that_asks_for_nothing_is_closed_without_an_invoice(self, billed, northwind):
        contract = agreed.contract(
            billed.tenant, agreed.published(northwind, TRIAL), starts=date(2026, 9, 1), trial_until=ENDS
        )
        charges(billed.tenant, 0, direction="emergency", outcome="free")
        run = run_of(northwind)

        assert (state_of(run, billed.tenant), billed_until(billed.tenant)) == ("nothing", ENDS)
        assert not Invoice.objects.exists() and not BilledCharge.objects.exists()
        contract.trial_until = BEGINS
        with pytest.raises(ValidationError, match="are billed"):
            ordering.save_contract(contract, by=make.BY)
        assert state_of(run_of(northwind), billed.tenant) == "nothing"

        runs.open_days(run.customers.get(tenant=billed.tenant), by=make.BY)
        assert codes(run, billed.tenant) == ["opened"] and billed_until(billed.tenant) is None
        ordering.save_contract(contract, by=make.BY)
        assert state_of(run_of(northwind), billed.tenant) == "drafted"
        assert [invoice.net for invoice in invoices(billed.tenant)] == [10 * EUR]
        with pytest.raises(ValidationError, match="without an invoice"):
            runs.open_days(run.customers.get(tenant=billed.tenant), by=make.BY)

    def test_days_without_a_contract_stay_open(self, billed, northwind):
        assert state_of(run_of(northwind), billed.tenant) == "nothing" and billed_until(billed.tenant) is None


class TestABillOfCallsAlone:
    """It closes its days as any other: what comes afterwards for them would be on no bill."""

    def test_a_plan_that_asks_for_calls_alone_takes_nothing_more_for_a_billed_month(self, billed, northwind):
        volume = {"kind": "tiers", "name": "Volume", "tiers": [Tier(None, 10_000)]}
        contract = agreed.contract(billed.tenant, agreed.published(northwind, volume), starts=BEGINS)
        fees = agreed.published(northwind, TRIAL, name="With a fee")
        charges(billed.tenant, EUR)
        invoice, _found = draft_month(billed, BEGINS, ENDS, by=make.BY)
        outage = {"contract": contract, "amount": EUR, "reason": "Outage"}

        for act in (
            lambda: ordering.give_credit(Credit(month=BEGINS, **outage), by=make.BY),
            lambda: ordering.change_plan(contract, fees, on=date(2026, 10, 10), by=make.BY),
        ):
            with pytest.raises(ValidationError, match="are billed or closed"):
                act()
        ordering.give_credit(Credit(month=ENDS, **outage), by=make.BY)
        drop(invoice, by=make.BY)
        ordering.give_credit(Credit(month=BEGINS, **outage), by=make.BY)

    def test_no_contract_starts_in_it(self, billed, northwind):
        charges(billed.tenant, EUR)
        draft_month(billed, BEGINS, ENDS, by=make.BY)
        version = agreed.published(northwind, TRIAL)

        with pytest.raises(ValidationError, match="throw their draft away first"):
            agreed.contract(billed.tenant, version, starts=BEGINS)
        agreed.contract(billed.tenant, version, starts=ENDS)


class TestADraftOnWhichALaterMonthCounts:
    @pytest.fixture
    def two_months(self, billed, northwind):
        """October left six minutes, and November's draft drew them."""
        agreed.contract(billed.tenant, agreed.published(northwind, MINUTES), starts=BEGINS)
        talk(billed.tenant, 240)
        talk(billed.tenant, 1200, at=NOON + timedelta(days=31))
        return run_of(northwind), run_of(northwind, ENDS, DECEMBER)

    def test_it_is_not_thrown_away_alone(self, billed, two_months):
        october, november = invoices(billed.tenant)
        assert covered(november) == [960]
        with pytest.raises(ValidationError, match=r"November 2026 counts on .* throw its draft away first"):
            drop(october, by=make.BY)

        approve(november, by=make.BY)
        with pytest.raises(ValidationError, match=r"November 2026 counts on .* is approved: this draft stays"):
            drop(october, by=make.BY)

    def test_collecting_it_again_takes_the_later_draft_back(self, billed, northwind, two_months):
        _first, later = two_months
        talk(billed.tenant, 180, at=NOON + timedelta(hours=1))
        run_of(northwind)

        (october,) = invoices(billed.tenant)
        assert covered(october) == [180, 240]
        assert codes(later, billed.tenant) == ["taken_back"]
        assert "October 2026" in words_of(later.findings.get())
        assert later.customers.get(tenant=billed.tenant).invoice is None
        run_of(northwind, ENDS, DECEMBER)
        # Three minutes of October are left now, beside the ten of November.
        assert covered(invoices(billed.tenant)[1]) == [780] and codes(later, billed.tenant) == []

    def test_it_stays_where_the_later_one_is_approved(self, billed, northwind, two_months):
        first, _later = two_months
        october, november = invoices(billed.tenant)
        approve(november, by=make.BY)
        talk(billed.tenant, 180, at=NOON + timedelta(hours=1))
        run_of(northwind)

        assert [each.pk for each in invoices(billed.tenant)] == [october.pk, november.pk]
        assert codes(first, billed.tenant) == ["kept"] and state_of(first, billed.tenant) == "drafted"
        assert "is approved: the draft stays" in words_of(first.findings.get())

    def test_minutes_that_do_not_roll_over_bind_no_later_month(self, billed, northwind):
        agreed.contract(billed.tenant, agreed.published(northwind, MINUTES | {"roll_over": 0}), starts=BEGINS)
        talk(billed.tenant, 240)
        talk(billed.tenant, 60, at=NOON + timedelta(days=31))
        run_of(northwind)
        run_of(northwind, ENDS, DECEMBER)
        drop(invoices(billed.tenant)[0], by=make.BY)


def test_each_component_of_a_plan_is_taxed_by_its_class(billed, northwind):
    billed.language = "en"
    billed.save()
    told = {"country": "DE", "tax": "vat", "name": "VAT", "begins": date(2026, 1, 1), "source": "made up"}
    add_rule(TaxRule(msp=northwind, **told, per_million=70_000, tax_class="goods"), by=make.BY)
    agreed.contract(
        billed.tenant,
        agreed.published(
            northwind,
            {"kind": "monthly", "name": "Line", "amount": 100 * EUR},
            {"kind": "monthly", "name": "Recording", "amount": 10 * EUR, "tax_class": "service"},
            {"kind": "once", "name": "Telephones", "amount": 50 * EUR, "tax_class": "goods"},
        ),
        starts=BEGINS,
    )
    charges(billed.tenant, EUR)
    invoice, _found = draft_month(billed, BEGINS, ENDS, by=make.BY)

    rates = {line.text: line.per_million for line in invoice.lines.all()}
    assert {name: rates[name] for name in ("Line", "Recording", "Telephones", "Calls to Germany")} == {
        "Line": 190_000, "Recording": 190_000, "Telephones": 70_000, "Calls to Germany": 190_000,
    }  # fmt: skip
    taxes = {each.per_million: (each.net, each.tax) for each in invoice.taxes.all()}
    assert taxes == {190_000: (111 * EUR, 21_090_000), 70_000: (50 * EUR, 3_500_000)}
    issued = issue_one(approve(invoice, by=make.BY), on=make.TODAY, by=make.BY)
    assert made(issued)["xml"].count(b"RateApplicablePercent>7<") == 2


def test_what_is_sold_abroad_is_goods_or_a_service_as_its_component_says(billed, northwind):
    billed.country, billed.vat_id, billed.postcode = "FR", "FR12345678901", "75001"
    billed.save()
    parts = [
        {"kind": "monthly", "name": name, "amount": EUR, "tax_class": name} for name in ("telecom", "service", "goods")
    ]
    agreed.contract(billed.tenant, agreed.published(northwind, *parts), starts=BEGINS)
    invoice, _found = draft_month(billed, BEGINS, ENDS, by=make.BY)
    found = {line.text: line.category for line in invoice.lines.all()}
    assert found == {"telecom": "AE", "service": "AE", "goods": "K"}
