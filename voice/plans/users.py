"""Whose minutes a call draws from where each user has minutes of its own. Pure (docs/pricing.md §12)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from voice.plans.proration import Series, Span, joined, span_of


@dataclass(frozen=True, slots=True)
class Sat:
    """The time for which a person had a number."""

    number: str
    person: int
    since: datetime
    until: datetime | None


class Users:
    """Who had which of the customer's numbers when."""

    def __init__(self, seats: Iterable[Sat] = ()) -> None:
        self._seats: dict[str, list[Sat]] = {}
        for seat in seats:
            self._seats.setdefault(seat.number, []).append(seat)

    def at(self, number: str, moment: datetime) -> str:
        """Return the user who had a number at a moment: the number itself where no person had it."""
        for seat in self._seats.get(number, ()):
            if seat.since <= moment and (seat.until is None or moment < seat.until):
                return of_person(seat.person)
        return number

    def days(self, zone: ZoneInfo) -> dict[str, Series]:
        """Return for which days each user has minutes; one that is not named has them for all."""
        found: dict[str, Series] = {}
        people: dict[str, list[Span]] = {}
        for number, seats in self._seats.items():
            spans = [span_of(seat.since, seat.until, zone) for seat in seats]
            for seat, span in zip(seats, spans, strict=True):
                people.setdefault(of_person(seat.person), []).append(span)
            taken = joined(spans)
            found[number] = Series.of_spans([(date.min, None), *taken], [1] + [-1] * len(taken))
        return found | {person: Series.of_spans(joined(spans)) for person, spans in people.items()}


def of_person(person: int) -> str:
    """Return what a person is called among users; no number is called so."""
    return f"person {person}"
