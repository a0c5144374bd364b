"""Reads of a customer's routing policy."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, time
from typing import Any

from tenants.models import Customer
from voice.carriers.models import Trunk
from voice.carriers.selectors import blocked_prefixes, trunks_for
from voice.emergency.selectors import emergency_for
from voice.numbers.models import ApprovedCallerId, Number
from voice.routing import patterns
from voice.routing.choose import (
    UNKNOWN,
    CallQuery,
    Choice,
    Line,
    Order,
    Outcome,
    PolicyView,
    ScheduleView,
    Window,
    choose,
)
from voice.routing.models import Route, RouteQuerySet, Schedule
from voice.routing.prices import priced


@dataclass(frozen=True)
class Tried:
    """What a call by the customer would do; `pays` is what one of `seconds` costs it by its own deck, None unknown."""

    choice: Choice
    seconds: int
    pays: int | None
    currency: str

    @property
    def is_priced(self) -> bool:
        """Return whether the call leaves, at a price that is known."""
        return self.choice.outcome is Outcome.TRUNK and self.pays is not None


def routes_in_dial_order() -> RouteQuerySet:
    """Return every line in the order the SBCs try them, the last line last."""
    return Route.objects.with_trunks().in_dial_order()


def covered(routes: Iterable[Route]) -> dict[int, Route]:
    """Return by id the lines that no call reaches, of those in dial order, each with the line that takes all of its."""
    found: dict[int, Route] = {}
    before: list[Route] = []
    for route in routes:
        if not route.enabled:
            continue
        above = next((each for each in before if _takes_all_of(each, route)), None)
        if above is not None:
            found[route.pk] = above
        before.append(route)
    return found


def _takes_all_of(line: Route, other: Route) -> bool:
    if line.schedule_id is not None and line.schedule_id != other.schedule_id:
        return False
    return other.prefix.startswith(line.prefix) and other.caller_prefix.startswith(line.caller_prefix)


def default_route() -> Route:
    """Return the last line: what was saved, else *block*."""
    stored = Route.objects.filter(is_default=True).first()
    return stored or Route(is_default=True, pattern=patterns.ANY, action=Route.Action.BLOCK)


def trunk_names(ids: Iterable[int]) -> list[str]:
    """Return the trunks' names in the order of the ids."""
    names = dict(Trunk.objects.filter(pk__in=list(ids)).values_list("pk", "name"))
    return [names.get(pk, "?") for pk in ids]


def schedule_view(schedule: Schedule, time_zone: str) -> ScheduleView:
    """Return a stored schedule as a value in the customer's zone."""
    windows = tuple(
        Window(frozenset(each["days"]), time.fromisoformat(each["begin"]), time.fromisoformat(each["until"]))
        for each in schedule.windows
    )
    return ScheduleView(schedule.pk, schedule.name, time_zone, windows, frozenset(schedule.closed))


def lines_of(routes: Iterable[Route], trunks: Iterable[Trunk], time_zone: str) -> tuple[Line, ...]:
    """Return routes that were read `with_trunk_ids` as values, with those of their trunks that the customer may use."""
    gateways = {trunk.pk: trunk.gateway for trunk in trunks}
    return tuple(_line(route, gateways, time_zone) for route in routes)


def policy_for(customer: Customer) -> PolicyView:
    """Return the current customer's policy as the simulator walks it."""
    usable = list(trunks_for(customer))
    emergency = emergency_for(customer, usable)
    own = frozenset(e164.lstrip("+") for e164 in Number.objects.active().values_list("e164", flat=True))
    default = customer.default_caller_id.lstrip("+")
    return PolicyView(
        lines=lines_of(Route.objects.with_trunk_ids().in_dial_order(), usable, customer.time_zone),
        emergency={each.dial: tuple(each.gateways) for each in emergency},
        provider_blocks=frozenset(each.prefix for each in blocked_prefixes(customer.msp_id)),
        own_numbers=own,
        approved_callers=_approved_callers() if customer.foreign_caller_id else frozenset(),
        default_caller=default if default in own else "",
        refuses_unknown=customer.caller_id_policy == Customer.CallerIdPolicy.REFUSE,
    )


def _approved_callers() -> frozenset[str]:
    """Return the foreign numbers that may be shown: one that is the customer's own is shown while it is active."""
    foreign = ApprovedCallerId.objects.presentable().exclude(e164__in=Number.objects.values("e164"))
    return frozenset(e164.lstrip("+") for e164 in foreign.values_list("e164", flat=True))


def try_number(customer: Customer, called: str, caller: str, at: datetime) -> Tried:
    """Return what a call by the customer would do; numbers as digits, an emergency number as dialled.

    No caller is one that nobody has said: the default caller ID's.
    """
    policy = policy_for(customer)
    found = priced(customer, called, at)
    by_price = found.quotes.protects or any(line.order is not Order.LISTED for line in policy.lines)
    choice = choose(policy, CallQuery(called, caller or None, at), found.quotes if by_price else UNKNOWN)
    # What a call costs is the MSP's to know: its customer is told that the number is not offered.
    if choice.outcome is Outcome.BELOW_COST:
        choice = replace(choice, outcome=Outcome.NOT_OFFERED)
    return Tried(choice, found.by.call.seconds, found.pays, found.currency)


def _line(route: Any, usable: dict[int, str], time_zone: str) -> Line:
    # A trunk that was taken away is left out; a line that lost its last trunk blocks rather than falls through.
    gateways = tuple(usable[pk] for pk in route.trunk_ids if pk in usable)
    return Line(
        id=route.pk,
        prefix=route.prefix,
        trunks=gateways if route.action == Route.Action.ROUTE else (),
        caller_prefix=route.caller_prefix,
        schedule=schedule_view(route.schedule, time_zone) if route.schedule else None,
        enabled=route.enabled,
        order=Order(route.trunk_order),
    )
