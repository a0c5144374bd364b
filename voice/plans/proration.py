"""Parts of months by days: pure. The day of a change belongs to what comes after it (docs/pricing.md §10)."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from voice.rating.money import half_up, parts_of_fee

# Days from the first up to the second, which is not among them; up to none where there is no end yet.
Span = tuple[date, date | None]


@dataclass(frozen=True, slots=True)
class Days:
    """Days of one calendar month, from `first` up to `last`, which is not among them."""

    first: date
    last: date

    @property
    def month(self) -> date:
        return self.first.replace(day=1)

    @property
    def count(self) -> int:
        return (self.last - self.first).days

    @property
    def of(self) -> int:
        return (next_month(self.first) - self.month).days

    @property
    def before(self) -> int:
        return (self.first - self.month).days

    @property
    def are_all(self) -> bool:
        return self.count == self.of


def next_month(day: date) -> date:
    """Return the first of the month after the day's."""
    return (day.replace(day=1) + timedelta(days=31)).replace(day=1)


def add_months(day: date, months: int) -> date:
    """Return the same day so many months later, or the month's last where it has no such day."""
    index = day.year * 12 + day.month - 1 + months
    first = date(index // 12, index % 12 + 1, 1)
    return first + timedelta(days=min(day.day, (next_month(first) - first).days) - 1)


def months(begins: date, ends: date | None, *, within: tuple[date, date]) -> Iterator[Days]:
    """Yield the days from `begins` up to `ends` that lie in a period, month by month."""
    first = max(begins, within[0])
    last = min(ends, within[1]) if ends is not None else within[1]
    while first < last:
        until = min(next_month(first), last)
        yield Days(first, until)
        first = until


def part(amount: int, days: Days, currency: str) -> int:
    """Return what the days bear of a monthly amount, in micros: all parts of a month add up to the whole."""
    return parts_of_fee(amount, (days.before, days.count), days.of, currency)[1]


def share(seconds: int, days: Days) -> int:
    """Return the days' share of a month's seconds, whole seconds, cut as fees are."""
    return half_up(seconds * (days.before + days.count), days.of) - half_up(seconds * days.before, days.of)


def span_of(since: datetime, until: datetime | None, zone: tzinfo) -> Span:
    """Return the days of a time by the clock of a zone, that of its end not among them."""
    return since.astimezone(zone).date(), until.astimezone(zone).date() if until else None


def joined(spans: Iterable[Span]) -> list[Span]:
    """Return the days of all the spans together: where several cover a day, it counts once."""
    found: list[Span] = []
    for begins, ends in sorted(spans, key=lambda span: span[0]):
        last = found[-1] if found else None
        if last is None or (last[1] is not None and last[1] < begins):
            found.append((begins, ends))
        elif last[1] is not None:
            found[-1] = (last[0], None if ends is None else max(last[1], ends))
    return found


@dataclass(frozen=True, slots=True)
class Series:
    """How many there are of something: from each day on so many; none before the first."""

    changes: Sequence[tuple[date, int]] = ()

    @classmethod
    def always(cls, count: int) -> "Series":
        """Return a count that never changes."""
        return cls(((date.min, count),))

    @classmethod
    def of_spans(cls, spans: Sequence[Span], each: Sequence[int] = ()) -> "Series":
        """Return how many of the spans cover each day; `each` says how many one span counts for."""
        moves: dict[date, int] = {}
        for place, (begins, ends) in enumerate(spans):
            weight = each[place] if each else 1
            moves[begins] = moves.get(begins, 0) + weight
            if ends is not None:
                moves[ends] = moves.get(ends, 0) - weight
        count, changes = 0, []
        for day in sorted(moves):
            count += moves[day]
            changes.append((day, count))
        return cls(tuple(changes))

    def at(self, day: date) -> int:
        """Return the count of a day."""
        return next((count for since, count in reversed(self.changes) if since <= day), 0)

    def runs(self, days: Days) -> Iterator[tuple[Days, int]]:
        """Cut days where the count changes; days with none are left out."""
        cuts = sorted({days.first, days.last, *(day for day, _ in self.changes if days.first < day < days.last)})
        merged: list[tuple[Days, int]] = []
        for place, first in enumerate(cuts[:-1]):
            count = self.at(first)
            if merged and merged[-1][1] == count:
                merged[-1] = (Days(merged[-1][0].first, cuts[place + 1]), count)
            else:
                merged.append((Days(first, cuts[place + 1]), count))
        yield from ((run, count) for run, count in merged if count)
