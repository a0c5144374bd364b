from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.calls.models.cdr import Direction as CallDirection
from voice.rating.decks import Deck, Direction, Rate
from voice.rating.pricing import Call, Outcome, Rule, charge_micros, price
from voice.rating.tests.strategies import DAY, MOMENTS, NOON, always, call_of, calls, decks, plans, rates

LENGTHS = st.integers(1, 20_000_000)


@given(decks(), calls())
def test_the_fast_way_and_the_explained_one_agree(deck, call):
    charge = price(call, deck)

    fast = charge_micros(deck, call.direction, call.called, call.caller, call.answered, call.ended)
    assert fast == (charge.outcome, charge.micros, charge.billed, charge.rate)


@given(decks(), calls())
def test_a_charge_is_never_negative_and_its_steps_lead_to_it(deck, call):
    charge = price(call, deck)

    assert charge.micros >= 0
    assert charge.outcome is Outcome.RATED or charge.micros == charge.billed == 0
    assert charge.steps[0].rule is Rule.ANSWERED
    last = charge.steps[-1]
    if charge.outcome.is_kept_aside:
        assert (last.rule, last.values) == (Rule.KEPT_ASIDE, {"outcome": charge.outcome})
    else:
        assert (last.rule, last.values) == (Rule.TOTAL, {"micros": charge.micros})
    assert sum(part.seconds for part in charge.parts) == charge.billed


@given(plans().flatmap(lambda bands: st.tuples(st.just(bands), rates(bands))), MOMENTS, LENGTHS)
def test_the_exact_parts_and_the_fee_are_the_charge_to_half_a_micro(plan, answered, length):
    bands, rate = plan
    deck = Deck("EUR", [always(rate, minimum_charge=0, maximum_charge=None)], bands=bands)

    charge = price(call_of(length, answered), deck)

    if charge.billed:
        fee = rate.price_in(charge.parts[0].band).fee
        exact = fee + sum(Fraction(part.seconds * part.per_minute, 60) for part in charge.parts)
        assert -Fraction(1, 2) < charge.micros - exact <= Fraction(1, 2)


@given(rates(), LENGTHS, LENGTHS)
def test_within_one_band_a_longer_call_never_costs_less(rate, one, other):
    deck = Deck("EUR", [always(rate)])

    shorter, longer = (price(call_of(length), deck).micros for length in sorted((one, other)))

    assert shorter <= longer


@given(rates(), LENGTHS)
def test_billed_seconds_are_whole_steps_and_no_shorter_than_the_call(rate, length):
    charge = price(call_of(length), Deck("EUR", [always(rate)]))

    if charge.seconds > rate.grace:
        assert charge.billed >= max(charge.seconds, rate.minimum)
        assert (charge.billed - rate.minimum) % rate.increment == 0
        assert charge.billed - rate.minimum - rate.increment < charge.seconds or charge.billed == rate.minimum
    else:
        assert (charge.billed, charge.micros) == (0, 0)


@given(rates(), LENGTHS)
def test_least_and_most_hold_whenever_a_call_is_billed(rate, length):
    charge = price(call_of(length), Deck("EUR", [always(rate)]))

    if charge.billed:
        assert charge.micros >= rate.minimum_charge
        assert rate.maximum_charge is None or charge.micros <= rate.maximum_charge


@pytest.mark.parametrize(
    ("limits", "micros"),
    [
        ({"minimum_charge": 60_001}, 60_001),
        ({"minimum_charge": 60_000, "maximum_charge": 60_000}, 60_000),
        ({"maximum_charge": 59_999}, 59_999),
        ({"maximum_charge": 0}, 0),
    ],
)
def test_least_and_most_are_exact(limits, micros):
    deck = Deck("EUR", [Rate(1, "1", "Somewhere", 60_000, **limits)])

    assert price(call_of(60_000), deck).micros == micros
    assert charge_micros(deck, "out", "1", "", NOON, NOON + 60_000)[1] == micros


@pytest.mark.parametrize(
    ("call", "outcome"),
    [
        (call_of(0), Outcome.NO_LENGTH),
        (call_of(-1), Outcome.NO_LENGTH),
        (call_of(DAY), Outcome.RATED),
        (call_of(DAY + 1), Outcome.TOO_LONG),
        (call_of(400 * DAY), Outcome.TOO_LONG),
        (replace(call_of(1), ended=None), Outcome.NO_END),
        (replace(call_of(1), answered=None), Outcome.UNANSWERED),
        (replace(call_of(1), direction="sideways"), Outcome.UNRATED),
        (call_of(1_000, called="2"), Outcome.UNRATED),
        (call_of(1_000, called="sip:alice"), Outcome.NO_NUMBER),
        (call_of(1_000, called="1" * 40), Outcome.RATED),
    ],
)
def test_bad_input_costs_nothing_and_has_a_name(call, outcome):
    deck = Deck("EUR", [Rate(1, "1", "Somewhere", 60_000, minimum=60, fee=10_000)])

    charge = price(call, deck)

    assert charge.outcome is outcome
    assert (charge.micros > 0) == (outcome is Outcome.RATED)
    assert outcome.is_kept_aside == (outcome not in (Outcome.RATED, Outcome.UNANSWERED))
    fast = charge_micros(deck, call.direction, call.called, call.caller, call.answered, call.ended)
    assert fast == (charge.outcome, charge.micros, charge.billed, charge.rate)


def test_an_emergency_call_is_free_even_without_an_end():
    charge = price(Call("112", "", NOON, None, Direction.EMERGENCY), Deck("EUR", [Rate(1, "1", "North America", 1)]))

    assert (charge.outcome, charge.micros) == (Outcome.FREE, 0)


def test_a_rate_of_nothing_still_says_which_rate_it_was():
    free = Rate(7, "1", "Freephone", 0)

    charge = price(call_of(60_000), Deck("EUR", [free]))

    assert (charge.outcome, charge.micros, charge.rate) == (Outcome.RATED, 0, free)


def test_directions_are_those_of_the_records():
    assert {each.value for each in Direction} == set(CallDirection.values)
