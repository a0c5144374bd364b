"""Who had a number from when until when, noted with every change: fees for users are asked by these days."""

from collections.abc import Iterable

from django.utils import timezone

from voice.directory.models import Person
from voice.directory.services import hears_of_removal
from voice.numbers.models import Number, Seat

BATCH = 1000


def follow(numbers: Iterable[Number]) -> None:
    """Begin and end seats as these numbers now say, in the transaction and under the lock of the change."""
    found = {each.stock_id: each for each in numbers}
    active = Number.State.ACTIVE
    _turn({stock: each.person_id if each.state == active else None for stock, each in found.items()}, found)


def vacate(stock_ids: Iterable[int]) -> None:
    """End the seats at numbers that are taken from the customer."""
    _turn(dict.fromkeys(stock_ids), {})


@hears_of_removal
def leave(person: Person) -> None:
    """End the seats of a person that is removed."""
    # Numbers first, as every other change does: two of them never wait for each other in a circle.
    list(Number.objects.select_for_update(of=("self",)).filter(person=person.pk).order_by("pk"))
    Seat.objects.filter(person_id=person.pk).end(timezone.now())


def _turn(wanted: dict[int, int | None], numbers: dict[int, Number]) -> None:
    now = timezone.now()
    last = {seat.stock_id: seat for seat in Seat.objects.filter(stock_id__in=wanted).last_of_each("stock_id")}
    sits = {stock: seat.person_id for stock, seat in last.items() if seat.until is None}
    changed = {stock: person for stock, person in wanted.items() if sits.get(stock) != person}
    Seat.objects.filter(stock_id__in=changed).end(now)
    # What has just ended still says in `last` that it is open: then it was so up to now.
    Seat.objects.bulk_create(
        [
            Seat(
                stock_id=stock,
                e164=numbers[stock].e164,
                person_id=person,
                since=last[stock].next(now) if stock in last else now,
            )
            for stock, person in changed.items()
            if person is not None
        ],
        batch_size=BATCH,
    )
