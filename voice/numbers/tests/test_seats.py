"""Every way in which a person gets a number or loses it leaves a date: fees for users are asked by these."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.utils import timezone

from portal.db import contexts
from tenants.models import Customer
from tenants.services import start_acting
from tenants.tests.clients import client_of
from voice.directory.models import Person
from voice.directory.services import delete_person
from voice.directory.tests.make import berlin
from voice.numbers import allocation, closing, services
from voice.numbers.models import Number, Seat
from voice.numbers.tests.make import given

pytestmark = pytest.mark.django_db
E164S = ("+49301234500", "+49301234501")


@pytest.fixture
def anna(acme):
    return Person.objects.create(name="Anna")


@pytest.fixture
def ben(acme):
    return Person.objects.create(name="Ben")


@pytest.fixture
def stock(acme, nadia, alice, anna):
    """Two numbers at a place with an address: Anna has the first."""
    ids = given(acme, nadia, *E164S)
    Number.objects.update(place=berlin(alice))
    held = first()
    held.person = anna
    services.activate(held, customer=acme, by=alice)
    return ids


def first():
    return Number.objects.get(e164=E164S[0])


def seats():
    """Return who sat at which number, and whether it is so still; what lasted no time is left out."""
    return [(seat.stock_id, seat.person_id, seat.until is None) for seat in Seat.objects.order_by("since", "pk")
            if seat.until != seat.since]  # fmt: skip


def test_a_seat_begins_with_an_active_number_that_has_a_person(acme, alice, nadia, anna):
    stock_id = given(acme, nadia, E164S[0])[0]
    Number.objects.update(place=berlin(alice))
    before = timezone.now()
    held = first()
    held.person = anna
    services.save_number(held, customer=acme, by=alice)
    assert seats() == []

    services.activate(held, customer=acme, by=alice)

    assert seats() == [(stock_id, anna.pk, True)]
    assert before < Seat.objects.get().since < timezone.now()


def test_another_person_at_the_number_follows_without_a_gap(acme, alice, stock, anna, ben):
    held = first()
    held.person = ben
    services.save_number(held, customer=acme, by=alice)

    assert seats() == [(stock[0], anna.pk, False), (stock[0], ben.pk, True)]
    theirs, his = Seat.objects.order_by("since")
    assert theirs.until == his.since


def test_another_label_changes_no_seat(acme, alice, stock, anna):
    held = first()
    held.label = "Reception"
    services.save_number(held, customer=acme, by=alice)

    assert seats() == [(stock[0], anna.pk, True)]


def test_many_numbers_that_are_suspended_and_come_back_leave_both_dates(acme, alice, stock, anna):
    ids = list(Number.objects.values_list("pk", flat=True))

    services.set_state(ids, "suspended", customer=acme, by=alice)
    assert seats() == [(stock[0], anna.pk, False)]

    services.set_state(ids, "active", customer=acme, by=alice)
    assert seats() == [(stock[0], anna.pk, False), (stock[0], anna.pk, True)]


def test_a_person_that_is_removed_leaves_the_seat(acme, alice, stock, anna):
    gone = anna.pk

    delete_person(anna, by=alice)

    assert seats() == [(stock[0], gone, False)]
    assert first().person is None


def test_a_number_that_is_returned_or_moved_is_nobodys_seat_any_more(acme, globex, nadia, stock, anna):
    allocation.move(stock[:1], globex, by=nadia)
    assert seats() == [(stock[0], anna.pk, False)]
    # Whose calls its calls were is known all the same.
    assert Seat.objects.exclude(until=F("since")).get().e164 == E164S[0]

    with contexts.customer(globex):
        assert seats() == []


def test_a_closed_customer_has_no_seats(acme, nadia, stock, anna):
    with contexts.msp(acme.msp):
        Customer.objects.filter(pk=acme.pk).update(state="closed")

    closing.take_back(by=nadia)

    with contexts.msp(acme.msp, acme):
        assert seats() == [(stock[0], anna.pk, False)]


@pytest.mark.parametrize("write", ["page", "api", "acting"])
def test_page_and_api_leave_the_same_date_whoever_is_there(acme, alice, nadia, stock, anna, ben, write):
    held, acting = first(), None
    if write == "acting":
        with contexts.msp(acme.msp):
            acting, _secret = start_acting(acme, user=nadia, reason="ticket 7", by=None)
    client = client_of(nadia if acting else alice, acme, acting=acting)
    if write == "api":
        answer = client.patch(f"/api/v1/numbers/{held.pk}/", {"person": ben.pk}, content_type="application/json")
    else:
        answer = client.post(f"/numbers/{held.pk}/", {
            "label": "", "inbound": "teams", "place": held.place_id, "person": ben.pk, "row_version": held.row_version,
        })  # fmt: skip
    assert answer.status_code in (200, 302)

    contexts.use_customer(acme)
    assert seats() == [(stock[0], anna.pk, False), (stock[0], ben.pk, True)]


def test_a_person_that_a_program_removes_and_a_number_that_is_given_back_leave_their_dates(
    acme, alice, nadia, stock, anna, ben
):
    gone, second = anna.pk, Number.objects.get(e164=E164S[1])
    second.person = ben
    services.activate(second, customer=acme, by=alice)

    assert client_of(alice, acme).delete(f"/api/v1/people/{gone}/").status_code == 204
    allocation.release(stock[1:], msp=acme.msp, by=nadia)

    contexts.use_customer(acme)
    assert seats() == [(stock[0], gone, False), (stock[1], ben.pk, False)]


def test_the_database_refuses_two_people_at_one_number_at_a_time(stock, ben):
    held = Seat.objects.get()

    for since, until in ((held.since + timedelta(days=1), None), (held.since - timedelta(days=1), timezone.now())):
        with pytest.raises(IntegrityError, match="numbers_seat_no_overlap"), transaction.atomic():
            Seat.objects.create(stock_id=held.stock_id, person_id=ben.pk, since=since, until=until)
    Seat.objects.create(
        stock_id=held.stock_id, person_id=ben.pk, since=held.since - timedelta(days=1), until=held.since
    )


def test_a_machine_whose_clock_is_behind_ends_a_seat_and_begins_the_next(acme, alice, stock, anna, ben):
    Seat.objects.update(since=timezone.now() + timedelta(seconds=3))
    held = first()
    held.person = ben
    services.save_number(held, customer=acme, by=alice)

    assert seats() == [(stock[0], ben.pk, True)]


@pytest.mark.django_db(transaction=True)
def test_a_number_is_given_back_while_its_person_is_removed(acme, alice, nadia, stock, anna, monkeypatch):
    ended, is_over, vacate, hers = Event(), Event(), allocation.seats.vacate, anna.pk
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"

    def vacate_and_wait(ids):
        vacate(ids)
        ended.set()
        # Until the removal has come as far as it gets.
        with connection.cursor() as cursor:
            until = time.monotonic() + 10
            while not is_over.is_set() and time.monotonic() < until:
                cursor.execute(waiting)
                if cursor.fetchone()[0]:
                    break
                time.sleep(0.01)

    def remove():
        try:
            assert ended.wait(10)
            with contexts.customer(acme):
                delete_person(anna, by=alice)
        finally:
            is_over.set()
            connection.close()

    monkeypatch.setattr(allocation.seats, "vacate", vacate_and_wait)
    with ThreadPoolExecutor(1) as threads:
        removal = threads.submit(remove)
        allocation.release(stock, msp=acme.msp, by=nadia)
        removal.result()

    assert seats() == [(stock[0], hers, False)]
    assert not Number.objects.exists() and not Person.objects.exists()
