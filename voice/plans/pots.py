"""The pots that a customer's allowances gave, month by month, with what rolls over. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from voice.plans.allowances import Pot
from voice.plans.facts import MINUTES, OWN, SEAT, Clause, Phase, Situation
from voice.plans.proration import Days, Series, add_months, months, share

# A call that arrives later than this draws from nothing; it is also the most that minutes roll over.
MONTHS_BACK = 12


def pots(situation: Situation, begins: date, ends: date) -> list[Pot]:
    """Return the pots from which calls up to `ends` may draw, those of earlier months included."""
    since = add_months(begins.replace(day=1), -MONTHS_BACK)
    users = situation.users.days(situation.zone)
    return [
        pot
        for phase in situation.phases
        for clause in phase.of(MINUTES)
        for pot in _of(situation, phase, clause, (since, ends), users)
        if pot.seconds
    ]


def _of(
    situation: Situation, phase: Phase, clause: Clause, within: tuple[date, date], users: Mapping[str, Series]
) -> Iterator[Pot]:
    spans: list[tuple[date, date | None, int]] = [(phase.begins, phase.ends, 1)]
    if clause.optional:
        spans = [(order.begins, order.ends, order.quantity) for order in phase.add_ons(clause)]
    # One pot for the days of a month, whatever number of orders gave it: a pot is known by the day that it begins.
    found: dict[date, list[tuple[Days, int]]] = {}
    for first, last, times in spans:
        for days in months(first, last, within=within):
            found.setdefault(days.first, []).append((days, times))
    series = situation.counts.get(SEAT, Series()) if clause.pool == SEAT else Series.always(1)
    is_own = clause.pool == OWN
    for first, given in found.items():
        yield Pot(
            clause.name,
            _seconds(clause, given, series),
            first,
            _until(situation, clause, max((days for days, _times in given), key=lambda days: days.last)),
            clause.destinations,
            is_own,
            {user: _seconds(clause, given, theirs) for user, theirs in users.items()} if is_own else {},
        )


def _seconds(clause: Clause, given: Sequence[tuple[Days, int]], series: Series) -> int:
    parts = ((run, times * count) for days, times in given for run, count in series.runs(days))
    return sum(count * share(clause.minutes * 60, run) for run, count in parts)


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
