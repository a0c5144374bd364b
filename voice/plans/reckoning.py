"""From contracts, counts and calls to the items of a bill: pure, the same for bills, previews and quotes."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date

from voice.plans.allowances import Pot
from voice.plans.calls import CallsReader, CallsResult, Rest, from_sums, is_whole, needs_calls
from voice.plans.closing import Closing, credits
from voice.plans.facts import Phase, Situation
from voice.plans.fees import fees
from voice.plans.items import Asked, CallToBill, PlanBill, PlanItem, UsageSum
from voice.plans.pots import pots

Read = Callable[[], Iterable[CallToBill]]


def anybody(call: CallToBill) -> str:
    """Return whose minutes a call draws from where no user has minutes of its own."""
    return ""


def reckon(
    situation: Situation,
    begins: date,
    ends: date,
    usage: Sequence[UsageSum],
    calls: Read,
    rest: Rest,
    *,
    user_of: Callable[[CallToBill], str] = anybody,
    before: Callable[[Sequence[Pot]], Iterable[CallToBill]] | None = None,
    oldest: date | None = None,
    is_apart: bool = False,
    again: Sequence[Asked] = (),
) -> PlanBill:
    """Return what the days from `begins` up to `ends` cost.

    `before` reads the calls of earlier bills that may have drawn from these pots, where that was not noted. `oldest` is
    the day of the first of the calls, where some are late: those follow the plan of their own day. Where contracts of
    another currency have a part in the same calls (`is_apart`), the calls say whose each is: `usage` is only a part.
    `again` is what calls that were priced again ask beside all this: that of these days counts towards commitments.
    """
    if is_apart or needs_calls(situation, min(begins, oldest or begins), ends):
        found = pots(situation, begins, ends)
        reader = CallsReader(situation, found, rest, user_of, begins)
        if before is not None:
            reader.go_before(before(found))
        reader.read(calls())
        result = reader.finish(usage, ends)
    else:
        result = from_sums(situation, begins, ends, usage)
    return _bill(situation, begins, ends, result, again)


def _bill(situation: Situation, begins: date, ends: date, result: CallsResult, again: Sequence[Asked] = ()) -> PlanBill:
    met = [(place, phase) for place, phase in enumerate(situation.phases) if phase.meets(begins, ends)]
    asked = [(phase, item) for _place, phase in met for item in fees(situation, phase, begins, ends)]
    items = [item for _phase, item in (*asked, *result.items)]
    for place, phase in met:
        own = [item for by, item in (*asked, *result.items) if by is phase]
        is_only = len(met) == 1 and set(result.by_phase) <= {place} and is_whole(phase, begins, ends)
        calls = _call_lines(result, place, is_only=is_only)
        closing = Closing(situation, phase, (begins, ends), own, calls, _besides(situation, phase, begins, ends, again))
        items += closing.items()
    items += credits(situation, begins, ends)
    return PlanBill(items, result.covers, result.draws, result.allowances)


def _besides(situation: Situation, phase: Phase, begins: date, ends: date, again: Sequence[Asked]) -> int:
    """Return what calls of a phase's days on the bill ask more or less: other months had minimums of their own."""
    own = (each for each in again if each.currency == situation.currency and begins <= each.day < ends)
    return sum(each.micros for each in own if phase.holds(each.day))


def _call_lines(result: CallsResult, place: int, *, is_only: bool) -> list[int]:
    """Return the lines of calls that are one phase's: all of them where no other days have any."""
    if is_only:
        return [item.micros for by, item in result.items if by is None and not item.currency]
    return [result.by_phase.get(place, 0)]


def total(items: Iterable[PlanItem], currency: str, rounded: Callable[[int, str], int]) -> int:
    """Return what items come to in the bill's currency, each rounded as a line of its own."""
    return sum(rounded(item.micros, currency) for item in items if item.currency in ("", currency))
