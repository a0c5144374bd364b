"""What a plan asks for whether or not anybody calls: monthly and one-off fees, surcharges. Pure."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from voice.plans import words
from voice.plans.facts import EMERGENCY, MONTHLY, NUMBER, ONCE, Clause, Phase, Situation
from voice.plans.items import FEE, PlanItem
from voice.plans.proration import Days, Series, months, part

FEES, SURCHARGES = "fees", "surcharges"


def fees(situation: Situation, phase: Phase, begins: date, ends: date) -> Iterator[PlanItem]:
    """Yield the fees of a phase for the days of a period, in the order of its clauses."""
    within = (begins, ends)
    for clause in phase.of(MONTHLY, EMERGENCY, ONCE):
        if clause.kind == ONCE:
            yield from _once(situation, phase, clause, within)
            continue
        for series, first, last in _spans(situation, phase, clause):
            for days in months(first, last, within=within):
                for run, count in series.runs(days):
                    yield monthly(clause, run, count, situation.currency, basis_of(phase, clause), within)


def _spans(situation: Situation, phase: Phase, clause: Clause) -> Iterator[tuple[Series, date, date | None]]:
    # A trial spares monthly fees; what is asked for others, such as an emergency surcharge, it does not.
    paid_from = phase.contract.trial_until if clause.kind == MONTHLY else None
    first = max(phase.begins, paid_from or phase.begins)
    if not clause.optional:
        yield situation.series(clause.per), first, phase.ends
        return
    for order in phase.add_ons(clause):
        yield Series.always(order.quantity), max(first, order.begins), order.ends


def monthly(
    clause: Clause, days: Days, count: int, currency: str, basis: dict[str, Any], within: tuple[date, date]
) -> PlanItem:
    """Return a monthly fee for some days of a month: the part of one piece, rounded, times the pieces."""
    each = part(clause.amount, days, currency)
    return PlanItem(
        FEE,
        SURCHARGES if clause.kind == EMERGENCY else FEES,
        with_days(clause.name, days, within),
        each * count,
        quantity=count,
        tax_class=clause.tax_class,
        basis=basis
        | {
            "per": clause.per,
            "each": clause.amount,
            "first": days.first.isoformat(),
            "ends": days.last.isoformat(),
            "days": days.count,
            "of": days.of,
            "part": each,
            "count": count,
        },
    )


def with_days(name: str, days: Days, within: tuple[date, date]) -> str:
    """Return a fee's name, with its days where they are not those of the whole bill."""
    if (days.first, days.last) == within and days.are_all:
        return name
    last = date.fromordinal(days.last.toordinal() - 1)
    if days.count == 1:
        return words.say("day", name=name, first=words.day(days.first))
    return words.say("days", name=name, first=words.day(days.first), last=words.day(last))


def _once(situation: Situation, phase: Phase, clause: Clause, within: tuple[date, date]) -> Iterator[PlanItem]:
    events: list[tuple[date, int]]
    if clause.optional:
        events = [(order.begins, order.quantity) for order in phase.contract.add_ons if _is(order.name, clause)]
    elif clause.per == NUMBER:
        events = [(day, 1) for day in situation.new_numbers if day >= phase.contract.starts]
    else:
        events = [(phase.contract.starts, 1)]
    count = sum(times for day, times in events if within[0] <= day < within[1] and phase.holds(day))
    if count:
        days = sorted({day.isoformat() for day, _times in events if within[0] <= day < within[1] and phase.holds(day)})
        yield PlanItem(
            FEE,
            FEES,
            clause.name,
            clause.amount * count,
            quantity=count,
            tax_class=clause.tax_class,
            basis=basis_of(phase, clause) | {"each": clause.amount, "count": count, "on": days[:10]},
        )


def _is(name: str, clause: Clause) -> bool:
    return name.casefold() == clause.name.casefold()


def basis_of(phase: Phase, clause: Clause) -> dict[str, Any]:
    """Return what every item of a plan names: plan, version, contract, and the rule with its name."""
    return {
        "plan": phase.plan,
        "version": phase.version,
        "contract": phase.contract.id,
        "rule": clause.kind,
        "name": clause.name,
    }
