"""What a period costs a customer: its calls and what its contract adds to them, as items that become lines of a bill.

Whoever bills hands in the sums of the calls that are to be billed, and where to read those calls one by one; what is on
which invoice already is not known here. Rules: docs/pricing.md §9, §10 and §12.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, tzinfo
from itertools import chain
from zoneinfo import ZoneInfo

from tenants.models import Customer
from voice.plans.allowances import Pot
from voice.plans.charges import Callers, Remainders, calls_between, without
from voice.plans.closing import off_calls
from voice.plans.facts import Situation, has_own
from voice.plans.items import (
    COMMITMENT,
    CREDIT,
    DISCOUNT,
    FEE,
    USAGE,
    AllowanceState,
    Asked,
    CallCover,
    CallToBill,
    PlanBill,
    PlanItem,
    UsageSum,
    usage_item,
    usage_text,
)
from voice.plans.loading import situations_of
from voice.plans.models import Phase
from voice.plans.reckoning import anybody, reckon

__all__ = [
    "COMMITMENT",
    "CREDIT",
    "DISCOUNT",
    "FEE",
    "USAGE",
    "AllowanceState",
    "Asked",
    "CallCover",
    "CallToBill",
    "Calls",
    "PlanBill",
    "PlanItem",
    "UsageSum",
    "bill_of",
    "discounts_on_calls",
    "moments",
    "moments_of",
    "plan_bill",
    "usage_item",
    "usage_text",
]

# Reads the calls that are to be billed, in the order of their answer.
Calls = Callable[[], Iterable[CallToBill]]
# From its first moment up to, but not including, its last.
Span = tuple[datetime, datetime]


def moments(customer_id: int, begins: date, ends: date) -> Span:
    """Return when a period of days begins and ends for a customer: midnight in the zone of its plan, or UTC."""
    return moments_of([customer_id], begins, ends)[customer_id]


def moments_of(customers: Sequence[int], begins: date, ends: date) -> dict[int, Span]:
    """Return the same for many customers; the zone is that of the plan that holds on the last day or held last."""
    phases = Phase.objects.held().filter(tenant__in=customers, begins__lt=ends).order_by("tenant", "-begins")
    zones = dict(phases.distinct("tenant").values_list("tenant", "version__plan__zone"))
    found = {}
    for each in customers:
        zone: tzinfo = ZoneInfo(zones[each]) if each in zones else UTC
        found[each] = datetime.combine(begins, time(), zone), datetime.combine(ends, time(), zone)
    return found


def plan_bill(
    customer_id: int,
    begins: date,
    ends: date,
    currency: str,
    usage: Sequence[UsageSum],
    calls: Calls | None = None,
    oldest: datetime | None = None,
    again: Sequence[Asked] = (),
) -> PlanBill:
    """Return what the days from `begins` up to `ends` cost a customer, in `currency`.

    `usage` are the sums of the calls to be billed, late ones of earlier periods too; `calls` reads the same calls one
    by one, where the plan needs that, and is the charges of the period where nothing is given; `oldest` is when the
    first of them was answered. `again` counts towards commitments beside them, as far as it is of these days.
    """
    customer = Customer.objects.select_related("msp").get(pk=customer_id)
    return bill_of(customer, situations_of(customer, ends), begins, ends, currency, usage, calls, oldest, again)


def bill_of(
    customer: Customer,
    situations: Sequence[Situation],
    begins: date,
    ends: date,
    currency: str,
    usage: Sequence[UsageSum],
    calls: Calls | None = None,
    oldest: datetime | None = None,
    again: Sequence[Asked] = (),
) -> PlanBill:
    """Return what a period costs a customer in its situations, those that are stored or some to be tried.

    Each contract asks in its own currency: for its days, and for calls of its days that are charged in it.
    """
    if not situations:
        return PlanBill([usage_item(each, currency) for each in usage])
    *others, last = situations
    parts = [each for each in others if _has_part(each, begins, ends, oldest)]
    theirs = {each.currency for each in parts}
    found = []
    for each in situations:
        own = [row for row in usage if (row.currency not in theirs if each is last else row.currency == each.currency)]
        if each is last or each in parts:
            found.append(_bill(customer, each, (begins, ends), own, calls, oldest, again, is_apart=bool(parts)))
        else:
            # Nothing but credits may come from a contract that is over.
            found.append(_bill(customer, each, (begins, ends), [], None, None, (), is_apart=False))
    return PlanBill(
        [_said_in(item, each.currency, currency) for each, bill in zip(situations, found, strict=True)
         for item in bill.items],
        [cover for bill in found for cover in bill.covers],
        [draw for bill in found for draw in bill.draws],
        [state for bill in found for state in bill.allowances],
    )  # fmt: skip


def _has_part(situation: Situation, begins: date, ends: date, oldest: datetime | None) -> bool:
    """Tell whether a contract holds on a day of a bill, or of a call that is late on it."""
    first = min(begins, oldest.astimezone(situation.zone).date()) if oldest else begins
    return any(phase.meets(first, ends) for phase in situation.phases)


def _bill(
    customer: Customer,
    situation: Situation,
    period: tuple[date, date],
    usage: Sequence[UsageSum],
    calls: Calls | None,
    oldest: datetime | None,
    again: Sequence[Asked],
    *,
    is_apart: bool,
) -> PlanBill:
    reading = _Reading(customer, situation, *period, calls)
    return reckon(
        situation,
        *period,
        usage,
        reading.calls,
        Remainders(customer.pk),
        user_of=reading.user_of,
        before=reading.before,
        oldest=oldest.astimezone(situation.zone).date() if oldest else None,
        is_apart=is_apart,
        again=again,
    )


def discounts_on_calls(customer: Customer, ends: date) -> Callable[[date, tuple[date, date], str], int]:
    """Return what says which discounts, in millionths, a bill of some days has on calls of a day in a currency."""
    situations = {each.currency: each for each in situations_of(customer, ends)}

    def off(day: date, bill: tuple[date, date], currency: str) -> int:
        phase = situations[currency].at(day) if currency in situations else None
        return off_calls(phase, *bill) if phase is not None else 0

    return off


def _said_in(item: PlanItem, plans: str, bills: str) -> PlanItem:
    if plans == bills:
        return item
    named = item.currency or plans
    return replace(item, currency="" if named == bills else named)


class _Reading:
    """Where the calls of a bill, and of those before it, are read."""

    def __init__(self, customer: Customer, situation: Situation, begins: date, ends: date, calls: Calls | None) -> None:
        self.customer, self.situation, self.first_day = customer, situation, begins
        self.begins = datetime.combine(begins, time(), situation.zone)
        self.ends = datetime.combine(ends, time(), situation.zone)
        self._calls = calls or (lambda: calls_between(customer.pk, self.begins, self.ends))
        self._late: list[CallToBill] = []
        self._rest: Iterable[CallToBill] | None = None
        self._has_own = any(has_own(phase.clauses) for phase in situation.phases)
        self._callers: Callers | None = None
        # The earliest call that is read.
        self._since = self.begins

    def calls(self) -> Iterable[CallToBill]:
        """Return the calls of the bill, from the first."""
        self._open()
        return chain(self._late, self._rest or ())

    def _open(self) -> None:
        if self._rest is not None:
            return
        rest = iter(self._calls())
        # Late ones come first: they were answered before the period.
        for call in rest:
            if call.answered >= self.begins:
                self._rest = chain([call], rest)
                return
            self._late.append(call)
            self._since = min(self._since, call.answered)
        self._rest = ()

    def before(self, pots: Sequence[Pot]) -> Iterable[CallToBill]:
        """Return the calls of earlier days that may have drawn from pots of this bill, where that was not noted."""
        self._open()
        since = self._since.astimezone(self.situation.zone).date()
        open_ = [pot.begins for pot in pots if pot.begins < self.first_day and pot.ends > since]
        known = self.situation.drawn_until
        if not open_ or (known is not None and known >= self.first_day):
            return ()
        # What rolls over into a month depends on the month before, and so on back to the first.
        first = known if known is not None else min(pot.begins for pot in pots)
        begins = datetime.combine(first, time(), self.situation.zone)
        self._since = min(self._since, begins)
        late = {(call.invited, call.id) for call in self._late}
        return without(calls_between(self.customer.pk, begins, self.begins), late)

    def user_of(self, call: CallToBill) -> str:
        """Return who called, where a plan gives each user minutes of its own."""
        if not self._has_own:
            return anybody(call)
        if self._callers is None:
            self._callers = Callers(self.customer.pk, self._since, self.ends, self.situation.users)
        return self._callers(call)
