"""The rates that are on record, and the way from one currency to another."""

from collections.abc import Iterable
from datetime import date, timedelta

from django.db.models import Case, IntegerField, QuerySet, Value, When

from voice.currencies.conversion import AT_MOST_DAYS, Conversion, NoRate, conversion
from voice.currencies.models import ExchangeRate
from voice.rating.money import ExchangeRate as Published


def rates() -> QuerySet[ExchangeRate]:
    """Return the rates of the MSP whose context this is: the newest day first, then by hand, then the latest entry."""
    by_hand = Case(When(kind=ExchangeRate.Kind.MANUAL, then=Value(0)), default=Value(1), output_field=IntegerField())
    return ExchangeRate.objects.order_by("-day", by_hand, "-pk")


def rate_on(source: str, target: str, day: date) -> Conversion:
    """Return how an amount is converted on a day by the stored rates of the MSP whose context this is; raises NoRate.

    `rate_on("USD", "EUR", day).exact(micros)` is an exact fraction: round it once, with `to_minor` or `half_up`.
    """
    if source == target:
        return Conversion(source, target)
    return conversion(source, target, day, _published_near(day))


def rates_on(sources: Iterable[str], target: str, day: date) -> list[Conversion]:
    """Return how amounts of each currency are converted into one on a day, without those that no rate leads from."""
    wanted = sorted(set(sources) - {target})
    published = _published_near(day) if wanted else []
    found = []
    for source in wanted:
        try:
            found.append(conversion(source, target, day, published))
        except NoRate:
            continue
    return found


def _published_near(day: date) -> list[Published]:
    near = rates().filter(day__lte=day, day__gte=day - timedelta(days=AT_MOST_DAYS))
    return [rate.as_published() for rate in near]
