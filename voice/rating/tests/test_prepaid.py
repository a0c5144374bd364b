import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.rating.decks import Deck
from voice.rating.prepaid import longest_call
from voice.rating.pricing import price
from voice.rating.tests.strategies import MOMENTS, always, call_of, plans, rates


@given(
    plans().flatmap(lambda bands: st.tuples(st.just(bands), rates(bands))),
    st.integers(-1_000, 50_000_000),
    st.integers(1, 5),
    MOMENTS,
)
def test_the_longest_call_is_paid_for_whenever_it_is_placed(plan, balance, open_calls, answered):
    bands, rate = plan
    rate = always(rate)

    seconds = longest_call(rate, balance, open_calls)

    share = balance // open_calls
    if seconds:
        length = min(seconds, 86_400) * 1000
        assert price(call_of(length, answered), Deck("EUR", [rate], bands=bands)).micros <= share
    if seconds is None:
        charge = price(call_of(86_400_000, answered), Deck("EUR", [rate], bands=bands))
        assert charge.micros <= max(share, 0)


@given(rates(), st.integers(0, 50_000_000))
def test_one_more_step_would_not_be_paid_for(rate, balance):
    rate = always(rate, maximum_charge=None)

    seconds = longest_call(rate, balance, 1)

    if seconds is not None and seconds >= rate.minimum:
        exact_sixtieths = rate.fee * 60 + (seconds + rate.increment) * rate.per_minute
        assert exact_sixtieths > balance * 60 or balance < rate.minimum_charge


def test_a_balance_is_shared_by_the_call_itself_at_least():
    with pytest.raises(ValueError, match="one call at least"):
        longest_call(None, 1, 0)  # type: ignore[arg-type]
