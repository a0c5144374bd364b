"""What a stored contract makes of stored charges."""

from datetime import date, datetime, timedelta

import pytest

from portal.db import contexts
from portal.db.partitions import ensure_days
from tenants.models import ChannelLimit
from tenants.services import save_customer
from voice.carriers.services import delete_trunk, grant_trunk, revoke_trunk
from voice.carriers.tests.make import shared_trunk
from voice.directory.models import Person
from voice.inventory.models import Allocation, StockNumber
from voice.numbers import seats
from voice.numbers.models import Number, Seat
from voice.plans import ordering
from voice.plans.bills import UsageSum, moments, plan_bill
from voice.plans.charges import sums_between
from voice.plans.models import AddOn, Credit
from voice.plans.tests import make
from voice.plans.tests.make import BERLIN, BY, EUR, JULY, JUNE
from voice.plans.tiers import Tier
from voice.rating.models import Charge
from voice.rating.tests.make import give, stored_deck, stored_rate

pytestmark = pytest.mark.django_db
MINUTES = {"kind": "minutes", "name": "Included minutes", "minutes": 10}


def charged(customer, *charges):
    """Store charges as the nodes' role, which alone may."""
    with contexts.ingest():
        Charge.objects.bulk_create(charges)


def billed(customer, begins=JUNE, ends=JULY):
    usage = sums_between(customer.pk, *moments(customer.pk, begins, ends))
    return plan_bill(customer.pk, begins, ends, "EUR", usage)


def lines(bill):
    return [(item.kind, item.text, item.micros) for item in bill.items]


@pytest.fixture(autouse=True)
def _days(db):
    with contexts.owner():
        ensure_days("rating_charge", [date(2026, 5, 31), date(2026, 6, 2), date(2026, 6, 5), date(2026, 6, 10),
                                      date(2026, 6, 20)])  # fmt: skip


def test_without_a_contract_a_month_costs_its_calls(office):
    usage = [
        UsageSum("out", "Germany", "EUR", calls=3, seconds=170, billed=180, micros=35_700),
        UsageSum("in", "", "EUR", calls=2, seconds=90, billed=90, micros=0),
        UsageSum("out", "France", "USD", calls=1, seconds=60, billed=60, micros=20_000),
    ]

    bill = plan_bill(office.pk, JUNE, JULY, "EUR", usage)

    assert [(item.kind, item.group, item.text, item.micros, item.quantity, item.seconds, item.currency)
            for item in bill.items] == [
        ("usage", "out", "Calls to Germany", 35_700, 3, 180, ""),
        ("usage", "in", "Incoming calls", 0, 2, 90, ""),
        ("usage", "out", "Calls to France", 20_000, 1, 60, "USD"),
    ]  # fmt: skip
    assert bill.items[0].basis["destination"] == "Germany"
    assert not bill.covers


def test_calls_draw_in_the_order_of_their_answer_and_the_one_that_empties_it_pays_its_own_rate(office, northwind):
    deck = stored_deck(northwind)
    rate = stored_rate(deck, "49", 20_000, destination="Germany", fee=50_000)
    give(deck, office)
    make.contract(office, make.published(northwind, MINUTES, deck=deck))
    last = make.charge(office, 300, "2026-06-20 10:00", deck_id=deck.pk, rate_id=rate.pk)
    last.micros = 150_000
    charged(office, last, make.charge(office, 480, "2026-06-02 10:00"), make.charge(office, 60, "2026-05-31 23:59:59"))

    bill = billed(office)

    assert [(cover.id == last.id, cover.seconds, cover.micros_off) for cover in bill.covers] == [
        (False, 480, 160_000), (True, 120, 40_000),
    ]  # fmt: skip
    assert lines(bill) == [
        ("usage", "Calls to Germany", 110_000), ("usage", "Included minutes: 10 of 10 minutes used", 0),
    ]  # fmt: skip
    assert bill.draws == [("Included minutes", "", JUNE, 600)]


def test_a_rate_with_bands_leaves_the_last_seconds_to_be_paid(office, northwind, monkeypatch):
    make.contract(office, make.published(northwind, MINUTES))
    # Neither rate nor record is known: each second of the charge bears the same.
    charged(office, make.charge(office, 1200, per_minute=30_000))
    assert lines(billed(office))[0] == ("usage", "Calls to Germany", 300_000)


