"""Trunks and lines of policies, as the pages of calls name them."""

from collections.abc import Iterable

from django.urls import reverse

from tenants.models import Customer, Msp
from voice.calls.hooks import RouteFacts, TrunkFacts
from voice.carriers.models import Trunk
from voice.carriers.selectors import trunks_for
from voice.routing.models import Route


def trunk_board(msp: Msp, customer: Customer | None) -> Iterable[TrunkFacts]:
    """Return the trunks that a dashboard lists: those that a customer may use, or an MSP's shared ones."""
    trunks = Trunk.objects.open().shared().filter(msp=msp) if customer is None else trunks_for(customer)
    return [TrunkFacts(trunk.gateway, trunk.name, trunk.health) for trunk in trunks.order_by("name", "pk")]


def route_facts(pk: int) -> RouteFacts | None:
    """Return a line of the policy of the customer at hand."""
    route = Route.objects.filter(pk=pk).first()
    return RouteFacts(str(route), reverse("routing:edit", args=[pk])) if route is not None else None
