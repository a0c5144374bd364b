"""Which stored rates lead from one currency to another on a day: pure, exact, nothing guessed (docs/pricing.md §9)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction

from voice.rating.money import ExchangeRate, convert

# Over Easter and Christmas the European Central Bank publishes nothing for four days.
AT_MOST_DAYS = 7
PIVOT = "EUR"


class NoRate(ValueError):
    """No stored rate of the last days leads from the one currency to the other."""


@dataclass(frozen=True, slots=True)
class Conversion:
    """The way from one currency to another: no rate, one, or two by way of a third currency."""

    source: str
    target: str
    rates: Sequence[ExchangeRate] = field(default=())

    def exact(self, micros: int) -> Fraction:
        """Return micros of the source as exact micros of the target; the caller rounds, once."""
        amount, currency = Fraction(micros), self.source
        for rate in self.rates:
            currency = rate.quote if currency == rate.base else rate.base
            amount *= convert(1, rate, currency)
        return amount

    @property
    def day(self) -> date | None:
        """Return the day of the rates; none where nothing is converted."""
        return self.rates[0].day if self.rates else None

    def __str__(self) -> str:
        told = (f"1 {rate.base} = {digits(rate.nanos)} {rate.quote}" for rate in self.rates)
        return ", ".join(told) + (f" ({self.day})" if self.rates else "")


def digits(nanos: int) -> str:
    """Return a rate as it is published, without zeros at the end."""
    return f"{nanos // 10**9}.{nanos % 10**9:09}".rstrip("0").rstrip(".")


def conversion(source: str, target: str, day: date, published: Iterable[ExchangeRate]) -> Conversion:
    """Return how to convert on a day with the rates published until then; raises NoRate.

    Among `published` the first of a pair and day counts. The newest day that leads there wins, at most a week old; on
    one day a rate of the two currencies comes before the way by a third, the euro before others.
    """
    if source == target:
        return Conversion(source, target)
    days: dict[date, dict[frozenset[str], ExchangeRate]] = {}
    for rate in published:
        if day - timedelta(days=AT_MOST_DAYS) <= rate.day <= day:
            days.setdefault(rate.day, {}).setdefault(frozenset((rate.base, rate.quote)), rate)
    for each in sorted(days, reverse=True):
        found = _of_one_day(source, target, days[each])
        if found:
            return Conversion(source, target, found)
    raise NoRate(
        f"There is no rate between {source} and {target} on {day} or in the {AT_MOST_DAYS} days before: "
        "import or enter one."
    )


def _of_one_day(source: str, target: str, rates: dict[frozenset[str], ExchangeRate]) -> tuple[ExchangeRate, ...]:
    straight = rates.get(frozenset((source, target)))
    if straight:
        return (straight,)
    others = sorted(
        {name for pair in rates for name in pair} - {source, target}, key=lambda name: (name != PIVOT, name)
    )
    for other in others:
        first, second = rates.get(frozenset((source, other))), rates.get(frozenset((other, target)))
        if first and second:
            return (first, second)
    return ()
