"""What somebody would pay under plans: with the calls that a customer made in a month, or with typed assumptions."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.core import audit
from portal.core.audit import Actor
from tenants.models import Customer
from voice import days
from voice.plans.allowances import rest_charge
from voice.plans.charges import Callers
from voice.plans.counting import counts_of
from voice.plans.facts import CHANNEL, NUMBER, ONCE, SEAT, TRUNK, Agreed, Clause, Phase, Situation, has_own
from voice.plans.items import FEE, CallToBill, PlanBill, UsageSum
from voice.plans.loading import clauses_of, users_of
from voice.plans.models import PlanVersion, Quote
from voice.plans.previews import in_parts, in_turn
from voice.plans.proration import Series, next_month
from voice.plans.reckoning import anybody, reckon, total
from voice.rating.decks import Rate
from voice.rating.loading import decks_for
from voice.rating.models import Cost, DeckRate
from voice.rating.money import half_up, to_minor
from voice.rating.pricing import Outcome, billed_seconds, charge_micros
from voice.rating.talks import CALLED, digits, milliseconds
from voice.rerating.models import CostAdjustment

MOST_CALLS = 200_000
MOST_PLANS = 6
WEEK = 7 * 86_400_000
COUNTED = {"users": SEAT, "numbers": NUMBER, "trunks": TRUNK, "channels": CHANNEL}
_TALKS = """
SELECT invited, id, answered, ended, direction, side, caller, caller_sent, called, peer_id FROM calls_cdr
 WHERE tenant_id = %s AND invited >= %s - interval '1 day' AND invited < %s AND answered >= %s AND answered < %s
   AND NOT end_unknown AND ended IS NOT NULL
 ORDER BY answered, id LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class Traffic:
    """Outgoing calls to a destination, as somebody typed them."""

    destination: str
    minutes: int
    calls: int


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What a quote stands on: whose calls of which month, or typed ones; counts not typed are the customer's."""

    month: date
    customer: Customer | None = None
    users: int | None = None
    numbers: int | None = None
    trunks: int | None = None
    channels: int | None = None
    traffic: tuple[Traffic, ...] = ()
    # What the calls cost the MSP, where no customer's real costs say so; micros of the plan's currency.
    cost: int | None = None

    def stored(self) -> dict[str, Any]:
        """Return the assumptions as a quote keeps them."""
        return {
            "month": self.month.isoformat(),
            "customer": self.customer.name if self.customer else "",
            **{name: getattr(self, name) for name in (*COUNTED, "cost")},
            "traffic": [[each.destination, each.minutes, each.calls] for each in self.traffic],
        }


@dataclass(frozen=True, slots=True)
class Answer:
    """One plan's answer."""

    version: PlanVersion
    bill: PlanBill
    calls: int
    seconds: int
    unpriced: int
    costs: tuple[tuple[str, int], ...] | None
    counts: dict[str, int]

    def stored(self) -> dict[str, Any]:
        """Return the answer as a quote keeps it: price, cost and margin where they are in one currency."""
        currency = self.version.plan.currency
        once = [item for item in self.bill.items if item.basis.get("rule") == ONCE]
        price = total(self.bill.items, currency, to_minor)
        first = total(once, currency, to_minor)
        found: dict[str, Any] = {
            "version": self.version.pk,
            "plan": self.version.plan.name,
            "number": self.version.number,
            "currency": currency,
            "counts": self.counts,
            "calls": self.calls,
            "minutes": half_up(self.seconds, 60),
            "unpriced": self.unpriced,
            "lines": [
                {
                    "text": item.text,
                    "micros": to_minor(item.micros, currency),
                    "quantity": item.quantity if item.kind == FEE else 1,
                    "once": item in once,
                }
                for item in self.bill.items
                if item.micros
            ],
            "monthly": price - first,
            "once": first,
            "costs": [list(each) for each in self.costs] if self.costs is not None else None,
        }
        if self.costs is not None and {name for name, _micros in self.costs} <= {currency}:
            cost = sum(micros for _name, micros in self.costs)
            found |= {"cost": cost, "margin": found["monthly"] - cost}
        return found


def quote(assumed: Assumptions, versions: Sequence[PlanVersion]) -> list[dict[str, Any]]:
    """Return what each version would ask for a month, with what the calls cost; raises ValidationError."""
    if not versions or len(versions) > MOST_PLANS:
        raise ValidationError({"versions": _("Choose 1 to %(most)d plans.") % {"most": MOST_PLANS}})
    days.demand(month=assumed.month)
    return [_under(assumed, version).stored() for version in versions]


