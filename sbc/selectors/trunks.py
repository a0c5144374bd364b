"""Trunks and lines of policies, as the pages of calls name them."""

from collections.abc import Iterable, Sequence

from django.urls import reverse

from tenants.models import Customer, Msp
from voice.calls.hooks import RouteFacts, TrunkFacts, TrunkState
from voice.carriers.models import Trunk
from voice.carriers.pages import answer_of, state_of, trunk_url
from voice.carriers.selectors import trunks_for
from voice.routing.models import Route


def trunk_board(msp: Msp, customer: Customer | None) -> Iterable[TrunkFacts]:
    """Return the trunks that a dashboard lists: those that a customer may use, or an MSP's shared ones."""
    trunks = Trunk.objects.open().shared().filter(msp=msp) if customer is None else trunks_for(customer)
    return [TrunkFacts(trunk.gateway, trunk.name, trunk.health) for trunk in trunks.order_by("name", "pk")]


def route_facts(pk: int | None, reader: Customer | None) -> RouteFacts | None:
    """Return a line of the policy of the customer at hand, the last one without an id; an MSP has no page of it."""
    routes = Route.objects.filter(pk=pk) if pk else Route.objects.filter(is_default=True)
    route = routes.prefetch_related("trunks").first()
    if route is None:
        return None
    url = reverse("routing:edit", args=[route.pk]) if reader is not None else ""
    return RouteFacts(str(route), url, tuple(f"g{each.trunk_id}" for each in route.trunks.all()))


def trunk_states(gateways: Sequence[str], reader: Customer | None) -> list[TrunkState]:
    """Return how those of these trunks are that the reader, a customer or its MSP, may know of, in this order."""
    ids = [int(each[1:]) for each in dict.fromkeys(gateways) if each[:1] == "g" and each[1:].isdecimal()]
    known = (Trunk.objects.all() if reader is None else trunks_for(reader)).in_bulk(ids)
    return [
        TrunkState(trunk.name, trunk_url(trunk), state_of(trunk), answer_of(trunk), trunk.health_since)
        for trunk in (known[pk] for pk in ids if pk in known)
    ]
