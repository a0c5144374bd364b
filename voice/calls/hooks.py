"""What apps above supply to the pages of calls: the names and health of trunks, lines of policies, what calls cost.

Each app registers its function when Django starts; imports keep pointing down.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from django.http import HttpRequest

from portal.ui.columns import Column, Filter
from portal.ui.status import Status
from tenants.models import Customer, Msp
from voice.calls.models import Cdr, CdrQuerySet, NumberDay


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
    url: str  # empty where the reader's pages have none
    trunks: tuple[str, ...] = ()  # gateways, in the order in which they are tried


@dataclass(frozen=True)
class TrunkState:
    """How a trunk of a call is now, and since when: before the call, so it was then."""

    name: str
    url: str
    state: Status
    answer: str
    since: datetime | None


def _no_trunks(msp: Msp, customer: Customer | None) -> Iterable[TrunkFacts]:
    return ()


def _no_route(pk: int | None, reader: Customer | None) -> RouteFacts | None:
    return None


def _no_states(gateways: Sequence[str], reader: Customer | None) -> list[TrunkState]:
    return []


trunks_of: list[Callable[[Msp, Customer | None], Iterable[TrunkFacts]]] = [_no_trunks]
route_of: list[Callable[[int | None, Customer | None], RouteFacts | None]] = [_no_route]
states_of: list[Callable[[Sequence[str], Customer | None], list[TrunkState]]] = [_no_states]


def trunks(msp: Msp, customer: Customer | None) -> list[TrunkFacts]:
    """Return the trunks of an MSP, or those that one customer may use."""
    return list(trunks_of[-1](msp, customer))


def route(pk: int | None, reader: Customer | None) -> RouteFacts | None:
    """Return a routing line of the customer at hand, its last one without an id, or None where it is gone."""
    return route_of[-1](pk, reader)


def trunk_states(gateways: Sequence[str], reader: Customer | None) -> list[TrunkState]:
    """Return how those of these trunks are that the reader, a customer or its MSP, may know of."""
    return states_of[-1](gateways, reader)


# Micros by currency, by the id of the day.
DayMoney = dict[int, dict[str, int]]


def _no_money(days: Sequence[NumberDay]) -> DayMoney:
    return {}


money_of_days_of: list[Callable[[Sequence[NumberDay]], DayMoney]] = [_no_money]


def money_of_days(days: Sequence[NumberDay]) -> DayMoney:
    """Return what the calls of one customer's numbers cost it on some days; only for whoever may see bills."""
    return money_of_days_of[-1](days)


class Prices(Protocol):
    """What calls cost, as far as the reader of a page may see it."""

    def add_to(self, calls: CdrQuerySet, request: HttpRequest) -> CdrQuerySet:
        """Return the calls with what the columns show."""
        ...

    def columns(self, request: HttpRequest) -> list[Column]:
        """Return the columns of lists and exports."""
        ...

    def filters(self, request: HttpRequest) -> list[Filter]:
        """Return the filters of lists."""
        ...

    def panel(self, request: HttpRequest, call: Cdr, *, is_corrected: bool = False) -> str:
        """Return what a call's page says of its price, nothing where there is nothing to say."""
        ...


class _NoPrices:
    def add_to(self, calls: CdrQuerySet, request: HttpRequest) -> CdrQuerySet:
        return calls

    def columns(self, request: HttpRequest) -> list[Column]:
        return []

    def filters(self, request: HttpRequest) -> list[Filter]:
        return []

    def panel(self, request: HttpRequest, call: Cdr, *, is_corrected: bool = False) -> str:
        return ""


prices_of: list[Prices] = [_NoPrices()]


def prices() -> Prices:
    """Return what adds prices to the pages of calls."""
    return prices_of[-1]


@dataclass(frozen=True)
class Aftermath:
    """What became of a call's charge after it was posted: a panel, and whether another amount counts now."""

    panel: str = ""
    is_corrected: bool = False


def _no_aftermath(request: HttpRequest, call: Cdr) -> Aftermath:
    return Aftermath()


aftermath_of: list[Callable[[HttpRequest, Cdr], Aftermath]] = [_no_aftermath]


def aftermath(request: HttpRequest, call: Cdr) -> Aftermath:
    """Return what became of a call's charge, as far as the reader of a page may see it."""
    return aftermath_of[-1](request, call)
