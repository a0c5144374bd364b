from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.utils import timezone

from portal.core.audit import Actor
from portal.core.models import AuditEntry
from portal.db import contexts
from tenants.models import Customer
from voice.inventory.models import Allocation, StockNumber
from voice.inventory.services import close_numbers, reserve
from voice.numbers import allocation
from voice.numbers.models import Number
from voice.numbers.tests.make import given, stock

BY = Actor(email="nadia@northwind.example")


def numbers_of(customer):
    with contexts.customer(customer):
        return list(Number.objects.in_number_order().values_list("e164", flat=True))


def test_a_number_that_is_given_appears_at_the_customer_not_active_yet(northwind, acme):
    before = acme.config_version
    (pk,) = given(acme, BY, "+49301234500")

    number = Number.objects.get()
    assert (number.e164, number.stock_id, number.state, number.country) == ("+49301234500", pk, "inactive", "DE")
    assert acme.config_version == before + 1
    with contexts.msp(northwind):
        assert StockNumber.objects.get(pk=pk).tenant == acme
        assert Allocation.objects.get(stock=pk).until is None
        assert AuditEntry.objects.get(verb="numbers.allocated").facts["numbers"] == ["+49301234500"]


def test_one_busy_number_stops_the_whole_lot(northwind, acme, globex):
    ids = stock(northwind, "+49301234500", "+49301234501")
    allocation.allocate(ids[:1], acme, by=BY)

    with pytest.raises(ValidationError, match=r"\+49301234500 \(allocated\)"):
        allocation.allocate(ids, globex, by=BY)

    assert numbers_of(globex) == []
    with contexts.msp(northwind):
        assert StockNumber.objects.get(pk=ids[1]).state == "available"


def test_a_reserved_number_goes_to_its_customer_only(northwind, acme, globex):
    ids = stock(northwind, "+49301234500", "+49301234501")
    with contexts.msp(northwind):
        reserve(ids, msp=northwind, customer=acme, by=BY)

    with pytest.raises(ValidationError, match="reserved"):
        allocation.allocate(ids, globex, by=BY)
    allocation.allocate(ids, acme, by=BY)

    assert len(numbers_of(acme)) == 2


def test_another_msps_number_or_customer_is_out_of_reach(northwind, fabrikam, acme, initech):
    foreign = stock(fabrikam, "+442079460001", country="GB")

    with pytest.raises(ValidationError, match="not in your stock"):
        allocation.allocate(foreign, acme, by=BY)
    with pytest.raises(ValidationError, match="not in your stock"):
        allocation.release(foreign, msp=northwind, by=BY)


def test_taking_numbers_back_cools_them_and_changes_nothing_else(northwind, acme, globex):
    ids = given(acme, BY, "+49301234500", "+49301234501")
    given(globex, BY, "+12065550100", country="US")
    before = globex.config_version

    allocation.release(ids[:1], msp=northwind, by=BY)

    assert numbers_of(acme) == ["+49301234501"]
    assert numbers_of(globex) == ["+12065550100"]
    with contexts.msp(northwind):
        globex.refresh_from_db()
        assert globex.config_version == before
        number = StockNumber.objects.get(pk=ids[0])
        assert (number.state, number.tenant) == ("cooling", None)
        assert number.cooling_until > timezone.now() + timedelta(days=29)
        assert Allocation.objects.get(stock=ids[0]).until
    with pytest.raises(ValidationError, match="cooling"):
        allocation.allocate(ids[:1], globex, by=BY)


def test_a_cooled_number_can_be_given_again(northwind, acme, globex):
    ids = given(acme, BY, "+49301234500")
    allocation.release(ids, msp=northwind, by=BY)
    with contexts.msp(northwind):
        StockNumber.objects.update(cooling_until=timezone.now() - timedelta(seconds=1))

    allocation.allocate(ids, globex, by=BY)

    assert numbers_of(globex) == ["+49301234500"]


