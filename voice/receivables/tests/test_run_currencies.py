"""A month in which a contract ends and one in another currency begins: each asks for its own days, on one bill."""

import re
from datetime import date, datetime, time, timedelta

import pytest

from voice.currencies.conversion import NoRate
from voice.currencies.models import ExchangeRate
from voice.plans import ordering, previews
from voice.plans.bills import discounts_on_calls
from voice.plans.models import Credit
from voice.plans.tests import make as agreed
from voice.plans.tests.make import BERLIN
from voice.rating.money import read_micros
from voice.rating.tests.test_pricing_document import ALL
from voice.receivables.models import BilledCharge
from voice.receivables.services.months import draft_month
from voice.receivables.tests import make
from voice.receivables.tests.charges import charges
from voice.receivables.tests.months import BEGINS, ENDS, EUR

pytestmark = pytest.mark.django_db
CHANGE, DECEMBER = date(2026, 10, 15), date(2026, 12, 1)
MINUTES = {"kind": "minutes", "name": "Included", "minutes": 3}
OFF = {"kind": "discount", "name": "Ten off", "per_million": 100_000, "scope": "calls"}


def fee(amount):
    return {"kind": "monthly", "name": "Fee", "amount": amount * EUR}


@pytest.fixture
def rates(billed, northwind):
    told = {"msp": northwind, "base": "EUR", "quote": "USD", "nanos": 1_100_000_000, "kind": "manual", "source": "ECB"}
    for day in (date(2026, 10, 31), date(2026, 11, 30)):
        ExchangeRate.objects.create(**told, day=day)


@pytest.fixture
def changed(billed, northwind):
    """Acme, billed in dollars, had a contract in euros up to the change, and has one in dollars since."""
    billed.currency, billed.language = "USD", "en"
    billed.save()

    def change(euros, dollars):
        first = agreed.contract(billed.tenant, agreed.published(northwind, *euros, name="Euros"), starts=BEGINS)
        ordering.end_contract(first, noticed_on=BEGINS, ends=CHANGE, agreed=True, by=make.BY)
        version = agreed.published(northwind, *dollars, name="Dollars", currency="USD")
        agreed.contract(billed.tenant, version, starts=CHANGE)
        return first

    return change


def call(customer, day, minutes, per_minute, currency):
    at, seconds = datetime.combine(day, time(12), BERLIN), minutes * 60
    charges(customer, minutes * per_minute, at=at, currency=currency, seconds=seconds, billed=seconds)


@pytest.mark.usefixtures("rates")
def test_the_example_is_what_the_bill_asks(billed, changed):
    (example,) = [each for each in ALL if each.kind == "two_currencies"]
    euros, minutes, credit, dollars, others = (
        [read_micros(number) for number in re.findall(r"[0-9.]*[0-9]", row["Asks"])] for row in example.rows
    )
    talked, per_minute, included, cut = minutes
    first = changed([fee(euros[0] // EUR), MINUTES | {"minutes": included // EUR}], [fee(dollars[0] // EUR)])
    ordering.give_credit(Credit(contract=first, month=BEGINS, amount=credit[0], reason="Outage"), by=make.BY)
    last_day = CHANGE - timedelta(days=1)
    call(billed.tenant, last_day, talked // EUR, per_minute, "EUR")
    call(billed.tenant, CHANGE, others[0] // EUR, others[1], "USD")

    invoice, _found = draft_month(billed, BEGINS, ENDS, by=make.BY)

    lines = [line for line in invoice.lines.order_by("position") if line.net]
    assert [line.net for line in lines] == [read_micros(row["On the bill in USD"]) for row in example.rows]
    in_own = [line.basis.get("micros", line.net) for line in lines]
    assert in_own == [read_micros(row["In its currency"]) for row in example.rows]
    assert invoice.net == read_micros(example.options["total"])
    assert list(BilledCharge.objects.order_by("invited").values_list("covered", flat=True)) == [cut * 60 // EUR, 0]


@pytest.mark.usefixtures("rates")
def test_a_late_call_draws_what_the_contract_of_its_day_left(billed, changed):
    changed([fee(31), MINUTES], [fee(62), MINUTES | {"minutes": 100}])
    draft_month(billed, BEGINS, ENDS, by=make.BY)
    call(billed.tenant, date(2026, 10, 10), 10, 200_000, "EUR")

    november, _found = draft_month(billed, ENDS, DECEMBER, by=make.BY)

    # Of three minutes the contract's fourteen days have 81 seconds.
    assert BilledCharge.objects.get().covered == 81
    assert [line.text for line in november.lines.all() if line.kind == "fee"] == ["Fee"]


@pytest.mark.usefixtures("rates")
def test_a_discount_is_on_calls_of_its_contract_alone(billed, changed):
    changed([OFF], [fee(62), OFF | {"per_million": 500_000}])
    call(billed.tenant, date(2026, 10, 10), 10, 200_000, "EUR")
    call(billed.tenant, date(2026, 10, 20), 10, 200_000, "USD")

    invoice, _found = draft_month(billed, BEGINS, ENDS, by=make.BY)

    off = [(line.basis.get("currency"), line.net) for line in invoice.lines.filter(kind="discount")]
    assert off == [("EUR", -220_000), (None, -EUR)]
    asked = discounts_on_calls(billed.tenant, ENDS)
    month = (BEGINS, ENDS)
    assert [asked(date(2026, 10, day), month, currency) for day, currency in ((10, "EUR"), (10, "USD"), (20, "USD"))
            ] == [100_000, 0, 500_000]  # fmt: skip


def test_a_month_without_a_rate_is_not_guessed(billed, changed):
    changed([fee(31)], [fee(62)])
    with pytest.raises(NoRate):
        draft_month(billed, BEGINS, ENDS, by=make.BY)


def test_the_months_page_shows_what_both_ask(billed, changed):
    changed([fee(31)], [fee(62)])
    month = previews.month_of(billed.tenant, CHANGE)
    assert [(line.micros, line.currency) for line in month.lines] == [(14 * EUR, "EUR"), (34 * EUR, "")]
