"""What apps above supply to the pages of calls: the names and health of trunks, and lines of policies.

Each app registers its function when Django starts; imports keep pointing down.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tenants.models import Customer, Msp


@dataclass(frozen=True)
class TrunkFacts:
    """A trunk as dashboards name it."""

    gateway: str
    name: str
    health: str


@dataclass(frozen=True)
class RouteFacts:
    """A line of a routing policy, as a call's story names it."""

    text: str
    url: str


def _no_trunks(msp: Msp, customer: Customer | None) -> Iterable[TrunkFacts]:
    return ()


def _no_route(pk: int) -> RouteFacts | None:
    return None


trunks_of: list[Callable[[Msp, Customer | None], Iterable[TrunkFacts]]] = [_no_trunks]
route_of: list[Callable[[int], RouteFacts | None]] = [_no_route]


def trunks(msp: Msp, customer: Customer | None) -> list[TrunkFacts]:
    """Return the trunks of an MSP, or those that one customer may use."""
    return list(trunks_of[-1](msp, customer))


def route(pk: int) -> RouteFacts | None:
    """Return a routing line of the customer at hand, or None where it is gone."""
    return route_of[-1](pk)
