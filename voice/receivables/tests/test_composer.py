"""From items to an invoice: what is printed adds up, whatever the items."""

import random
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.rating.money import decimals, tax_on, to_minor
from voice.receivables.composer import Item, compose, monthly_fee
from voice.receivables.tax import Treatment

STANDARD, ABROAD = Treatment("S", 190_000, "VAT"), Treatment("AE", 0, "VAT", "Reverse charge")
CALLS = 1_000_000
micros = st.integers(-(10**13), 10**13)
items = st.lists(
    st.builds(
        Item,
        st.sampled_from(["usage", "fee", "credit"]),
        st.sampled_from("abcdef"),
        st.just("text"),
        micros,
        st.sampled_from([STANDARD, ABROAD]),
    )
)


@given(items, st.sampled_from(["EUR", "JPY", "KWD"]))
def test_printed_lines_sum_to_the_total_to_the_coin(found, currency):
    made = compose(found, currency)

    coin = 10 ** (6 - decimals(currency))
    assert made.net == sum(line.net for line in made.lines) == sum(line.net for line in made.taxes)
    assert made.total == made.net + sum(tax_on(line.net, line.treatment.per_million, currency) for line in made.taxes)
    assert all(amount % coin == 0 for line in made.lines for amount in (line.net,))
    assert made.total % coin == 0
    assert sum(line.exact for line in made.lines) == sum(item.micros for item in found)
    assert sum(line.quantity for line in made.lines) == len(found)


@given(items)
def test_a_credit_of_everything_is_the_same_with_the_other_sign(found):
    back = [Item(one.kind, one.group, one.text, -one.micros, one.treatment) for one in found]

    assert compose(back, "EUR").total == -compose(found, "EUR").total


def test_a_million_calls_sum_to_the_total_to_the_cent():
    chance = random.Random(17)
    groups = [f"Destination {n}" for n in range(200)]

    def calls():
        for _ in range(CALLS):
            yield Item("usage", "calls", chance.choice(groups), chance.randrange(0, 400_000), STANDARD)

    made = compose(calls(), "EUR")

    assert sum(line.quantity for line in made.lines) == CALLS
    assert [line.net for line in made.lines] == [to_minor(line.exact, "EUR") for line in made.lines]
    assert made.total == sum(line.net for line in made.lines) + to_minor(made.net * 19 // 100, "EUR")
    # Rounding moves half a cent a line at most, however many calls there are.
    assert abs(made.net - sum(line.exact for line in made.lines)) <= len(made.lines) * 5_000


def test_the_example_of_the_pricing_page():
    lines = [
        (12_344_999, STANDARD),
        (3_005_000, STANDARD),
        (4_999, STANDARD),
        (15_000_000, STANDARD),
        (8_010_000, ABROAD),
    ]
    made = compose([Item("usage", "", str(n), amount, how) for n, (amount, how) in enumerate(lines)], "EUR")

    assert (made.net, made.tax, made.total) == (38_360_000, 5_770_000, 44_130_000)


@pytest.mark.parametrize(
    ("begins", "ends", "parts"),
    [
        ((2026, 10, 1), (2026, 11, 1), [30_000_000]),
        ((2026, 11, 16), (2026, 12, 1), [15_000_000]),
        ((2026, 10, 25), (2026, 10, 26), [960_000]),  # the clock goes back on this day: it is one day
        ((2026, 1, 31), (2026, 3, 2), [970_000, 30_000_000, 970_000]),
        ((2026, 2, 1), (2026, 2, 1), []),
    ],
)
def test_a_fee_for_part_of_a_month_is_its_days(begins, ends, parts):
    made = monthly_fee("Numbers", 30_000_000, date(*begins), date(*ends), STANDARD, "EUR")

    assert [item.micros for item in made] == parts


@given(st.integers(0, 10**9), st.integers(1, 27), st.integers(1, 50))
def test_two_parts_of_a_month_are_the_fee(fee, day, quantity):
    def part(first, last):
        return sum(
            item.micros for item in monthly_fee("x", fee * 10_000, first, last, STANDARD, "EUR", quantity=quantity)
        )

    change = date(2026, 10, 1 + day)
    assert part(date(2026, 10, 1), change) + part(change, date(2026, 11, 1)) == fee * 10_000 * quantity
