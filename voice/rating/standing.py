"""How a customer's money stands: what is left for calls, and which marks it has passed.

Pure: docs/pricing.md §11 has the rules.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Mark(StrEnum):
    """What people are warned of."""

    LOW = "low"
    EMPTY = "empty"
    CREDIT = "credit"
    SPEND = "spend"
    OWN = "own"


@dataclass(frozen=True, slots=True)
class Standing:
    """An account at a moment, in micros; a limit of None is none."""

    prepaid: bool
    balance: int
    credit_limit: int | None
    spent: int
    spend_limit: int | None
    own_limit: int | None

    @property
    def rooms(self) -> dict[Mark, int]:
        """Return what each limit that there is leaves for calls, below 0 where it is passed."""
        found = {}
        if self.prepaid:
            found[Mark.EMPTY] = self.balance
        elif self.credit_limit is not None:
            found[Mark.CREDIT] = self.credit_limit + self.balance
        if self.spend_limit is not None:
            found[Mark.SPEND] = self.spend_limit - self.spent
        if self.own_limit is not None:
            found[Mark.OWN] = self.own_limit - self.spent
        return found

    @property
    def left(self) -> int | None:
        """Return what is left for calls by the narrowest limit, None where there is no limit."""
        return min(self.rooms.values(), default=None)

    @property
    def narrowest(self) -> Mark | None:
        """Return the limit that leaves least."""
        return min(self.rooms, key=self.rooms.__getitem__, default=None)

    def passed(self, shares: Iterable[int], below: int | None) -> set[tuple[Mark, int]]:
        """Return the marks that are passed, each with its share of the limit in per cent."""
        found = set()
        if self.prepaid:
            if self.balance <= 0:
                found.add((Mark.EMPTY, 100))
            if below is not None and self.balance < below:
                found.add((Mark.LOW, 0))
        used = {Mark.SPEND: (self.spent, self.spend_limit), Mark.OWN: (self.spent, self.own_limit)}
        if not self.prepaid:
            used[Mark.CREDIT] = (-self.balance, self.credit_limit)
        for mark, (amount, limit) in used.items():
            if limit is not None:
                found |= {
                    (mark, share) for share in shares if amount * 100 >= share * limit and (amount > 0 or not limit)
                }
        return found
