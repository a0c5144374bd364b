"""What closes a bill: discounts, what is missing to a commitment, credits. Pure (docs/pricing.md §12)."""

from collections.abc import Iterator, Sequence
from datetime import date

from voice.plans import words
from voice.plans.facts import COMMITMENT, DISCOUNT, Clause, Phase, Situation
from voice.plans.fees import FEES, basis_of
from voice.plans.items import COMMITMENT as COMMITTED
from voice.plans.items import CREDIT, FEE, PlanItem
from voice.plans.items import DISCOUNT as DISCOUNTED
from voice.plans.proration import add_months, months, part
from voice.plans.tiers import discount, missing
from voice.rating.money import to_minor


class Closing:
    """The sums of one phase's rounded lines in a period, and what they lead to."""

    def __init__(
        self,
        situation: Situation,
        phase: Phase,
        period: tuple[date, date],
        own: Sequence[PlanItem],
        calls: Sequence[int],
        besides: int = 0,
    ) -> None:
        self.situation, self.phase, self.period = situation, phase, period
        currency = situation.currency
        # Surcharges are passed on: no discount is on them, and they count towards no commitment.
        self.fees = sum(to_minor(item.micros, currency) for item in own if item.kind == FEE and item.group == FEES)
        by_plan = sum(to_minor(item.micros, currency) for item in own if item.kind != FEE)
        self.calls = by_plan + sum(to_minor(micros, currency) for micros in calls)
        # What calls ask that were priced again: their discounts are off it already.
        self.besides = to_minor(besides, currency)

    def items(self) -> Iterator[PlanItem]:
        """Yield discounts, then what is missing to commitments after them."""
        off = {"fees": 0, "calls": 0, "all": 0}
        for clause in self.phase.of(DISCOUNT):
            if _holds(self.phase, clause, self.period[0]):
                exact = discount(self._sum(clause.scope), clause.per_million)
                amount = to_minor(exact, self.situation.currency)
                off[clause.scope] += amount
                if amount:
                    yield PlanItem(
                        DISCOUNTED,
                        "discounts",
                        clause.name,
                        amount,
                        tax_class=clause.tax_class,
                        basis=basis_of(self.phase, clause)
                        | {"on": clause.scope, "net": self._sum(clause.scope), "per_million": clause.per_million},
                    )
        for clause in self.phase.of(COMMITMENT):
            besides = 0 if clause.scope == "fees" else self.besides
            yield from self._missing(clause, self._sum(clause.scope) + self._off(clause.scope, off) + besides)

    def _off(self, scope: str, off: dict[str, int]) -> int:
        """Return the discounts on what counts towards a commitment of this scope."""
        return sum(off.values()) if scope == "all" else off[scope]

    def _sum(self, scope: str) -> int:
        return {"fees": self.fees, "calls": self.calls, "all": self.fees + self.calls}[scope]

    def _missing(self, clause: Clause, lines: int) -> Iterator[PlanItem]:
        currency = self.situation.currency
        paid_from = self.phase.contract.trial_until or self.phase.begins
        spans = list(months(max(self.phase.begins, paid_from), self.phase.ends, within=self.period))
        committed = sum(part(clause.amount, days, currency) for days in spans)
        lacks = missing(committed, [lines])
        if lacks:
            basis = basis_of(self.phase, clause) | {
                "on": clause.scope,
                "monthly": clause.amount,
                "committed": committed,
                "lines": lines,
                "days": sum(days.count for days in spans),
            }
            text = words.say("missing", name=clause.name)
            yield PlanItem(COMMITTED, "commitments", text, lacks, tax_class=clause.tax_class, basis=basis)


def off_calls(phase: Phase, begins: date, ends: date) -> int:
    """Return the discounts that a bill of these days has on the calls of a phase, in millionths."""
    if not phase.meets(begins, ends):
        return 0
    on_calls = (clause for clause in phase.of(DISCOUNT) if clause.scope in ("calls", "all"))
    return sum(clause.per_million for clause in on_calls if _holds(phase, clause, begins))


def _holds(phase: Phase, clause: Clause, begins: date) -> bool:
    """Tell whether a discount's term, counted in months from the contract's first, reaches a period."""
    if clause.months is None:
        return True
    return begins < add_months(phase.contract.starts.replace(day=1), clause.months)


def credits(situation: Situation, begins: date, ends: date) -> Iterator[PlanItem]:
    """Yield the credits of the contracts for the months whose first day, or the contract's, lies in the period."""
    seen = set()
    for phase in situation.phases:
        agreed = phase.contract
        if agreed.id in seen:
            continue
        seen.add(agreed.id)
        for each in agreed.credits:
            if begins <= max(each.month, agreed.starts) < ends:
                basis = {"rule": "credit", "contract": agreed.id, "month": each.month.isoformat()}
                yield PlanItem(CREDIT, "credits", each.reason, -each.amount, basis=basis)
