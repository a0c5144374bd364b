"""What a customer leaves behind when it is closed: its numbers and trunks go back to the MSP."""

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from portal.core.audit import Actor
from portal.db import contexts
from tenants.models import Customer, Msp
from voice.carriers.models import Trunk, TrunkGrant
from voice.carriers.services import take_trunks
from voice.inventory.models import StockNumber
from voice.inventory.services import unreserve
from voice.numbers.allocation import release


def take_back(*, by: Actor) -> list[Customer]:
    """Take numbers and trunks from the customers that have left every SBC; safe at any time."""
    with contexts.public():
        msps = list(Msp.objects.filter(customers__state=Customer.State.CLOSED).distinct().order_by("pk"))
    done = []
    for msp in msps:
        with contexts.msp(msp):
            for customer in _holding(msp):
                _empty(customer, by)
                done.append(customer)
    return done


def _holding(msp: Msp) -> list[Customer]:
    held = [
        Exists(rows.filter(tenant=OuterRef("pk")))
        for rows in (StockNumber.objects.all(), TrunkGrant.objects.open(), Trunk.objects.open())
    ]
    closed = Customer.objects.filter(msp=msp, state=Customer.State.CLOSED)
    return list(closed.filter(Q(held[0]) | Q(held[1]) | Q(held[2])).select_related("msp").order_by("pk"))


@transaction.atomic
def _empty(customer: Customer, by: Actor) -> None:
    states = dict(StockNumber.objects.filter(tenant=customer).values_list("pk", "state"))
    for state, take in ((StockNumber.State.ALLOCATED, release), (StockNumber.State.RESERVED, unreserve)):
        ids = [pk for pk, each in states.items() if each == state]
        if ids:
            take(ids, msp=customer.msp, by=by)
    take_trunks(customer, by=by)
