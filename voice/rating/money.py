"""Amounts in micros, the millionths of a currency, and the two places where anything is rounded.

Pure integers: docs/pricing.md §1, §9 and §10 say what is rounded when, and why.
"""

import re
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise

from babel.core import get_global

MICROS = 1_000_000
_WRITTEN = re.compile(r"(-?)([0-9]{1,12})(?:\.([0-9]{1,6}))?\Z")
# ISO 4217 list one, as of 2026: every other currency has two decimals.
_NO_DECIMALS = re.compile("BIF|CLP|DJF|GNF|ISK|JPY|KMF|KRW|PYG|RWF|UGX|VND|VUV|XAF|XOF|XPF")
_THREE_DECIMALS = re.compile("BHD|IQD|JOD|KWD|LYD|OMR|TND")


class UnreadableAmount(ValueError):
    """A text that is no amount with at most six decimals."""


class UnknownCurrency(ValueError):
    """A code that is, and was, no country's legal tender."""


@dataclass(frozen=True, slots=True)
class ExchangeRate:
    """A published rate: one `base` is `nanos` ÷ 10⁹ `quote` on `day`."""

    base: str
    quote: str
    nanos: int
    day: date

    def __post_init__(self) -> None:
        if self.nanos <= 0:
            raise ValueError(f"1 {self.base} cannot be {self.nanos} {self.quote}.")


def read_micros(written: str) -> int:
    """Return digits with at most one decimal point as micros, exactly; raises UnreadableAmount."""
    found = _WRITTEN.match(written)
    if not found:
        raise UnreadableAmount(f"{written[:40]!r} is not an amount such as 0.0119, with six decimals at most.")
    sign, whole, part = found.groups()
    micros = int(whole) * MICROS + int((part or "").ljust(6, "0"))
    return -micros if sign else micros


def half_up(numerator: int, denominator: int) -> int:
    """Return the whole number nearest to a fraction, of two equally near the one further from zero."""
    rounded = (2 * abs(numerator) + denominator) // (2 * denominator)
    return rounded if numerator >= 0 else -rounded


def call_micros(second_rates: int) -> int:
    """Return the charge of a call in micros; `second_rates` is the sum of seconds × micros per minute, not negative.

    The one place where a call is rounded: half up, to a micro.
    """
    return (second_rates + 30) // 60


def to_minor(micros: int | Fraction, currency: str) -> int:
    """Return micros, or an exact fraction of them, rounded half up to the currency's smallest coin, in micros.

    The one place where lines, taxes and parts of fees are rounded. Raises UnknownCurrency.
    """
    coin: int = MICROS // 10 ** decimals(currency)
    return half_up(micros.numerator, micros.denominator * coin) * coin


@lru_cache(maxsize=512)
def decimals(currency: str) -> int:
    """Return how many decimals ISO 4217 gives a currency, by its code in capitals; raises UnknownCurrency."""
    if currency not in _tender():
        raise UnknownCurrency(f"{currency[:10]!r} is not the ISO 4217 code of a currency.")
    if _NO_DECIMALS.fullmatch(currency):
        return 0
    return 3 if _THREE_DECIMALS.fullmatch(currency) else 2


@lru_cache(maxsize=1)
def _tender() -> frozenset[str]:
    # Old ones count too, for the invoices of their time; gold, drawing rights and test codes do not.
    territories = get_global("territory_currencies").values()
    return frozenset(code for spans in territories for code, _begin, _end, is_tender in spans if is_tender)


def tax_on(net: int, per_million: int, currency: str) -> int:
    """Return the tax on the sum of the rounded lines of one tax rate, in micros; 19 % is 190,000 per million."""
    return to_minor(Fraction(net * per_million, 1_000_000), currency)


def convert(micros: int, rate: ExchangeRate, currency: str) -> Fraction:
    """Return micros of one of the rate's currencies as exact micros of `currency`, the other; raises ValueError.

    The caller rounds, once: with `to_minor` for a line, with `half_up` for a figure of a report.
    """
    if currency == rate.quote:
        return Fraction(micros * rate.nanos, 1_000_000_000)
    if currency == rate.base:
        return Fraction(micros * 1_000_000_000, rate.nanos)
    raise ValueError(f"A rate of {rate.quote} for {rate.base} does not lead to {currency}.")


def parts_of_fee(fee: int, days: tuple[int, ...], month_days: int, currency: str) -> tuple[int, ...]:
    """Return what each run of days of a month bears of a monthly fee, in micros; raises ValueError.

    Each part is what the rounded running total grows by, so that the parts of a whole month are the whole fee.
    """
    if min(days, default=0) < 0 or not 28 <= month_days <= 31 or sum(days) > month_days:
        raise ValueError(f"{days} are not days of a month of {month_days}.")
    totals, so_far = [0], 0
    for count in days:
        so_far += count
        totals.append(to_minor(Fraction(fee * so_far, month_days), currency))
    return tuple(after - before for before, after in pairwise(totals))
