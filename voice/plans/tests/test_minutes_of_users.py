"""Minutes that each user has for itself: on bills, in previews and in quotes the same people have them."""

from datetime import date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from portal.db import contexts
from portal.db.partitions import ensure_days
from voice.calls.tests.make import cdr
from voice.directory.models import Person
from voice.directory.services import delete_person
from voice.numbers.models import Seat
from voice.plans.bills import moments, plan_bill
from voice.plans.charges import sums_between
from voice.plans.previews import example, month_after_change, month_of
from voice.plans.quoting import Assumptions, Traffic, quote
from voice.plans.tests import make
from voice.plans.tests.make import BERLIN, JULY, JUNE
from voice.rating.models import Charge
from voice.rating.tests.make import stored_deck, stored_rate

pytestmark = pytest.mark.django_db
OWN = {"kind": "minutes", "name": "Included", "minutes": 10, "pool": "own"}
HERS, HER_OTHER, HANDED, NOBODYS = (f"+49301110200{place}" for place in range(4))
DAYS = (1, 10, 16, 17, 20)


def at(written):
    return datetime.fromisoformat(written).replace(tzinfo=BERLIN)


@pytest.fixture
def anna(office):
    """Anna has two numbers; Ben's went to Carl on the 16th, who has given it back since."""
    with contexts.customer(office):
        anna = Person.objects.create(name="Anna")
        for stock, number, person, since, until in [
            (1, HERS, anna.pk, at("2026-01-15"), None), (2, HER_OTHER, anna.pk, at("2026-01-15"), None),
            (3, HANDED, 901, at("2026-01-15"), at("2026-06-16T10:00")),
            (3, HANDED, 902, at("2026-06-16T10:00"), at("2026-07-01T09:00")),
        ]:  # fmt: skip
            Seat.objects.create(stock_id=stock, e164=number, person_id=person, since=since, until=until)
    return anna


def talk(customer, number, seconds, moment, screening="own"):
    """Store a call and its charge of 0.02 a minute; return its id."""
    charge = make.charge(customer, seconds, moment)
    with contexts.ingest():
        for table in ("calls_cdr", "rating_charge"):
            ensure_days(table, [charge.invited.date()])
        facts = {"id": charge.id, "answered": charge.answered, "ended": charge.answered + timedelta(seconds=seconds)}
        cdr(customer, charge.invited, caller_sent=number, screening=screening, called="+4930111", **facts).save(
            force_insert=True
        )
        Charge.objects.bulk_create([charge])
    return charge.id


def covered(customer, *calls):
    usage = sums_between(customer.pk, *moments(customer.pk, JUNE, JULY))
    found = {each.id: each.seconds for each in plan_bill(customer.pk, JUNE, JULY, "EUR", usage).covers}
    return [found.get(call, 0) for call in calls]


def test_a_person_has_one_allowance_and_a_number_takes_none_along(office, northwind, anna, alice):
    make.contract(office, make.published(northwind, OWN))
    calls = [
        talk(office, number, seconds, moment, screening)
        for number, seconds, moment, screening in [
            (HERS, 400, "2026-06-01 10:00", "own"), (HER_OTHER, 400, "2026-06-10 10:00", "forwarded"),
            # Dialled before it changed hands, and after. Each has half a month of it.
            (HANDED, 400, "2026-06-16 10:00:03", "own"), (HANDED, 400, "2026-06-17 10:00", "own"),
            (NOBODYS, 400, "2026-06-17 11:00", "own"), (NOBODYS, 400, "2026-06-17 12:00", "own"),
            # Her number is shown for others: that takes nothing from her.
            (HERS, 700, "2026-06-20 10:00", "replaced"), ("+4420111222", 700, "2026-06-20 11:00", "foreign"),
        ]
    ]  # fmt: skip
    expected = [400, 200, 300, 300, 400, 200, 600, 0]

    assert covered(office, *calls) == expected
    with contexts.customer(office):
        assert covered(office, *calls) == expected, "the customer reads of its month what the MSP bills"
        delete_person(anna, by=alice)
    assert covered(office, *calls) == expected, "who was removed had the minutes all the same"

    (line,) = [each for each in month_of(office, JUNE, "EUR").lines if each.basis["rule"] == "minutes"]
    assert (line.basis["used"], line.basis["users"], line.basis["empty"]) == (2400, 5, 5)


@pytest.mark.parametrize(("pool", "times"), [("own", 1), ("shared", 0), ("seat", 0)])
def test_who_called_is_read_once_where_a_plan_asks_for_it_and_otherwise_not_at_all(
    office, northwind, anna, pool, times
):
    make.contract(office, make.published(northwind, OWN | {"pool": pool}))
    for hour in range(10, 15):
        talk(office, HERS, 60, f"2026-06-10 {hour}:00")

    with CaptureQueriesContext(connection) as asked:
        month_of(office, JUNE)

    found = [each["sql"] for each in asked]
    assert sum("calls_cdr" in sql for sql in found) == times
    assert sum('"numbers_seat"."e164"' in sql for sql in found) == times


def test_previews_of_a_change_and_of_nobody_in_particular_know_users(office, northwind, anna):
    contract = make.contract(office, make.published(northwind, OWN | {"pool": "shared"}))
    changed = make.published(northwind, OWN, name="Own")
    talk(office, HERS, 300, "2026-06-20 10:00")
    talk(office, NOBODYS, 300, "2026-06-20 11:00")

    month = month_after_change(office, contract, changed, date(2026, 6, 16))

    # Half of June's ten minutes for each of them.
    assert [each.seconds for each in month.bill.covers] == [300, 300]
    # Ten users' thousand minutes are ten times their own hundred.
    deck = stored_deck(northwind)
    stored_rate(deck, "49", 20_000, destination="Germany")
    hundred = make.published(northwind, OWN | {"minutes": 100}, name="Hundred", deck=deck)
    assert [each.micros for each in example(hundred, JUNE).bill.items] == [0, 0]


def test_a_quote_knows_users(office, northwind, anna):
    deck = stored_deck(northwind)
    stored_rate(deck, "49", 20_000, destination="Germany")
    version = make.published(northwind, OWN, deck=deck)
    for number in (HERS, HER_OTHER, NOBODYS):
        talk(office, number, 360, "2026-06-10 10:00")

    real = quote(Assumptions(JUNE, office), [version])[0]
    typed = quote(Assumptions(JUNE, users=2, traffic=(Traffic("Germany", 20, 4),)), [version])[0]

    assert (real["monthly"], typed["monthly"]) == (40_000, 0)