def test_a_moved_number_leaves_one_customer_and_reaches_the_other_in_one_step(northwind, acme, globex):
    ids = given(acme, BY, "+49301234500", "+49301234501")

    allocation.move(ids[:1], globex, by=BY)

    assert numbers_of(acme) == ["+49301234501"]
    assert numbers_of(globex) == ["+49301234500"]
    with contexts.msp(northwind):
        assert list(Allocation.objects.filter(stock=ids[0]).order_by("pk").values_list("tenant", flat=True)) == [
            acme.pk, globex.pk,
        ]  # fmt: skip


@pytest.mark.parametrize("state", ["closing", "closed"])
def test_a_customer_on_its_way_out_is_given_nothing_whatever_the_caller_had_read(northwind, acme, globex, state):
    held, free = given(acme, BY, "+49301234500"), stock(northwind, "+49301234501")
    with contexts.msp(northwind):
        Customer.objects.filter(pk=globex.pk).update(state=state)

    with pytest.raises(ValidationError, match="Globex cannot be given anything"):
        allocation.move(held, globex, by=BY)
    with pytest.raises(ValidationError, match="Globex cannot be given anything"):
        allocation.allocate(free, globex, by=BY)
    with contexts.msp(northwind), pytest.raises(ValidationError, match="Globex cannot be given anything"):
        reserve(free, msp=northwind, customer=globex, by=BY)

    assert numbers_of(acme) == ["+49301234500"]
    with contexts.msp(northwind):
        assert dict(StockNumber.objects.values_list("pk", "state")) == {held[0]: "allocated", free[0]: "available"}


def test_bulk_return_reaches_every_customer_that_holds_one(northwind, acme, globex):
    ids = given(acme, BY, "+49301234500") + given(globex, BY, "+12065550100", country="US")

    allocation.release(ids, msp=northwind, by=BY, cooling_days=0)

    assert numbers_of(acme) == numbers_of(globex) == []
    with contexts.msp(northwind):
        assert set(StockNumber.objects.values_list("state", flat=True)) == {"available"}


def test_the_default_caller_id_stays_until_another_is_chosen(northwind, acme):
    ids = given(acme, BY, "+49301234500")
    acme.default_caller_id = "+49301234500"
    acme.save(update_fields=["default_caller_id"])

    with pytest.raises(ValidationError, match="default caller ID of Acme"):
        allocation.release(ids, msp=northwind, by=BY)

    assert numbers_of(acme) == ["+49301234500"]


def test_an_allocated_number_cannot_be_closed(northwind, acme):
    ids = given(acme, BY, "+49301234500")

    with contexts.msp(northwind), pytest.raises(ValidationError, match="allocated"):
        close_numbers(ids, msp=northwind, by=BY)


@pytest.mark.django_db(transaction=True)
def test_fifty_parallel_allocations_of_one_number_have_one_winner(northwind, acme, globex):
    (pk,) = stock(northwind, "+49301234500")

    def attempt(turn):
        try:
            allocation.allocate([pk], acme if turn % 2 else globex, by=BY)
        except ValidationError:
            return None
        finally:
            connection.close()
        return turn

    with ThreadPoolExecutor(8) as threads:
        winners = [turn for turn in threads.map(attempt, range(50)) if turn is not None]

    assert len(winners) == 1
    assert sorted([len(numbers_of(acme)), len(numbers_of(globex))]) == [0, 1]
    with contexts.msp(northwind):
        assert Allocation.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_moves_in_opposite_directions_do_not_wait_for_each_other_in_a_circle(acme, globex):
    there = given(acme, BY, *(f"+4930123450{digit}" for digit in range(6)))
    back = given(globex, BY, *(f"+4930123451{digit}" for digit in range(6)))

    def attempt(turn):
        pk, customer = turn
        try:
            return allocation.move([pk], customer, by=BY)
        finally:
            connection.close()

    turns = [turn for pair in zip(there, back, strict=True) for turn in ((pair[0], globex), (pair[1], acme))]
    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(attempt, turns)) == 12
