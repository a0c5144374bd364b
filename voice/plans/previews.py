"""What a month costs before anybody bills it: as it stands, after a change, or for a customer that is made up."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo

from tenants.models import Customer
from voice import days
from voice.plans import facts
from voice.plans.bills import bill_of, moments
from voice.plans.charges import sums_between
from voice.plans.counting import counts_of
from voice.plans.facts import Agreed, Clause, Phase, Situation
from voice.plans.items import CallToBill, PlanBill, PlanItem, UsageSum
from voice.plans.loading import clauses_of, situations_of, users_of, wanted_counts
from voice.plans.models import Contract, PlanVersion
from voice.plans.proration import Series, next_month
from voice.plans.reckoning import reckon, total
from voice.rating.limits import account_of
from voice.rating.models import DeckRate
from voice.rating.money import half_up, to_minor

# The customer that stands beside the editor.
USERS, MINUTES, CALL_SECONDS = 10, 1_000, 240


@dataclass(frozen=True, slots=True)
class Month:
    """What the days of a month cost, so far as they are known."""

    begins: date
    ends: date
    currency: str
    bill: PlanBill

    @property
    def total(self) -> int:
        """Return what its lines come to, each rounded as on a bill, without tax."""
        return total(self.bill.items, self.currency, to_minor)

    @property
    def lines(self) -> list[PlanItem]:
        """Return the lines as a bill rounds them; what costs nothing and covers nothing is left out."""
        said = [item for item in self.bill.items if item.micros or item.basis.get("rule") == facts.MINUTES]
        return [replace(item, micros=to_minor(item.micros, item.currency or self.currency)) for item in said]


def month_of(customer: Customer, day: date, currency: str = "") -> Month:
    """Return what the month of a day costs a customer, by its contract and the calls that are there."""
    days.demand(on=day)
    begins, ends = day.replace(day=1), next_month(day)
    return _month(customer, situations_of(customer, ends), begins, ends, currency)


def month_after_change(customer: Customer, contract: Contract, version: PlanVersion, on: date) -> Month:
    """Return what the month of a change would cost, were the contract to go on with another version."""
    begins, ends = on.replace(day=1), next_month(on)
    situations = situations_of(customer, ends)
    situation = next(each for each in situations if any(phase.contract.id == contract.pk for phase in each.phases))
    zone = ZoneInfo(version.plan.zone)
    clauses = tuple(clauses_of([version.pk]).get(version.pk, ()))
    kept = [
        replace(phase, ends=min(phase.ends or on, on)) if phase.contract.id == contract.pk else phase
        for phase in situation.phases
        if phase.contract.id != contract.pk or phase.begins < on
    ]
    agreed = next(phase.contract for phase in situation.phases if phase.contract.id == contract.pk)
    changed = Phase(version.plan.name, version.number, on, contract.ends, clauses, agreed)
    counts = {**counts_of(customer, zone, wanted_counts(clauses)), **situation.counts}
    phases = [*kept, changed]
    users = users_of(customer, [clause for phase in phases for clause in phase.clauses])
    tried = replace(situation, phases=phases, counts=counts, users=users)
    situations[situations.index(situation)] = tried
    return _month(customer, situations, begins, ends, situation.currency)


def _month(customer: Customer, situations: Sequence[Situation], begins: date, ends: date, currency: str) -> Month:
    usage = sums_between(customer.pk, *moments(customer.pk, begins, ends))
    last = situations[-1].currency if situations else _most(usage) or account_of(customer).currency
    named = currency or last
    return Month(begins, ends, named, bill_of(customer, situations, begins, ends, named, usage))


def _most(usage: Sequence[UsageSum]) -> str:
    return max(usage, key=lambda each: each.micros).currency if usage else ""


def example(version: PlanVersion, day: date) -> Month:
    """Return what a customer with ten users and a thousand minutes would pay for its first month."""
    begins, ends = day.replace(day=1), next_month(day)
    clauses = tuple(clauses_of([version.pk]).get(version.pk, ()))
    seats = Series.always(USERS)
    counts = {"seat": seats, "number": seats, "trunk": Series.always(1), "channel": seats}
    zone = ZoneInfo(version.plan.zone)
    phase = Phase(version.plan.name, version.number, begins, None, clauses, Agreed(0, begins))
    situation = Situation(version.plan.currency, zone, [phase], counts, [begins] * USERS)
    destination, per_minute = destination_of(version, clauses)
    at = datetime.combine(begins, time(12), zone)
    count, micros = MINUTES * 60 // CALL_SECONDS, half_up(CALL_SECONDS * per_minute, 60)
    one = ("out", destination, version.plan.currency, CALL_SECONDS, CALL_SECONDS, micros)
    calls = [CallToBill(at, UUID(int=number), at, *one) for number in range(count)]
    seconds = count * CALL_SECONDS
    usage = [UsageSum("out", destination, version.plan.currency, count, seconds, seconds, count * micros)]
    bill = reckon(situation, begins, ends, usage, lambda: calls, in_parts, user_of=in_turn(USERS))
    return Month(begins, ends, version.plan.currency, bill)


def in_turn(users: int) -> Callable[[CallToBill], str]:
    """Return what deals calls that are numbered out to so many users, one after the other."""
    return lambda call: str(call.id.int % max(1, users))


def in_parts(call: CallToBill, covered: int) -> int:
    """Return what is left of a call of which each second bears the same."""
    return half_up(call.micros * (call.billed - covered), call.billed)


def destination_of(version: PlanVersion, clauses: Sequence[Clause]) -> tuple[str, int]:
    """Return where the example's calls go, and for how much: where a bundle leads, else the deck's first price."""
    rates = DeckRate.objects.filter(deck=version.deck_id, direction="out", blocked=False, ends=None, per_minute__gt=0)
    named = sorted({name for clause in clauses for name in clause.destinations})
    found = rates.filter(destination__in=named).order_by("per_minute").first() if named else None
    found = found or rates.order_by("per_minute", "prefix").first()
    if found is None:
        return (named[0] if named else "", 0)
    return found.destination, found.per_minute
