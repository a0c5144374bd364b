"""A customer's contracts as the calculation sees them: plain values, read from rows or made up for a quote."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from zoneinfo import ZoneInfo

from voice.plans.allowances import Key
from voice.plans.proration import Series
from voice.plans.tiers import Tier
from voice.plans.users import Users

MONTHLY, ONCE, EMERGENCY, CALL = "monthly", "once", "emergency", "call"
MINUTES, TIERS, COMMITMENT, DISCOUNT = "minutes", "tiers", "commitment", "discount"
CONTRACT, SEAT, NUMBER, TRUNK, CHANNEL = "contract", "seat", "number", "trunk", "channel"
# Whose minutes are included: nobody shares those of a user.
OWN = "own"


@dataclass(frozen=True, slots=True)
class Clause:
    """One component of a version."""

    name: str
    kind: str
    amount: int = 0
    per: str = CONTRACT
    minutes: int = 0
    pool: str = "shared"
    roll_over: int = 0
    destinations: frozenset[str] = frozenset()
    per_million: int = 0
    scope: str = "all"
    months: int | None = None
    optional: bool = False
    tax_class: str = "telecom"
    tiers: tuple[Tier, ...] = ()

    def reaches(self, destination: str) -> bool:
        return not self.destinations or destination in self.destinations


def has_own(clauses: Iterable[Clause]) -> bool:
    """Tell whether these give each user minutes of its own."""
    return any(clause.kind == MINUTES and clause.pool == OWN for clause in clauses)


@dataclass(frozen=True, slots=True)
class Ordered:
    """An add-on of a contract."""

    name: str
    quantity: int
    begins: date
    ends: date | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """A credit, on the bill of a month."""

    month: date
    amount: int
    reason: str


@dataclass(frozen=True, slots=True)
class Agreed:
    """What a contract says apart from its plans."""

    id: int
    starts: date
    trial_until: date | None = None
    add_ons: tuple[Ordered, ...] = ()
    credits: tuple[Given, ...] = ()


@dataclass(frozen=True, slots=True)
class Phase:
    """Days with one version of a plan, from `begins` up to `ends`."""

    plan: str
    version: int
    begins: date
    ends: date | None
    clauses: tuple[Clause, ...]
    contract: Agreed

    def holds(self, day: date) -> bool:
        return self.begins <= day and (self.ends is None or day < self.ends)

    def meets(self, begins: date, ends: date) -> bool:
        return self.begins < ends and (self.ends is None or self.ends > begins)

    def of(self, *kinds: str) -> list[Clause]:
        return [clause for clause in self.clauses if clause.kind in kinds]

    def add_ons(self, clause: Clause) -> list[Ordered]:
        """Return the orders of what a clause offers, for those of its days that lie in this phase."""
        found = []
        for each in self.contract.add_ons:
            if each.name.casefold() == clause.name.casefold() and self.meets(each.begins, each.ends or date.max):
                ends = min(each.ends or date.max, self.ends or date.max)
                found.append(Ordered(each.name, each.quantity, max(each.begins, self.begins), ends))
        return found


@dataclass(frozen=True, slots=True)
class Situation:
    """All that a customer's bills depend on beside its calls."""

    currency: str
    zone: ZoneInfo
    phases: Sequence[Phase] = ()
    counts: Mapping[str, Series] = field(default_factory=dict)
    # The days on which the customer got numbers.
    new_numbers: Sequence[date] = ()
    # What earlier bills drew from allowances, and up to which day that is known.
    drawn: Mapping[Key, int] = field(default_factory=dict)
    drawn_until: date | None = None
    # Who had which number, where users have minutes of their own.
    users: Users = field(default_factory=Users)

    def at(self, day: date) -> Phase | None:
        """Return the phase that holds on a day."""
        return next((phase for phase in self.phases if phase.holds(day)), None)

    def series(self, per: str) -> Series:
        return Series.always(1) if per == CONTRACT else self.counts.get(per, Series())
