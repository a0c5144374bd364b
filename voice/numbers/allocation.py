"""Giving the MSP's numbers to customers and taking them back: one transaction over stock and customer's schema."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from itertools import groupby

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.core import audit, nudges
from portal.core.audit import Actor
from portal.core.fields import format_number
from portal.db import contexts
from tenants.models import Customer, Msp
from tenants.scopes import config_changed
from tenants.services.customers import demand_open
from voice.inventory.models import Allocation, StockNumber
from voice.inventory.ranges import folded
from voice.inventory.services import lock_numbers, refuse_unless
from voice.numbers import seats
from voice.numbers.models import Number

State = StockNumber.State
COOLING_DAYS = 30


def allocate(stock_ids: Sequence[int], customer: Customer, *, by: Actor) -> int:
    """Give free numbers of the stock to a customer; of several allocations of one number exactly one wins.

    Raises ValidationError with messages meant for the user; then no number at all changed hands.
    """
    with contexts.msp(customer.msp, customer=customer), transaction.atomic():
        numbers = lock_numbers(stock_ids, customer.msp)
        demand_open(customer)
        _check_free(numbers, customer)
        _give(numbers, customer, by=by)
    return len(numbers)


def release(stock_ids: Sequence[int], *, msp: Msp, by: Actor, cooling_days: int = COOLING_DAYS) -> int:
    """Take numbers back from whichever customers hold them, and let them cool before anybody gets them again."""
    with contexts.msp(msp), transaction.atomic():
        numbers = lock_numbers(stock_ids, msp)
        refuse_unless(numbers, {State.ALLOCATED}, _("allocated"))
        for customer, held in _by_customer(numbers):
            _take(held, customer, cooling_days=cooling_days, by=by)
    return len(numbers)


def move(stock_ids: Sequence[int], customer: Customer, *, by: Actor) -> int:
    """Take numbers from the customers that hold them and give them to another one, with nothing in between."""
    with contexts.msp(customer.msp), transaction.atomic():
        numbers = lock_numbers(stock_ids, customer.msp)
        refuse_unless(numbers, {State.ALLOCATED}, _("allocated"))
        _hold({customer.pk, *(number.tenant_id for number in numbers if number.tenant_id)})
        demand_open(customer)
        for holder, held in _by_customer(numbers):
            if holder.pk == customer.pk:
                raise ValidationError(
                    _("%(customer)s has some of these numbers already.") % {"customer": customer.name}
                )
            _take(held, holder, cooling_days=0, by=by)
        with contexts.msp(customer.msp, customer=customer):
            _give(numbers, customer, by=by)
    return len(numbers)


def _check_free(numbers: Sequence[StockNumber], customer: Customer) -> None:
    now = timezone.now()
    busy = [
        number
        for number in numbers
        if not (
            number.state == State.AVAILABLE
            or (number.state == State.COOLING and number.cooling_until and number.cooling_until <= now)
            or (number.state == State.RESERVED and number.tenant_id in (None, customer.pk))
        )
    ]
    refuse_unless(busy, set(), _("free"))


def _give(numbers: Sequence[StockNumber], customer: Customer, *, by: Actor) -> None:
    now = timezone.now()
    StockNumber.objects.filter(pk__in=[number.pk for number in numbers]).update(
        state=State.ALLOCATED, tenant=customer, cooling_until=None
    )
    Allocation.objects.bulk_create(
        Allocation(msp_id=number.msp_id, stock=number, tenant=customer, since=now) for number in numbers
    )
    version = config_changed(customer)
    Number.objects.bulk_create(
        Number(e164=number.e164, stock_id=number.pk, country=number.country, config_version=version)
        for number in numbers
    )
    audit.record(
        by, "numbers.allocated", customer, tenant_id=customer.pk, numbers=folded(number.e164 for number in numbers)
    )
    transaction.on_commit(partial(nudges.topic, customer.pk, customer.msp_id, "numbers"), robust=True)


def _by_customer(numbers: Sequence[StockNumber]) -> list[tuple[Customer, list[StockNumber]]]:
    ordered = sorted(numbers, key=lambda number: number.tenant_id or 0)
    holders = {each.pk: each for each in Customer.objects.filter(pk__in={number.tenant_id for number in numbers})}
    # Customers in the order of their ids: two bulk returns never wait for each other in a circle.
    return [(holders[pk], list(held)) for pk, held in groupby(ordered, key=lambda number: number.tenant_id) if pk]


def _hold(customers: set[int]) -> None:
    # In the order of their ids, the new holder too: two moves never wait for each other in a circle.
    list(Customer.objects.select_for_update(no_key=True).filter(pk__in=customers).order_by("pk").values_list("pk"))


def _take(numbers: Sequence[StockNumber], customer: Customer, *, cooling_days: int, by: Actor) -> None:
    config_changed(customer)
    # Read under the lock: nobody chooses one of these numbers as default meanwhile.
    customer.refresh_from_db(fields=["default_caller_id", "state"])
    shown, closed = {number.e164 for number in numbers}, customer.state == Customer.State.CLOSED
    if customer.default_caller_id in shown:
        if not closed:
            raise ValidationError(
                _("%(number)s is the default caller ID of %(customer)s. Choose another one there first.")
                % {"number": format_number(customer.default_caller_id), "customer": customer.name}
            )
        Customer.objects.filter(pk=customer.pk).update(default_caller_id="")
    now = timezone.now()
    ids = [number.pk for number in numbers]
    cools = cooling_days > 0
    StockNumber.objects.filter(pk__in=ids).update(
        state=State.COOLING if cools else State.AVAILABLE,
        tenant=None,
        cooling_until=now + timedelta(days=cooling_days) if cools else None,
    )
    Allocation.objects.filter(stock__in=ids, until=None).update(until=now)
    with contexts.msp(customer.msp, customer=customer):
        # Numbers before seats, as whoever removes a person: the two never wait for each other in a circle.
        list(Number.objects.select_for_update().filter(stock_id__in=ids).order_by("pk").values_list("pk"))
        seats.vacate(ids)
        if not closed:  # what a closed customer had set stays with its other data, until all of it is deleted
            Number.objects.filter(stock_id__in=ids).delete()
    audit.record(by, "numbers.released", customer, tenant_id=customer.pk, numbers=folded(shown))
    transaction.on_commit(partial(nudges.topic, customer.pk, customer.msp_id, "numbers"), robust=True)
