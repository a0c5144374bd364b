"""The typical call, against what a call of its length is charged."""

from datetime import time
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from voice.rating.bands import Bands, BandWindow
from voice.rating.decks import BandPrice, Deck, Rate
from voice.rating.pricing import charge_micros
from voice.rating.typical import TypicalCall, in_words

ALWAYS = Bands("UTC", [BandWindow("always", frozenset(range(7)), time(0), time(0))])
amounts = st.integers(0, 3_000_000)


@given(
    st.integers(1, 7200), amounts, amounts, st.integers(0, 90), st.integers(1, 90), st.integers(0, 240), amounts,
    st.none() | amounts, st.booleans(),
)  # fmt: skip
def test_it_costs_what_a_call_of_its_length_is_charged_in_one_band(
    seconds, per_minute, fee, minimum, increment, grace, least, more, banded
):
    most = None if more is None else least + more
    bands = (BandPrice("always", per_minute, fee),) if banded else ()
    ordinary = (per_minute + 1, fee + 1) if banded else (per_minute, fee)
    rate = Rate(
        1, "44", "", *ordinary, minimum, increment, grace, bands=bands, minimum_charge=least, maximum_charge=most
    )
    deck = Deck("EUR", [rate], bands=ALWAYS if banded else None)

    charged = charge_micros(deck, "out", "442071234567", "", 1_000, 1_000 + seconds * 1000)

    assert TypicalCall(seconds, "EUR").cost(rate, per_minute, fee, "EUR") == charged[1]


def test_a_sum_in_another_currency_is_converted_once_and_half_up():
    call = TypicalCall(180, "EUR", {"USD": Fraction(100, 108)})
    rate = Rate(1, "44", "", 32_400)

    assert call.cost(rate, rate.per_minute, rate.fee, "USD") == 90_000
    assert call.cost(rate, 32_500, 0, "USD") == 90_278  # 90,277.77…
    assert (call.compares("USD"), call.compares("EUR"), call.compares("GBP")) == (True, True, False)


def test_whole_minutes_are_said_as_such():
    assert [in_words(seconds) for seconds in (1, 60, 90, 180)] == ["1 second", "1 minute", "90 seconds", "3 minutes"]
