from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.rating.money import (
    ExchangeRate,
    convert,
    half_up,
    parts_of_fee,
    read_micros,
    tax_on,
    to_minor,
)

CURRENCIES = st.sampled_from(["EUR", "JPY", "KWD"])
MICROS = st.integers(-(10**15), 10**15)


@given(MICROS, st.integers(1, 10**9))
def test_half_up_is_the_nearest_and_mirrors_what_is_negative(numerator, denominator):
    rounded = half_up(numerator, denominator)

    assert abs(Fraction(numerator, denominator) - rounded) <= Fraction(1, 2)
    assert half_up(-numerator, denominator) == -rounded


@pytest.mark.parametrize(("numerator", "rounded"), [(1, 1), (-1, -1), (3, 2), (5, 3), (0, 0)])
def test_a_half_goes_away_from_zero_and_not_to_the_even(numerator, rounded):
    assert half_up(numerator, 2) == rounded


@given(st.lists(MICROS, max_size=50), CURRENCIES)
def test_an_invoice_is_the_sum_of_its_printed_lines(sums, currency):
    lines = [to_minor(micros, currency) for micros in sums]

    assert to_minor(sum(lines), currency) == sum(lines)
    assert [to_minor(-micros, currency) for micros in sums] == [-line for line in lines]


def test_a_million_calls_add_up_to_the_cent():
    calls = [(index * 7919) % 1_000_003 for index in range(1_000_000)]
    lines = [to_minor(sum(calls[index::97]), "EUR") for index in range(97)]

    assert sum(lines) == to_minor(sum(lines), "EUR")
    assert abs(sum(lines) - sum(calls)) <= 97 * 5_000


@given(MICROS, CURRENCIES, st.integers(0, 300_000))
def test_tax_is_within_half_a_coin_of_the_exact_tax(micros, currency, per_million):
    net = to_minor(micros, currency)

    coin = {"EUR": 10_000, "JPY": 1_000_000, "KWD": 1_000}[currency]
    assert abs(tax_on(net, per_million, currency) - Fraction(net * per_million, 10**6)) <= Fraction(coin, 2)


@given(MICROS, st.integers(10**5, 10**13))
def test_a_conversion_there_and_back_loses_nothing(micros, nanos):
    rate = ExchangeRate("EUR", "USD", nanos, date(2026, 6, 30))

    there = convert(micros, rate, "USD")

    assert Fraction(there * 10**9, nanos) == micros


def test_a_conversion_knows_its_currencies_and_no_rate_is_nothing():
    with pytest.raises(ValueError, match="does not lead to GBP"):
        convert(1, ExchangeRate("EUR", "USD", 10**9, date(2026, 6, 30)), "GBP")
    with pytest.raises(ValueError, match="1 EUR cannot be 0 USD"):
        ExchangeRate("EUR", "USD", 0, date(2026, 6, 30))


@given(st.integers(0, 10**10), st.lists(st.integers(0, 10), max_size=6), CURRENCIES)
def test_the_parts_of_a_month_are_the_fee_and_never_negative(fee, days, currency):
    fee = to_minor(fee, currency)
    days = [each for index, each in enumerate(days) if sum(days[: index + 1]) <= 30]

    parts = parts_of_fee(fee, (*days, 30 - sum(days)), 30, currency)

    assert sum(parts) == fee
    assert min(parts) >= 0


@pytest.mark.parametrize(("days", "month_days"), [((-1, 5), 30), ((16, 16), 31), ((1,), 27), ((1,), 365)])
def test_days_that_no_month_has_are_refused(days, month_days):
    with pytest.raises(ValueError, match="are not days of a month"):
        parts_of_fee(10_000_000, days, month_days, "EUR")


@given(MICROS)
def test_an_amount_is_read_as_it_is_written(micros):
    sign = "-" if micros < 0 else ""

    assert read_micros(f"{sign}{abs(micros) // 10**6}.{abs(micros) % 10**6:06}") == micros


@pytest.mark.parametrize("written", ["", " 1", "1 ", "1.", "+1", "1_0", "١", "1\n", "--1", "0x1", "9" * 13, "inf"])
def test_what_is_no_plain_amount_is_refused(written):
    with pytest.raises(ValueError, match="is not an amount"):
        read_micros(written)
