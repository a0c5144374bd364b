"""What a month left: by customer, route and day, with fees, in one currency, against what is wanted."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils.timezone import now

from portal.core.audit import Actor
from portal.core.models import AuditEntry
from portal.db import contexts
from voice.currencies.models import ExchangeRate
from voice.margin import expecting, overview, plans, selectors, services
from voice.margin.lens import lens_of, next_month, previous_month
from voice.margin.models import ExpectedMonth, Target
from voice.margin.months import this_month
from voice.plans import ordering
from voice.plans.tests import make as agreed
from voice.plans.tiers import Tier
from voice.rating.money import read_micros
from voice.rating.tests.test_pricing_document import ALL
from voice.receivables.composer import Item
from voice.receivables.models import BilledMonth
from voice.receivables.services import approve, credit, draft, issue
from voice.receivables.tests import make
from voice.receivables.tests.charges import charges

pytestmark = pytest.mark.django_db
BY = Actor(email="nadia@northwind.example")


def came_to(lens):
    return selectors.result(selectors.by_customer(lens))


@pytest.fixture
def acme(northwind):
    from tenants.models import Customer

    with contexts.public():
        return Customer.objects.select_related("msp").get(label="acme")


def test_a_month_is_calls_and_fees_less_costs(northwind, acme, globex, initech, summed, lens):
    month = this_month()
    summed(acme, earned=9_000_000, cost=4_000_000)
    summed(globex, earned=1_000_000, cost=2_000_000, unpriced=3, uncosted=1)
    summed(acme, earned=5_000_000, cost=0, at=previous_month(month))
    summed(initech, earned=70_000_000)
    contexts.use_msp(northwind)
    billed = make.profile(make.entity(northwind), acme)
    make.issued(billed, 2_000_000, -500_000, period=(month, next_month(month)))

    found = came_to(lens())

    assert (found.earned, found.fees, found.cost) == (10_000_000, 1_500_000, 6_000_000)
    assert (found.revenue, found.margin, found.per_mille) == (11_500_000, 5_500_000, 478)
    assert (found.calls, found.unpriced, found.uncosted, found.unbilled) == (20, 3, 1, 10_000_000)


class OfCalls:
    """A source that bills calls with this sum, and a fee of two."""

    name = "calls"

    def __init__(self, micros):
        self.micros = micros

    def items(self, begins, ends, taxed):
        treatment = taxed("telecom")
        yield Item("usage", "DE", "Calls to Germany", self.micros, treatment, 12, 700)
        yield Item("fee", "fees", "Seats", 2_000_000, treatment)


def noted(invoice, month, billed_in, micros, off=0):
    facts = {"msp_id": invoice.msp_id, "tenant_id": invoice.tenant_id, "invoice": invoice, "currency": "EUR"}
    BilledMonth.objects.create(month=month, billed_in=billed_in, micros=micros, off=off, **facts)


def test_what_an_invoice_bills_for_calls_takes_the_place_of_charges_and_credit_notes_count_against_the_month(
    northwind, acme, summed, lens
):
    month = this_month()
    summed(acme, earned=9_000_000, cost=4_000_000)
    contexts.use_msp(northwind)
    billed = make.profile(make.entity(northwind), acme)
    written = draft(billed, OfCalls(6_004_999), begins=month, ends=next_month(month), by=BY)
    invoice = issue(approve(written, by=BY), on=make.TODAY, by=BY)
    noted(invoice, month, month, 9_000_000, 2_995_001)
    before = came_to(lens())
    note = credit(invoice, amounts={1: 1_000_000}, reason="Line was down", by=BY)
    issue(approve(note, by=BY), on=make.TODAY, by=BY)
    after = came_to(lens())

    # Three euros were included in the plan: they earn its fee.
    assert (before.earned, before.unbilled, before.fees) == (6_004_999, 0, 2_000_000)
    assert (after.earned, after.unbilled, after.fees) == (6_004_999, 0, 1_000_000)
    [listed] = selectors.customers(lens())
    assert (listed.revenue, listed.unbilled, listed.spent) == (after.revenue, 0, after.cost)


@pytest.mark.parametrize("example", [each for each in ALL if each.kind == "unbilled"], ids=str)
def test_the_page_of_rules_says_what_is_not_billed(northwind, acme, summed, lens, example):
    told = {name: read_micros(example.options[name]) for name in ("charged", "lines", "earned", "unbilled")}
    month = date.fromisoformat(f"{example.options['month']}-01")
    summed(acme, earned=told["charged"], at=month)
    contexts.use_msp(northwind)
    billed = make.profile(make.entity(northwind), acme)
    invoices = {}
    for row in example.rows:
        begins = date.fromisoformat(f"{row['Invoice for']}-01")
        if begins not in invoices:
            lines = OfCalls(told["lines"] if begins == month else read_micros(row["Charges"]))
            written = draft(billed, lines, begins=begins, ends=next_month(begins), by=BY)
            invoices[begins] = issue(approve(written, by=BY), on=make.TODAY, by=BY)
        of = date.fromisoformat(f"{row['Calls of']}-01")
        noted(invoices[begins], of, begins, read_micros(row["Charges"]), read_micros(row["Taken off"]))

    found = came_to(lens(month=month))
    assert (found.earned, found.unbilled) == (told["earned"], told["unbilled"])
    [listed] = selectors.customers(lens(month=month))
    assert (listed.earned, listed.unbilled) == (told["earned"], told["unbilled"])
    # What the late call earns in October it does not earn in November.
    assert came_to(lens(month=next_month(month))).earned == 0


def test_customers_below_their_target_stand_by_the_money_that_lacks(northwind, acme, globex, summed, lens):
    summed(acme, earned=10_000_000, cost=8_000_000)
    summed(globex, earned=100_000_000, cost=75_000_000)
    contexts.use_msp(northwind)
    services.set_target(northwind, None, 300, by=BY)

    lacking = [(row.pk, row.short) for row in selectors.below_target(selectors.by_customer(lens()))]
    assert lacking == [(globex.pk, 5_000_000), (acme.pk, 1_000_000)]
    listed = selectors.customers(lens()).filter(short__gt=0).order_by("-short").values_list("pk", "short")
    assert list(listed) == lacking
    services.set_target(northwind, globex, 100, by=BY)
    assert [row.pk for row in selectors.below_target(selectors.by_customer(lens()))] == [acme.pk]
    services.set_target(northwind, None, None, by=BY)
    assert selectors.below_target(selectors.by_customer(lens())) == []


def test_routes_that_lose_money_come_first_and_what_earns_nothing_is_named(northwind, acme, summed, lens):
    summed(acme, "Germany", earned=9_000_000, cost=4_000_000)
    summed(acme, "Austria, mobile", earned=1_000_000, cost=3_000_000)
    summed(acme, "", direction="emergency", cost=70_000)
    summed(acme, "", direction="in", cost=0)
    summed(acme, "Malta", earned=0, cost=500_000, unpriced=10)

    found = overview.overview(lens(), this_month())

    assert [(row["destination"], row["margin"]) for row in found["losing"]] == [("Austria, mobile", -2_000_000)]
    assert [(row["kind"], row["spent"]) for row in found["nothing"]] == [("aside", 500_000), ("emergency", 70_000)]
    by_trunk = list(selectors.routes(lens(), ("trunk",)).filter(direction="out").values_list("revenue", "spent"))
    assert by_trunk == [(10_000_000, 7_500_000)]


def test_currencies_are_never_mixed(northwind, acme, globex, summed, lens):
    summed(acme, earned=9_000_000, cost=4_000_000)
    summed(globex, earned=8_000_000, cost=0, currency="USD")
    summed(globex, earned=0, cost=3_000_000, calls=0)
    contexts.use_msp(northwind)
    services.set_target(northwind, None, 500, by=BY)

    euros = lens()
    assert (euros.currency, euros.missing) == ("EUR", ("USD",))
    assert (came_to(euros).earned, came_to(euros).cost) == (9_000_000, 7_000_000)
    assert came_to(lens("USD")).earned == 8_000_000
    assert selectors.elsewhere(euros) == [{"currency": "USD", "sold": 8_000_000, "bought": 0}]
    # A customer of whom a part is missing is no loss that anybody can act on.
    assert selectors.below_target(selectors.by_customer(euros)) == []
    assert {row.name: row.elsewhere for row in selectors.customers(euros)} == {"Acme": False, "Globex": True}


def test_a_month_without_calls_is_in_the_currency_of_the_calls_before_or_else_of_most_bills(
    northwind, acme, globex, summed, lens
):
    october, november, december = (date(2026, month, 1) for month in (10, 11, 12))
    assert lens(month=december).currency == "EUR"
    company = make.entity(northwind)
    for customer in (acme, globex):
        make.profile(company, customer, currency="GBP")
    assert lens(month=december).currency == "GBP"

    for month, currency in ((october, "CHF"), (november, "USD")):
        summed(acme, earned=9_000_000, at=month, currency=currency)

    assert [lens(month=month).currency for month in (october, november, december)] == ["CHF", "USD", "USD"]
    assert lens("EUR", december).currency == "EUR", "who asks for one gets it"


def test_a_stored_rate_brings_currencies_together(northwind, acme, globex, summed, lens):
    summed(acme, earned=9_000_000, cost=4_000_000)
    summed(globex, "Germany", earned=10_843_000, currency="USD")
    summed(globex, "Germany", earned=0, cost=3_000_000, calls=0)
    contexts.use_msp(northwind)
    ExchangeRate.objects.create(
        msp=northwind, base="EUR", quote="USD", nanos=1_084_300_000, day=this_month(), source="a newspaper"
    )

    euros = lens_of(northwind, this_month(), "EUR", today=this_month())

    assert euros.missing == () and "EUR" in euros.told[0]
    assert came_to(euros).earned == 19_000_000
    told = {row.name: (row.revenue, row.margin, row.elsewhere) for row in selectors.customers(euros)}
    assert told == {"Acme": (9_000_000, 5_000_000, False), "Globex": (10_000_000, 7_000_000, False)}
    [route] = selectors.routes(euros)
    assert (route["revenue"], route["margin"], route["per_mille"]) == (19_000_000, 12_000_000, 631)
    assert selectors.days(euros, this_month(), next_month(this_month()))[0].margin == 12_000_000
    dollars = lens_of(northwind, this_month(), "USD", today=this_month())
    assert came_to(dollars).cost == 7_590_100


def test_plans_stand_by_what_their_customers_left(northwind, acme, globex, summed, lens):
    summed(acme, earned=9_000_000, cost=4_000_000)
    summed(globex, earned=1_000_000, cost=2_000_000)
    contexts.use_msp(northwind)
    version = agreed.published(northwind, {"kind": "monthly", "name": "Line", "amount": 1_000_000}, name="Office")
    agreed.contract(acme, version, starts=date(2026, 1, 1))

    customers = selectors.by_customer(lens())
    found = plans.by_plan(customers, plans.names(northwind, this_month()))

    told = [(each.name, each.customers, each.result.margin) for each in found]
    assert told == [("Office", 1, 5_000_000), ("", 1, -1_000_000)]
    listed = selectors.customers(lens()).annotate(plan=plans.plan_of(this_month()))
    assert dict(listed.values_list("name", "plan")) == {"Acme": "Office", "Globex": None}


def test_a_customer_counts_under_no_plan_that_it_never_had(northwind, acme):
    contexts.use_msp(northwind)
    fee = {"kind": "monthly", "name": "Line", "amount": 1_000_000}
    has, wanted = (agreed.published(northwind, fee, name=name) for name in ("Office", "Given up"))
    contract = agreed.contract(acme, has, starts=date(2026, 1, 1))
    day = this_month() + timedelta(days=10)
    ordering.change_plan(contract, wanted, on=day, by=agreed.BY)
    ordering.end_contract(contract, noticed_on=day, ends=day, agreed=True, by=agreed.BY)

    assert plans.names(northwind, this_month()) == {acme.pk: "Office"}


def test_this_month_is_compared_with_the_same_days_of_the_last(northwind, acme, summed, lens):
    summed(acme, earned=5_004_900, cost=1_000_000, at=date(2026, 3, 2))
    summed(acme, earned=2_996_000, at=date(2026, 2, 2))
    summed(acme, earned=9_000_000, at=date(2026, 2, 27))
    contexts.use_msp(northwind)

    found = overview.compared(northwind, date(2026, 3, 10))
    # Shown as 4.00, 3.00 and their difference, although it is 1.0089.
    assert (found.margin, found.before, found.rise) == (4_004_900, 2_996_000, 1_000_000)
    # The 31st is compared with the whole of a shorter month.
    assert overview.compared(northwind, date(2026, 3, 31)).before == 11_996_000
    assert overview.compared(northwind, date(2026, 6, 1)) is None


def test_a_target_is_checked_kept_once_and_on_record(northwind, acme, initech):
    contexts.use_msp(northwind)
    services.set_target(northwind, acme, 300, by=BY)
    services.set_target(northwind, acme, 350, by=BY)
    services.set_target(northwind, acme, 350, by=BY)

    assert list(Target.objects.values_list("tenant", "per_mille")) == [(acme.pk, 350)]
    assert AuditEntry.objects.filter(verb="margin.target_set").count() == 2
    for customer, per_mille in ((acme, 1000), (initech, 100)):
        with pytest.raises(ValidationError):
            services.set_target(northwind, customer, per_mille, by=BY)
    services.set_target(northwind, acme, None, by=BY)
    assert not Target.objects.exists()


class Run(OfCalls):
    """The same as the run of a month has it."""

    name = "run"


def test_what_contracts_ask_is_expected_until_a_run_has_billed_it(northwind, acme, globex, summed):
    october, today = date(2026, 10, 1), date(2026, 10, 10)
    summed(acme, earned=9_000_000, cost=4_000_000, at=today)
    charges(acme, 1_000_000, 1_000_000)
    contexts.use_msp(northwind)
    fee = {"kind": "monthly", "name": "Line", "amount": 31_000_000}
    minutes = {"kind": "minutes", "name": "Germany", "minutes": 1, "pool": "shared", "destinations": ["Germany"]}
    agreed.contract(acme, agreed.published(northwind, fee, minutes, name="Office"), starts=date(2026, 1, 1))
    agreed.contract(globex, agreed.published(northwind, fee, name="Line"), starts=date(2026, 10, 17))
    expecting.work_out(northwind, today)

    lens = lens_of(northwind, october, today=today)
    told = {row.pk: (row.result.expected, row.result.to_come) for row in selectors.by_customer(lens)}
    # Ten of 31 days; the included minute took one of nine euros off, and so it goes on.
    assert told == {acme.pk: (9_000_000, 18_900_000), globex.pk: (4_838_709, 10_161_291)}
    assert came_to(lens).revenue == 9_000_000 + 9_000_000 + 4_838_709
    assert {row.pk: (row.expected, row.revenue) for row in selectors.customers(lens)} == {
        acme.pk: (9_000_000, 18_000_000), globex.pk: (4_838_709, 4_838_709)
    }  # fmt: skip
    # A month that is over is expected whole.
    later = lens_of(northwind, october, today=date(2026, 11, 3))
    assert {row.pk: row.result.expected for row in selectors.by_customer(later)}[globex.pk] == 15_000_000
    assert selectors.expected_at(later) is not None

    billed = make.profile(make.entity(northwind), acme)
    issue(approve(draft(billed, Run(7), begins=october, ends=date(2026, 11, 1), by=BY), by=BY), on=make.TODAY, by=BY)
    assert [row.pk for row in selectors.by_customer(later) if row.result.expected] == [globex.pk]
    expecting.work_out(northwind, date(2027, 3, 1))
    assert set(ExpectedMonth.objects.values_list("month", flat=True)) == {
        date(2027, 1, 1), date(2027, 2, 1), date(2027, 3, 1)
    }  # fmt: skip


EXPECTED = {
    "nothing": [],
    "400 included minutes": [{"kind": "minutes", "name": "Included", "minutes": 400}],
    "0.25 a minute, whatever the volume": [{"kind": "tiers", "name": "Volume", "tiers": [Tier(None, 250_000)]}],
    "0.50 for each call": [{"kind": "call", "name": "Each call", "amount": 500_000}],
    "10 % off calls": [{"kind": "discount", "name": "Ten off", "per_million": 100_000, "scope": "calls"}],
}


@pytest.mark.parametrize("number", range(5))
def test_the_page_of_rules_says_what_is_expected(northwind, acme, summed, number):
    (example,) = [each for each in ALL if each.kind == "expected"]
    assert [row["The plan has, beside the fee"] for row in example.rows] == list(EXPECTED)
    (plan, *amounts), options = example.rows[number].values(), example.options
    charged, off, asked, revenue = map(read_micros, amounts)
    today, minutes = date.fromisoformat(options["today"]), int(options["minutes"])
    assert charged == minutes * read_micros(options["per_minute"])
    summed(acme, earned=charged, at=today)
    charges(acme, charged, at=datetime(2026, 10, 5, 12, tzinfo=UTC), seconds=minutes * 60, billed=minutes * 60)
    contexts.use_msp(northwind)
    # Of the month's minutes all are there, however many days have begun.
    fee = {"kind": "monthly", "name": "Line", "amount": read_micros(options["fee"])}
    agreed.contract(acme, agreed.published(northwind, fee, *EXPECTED[plan]), starts=date(2026, 1, 1))
    expecting.work_out(northwind, today)

    assert ExpectedMonth.objects.get(month=today.replace(day=1)).off == off - asked
    assert came_to(lens_of(northwind, today.replace(day=1), today=today)).revenue == revenue


def test_a_contract_in_another_currency_is_expected_in_its_own(northwind, acme):
    contexts.use_msp(northwind)
    fee = {"kind": "monthly", "name": "Line", "amount": 31_000_000}
    first = agreed.contract(acme, agreed.published(northwind, fee, name="Euros"), starts=date(2026, 1, 1))
    change = date(2026, 10, 15)
    ordering.end_contract(first, noticed_on=change, ends=change, agreed=True, by=agreed.BY)
    agreed.contract(acme, agreed.published(northwind, fee, name="Dollars", currency="USD"), starts=change)
    expecting.work_out(northwind, date(2026, 10, 20))

    october = ExpectedMonth.objects.filter(month=date(2026, 10, 1)).values_list("currency", "fees")
    assert dict(october) == {"EUR": 14_000_000, "USD": 17_000_000}


def test_a_month_that_cannot_be_worked_out_keeps_nobody_elses_away(northwind, acme, globex, monkeypatch, caplog):
    contexts.use_msp(northwind)
    version = agreed.published(northwind, {"kind": "monthly", "name": "Line", "amount": 1_000_000}, name="Office")
    for customer in (acme, globex):
        agreed.contract(customer, version, starts=date(2026, 1, 1))
    real = expecting.month_of
    monkeypatch.setattr(expecting, "month_of", lambda row, month: real(row if row.pk == globex.pk else None, month))
    expecting.work_out(northwind, date(2026, 10, 10))

    assert set(ExpectedMonth.objects.values_list("tenant", flat=True)) == {globex.pk}
    assert "could not be worked out" in caplog.text
    with contexts.customer(globex):
        assert not ExpectedMonth.objects.exists()


def test_fees_in_a_currency_in_which_nobody_called_are_named_converted_and_looked_at(northwind, acme, summed, lens):
    month = this_month()
    summed(acme, earned=0, cost=2_000_000, currency="USD")
    contexts.use_msp(northwind)
    billed = make.profile(make.entity(northwind), acme)
    make.issued(billed, 10_000_000, period=(month, next_month(month)))

    there = lens()
    assert (there.currency, there.missing) == ("USD", ("EUR",))
    assert selectors.elsewhere(there) == [{"currency": "EUR", "sold": 10_000_000, "bought": 0}]
    [each] = selectors.by_customer(there)
    [listed] = selectors.customers(there)
    assert each.elsewhere and listed.elsewhere and listed.short is None
    assert not selectors.below_target([each])
    assert lens("EUR").currency == "EUR" and came_to(lens("EUR")).revenue == 10_000_000

    ExchangeRate.objects.create(
        msp=northwind, base="EUR", quote="USD", nanos=1_200_000_000, day=now().astimezone(UTC).date(), source="news"
    )
    assert (lens().missing, came_to(lens()).revenue) == ((), 12_000_000)
    assert not any(each.elsewhere for each in selectors.by_customer(lens()))


def test_fees_that_are_expected_in_another_currency_are_named_too(northwind, acme, summed, lens):
    summed(acme, earned=0, cost=2_000_000, currency="USD")
    contexts.use_msp(northwind)
    ExpectedMonth.objects.create(msp=northwind, tenant=acme, month=this_month(), currency="EUR", fees=31_000_000)

    assert lens().missing == ("EUR",)
    assert [row["currency"] for row in selectors.elsewhere(lens())] == ["EUR"]
    assert [each.elsewhere for each in selectors.by_customer(lens())] == [True]
