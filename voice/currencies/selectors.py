"""The rates that are on record, and the way from one currency to another."""

from datetime import date, timedelta

from django.db.models import Case, IntegerField, QuerySet, Value, When

from voice.currencies.conversion import AT_MOST_DAYS, Conversion, conversion
from voice.currencies.models import ExchangeRate


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
    near = rates().filter(day__lte=day, day__gte=day - timedelta(days=AT_MOST_DAYS))
    return conversion(source, target, day, [rate.as_published() for rate in near])