@transaction.atomic
def save_quote(quote_: Quote, assumed: Assumptions, versions: Sequence[PlanVersion], *, by: Actor) -> Quote:
    """Reckon a quote and keep it with its assumptions, as it is today; raises ValidationError."""
    quote_.tenant = assumed.customer
    quote_.assumptions = assumed.stored()
    quote_.outcome = quote(assumed, versions)
    quote_.made_by = by.email
    quote_.full_clean()
    quote_.row_version += 1
    quote_.save()
    audit.record(
        by,
        "quote.saved",
        quote_,
        tenant_id=assumed.customer.pk if assumed.customer else None,
        plans=[str(version) for version in versions],
    )
    return quote_


@transaction.atomic
def remove_quote(quote_: Quote, *, by: Actor) -> None:
    """Throw a quote away."""
    audit.record(by, "quote.removed", quote_, tenant_id=quote_.tenant_id, title=quote_.title)
    quote_.delete()


def _under(assumed: Assumptions, version: PlanVersion) -> Answer:
    zone, currency = ZoneInfo(version.plan.zone), version.plan.currency
    begins, ends = assumed.month, next_month(assumed.month)
    clauses = tuple(clauses_of([version.pk]).get(version.pk, ()))
    counts = _counts(assumed, zone)
    # As if the contract began with the month: so a term's discounts and what is asked once are seen.
    phase = Phase(version.plan.name, version.number, begins, None, clauses, Agreed(0, begins))
    numbers = counts[NUMBER].at(begins)
    situation = Situation(currency, zone, [phase], counts, [begins] * numbers)
    read = _RealCalls(assumed.customer, version, begins, ends, zone) if assumed.customer else _typed(assumed, version)
    user_of = _user_of(assumed, clauses, counts, (_midnight(begins, zone), _midnight(ends, zone)))
    bill = reckon(situation, begins, ends, read.sums(), lambda: read.calls, read.rest, user_of=user_of)
    shown = {name: counts[per].at(begins) for name, per in COUNTED.items()}
    return Answer(version, bill, len(read.calls), read.seconds, read.unpriced, _costs(assumed, version, read), shown)


def _user_of(
    assumed: Assumptions, clauses: Sequence[Clause], counts: dict[str, Series], within: tuple[datetime, datetime]
) -> Callable[[CallToBill], str]:
    """Return what says whose minutes a call draws from; each user has those of a whole month, as it is counted."""
    if not has_own(clauses):
        return anybody
    if assumed.customer is None:
        return in_turn(counts[SEAT].at(assumed.month))
    return Callers(assumed.customer.pk, *within, users_of(assumed.customer, clauses))


def _counts(assumed: Assumptions, zone: ZoneInfo) -> dict[str, Series]:
    known = counts_of(assumed.customer, zone, set(COUNTED.values())) if assumed.customer else {}
    found = {}
    for name, per in COUNTED.items():
        typed = getattr(assumed, name)
        # What a customer has at the month's end stands for the whole month: a quote looks ahead.
        now = known[per].at(date.max) if per in known else 0
        found[per] = Series.always(now if typed is None else typed)
    return found


class _Calls:
    """Calls as a plan would price them."""

    def __init__(self) -> None:
        self.calls: list[CallToBill] = []
        self.unpriced = 0

    @property
    def seconds(self) -> int:
        return sum(call.billed for call in self.calls)

    def sums(self) -> list[UsageSum]:
        """Return the sums of the calls."""
        found: dict[tuple[str, str, str], list[int]] = {}
        for call in self.calls:
            sums = found.setdefault((call.direction, call.destination, call.currency), [0, 0, 0, 0])
            for place, figure in enumerate((1, call.seconds, call.billed, call.micros)):
                sums[place] += figure
        return [UsageSum(*key, *sums) for key, sums in sorted(found.items(), reverse=True)]

    def rest(self, call: CallToBill, covered: int) -> int:
        """Return what is left to pay of a call."""
        return in_parts(call, covered)


