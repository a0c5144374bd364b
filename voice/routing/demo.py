"""The demo's policies: lines that send calls over two carriers and block what costs dearly."""

from typing import Any

from portal.core import audit
from tenants.models import Customer
from voice.carriers.selectors import trunks_for
from voice.routing.choose import Order
from voice.routing.models import Route
from voice.routing.services import save_route

LINES = [
    ("+882*", "Satellite and global networks cost dearly", (), Order.LISTED),
    ("+49900*", "Premium rate", (), Order.LISTED),
    ("+44*", "United Kingdom over the second carrier first", (1, 0), Order.LISTED),
]
# Acme lets prices decide: the two carriers are cheapest to different codes.
BY_PRICE = ("+44*", "United Kingdom over whoever is cheapest", (0, 1), Order.CHEAPEST)


def seed(cast: Any) -> None:
    """Give each demo customer a policy, once."""
    by = audit.Actor.system("demo")
    for customer in cast.customers:
        with cast.as_customer(customer):
            if not Route.objects.exists():
                _seed(customer, by)


def _seed(customer: Customer, by: audit.Actor) -> None:
    trunks = list(trunks_for(customer).order_by("pk").values_list("pk", flat=True))
    lines = [*LINES[:-1], BY_PRICE] if customer.label == "acme" else LINES
    for pattern, note, places, order in lines:
        chosen = [trunks[place] for place in places if place < len(trunks)]
        action = Route.Action.ROUTE if chosen else Route.Action.BLOCK
        route = Route(pattern=pattern, note=note, action=action, trunk_order=order.value)
        save_route(route, chosen, customer=customer, by=by)
    if trunks:
        rest = Route(is_default=True, pattern="*", action=Route.Action.ROUTE)
        save_route(rest, trunks, customer=customer, by=by)
