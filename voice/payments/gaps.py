"""Whether bank statements lead from one to the next: where one is missing, its payments would be reminded of. Pure."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from voice.payments.models import BankStatement as Row
from voice.receivables.references import grouped


@dataclass(frozen=True, slots=True)
class Gap:
    """A statement that does not begin with what the one before it ended with."""

    before: Row
    after: Row

    @property
    def account(self) -> str:
        """Return the IBAN as people read it."""
        return grouped(self.after.iban)

    @property
    def difference(self) -> int:
        """Return what moved in between, as far as balances tell; above zero came in."""
        return self.after.opening - self.before.closing


def gaps(statements: Iterable[Row]) -> list[Gap]:
    """Return where statements of one account do not follow each other, the latest first.

    One that begins within the days of another is held against nothing: its entries are known by themselves. Several of
    one day may follow each other in any order.
    """
    rows = sorted(statements, key=lambda row: (row.begins, row.ends, row.pk))
    ending: dict[date, list[Row]] = defaultdict(list)
    same: dict[tuple[date, date], list[Row]] = defaultdict(list)
    widest: dict[date, date] = {}
    for row in rows:
        ending[row.ends].append(row)
        same[row.begins, row.ends].append(row)
        widest[row.begins] = max(row.ends, widest.get(row.begins, row.ends))
    days, found, reached = sorted(ending), list[Gap](), date.min
    for number, row in enumerate(rows):
        if number and rows[number - 1].begins < row.begins:
            reached = max(reached, widest[rows[number - 1].begins])
        if row.begins < reached or row.ends <= reached or row.ends < widest[row.begins]:
            continue
        beside = [each for each in same[row.begins, row.ends] if each is not row]
        # Some banks date the opening balance by the day of the statement, others by the day before.
        on, earlier = bisect_right(days, row.begins), bisect_left(days, row.begins)
        near = [each for place in {on, earlier} if place for each in ending[days[place - 1]]]
        before = [each for each in near if (each.begins, each.ends) != (row.begins, row.ends)]
        if before and all(each.closing != row.opening for each in (*before, *beside)):
            found.append(Gap(max(before, key=lambda each: (each.ends, each.pk)), row))
    return found[::-1]