class _RealCalls(_Calls):
    """A customer's calls of a month, priced by the deck of a version as of their answer."""

    def __init__(self, customer: Customer, version: PlanVersion, begins: date, ends: date, zone: ZoneInfo) -> None:
        super().__init__()
        if version.deck_id is None:
            raise ValidationError(
                _("%(plan)s names no deck: without prices per minute nothing can be worked out.")
                % {"plan": version.plan.name}
            )
        self._deck = decks_for([version.deck_id])[version.deck_id].deck
        self._rates: dict[UUID, Rate] = {}
        # The prices are those to come: calls are moved by whole weeks, so that each keeps its day and hour.
        self._moved = max(0, -(-(milliseconds(timezone.now()) - milliseconds(_midnight(begins, zone))) // WEEK) * WEEK)
        first, last = _midnight(begins, zone), _midnight(ends, zone)
        with connection.cursor() as cursor:
            cursor.execute(_TALKS, [customer.pk, first, last, first, last, MOST_CALLS + 1])
            rows = cursor.fetchall()
        if len(rows) > MOST_CALLS:
            raise ValidationError(
                _("The month has more than %(most)s calls: type its traffic by destination instead.")
                % {"most": f"{MOST_CALLS:,}"}
            )
        for row in rows:
            self._read(*row)

    def _read(
        self, invited: datetime, key: UUID, answered: datetime, ended: datetime, direction: str, side: str,
        caller: str, sent: str, called: str, _peer: int | None,
    ) -> None:  # fmt: skip
        if side == CALLED:
            return
        start, length = milliseconds(answered), milliseconds(ended) - milliseconds(answered)
        moved = start + self._moved
        outcome, micros, billed, rate = charge_micros(
            self._deck, direction, digits(called), digits(sent or caller), moved, moved + length
        )
        if outcome not in (Outcome.RATED, Outcome.FREE):
            self.unpriced += 1
            return
        seconds = -(-length // 1000)
        destination = rate.destination if rate else ""
        self.calls.append(
            CallToBill(invited, key, answered, direction, destination, self._deck.currency, seconds, billed, micros)
        )
        if rate is not None:
            self._rates[key] = rate

    def rest(self, call: CallToBill, covered: int) -> int:
        """Return what is left to pay of a call, at its own rate."""
        rate = self._rates.get(call.id)
        if rate is None or rate.bands:
            return in_parts(call, covered)
        parts = [(call.billed, rate.per_minute)]
        return rest_charge(parts, rate.fee, covered, rate.minimum_charge, rate.maximum_charge)


def _typed(assumed: Assumptions, version: PlanVersion) -> _Calls:
    """Return typed traffic as calls of equal length, priced by the deck's rate for their destination."""
    found = _Calls()
    at = datetime.combine(assumed.month, time(12), ZoneInfo(version.plan.zone))
    number = 0
    for each in assumed.traffic:
        rate = _rate_for(version, each.destination)
        if rate is None:
            found.unpriced += each.calls
            continue
        seconds = max(1, half_up(each.minutes * 60, each.calls))
        billed = billed_seconds(seconds, rate.minimum, rate.increment, rate.grace)
        micros = max(rate.minimum_charge, rate.fee + half_up(billed * rate.per_minute, 60)) if billed else 0
        if rate.maximum_charge is not None:
            micros = min(micros, rate.maximum_charge)
        one = ("out", each.destination, version.plan.currency, seconds, billed, micros)
        for _turn in range(each.calls):
            number += 1
            found.calls.append(CallToBill(at, UUID(int=number), at, *one))
    return found


def _rate_for(version: PlanVersion, destination: str) -> DeckRate | None:
    """Return the deck's dearest rate of today for a destination: a quote does not promise too little."""
    rates = DeckRate.objects.filter(deck=version.deck_id, direction="out", blocked=False, ends=None, callers="")
    return rates.filter(destination__iexact=destination).order_by("-per_minute").first()


def _costs(assumed: Assumptions, version: PlanVersion, read: _Calls) -> tuple[tuple[str, int], ...] | None:
    if assumed.customer is None:
        return None if assumed.cost is None else ((version.plan.currency, assumed.cost),)
    zone = ZoneInfo(version.plan.zone)
    begins, ends = _midnight(assumed.month, zone), _midnight(next_month(assumed.month), zone)
    answered = {"tenant": assumed.customer, "answered__gte": begins, "answered__lt": ends}
    # By their first day, too: only its partitions are looked into.
    posted = Cost.objects.filter(**answered, invited__gte=begins - timedelta(days=1), invited__lt=ends)
    moved = CostAdjustment.objects.filter(**answered, msp=assumed.customer.msp_id)
    found: Counter[str] = Counter()
    for rows in (posted, moved):
        found.update(dict(rows.exclude(currency="").values_list("currency").annotate(micros=Sum("micros"))))
    return tuple((currency, micros) for currency, micros in sorted(found.items()) if micros)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)


def traffic_of(lines: Iterable[tuple[str, int, int]]) -> tuple[Traffic, ...]:
    """Return typed traffic; raises ValidationError for what no calls can be."""
    found = tuple(Traffic(*each) for each in lines)
    if sum(each.calls for each in found) > MOST_CALLS:
        raise ValidationError({"traffic": _("At most %(most)s calls.") % {"most": f"{MOST_CALLS:,}"}})
    for each in found:
        if each.minutes < 0 or each.calls < 1:
            raise ValidationError({"traffic": _("Minutes are not below zero, and calls at least one.")})
    return found
