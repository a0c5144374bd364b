"""Usage by person: each day with whoever had the number then, cut for whom calls are cut."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from portal.db import contexts
from tenants.models import Customer, User
from voice.calls.models import NumberDay
from voice.directory.models import Person
from voice.directory.services import delete_person, save_person
from voice.numbers.holders import Holders, days_of_person
from voice.numbers.models import Number, Seat
from voice.numbers.tests.make import given

pytestmark = pytest.mark.django_db
E164, OTHER = "+493012345600", "+493012345601"
TODAY = now().replace(hour=0, minute=0, second=0, microsecond=0)
PAGE = "/numbers/usage/"


def day(back: int) -> datetime:
    return TODAY - timedelta(days=back)


@pytest.fixture
def numbers(acme: Customer, nadia: User) -> list[Number]:
    given(acme, nadia, E164, OTHER)
    return list(Number.objects.in_number_order())


@pytest.fixture
def people(acme: Customer, alice: User) -> list[Person]:
    return [save_person(Person(name=name), by=alice) for name in ("Grace Hopper", "Alan Turing")]


def used(customer: Customer, number: str, at: datetime, **facts: Any) -> None:
    whole = {"direction": "out", "calls": 3, "answered": 2, "talk_ms": 125_000} | facts
    with contexts.ingest():
        NumberDay(tenant=customer, msp=customer.msp, number=number, at=at, **whole).save()


def give(number: Number, person: Person, since: datetime, until: datetime | None = None) -> None:
    """Note that a person had a number."""
    if until is None:
        Number.objects.filter(pk=number.pk).update(person=person)
    Seat.objects.create(stock_id=number.stock_id, person_id=person.pk, since=since, until=until)


def test_a_day_stays_with_whoever_had_the_number_then(
    acme: Customer, numbers: list[Number], people: list[Person]
) -> None:
    grace, alan = people
    noon = timedelta(hours=12)
    give(numbers[0], grace, day(9) + noon, day(5) + noon)
    give(numbers[0], alan, day(5) + noon, day(3))
    give(numbers[0], grace, day(3))

    holders = Holders([E164, OTHER])

    assert [holders.on(E164, day(back)) for back in (10, 9, 6, 5, 4, 3)] == [
        [], ["Grace Hopper"], ["Grace Hopper"], ["Grace Hopper", "Alan Turing"], ["Alan Turing"], ["Grace Hopper"],
    ]  # fmt: skip
    assert holders.on(OTHER, day(5)) == []
    for back in (10, 9, 6, 5, 4, 3):
        used(acme, E164, day(back))
    contexts.use_customer(acme)
    for name, backs in (("turing", [5, 4]), ("hopper", [9, 6, 5, 3]), ("r", [9, 6, 5, 4, 3]), ("nobody", [])):
        found = days_of_person(NumberDay.objects.all(), name).order_by("at")
        assert [row.at for row in found] == [day(back) for back in backs], name


def test_a_new_name_is_shown_and_a_person_who_was_removed_is_named_no_more(
    acme: Customer, alice: User, numbers: list[Number], people: list[Person]
) -> None:
    grace, alan = people
    give(numbers[0], grace, day(9))
    give(numbers[1], alan, day(9))
    grace.name = "Grace B. Hopper"
    save_person(grace, by=alice)
    delete_person(alan, by=alice)

    holders = Holders([E164, OTHER])

    assert (holders.on(E164, day(5)), holders.on(OTHER, day(5))) == (["Grace B. Hopper"], [])


def test_the_page_sums_up_finds_narrows_and_exports(
    acme: Customer, globex: Customer, alice: User, numbers: list[Number], people: list[Person], client_of: Any
) -> None:
    browser = client_of(alice, acme)
    assert "No calls in this month." in browser.get(PAGE).content.decode()
    give(numbers[0], people[0], day(400))
    used(acme, E164, day(0))
    used(acme, E164, day(0), direction="in", calls=1, answered=1, talk_ms=60_000)
    used(acme, OTHER, day(0), calls=7, answered=0, talk_ms=0)
    used(acme, "", day(0), calls=9, answered=0, talk_ms=0)
    used(acme, OTHER, day(40), calls=4321)
    used(globex, "+442079460018", day(0))

    answer = browser.get(PAGE)

    page = answer.content.decode()
    assert "Grace Hopper" in page and "+49 30 12345600" in page and "Calls with none of your numbers" in page
    assert "4321" not in page and "7946" not in page
    first, second = answer.context["list"].by_person
    assert first == {
        "person": "Grace Hopper", "number": E164, "calls": 4, "answered": 3, "talked": 185.0, "charge": "",
    }  # fmt: skip
    assert (second["person"], second["number"], second["calls"]) == ("", OTHER, 7)
    assert f'href="/numbers/{numbers[0].pk}/"' in page
    for query, rows in (("q=grace", 2), ("q=2345601", 1), ("direction=in", 1), ("q=turing", 0), ("sort=-calls", 4)):
        assert browser.get(f"{PAGE}?{query}").context["list"].count == rows, query
    then = f"{day(40):%Y-%m}"
    assert "4321" in browser.get(f"{PAGE}?month={then}").content.decode()
    export = browser.get(f"{PAGE}?export=csv&sort=calls").content.decode()
    assert export.count("Grace Hopper") == 2 and E164 in export


def test_the_page_adds_up_once(acme: Customer, alice: User, numbers: list[Number], client_of: Any) -> None:
    used(acme, E164, day(0))
    browser = client_of(alice, acme)
    with CaptureQueriesContext(connection) as asked:
        assert browser.get(PAGE).status_code == 200

    assert len([each for each in asked if "GROUP BY" in each["sql"] and "numberday" in each["sql"]]) == 1


def test_pages_lead_there(
    acme: Customer, alice: User, numbers: list[Number], people: list[Person], client_of: Any
) -> None:
    browser = client_of(alice, acme)

    for path in ("/numbers/", f"/numbers/{numbers[0].pk}/", f"/people/{people[0].pk}/"):
        assert 'href="/numbers/usage/' in browser.get(path).content.decode(), path


def test_who_sees_calls_cut_sees_numbers_cut_and_finds_no_more(
    acme: Customer, victor: User, numbers: list[Number], client_of: Any
) -> None:
    used(acme, E164, day(0))
    browser = client_of(victor, acme)

    texts = [browser.get(path).content.decode() for path in (PAGE, f"{PAGE}?export=csv", "/api/v1/number-days/")]

    assert [any(end in text for end in ("45600", "345 600", E164)) for text in texts] == [False] * 3
    assert "***" in texts[0] and "+493012345***" in texts[2]
    for text, count in (("+4930123", 1), ("5600", 0), ("+493012345600", 0)):
        assert browser.get(PAGE, {"q": text}).context["list"].count == count, text
        assert len(browser.get("/api/v1/number-days/", {"number": text}).json()["results"]) == count, text


def test_the_api_says_the_same(
    acme: Customer, alice: User, numbers: list[Number], people: list[Person], client_of: Any
) -> None:
    give(numbers[0], people[0], day(400))
    used(acme, E164, day(0))
    used(acme, OTHER, day(3), direction="in")
    browser = client_of(alice, acme)

    def asked(**narrowed: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = browser.get("/api/v1/number-days/", narrowed).json()["results"]
        return rows

    newest, older = asked()
    assert (newest["number"], newest["people"], newest["talk_ms"]) == (E164, ["Grace Hopper"], 125_000)
    assert asked(number="2345601") == asked(direction="in") == asked(to=day(1).isoformat()) == [older]
    assert asked(person="hopper") == [newest] and asked(person="nobody") == []
    assert browser.get(f"/api/v1/number-days/{older['id']}/").json() == older


def test_many_rows_ask_as_often_as_one(acme: Customer, alice: User, numbers: list[Number], client_of: Any) -> None:
    asked = []
    for number in (E164, OTHER):
        for direction in ("out", "in", "internal"):
            used(acme, number, day(0), direction=direction)
        browser = client_of(alice, acme)
        browser.get(PAGE)
        with CaptureQueriesContext(connection) as queries:
            browser.get(PAGE)
        asked.append(len(queries))
    assert asked[0] == asked[1]
