"""What the lab must know of an installation: its customers, their numbers and the carriers they use."""

from collections.abc import Iterable
from typing import Any

from portal.db import contexts
from tenants.models import BaseDomain, Customer, CustomerRegion
from voice.carriers.models import Trunk
from voice.carriers.selectors import trunks_for
from voice.numbers.models import Number

DESTINATIONS = {
    "DE": ["+442079460123", "+33140205050", "+4989262626", "+12125550142"],
    "US": ["+12125550142", "+14165550123", "+442079460123"],
    "GB": ["+442079460123", "+441632960101", "+4989262626"],
}


def scenario(customers: Iterable[Customer]) -> dict[str, Any]:
    """Return the lab's scenario; trunks' passwords are part of it, so the file is the demo's alone."""
    trunks: dict[str, Trunk] = {}
    listed = [_customer(customer, trunks) for customer in customers]
    with contexts.public():
        bases = list(BaseDomain.objects.order_by("pk").values_list("fqdn", flat=True))
    return {"bases": bases, "open": True, "customers": listed, "carriers": [_carrier(t) for t in trunks.values()]}


def _customer(customer: Customer, trunks: dict[str, Trunk]) -> dict[str, Any]:
    with contexts.msp(customer.msp, customer=customer):
        mine = [trunk for trunk in trunks_for(customer).order_by("pk") if trunk.enabled]
        for trunk in mine:
            trunks.setdefault(trunk.host, trunk)
        numbers = list(Number.objects.active().in_number_order().values_list("e164", flat=True))
        fqdn = CustomerRegion.objects.filter(customer=customer).values_list("fqdn", flat=True).first()
    return {
        "name": customer.label,
        "fqdn": fqdn,
        "numbers": numbers,
        "country": customer.country,
        "carriers": [trunks[trunk.host].name for trunk in mine],
        "destinations": DESTINATIONS.get(customer.country, DESTINATIONS["DE"]),
        "calls_per_minute": 4,
    }


def _carrier(trunk: Trunk) -> dict[str, Any]:
    carrier = {"name": trunk.name, "host": trunk.host, "port": trunk.port, "transport": trunk.transport}
    if trunk.auth == Trunk.Auth.DIGEST:
        carrier |= {"username": trunk.username, "password": trunk.password, "realm": trunk.realm}
    return carrier
