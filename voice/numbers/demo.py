"""The demo's customers get numbers, and use most of them."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from portal.core.audit import Actor
from tenants.models import Customer
from voice.directory.models import Person, Place
from voice.inventory.models import StockNumber
from voice.numbers import allocation, services
from voice.numbers.models import ApprovedCallerId, Number, Seat

HELD = {"acme": ("+493023125", 40), "globex": ("+1206555", 20), "initech": ("+442079460", 25)}
LABELS = ("Reception", "Support", "Sales", "Accounts", "Warehouse", "Meeting room", "Fax", "Door", "Lift", "Night bell")
# Three stay without a location, so that the readiness page has something to say.
WITHOUT_LOCATION = 3


def seed(cast: Any) -> None:
    """Give each demo customer its numbers, once."""
    by = Actor.system("demo")
    for customer in cast.customers:
        with cast.as_customer(customer):
            if Number.objects.exists():
                continue
        prefix, count = HELD[customer.label]
        with cast.as_msp(customer.msp):
            free = StockNumber.objects.free().filter(msp=customer.msp, e164__startswith=prefix).in_number_order()
            ids = list(free.values_list("pk", flat=True)[:count])
        allocation.allocate(ids, customer, by=by)
        with cast.as_customer(customer):
            _use(customer, by)


def _use(customer: Customer, by: Actor) -> None:
    numbers = list(Number.objects.in_number_order())
    ids = [number.pk for number in numbers]
    reception = Place.objects.order_by("pk").first()
    services.set_place(ids[:-WITHOUT_LOCATION], reception, customer=customer, by=by)
    services.set_state(ids[:-WITHOUT_LOCATION], Number.State.ACTIVE, customer=customer, by=by)
    people = list(Person.objects.order_by("pk"))
    for place, number in enumerate(Number.objects.in_number_order()[: len(LABELS)]):
        number.label, number.person = LABELS[place], people[place] if place < len(people) else None
        if number.label == "Fax":
            number.inbound = Number.Inbound.REFUSE
        services.save_number(number, customer=customer, by=by)
    # Calls of the weeks before are told of later, and were these people's.
    Seat.objects.update(since=timezone.now() - timedelta(days=75))
    services.set_state(ids[12:13], Number.State.SUSPENDED, customer=customer, by=by)
    services.save_caller_id_policy(customer, policy="replace", number=numbers[0].e164, by=by)
    head_office = ApprovedCallerId(
        e164="+33199004712", note="Paris office, line of another provider", evidence="Bill of 2026-10"
    )
    services.save_caller_id(head_office, customer=customer, by=by)