def test_users_and_numbers_are_counted_from_the_customers_own_data(office, northwind):
    make.contract(
        office,
        make.published(
            northwind,
            {"kind": "monthly", "name": "User", "amount": 30 * EUR, "per": "seat"},
            {"kind": "monthly", "name": "Number", "amount": 3 * EUR, "per": "number"},
            {"kind": "once", "name": "New number", "amount": 10 * EUR, "per": "number"},
            {"kind": "monthly", "name": "Channel", "amount": EUR, "per": "channel"},
        ),
    )
    since = datetime(2026, 6, 16, 0, 0, tzinfo=BERLIN)
    for place, (begins, until) in enumerate(
        [(since, None), (since - timedelta(days=100), since), (since - timedelta(seconds=1), None)]
    ):
        stock = StockNumber.objects.create(msp=northwind, e164=f"+49301110200{place}", country="DE")
        Allocation.objects.create(msp=northwind, stock=stock, tenant=office, since=begins, until=until)
    with contexts.msp(northwind, office):
        # Two people; Anna's two numbers overlap, and Ben had none any more when the month began.
        for stock_id, person, begins, until in [
            (1, 1, since, None), (2, 1, since + timedelta(days=2), since + timedelta(days=5)),
            (3, 2, since - timedelta(days=100), since - timedelta(days=16)),
        ]:  # fmt: skip
            Seat.objects.create(stock_id=stock_id, person_id=person, since=begins, until=until)

    bill = billed(office)
    with contexts.customer(office):
        assert lines(billed(office)) == lines(bill)

    assert lines(bill) == [
        ("fee", "User, 16 Jun 2026 to 30 Jun 2026", 15 * EUR),
        ("fee", "Number, 1 Jun 2026 to 14 Jun 2026", 1_400_000),
        ("fee", "Number, 15 Jun 2026 to 30 Jun 2026", 3_200_000),
        ("fee", "New number", 20 * EUR),
        ("fee", "Channel", office.channels * EUR),
    ]
    assert bill.items[0].basis | {"contract": 0} == {
        "plan": "Office", "version": 1, "contract": 0, "rule": "monthly", "name": "User", "per": "seat",
        "each": 30 * EUR, "first": "2026-06-16", "ends": "2026-07-01", "days": 15, "of": 30, "part": 15 * EUR,
        "count": 1,
    }  # fmt: skip


def test_taking_people_off_their_numbers_before_the_run_spares_no_fee(office, northwind):
    user = {"kind": "monthly", "name": "User", "amount": 30 * EUR, "per": "seat"}
    make.contract(office, make.published(northwind, user))
    since = datetime(2026, 1, 1, tzinfo=BERLIN)
    with contexts.customer(office):
        anna = Person.objects.create(name="Anna")
        number = Number.objects.create(e164="+493011102000", stock_id=1, country="DE", person=anna, state="active")
        seats.follow([number])
        Seat.objects.update(since=since)
        number.person = None
        seats.follow([number])
        Seat.objects.update(until=datetime(2026, 6, 30, 22, 0, tzinfo=BERLIN))

    assert lines(billed(office)) == [("fee", "User, 1 Jun 2026 to 29 Jun 2026", 29 * EUR)]


def test_a_trunk_that_was_taken_back_is_asked_for_its_days(office, northwind, nadia):
    fee = {"kind": "monthly", "name": "Trunk", "amount": 30 * EUR, "per": "trunk"}
    make.contract(office, make.published(northwind, fee))
    trunk = shared_trunk(northwind, nadia)
    grant = grant_trunk(trunk, office, by=nadia)
    revoke_trunk(trunk, office, by=nadia)
    delete_trunk(trunk, by=nadia)
    grant.since, grant.until = (datetime(2026, 6, day, 12, tzinfo=BERLIN) for day in (11, 21))
    grant.save()

    asked = lines(billed(office))

    assert asked == [("fee", "Trunk, 11 Jun 2026 to 20 Jun 2026", 10 * EUR)]
    with contexts.customer(office):
        assert lines(billed(office)) == asked


