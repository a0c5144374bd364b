"""What apps above supply to the pages of calls: the names and health of trunks, and what there is to do.

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
class ToDo:
    """Something that waits for somebody here; `level` is danger, warning or info."""

    text: str
    url: str
    level: str = "warning"


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
customer_todos: list[Callable[[Customer], Iterable[ToDo]]] = []
msp_todos: list[Callable[[Msp], Iterable[ToDo]]] = []


def trunks(msp: Msp, customer: Customer | None) -> list[TrunkFacts]:
    """Return the trunks of an MSP, or those that one customer may use."""
    return list(trunks_of[-1](msp, customer))


def route(pk: int) -> RouteFacts | None:
    """Return a routing line of the customer at hand, or None where it is gone."""
    return route_of[-1](pk)


def todos(customer: Customer) -> list[ToDo]:
    """Return what this customer should do, most pressing first."""
    found = [todo for source in customer_todos for todo in source(customer)]
    return sorted(found, key=lambda todo: ("danger", "warning", "info").index(todo.level))


def todos_of_msp(msp: Msp) -> list[ToDo]:
    """Return what this MSP should do, most pressing first."""
    found = [todo for source in msp_todos for todo in source(msp)]
    return sorted(found, key=lambda todo: ("danger", "warning", "info").index(todo.level))
