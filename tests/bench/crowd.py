"""A thousand customers with twenty routes each: made by the services, their routes in bulk."""

from typing import TYPE_CHECKING, Any

from tests.bench.figure import note

if TYPE_CHECKING:
    from tenants.models import Customer

CUSTOMERS = 1_000
ROUTES = 20


def crowd(network: str) -> "tuple[list[Customer], list[int]]":
    """Return the customers and the ids of the two trunks that every route uses."""
    from portal.db import contexts
    from tenants.models import Msp

    with contexts.public():
        msp = Msp.objects.get(slug="northwind")
    trunks = _trunks(msp, network)
    customers = []
    for number in range(CUSTOMERS):
        customers.append(_customer(msp, number, trunks))
        if number % 250 == 249:
            note(f"changes: {number + 1} customers")
    return customers, trunks


def _trunks(msp: Any, network: str) -> list[int]:
    from portal.core.audit import Actor
    from portal.db import contexts
    from voice.carriers.models import Trunk
    from voice.carriers.services import save_trunk

    with contexts.msp(msp):
        made = [Trunk(msp=msp, name=f"Carrier {name}", host=f"{network}.{n}") for n, name in ((65, "A"), (66, "B"))]
        return [save_trunk(each, by=Actor.system("bench")).pk for each in made]


def _customer(msp: Any, number: int, trunks: list[int]) -> "Customer":
    from portal.core.audit import Actor
    from portal.db import contexts
    from tenants.models import Customer
    from tenants.services.customers import create_customer
    from voice.carriers.models import TrunkGrant
    from voice.routing.models import Route, RouteTrunk

    fresh = Customer(msp=msp, name=f"Bench {number}", label=f"b{number}", country="DE", time_zone="UTC")
    customer = create_customer(fresh, by=Actor.system("bench"))
    with contexts.msp(msp):
        TrunkGrant.objects.bulk_create(TrunkGrant(msp=msp, trunk_id=trunk, tenant=customer) for trunk in trunks)
    with contexts.customer(customer):
        prefixes = [str(40 + place) for place in range(ROUTES)]
        lines = [
            Route(position=place, pattern=f"+{prefix}*", prefix=prefix, action=Route.Action.ROUTE)
            for place, prefix in enumerate(prefixes, 1)
        ]
        Route.objects.bulk_create(lines)
        RouteTrunk.objects.bulk_create(
            RouteTrunk(route=line, trunk_id=trunk, position=place)
            for line in lines
            for place, trunk in enumerate(trunks)
        )
    return customer
