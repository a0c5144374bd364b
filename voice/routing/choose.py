"""Which line of a policy takes a call: the first that matches wins, on the page, here and on the SBC.

Pure: a policy, a call and what it costs go in, a choice with its trace comes out. The compiler flattens the same policy
and ranks the same prices on its own; tests hold the two, and a real SBC, against each other.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from enum import StrEnum
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Window:
    """Hours of a week: `days` are 0 for Monday to 6; `until` is not part of it; 00:00 as `until` is midnight."""

    days: frozenset[int]
    begin: time
    until: time


@dataclass(frozen=True)
class ScheduleView:
    """Opening hours in a time zone, less the closed dates (ISO dates)."""

    id: int
    name: str
    time_zone: str
    windows: tuple[Window, ...]
    closed: frozenset[str] = frozenset()

    def is_open(self, at: datetime) -> bool:
        """Return whether the aware time `at` lies in a window; an overnight window belongs to the day it begins."""
        local = at.astimezone(ZoneInfo(self.time_zone))
        now, today = local.time(), local.weekday()
        yesterday = (today - 1) % 7
        for window in self.windows:
            overnight = window.until <= window.begin
            begins_today = today in window.days and local.date().isoformat() not in self.closed
            began_yesterday = overnight and yesterday in window.days and _day_before(local) not in self.closed
            if begins_today and now >= window.begin and (overnight or now < window.until):
                return True
            if began_yesterday and now < window.until:
                return True
        return False


def _day_before(local: datetime) -> str:
    return datetime.fromordinal(local.toordinal() - 1).date().isoformat()


class Order(StrEnum):
    """In which order a line tries its trunks."""

    LISTED = "listed"
    CHEAPEST = "cheapest"
    PRICED = "priced"  # the cheapest first, and none without a price for the number


@dataclass(frozen=True)
class Line:
    """One line of the policy; `prefix` and `caller_prefix` are digits, empty for any; no trunks means block."""

    id: int
    prefix: str
    trunks: tuple[str, ...] = ()
    caller_prefix: str = ""
    schedule: ScheduleView | None = None
    enabled: bool = True
    order: Order = Order.LISTED


@dataclass(frozen=True)
class Ask:
    """What a typical call to the number costs over a trunk of the MSP now: micros, None where no rate says so."""

    cost: int | None = None
    blocked: bool = False


@dataclass(frozen=True)
class Quotes:
    """The prices of one call: `asks` by the MSP's trunks; a customer's own trunk has none and costs the MSP nothing.

    `pays` is what the customer pays for the same call; with `protects`, trunks that cost more are not used. Not `known`
    means that nobody ranks trunks here: lines stay as they are listed.
    """

    asks: Mapping[str, Ask] = field(default_factory=dict)
    pays: int | None = None
    protects: bool = False
    known: bool = True


UNKNOWN = Quotes(known=False)


@dataclass(frozen=True)
class PolicyView:
    """The lines in dial order with what stands above them: emergency numbers, caller IDs, the provider's block list.

    `own_numbers` are the active ones, `approved_callers` foreign numbers that may be shown; for every other caller a
    call shows `default_caller`, or is refused.
    """

    lines: tuple[Line, ...]
    emergency: dict[str, tuple[str, ...]]
    provider_blocks: frozenset[str] = frozenset()
    own_numbers: frozenset[str] = frozenset()
    approved_callers: frozenset[str] = frozenset()
    default_caller: str = ""
    refuses_unknown: bool = False


@dataclass(frozen=True)
class CallQuery:
    """A call to place: numbers as digits without `+` (`called` may be an emergency number), `at` aware.

    `caller` is empty for one that hides its number, and None where nobody has said who calls. For a forwarded call it
    is the number that forwards it.
    """

    called: str
    caller: str | None
    at: datetime


class Outcome(StrEnum):
    EMERGENCY = "emergency"
    CALLER_REFUSED = "caller_refused"
    INSIDE = "inside"
    TRUNK = "trunk"
    BLOCKED = "blocked"
    BLOCKED_BY_PROVIDER = "blocked_by_provider"
    NO_LINE = "no_line"
    NOT_OFFERED = "not_offered"
    BELOW_COST = "below_cost"


class LeftOut(StrEnum):
    """Why a trunk of the line is not tried for this number."""

    BLOCKED = "blocked"
    NO_PRICE = "no_price"
    BELOW_COST = "below_cost"


class Miss(StrEnum):
    """Why a line did not take the call."""

    DISABLED = "disabled"
    CLOSED = "closed"
    CALLER = "caller"
    NUMBER = "number"
    LATER = "later"


@dataclass(frozen=True)
class Step:
    """What one line said: a miss with its reason, or the match."""

    line: Line
    miss: Miss | None


@dataclass(frozen=True)
class Choice:
    """What happens to the call: trunks in the order they are tried, the line that matched, and every line's answer.

    `shown` is the number that it shows, by which lines tell callers apart.
    """

    outcome: Outcome
    trunks: tuple[str, ...] = ()
    line: Line | None = None
    trace: tuple[Step, ...] = ()
    left_out: tuple[tuple[str, LeftOut], ...] = ()
    shown: str = ""


def choose(policy: PolicyView, call: CallQuery, quotes: Quotes = UNKNOWN) -> Choice:
    """Return what the policy does with the call, and why each other line did not."""
    if call.called in policy.emergency:
        return Choice(Outcome.EMERGENCY, policy.emergency[call.called])
    shown = _shown(policy, call.caller)
    if shown is None:
        return Choice(Outcome.CALLER_REFUSED)
    if any(call.called.startswith(blocked) for blocked in policy.provider_blocks):
        return Choice(Outcome.BLOCKED_BY_PROVIDER, shown=shown)
    if call.called in policy.own_numbers:
        return Choice(Outcome.INSIDE, shown=shown)
    taken: Line | None = None
    trace = []
    for line in policy.lines:
        miss = Miss.LATER if taken else _miss(line, call, shown)
        trace.append(Step(line, miss))
        if miss is None:
            taken = line
    if taken is None:
        return Choice(Outcome.NO_LINE, trace=tuple(trace), shown=shown)
    trunks, left_out = _tried(taken, quotes)
    outcome = Outcome.TRUNK if trunks else Outcome.NOT_OFFERED if left_out else Outcome.BLOCKED
    if not trunks and any(why is LeftOut.BELOW_COST for _trunk, why in left_out):
        outcome = Outcome.BELOW_COST
    return Choice(outcome, trunks, taken, tuple(trace), left_out, shown)


def _shown(policy: PolicyView, caller: str | None) -> str | None:
    """Return the number that a call of this caller shows, or None where it is refused for that."""
    if caller is None:
        return policy.default_caller
    if caller in policy.own_numbers or caller in policy.approved_callers:
        return caller
    return None if policy.refuses_unknown or not policy.default_caller else policy.default_caller


def _tried(line: Line, quotes: Quotes) -> tuple[tuple[str, ...], tuple[tuple[str, LeftOut], ...]]:
    """Return the line's trunks in the order they are tried, and those that are not, with why."""
    whys = {trunk: why for trunk in line.trunks if (why := _left_out(line, trunk, quotes)) is not None}
    tried = [trunk for trunk in line.trunks if trunk not in whys]
    if line.order is not Order.LISTED and quotes.known:
        # Sorting keeps the line's own order where prices are equal.
        tried.sort(key=lambda trunk: _place(quotes.asks.get(trunk)))
    return tuple(tried), tuple(whys.items())


def _left_out(line: Line, trunk: str, quotes: Quotes) -> LeftOut | None:
    ask = quotes.asks.get(trunk)
    if ask is None or not quotes.known:
        return None
    cost = ask.cost
    if quotes.protects and not ask.blocked and cost is not None and quotes.pays is not None and cost > quotes.pays:
        return LeftOut.BELOW_COST
    if line.order is Order.LISTED:
        return None
    if ask.blocked:
        return LeftOut.BLOCKED
    return LeftOut.NO_PRICE if cost is None and line.order is Order.PRICED else None


def _place(ask: Ask | None) -> tuple[int, int]:
    """Place own trunks first, then the cheaper, then those without a price."""
    if ask is None:
        return 0, 0
    return (2, 0) if ask.cost is None else (1, ask.cost)


def _miss(line: Line, call: CallQuery, shown: str) -> Miss | None:
    if not line.enabled:
        return Miss.DISABLED
    if not call.called.startswith(line.prefix):
        return Miss.NUMBER
    if not shown.startswith(line.caller_prefix):
        return Miss.CALLER
    if line.schedule and not line.schedule.is_open(call.at):
        return Miss.CLOSED
    return None
