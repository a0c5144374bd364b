from dataclasses import replace

import numpy as np
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from voice.rating.bands import DAY_MS
from voice.rating.decks import FOREVER, Deck, Rate
from voice.rating.pricing import Call, charge_micros
from voice.rating.tests.strategies import AUTUMN, NOON, SPRING, calls, decks
from voice.rerating import flat

NUMBERS = st.text("012", max_size=15)


def arrays(found: list[Call]) -> flat.Calls:
    # What is no ASCII is no number; the query that reads calls says `?` for it.
    called = ["+" + call.called if call.called.isascii() else "?" for call in found]
    return flat.Calls(
        direction=np.array([flat.DIRECTIONS.index(str(call.direction)) for call in found], dtype=np.int8),
        called=flat.fixed(called),
        caller=flat.fixed("+" + call.caller for call in found),
        answered=np.array([call.answered for call in found], dtype=np.int64),
        ended=np.array([flat.UNKNOWN if call.ended is None else call.ended for call in found], dtype=np.int64),
    )


def same(deck: Deck, found: list[Call], begins: int, ends: int) -> None:
    flattened = flat.FlatDeck.of(deck, begins, ends)
    priced = flattened.price(arrays(found))
    for place, call in enumerate(found):
        outcome, micros, billed, rate = charge_micros(
            deck, call.direction, call.called, call.caller, call.answered, call.ended
        )
        assert flat.OUTCOMES[priced.outcome[place]] is outcome
        assert (priced.micros[place], priced.billed[place]) == (micros, billed)
        assert (rate.id if rate else None) == (flattened.ids[priced.rate[place]] if priced.rate[place] >= 0 else None)


def numbered(deck: Deck) -> Deck:
    """The deck with the rates' ids apart, as the database keeps them."""
    rates = [replace(rate, id=number) for number, rate in enumerate(deck.every_rate(), 1)]
    return Deck(deck.currency, rates, bands=deck.bands, free=deck.free)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(decks().map(numbered), st.lists(calls().filter(lambda call: call.answered is not None), min_size=1, max_size=6))
def test_a_flat_deck_asks_what_the_deck_asks(deck, found):
    moments = [call.answered for call in found]

    same(deck, found, min(moments), max(moments) + 1)
    # A longer period has more of the deck's changes in it.
    same(deck, found, SPRING, AUTUMN + 10 * DAY_MS)


@given(st.lists(NUMBERS, unique=True, max_size=12), st.lists(NUMBERS, min_size=1, max_size=20))
@example(prefixes=["1", "12", "120"], called=["12", "1", "120", "1200", ""])
def test_the_longest_prefix_is_found_whatever_lies_around_it(prefixes, called):
    deck = Deck("EUR", [Rate(number, prefix, "", number) for number, prefix in enumerate(prefixes, 1)])

    same(deck, [Call(number, "", NOON, NOON + 60_000) for number in called], NOON, NOON + 1)


def test_a_deck_of_another_day_prices_all_calls():
    before = Rate(1, "44", "", 12_000, ends=NOON)
    deck = Deck("EUR", [before, Rate(2, "44", "", 15_000, begins=NOON)])

    frozen = flat.as_of(deck, NOON - 1)

    assert [(rate.id, rate.begins, rate.ends) for rate in frozen.every_rate()] == [(1, 0, FOREVER)]
    assert charge_micros(frozen, "out", "4420", "", NOON, NOON + 60_000)[1] == 12_000


def test_amounts_that_would_not_fit_into_64_bits_are_counted_exactly():
    deck = Deck("EUR", [Rate(1, "1", "", 2**61, increment=60), Rate(2, "2", "", 10**13)])

    same(deck, [Call(number, "", NOON, NOON + DAY_MS) for number in ("22", "2")], NOON, NOON + 1)
    assert flat.FlatDeck.of(deck, NOON, NOON + 1)._rates.plain.tolist() == [False, True]


def test_more_changes_of_a_deck_than_maps_are_asked_of_the_deck():
    changes = range(NOON, NOON + 100_000, 1000)
    deck = Deck("EUR", [Rate(at, "1", "", at % 977, begins=at, ends=at + 1000) for at in changes])

    same(deck, [Call("12", "", at + 500, at + 61_000) for at in changes], NOON, NOON + 100_000)