def test_channels_are_asked_by_the_days_of_each_limit_and_not_as_they_are_at_the_run(office, northwind):
    fee = {"kind": "monthly", "name": "Channel", "amount": 3 * EUR, "per": "channel"}
    make.contract(office, make.published(northwind, fee))
    for channels in (100, 10):
        office.refresh_from_db()
        office.channels = channels
        save_customer(office, by=BY)
    limits = list(ChannelLimit.objects.filter(tenant=office).order_by("since"))
    moments = [datetime(2026, *at, tzinfo=BERLIN) for at in ((6, 3, 9), (6, 21, 12), (7, 2, 8))]
    for limit, since, until in zip(limits, moments, [*moments[1:], None], strict=True):
        limit.since, limit.until = since, until
        limit.save()

    asked = lines(billed(office))

    # The first limit counts for the days before it was entered, too.
    assert asked == [
        ("fee", "Channel, 1 Jun 2026 to 20 Jun 2026", 30 * 2 * EUR),
        ("fee", "Channel, 21 Jun 2026 to 30 Jun 2026", 100 * EUR),
    ]
    with contexts.customer(office):
        assert lines(billed(office)) == asked


def test_what_was_noted_with_a_bill_is_what_is_left_for_the_next(office, northwind):
    make.contract(office, make.published(northwind, MINUTES | {"roll_over": 1}), starts=date(2026, 5, 1))
    charged(office, make.charge(office, 240, "2026-05-31 12:00"), make.charge(office, 900, "2026-06-05 12:00"))
    may = billed(office, date(2026, 5, 1), JUNE)

    asked = billed(office)
    ordering.keep_draws(office, date(2026, 5, 1), JUNE, may.draws, "2026-00001")
    ordering.keep_draws(office, date(2026, 5, 1), JUNE, may.draws, "2026-00001")

    assert asked.draws == billed(office).draws == [
        ("Included minutes", "", date(2026, 5, 1), 360), ("Included minutes", "", JUNE, 540),
    ]  # fmt: skip


def test_a_late_call_is_billed_later_and_draws_from_its_own_month(office, northwind):
    make.contract(office, make.published(northwind, MINUTES), starts=date(2026, 5, 1))
    charged(office, make.charge(office, 540, "2026-05-31 12:00"))
    may = billed(office, date(2026, 5, 1), JUNE)
    ordering.keep_draws(office, date(2026, 5, 1), JUNE, may.draws, "2026-00001")

    late = make.call(120, "2026-05-31 13:00")
    bill = plan_bill(office.pk, JUNE, JULY, "EUR", make.sums([late]), lambda: [late])

    assert [(cover.seconds, cover.micros_off) for cover in bill.covers] == [(60, 20_000)]
    assert bill.draws == [("Included minutes", "", date(2026, 5, 1), 60)]


def test_everything_that_a_contract_may_have_comes_together(office, northwind):
    version = make.published(
        northwind,
        {"kind": "monthly", "name": "Recording", "amount": 5 * EUR, "optional": True},
        {"kind": "tiers", "name": "Volume", "tiers": [Tier(5, 20_000), Tier(None, 10_000)]},
        {"kind": "discount", "name": "Loyalty", "per_million": 100_000, "scope": "calls"},
        {"kind": "commitment", "name": "Minimum", "amount": 20 * EUR},
    )
    made = make.contract(office, version, starts=JUNE)
    ordering.order_add_on(AddOn(contract=made, name="recording", quantity=3, begins=date(2026, 6, 16)), by=BY)
    ordering.give_credit(Credit(contract=made, month=JUNE, amount=2 * EUR, reason="Outage"), by=BY)
    charged(office, make.charge(office, 900))

    assert lines(billed(office)) == [
        ("fee", "Recording, 16 Jun 2026 to 30 Jun 2026", 7_500_000),
        ("usage", "Calls to Germany", 0),
        ("usage", "Volume, June 2026, minutes 1 to 5", 100_000),
        ("usage", "Volume, June 2026, from minute 6 on", 100_000),
        ("discount", "Loyalty", -20_000),
        ("commitment", "Minimum: what is missing to it", 20 * EUR - 7_500_000 - 180_000),
        ("credit", "Outage", -2 * EUR),
    ]


def test_a_bill_in_another_currency_names_that_of_the_plan(office, northwind):
    make.contract(office, make.published(northwind, {"kind": "monthly", "name": "Fee", "amount": EUR}))
    usage = [UsageSum("out", "Germany", "EUR", 1, 60, 60, 20_000), UsageSum("out", "Peru", "USD", 1, 60, 60, 5)]

    bill = plan_bill(office.pk, JUNE, JULY, "USD", usage)

    assert [(item.text, item.currency) for item in bill.items] == [
        ("Fee", "EUR"), ("Calls to Germany", "EUR"), ("Calls to Peru", ""),
    ]  # fmt: skip
