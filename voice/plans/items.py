"""What goes into a bill and what comes out of a plan: sums and calls in, items and covers out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from voice.plans import words
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
    """The seconds of one call that allowances or a price by volume bear, named, and by how much its charge falls.

    A call has one at most.
    """

    invited: datetime
    id: UUID
    allowance: str
    seconds: int
    micros_off: int


@dataclass(frozen=True, slots=True)
class Asked:
    """What calls of a day that were priced again ask on a bill: whoever bills adds it, and it counts for a minimum."""

    day: date
    currency: str
    micros: int


@dataclass(frozen=True, slots=True)
class AllowanceState:
    """Included seconds as they stand on the last day of a period; `left` where they are shared."""

    name: str
    given: int
    left: int

    @property
    def used(self) -> int:
        return self.given - self.left


@dataclass(frozen=True, slots=True)
class PlanBill:
    """What a period costs: the items in the order of the bill, and the calls that cost less than their charge.

    `draws` is what was taken from allowances: `services.keep_draws` stores it with the bill that is issued.
    """

    items: Sequence[PlanItem] = ()
    covers: Sequence[CallCover] = ()
    draws: Sequence[tuple[str, str, date, int]] = ()
    allowances: Sequence[AllowanceState] = ()


def usage_item(sum_: UsageSum, currency: str, *, off: int = 0, covered: int = 0) -> PlanItem:
    """Return the item of calls to one destination: as their deck priced them, less what is borne otherwise."""
    basis = {
        "rule": "deck",
        "direction": sum_.direction,
        "destination": sum_.destination,
        "answered_seconds": sum_.seconds,
    }
    if covered:
        basis |= {"charged": sum_.micros, "covered_micros": off, "covered_seconds": covered}
    return PlanItem(
        USAGE,
        sum_.direction,
        usage_text(sum_.direction, sum_.destination),
        sum_.micros - off,
        quantity=sum_.calls,
        seconds=sum_.billed,
        basis=basis,
        currency="" if sum_.currency in ("", currency) else sum_.currency,
    )


def usage_text(direction: str, destination: str) -> str:
    """Return what a line of calls is called."""
    if direction == Direction.INTERNAL:
        return words.say("internal")
    if direction == Direction.EMERGENCY:
        return words.say("emergency")
    if direction == Direction.IN and not destination:
        return words.say("incoming")
    if direction == Direction.IN:
        return words.say("incoming_from", destination=destination)
    return words.say("outgoing", destination=destination or words.say("elsewhere"))
