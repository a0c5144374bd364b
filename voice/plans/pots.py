"""The pots that a customer's allowances gave, month by month, with what rolls over. Pure."""

from collections.abc import Iterator
from datetime import date

from voice.plans.allowances import Pot
from voice.plans.facts import MINUTES, SEAT, Clause, Phase, Situation
from voice.plans.proration import Days, Series, add_months, months, share

# A call that arrives later than this draws from nothing; it is also the most that minutes roll over.
MONTHS_BACK = 12


def pots(situation: Situation, begins: date, ends: date) -> list[Pot]:
    """Return the pots from which calls up to `ends` may draw, those of earlier months included."""
    since = add_months(begins.replace(day=1), -MONTHS_BACK)
    return [
        pot
        for phase in situation.phases
        for clause in phase.of(MINUTES)
        for pot in _of(situation, phase, clause, (since, ends))
        if pot.seconds
    ]


def _of(situation: Situation, phase: Phase, clause: Clause, within: tuple[date, date]) -> Iterator[Pot]:
    spans: list[tuple[date, date | None, int]] = [(phase.begins, phase.ends, 1)]
    if clause.optional:
        spans = [(order.begins, order.ends, order.quantity) for order in phase.add_ons(clause)]
    # One pot for the days of a month, whatever number of orders gave it: a pot is known by the day that it begins.
    found: dict[date, tuple[Days, int]] = {}
    for first, last, times in spans:
        for days in months(first, last, within=within):
            before = found.get(days.first, (days, 0))
            wider = days if days.last > before[0].last else before[0]
            found[days.first] = (wider, before[1] + times * _seconds(situation, clause, days))
    for first, (days, seconds) in found.items():
        yield Pot(
            clause.name,
            seconds,
            first,
            _until(situation, clause, days),
            clause.destinations,
            own=clause.pool == "own",
        )


def _seconds(situation: Situation, clause: Clause, days: Days) -> int:
    series = situation.counts.get(SEAT, Series()) if clause.pool == SEAT else Series.always(1)
    return sum(count * share(clause.minutes * 60, run) for run, count in series.runs(days))


def _until(situation: Situation, clause: Clause, days: Days) -> date:
    """Return the day from which nothing can be drawn any more: what rolls over needs a plan that still has it."""
    if not clause.roll_over:
        return days.last
    last = add_months(days.month, clause.roll_over + 1)
    until = days.last
    while until < last:
        phase = situation.at(until)
        if phase is None or all(each.name.casefold() != clause.name.casefold() for each in phase.of(MINUTES)):
            break
        until = min(phase.ends or last, last)
    return until
