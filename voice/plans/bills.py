"""What a period costs a customer: its calls and what its contract adds to them, as items that become lines of a bill.

Whoever bills hands in the sums of the calls that are to be billed, and where to read those calls one by one; what is on
which invoice already is not known here. Rules: docs/pricing.md §9, §10 and §12.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from voice.rating.decks import Direction

USAGE, FEE, CREDIT, COMMITMENT, DISCOUNT = "usage", "fee", "credit", "commitment", "discount"


@dataclass(frozen=True, slots=True)
class UsageSum:
    """What the calls of one direction to one destination came to by their deck, in the deck's currency."""

    direction: str
    destination: str
    currency: str
    calls: int
    seconds: int
    billed: int
    micros: int


@dataclass(frozen=True, slots=True)
class CallToBill:
    """One charge, as rules that look at single calls need it."""

    invited: datetime
    id: UUID
    answered: datetime
    direction: str
    destination: str
    currency: str
    seconds: int
    billed: int
    micros: int


@dataclass(frozen=True, slots=True)
class PlanItem:
    """Something to be billed, exactly, with what explains it.

    An item in another currency than the bill's names it in `currency`; whoever bills converts its line (§9).
    """

    kind: str
    group: str
    text: str
    micros: int
    quantity: int = 1
    seconds: int = 0
    tax_class: str = "telecom"
    basis: Mapping[str, Any] = field(default_factory=dict)
    currency: str = ""


@dataclass(frozen=True, slots=True)
class CallCover:
    """The seconds of one call that an allowance bears, and what they would have cost."""

    invited: datetime
    id: UUID
    allowance: str
    seconds: int
    micros_off: int


@dataclass(frozen=True, slots=True)
class PlanBill:
    """What a period costs: the items in the order of the bill, and the calls that cost less than their charge."""

    items: Sequence[PlanItem] = ()
    covers: Sequence[CallCover] = ()


# Reads the calls that are to be billed, in the order of their answer.
Calls = Callable[[], Iterable[CallToBill]]


def moments(customer_id: int, begins: date, ends: date) -> tuple[datetime, datetime]:
    """Return when a period of days begins and ends for a customer: midnight in the zone of its plan, or UTC."""
    return datetime.combine(begins, time(), UTC), datetime.combine(ends, time(), UTC)


def plan_bill(
    customer_id: int, begins: date, ends: date, currency: str, usage: Sequence[UsageSum], calls: Calls | None = None
) -> PlanBill:
    """Return what the days from `begins` up to `ends` cost a customer, in `currency`.

    `usage` are the sums of the calls to be billed, late ones of earlier periods too; `calls` reads the same calls one
    by one, where the plan needs that, and is the charges of the period where nothing is given.
    """
    return PlanBill([usage_item(each, currency) for each in usage])


def usage_item(sum_: UsageSum, currency: str) -> PlanItem:
    """Return the item of calls to one destination as their deck priced them."""
    return PlanItem(
        USAGE,
        sum_.direction,
        usage_text(sum_.direction, sum_.destination),
        sum_.micros,
        quantity=sum_.calls,
        seconds=sum_.billed,
        basis={
            "rule": "deck",
            "direction": sum_.direction,
            "destination": sum_.destination,
            "answered_seconds": sum_.seconds,
        },
        currency="" if sum_.currency in ("", currency) else sum_.currency,
    )


def usage_text(direction: str, destination: str) -> str:
    """Return what a line of calls is called."""
    if direction == Direction.INTERNAL:
        return _("Internal calls")
    if direction == Direction.EMERGENCY:
        return _("Emergency calls")
    if direction == Direction.IN and not destination:
        return _("Incoming calls")
    if direction == Direction.IN:
        return _("Incoming calls: %(destination)s") % {"destination": destination}
    return _("Calls to %(destination)s") % {"destination": destination or _("other destinations")}
