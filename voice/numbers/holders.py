"""Who had a number on a day: by the seats, which say from when until when somebody had it, not by who has it now."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Greatest

from voice.calls.models import NumberDay, NumberDayQuerySet
from voice.directory.models import Person
from voice.numbers.models import Number, Seat

DAY = timedelta(days=1)


class Holders:
    """The people who had some of the customer's numbers, by day (UTC).

    A number that goes from one person to another takes its calls along only from that day on: what was talked before
    stays with whoever had it then, and the day on which it changed hands names both. A person who was removed is named
    no more, and nobody is for a number that was given back: what it did stays.
    """

    def __init__(self, numbers: Iterable[str]) -> None:
        self.now = {each.e164: each for each in Number.objects.filter(e164__in=set(numbers))}
        self._seats: dict[int, list[Seat]] = {}
        stock = [each.stock_id for each in self.now.values()]
        for seat in Seat.objects.filter(stock_id__in=stock).order_by("since", "pk"):
            self._seats.setdefault(seat.stock_id, []).append(seat)
        sat = {seat.person_id for seats in self._seats.values() for seat in seats}
        self._names = dict(Person.objects.filter(pk__in=sat).values_list("pk", "name"))

    def on(self, number: str, day: datetime) -> list[str]:
        """Return who had the number on the day that begins at this moment, one after the other."""
        held = self.now.get(number)
        seats = self._seats.get(held.stock_id, []) if held is not None else []
        sat = [seat.person_id for seat in seats if seat.since < day + DAY and _lasts_beyond(seat, day)]
        return [self._names[person] for person in dict.fromkeys(sat) if person in self._names]


def name_holders(rows: Sequence[NumberDay]) -> None:
    """Set on rows, whose numbers may have been cut as they were read, who had the number then, and its page now."""
    numbers = dict(NumberDay.objects.filter(pk__in=[row.pk for row in rows]).values_list("pk", "number"))
    found = Holders(numbers.values())
    for row in rows:
        number = numbers.get(row.pk, "")
        row.holders = found.on(number, row.at)  # type: ignore[attr-defined]
        row.held = found.now.get(number)  # type: ignore[attr-defined]


def days_of_person(days: NumberDayQuerySet, text: str) -> NumberDayQuerySet:
    """Return the days on which a person of this name had the number."""
    sat = Seat.objects.filter(person_id__in=Person.objects.filter(name__icontains=text).values("pk"))
    ever = Number.objects.filter(stock_id__in=sat.values("stock_id"))
    then = sat.filter(
        Q(until=None) | Q(until__gt=Greatest(OuterRef("at"), F("since"))),
        since__lt=OuterRef("at") + DAY,
        stock_id__in=Number.objects.filter(e164=OuterRef(OuterRef("number"))).values("stock_id"),
    )
    return days.filter(Exists(then), number__in=ever.values("e164"))


def _lasts_beyond(seat: Seat, moment: datetime) -> bool:
    return seat.until is None or seat.until > max(moment, seat.since)
