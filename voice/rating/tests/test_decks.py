import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.rating.decks import FOREVER, BadRate, BandPrice, Deck, Direction, Miss, OverlappingRates, Rate
from voice.rating.money import UnknownCurrency
from voice.rating.tests.strategies import MOMENTS, rows

NUMBERS = st.text("12", min_size=1, max_size=6)
CALLERS = st.text("12", max_size=3)
DIRECTIONS = st.sampled_from(list(Direction))


def rate(prefix: str = "44", **more) -> Rate:
    return Rate(**{"id": 1, "destination": "Somewhere", "per_minute": 10_000, "prefix": prefix, **more})


@given(rows(), DIRECTIONS, NUMBERS, CALLERS, MOMENTS)
def test_the_rate_found_is_the_one_that_a_look_at_every_row_finds(kept, direction, called, caller, at):
    matching = [
        each
        for each in kept
        if each.direction == direction
        and called.startswith(each.prefix)
        and caller.startswith(each.callers)
        and each.begins <= at < each.ends
    ]

    best = max(matching, key=lambda each: (len(each.prefix), len(each.callers)), default=None)
    assert Deck("EUR", kept).find(direction, called, caller, at) == best


@given(rows().flatmap(lambda kept: st.tuples(st.just(kept), st.permutations(kept))), DIRECTIONS, NUMBERS, MOMENTS)
def test_the_order_of_rows_means_nothing(orders, direction, called, at):
    one, other = (Deck("EUR", each) for each in orders)

    assert one.find(direction, called, "12", at) == other.find(direction, called, "12", at)
    assert list(one.trace(direction, called, "12", at)) == list(other.trace(direction, called, "12", at))


@given(rows(), DIRECTIONS, NUMBERS, CALLERS, MOMENTS)
def test_the_trace_takes_what_is_found_and_gives_each_other_a_reason(kept, direction, called, caller, at):
    deck = Deck("EUR", kept)

    trace = list(deck.trace(direction, called, caller, at))

    found = deck.find(direction, called, caller, at)
    assert [each for each, miss in trace if miss is None] == ([found] if found else [])
    assert [len(each.prefix) for each, _ in trace] == sorted((len(each.prefix) for each, _ in trace), reverse=True)


def test_the_trace_says_what_was_against_each_rate():
    deck = Deck(
        "EUR",
        [
            rate("447", begins=2_000),
            rate("4420", ends=1_000),
            rate("442", callers="33"),
            rate("44", callers="49"),
            rate("44"),
            rate("4"),
            rate("1"),
        ],
    )

    trace = [(each.prefix, miss) for each, miss in deck.trace("out", "4420", "4930", 1_500)]

    assert trace == [
        ("4420", Miss.ENDED),
        ("442", Miss.CALLER),
        ("44", None),
        ("44", Miss.BROADER),
        ("4", Miss.SHORTER),
    ]
    assert next(deck.trace("out", "447", "", 1_500))[1] is Miss.NOT_YET


def test_of_rates_one_after_the_other_the_trace_tells_the_nearest():
    deck = Deck("EUR", [rate(begins=0, ends=10), rate(begins=20, ends=30), rate(begins=40, ends=50)])

    told = {at: next(deck.trace("out", "44", "", at)) for at in (5, 15, 25, 35, 55)}

    assert {at: (each.begins, miss) for at, (each, miss) in told.items()} == {
        5: (0, None),
        15: (0, Miss.ENDED),
        25: (20, None),
        35: (20, Miss.ENDED),
        55: (40, Miss.ENDED),
    }


@pytest.mark.parametrize("turned", [False, True])
def test_two_rates_at_the_same_time_are_refused_in_either_order(turned):
    alike = [rate(callers="49", ends=1_001), rate(callers="49", begins=1_000)]

    with pytest.raises(OverlappingRates, match="44 from 49 has two rates at the same time"):
        Deck("EUR", alike[::-1] if turned else alike)
    assert Deck("EUR", [rate(callers="49", ends=1_000), rate(callers="49", begins=1_000)]).size == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"prefix": "+44"},
        {"prefix": "44 20"},
        {"prefix": "٤٤"},
        {"prefix": "1" * 16},
        {"callers": "x"},
        {"per_minute": -1},
        {"fee": -1},
        {"minimum_charge": -1},
        {"minimum_charge": 2, "maximum_charge": 1},
        {"bands": (BandPrice("night", -1, 0),)},
        {"minimum": -1},
        {"increment": 0},
        {"grace": -1},
        {"begins": 5, "ends": 5},
        {"begins": FOREVER},
    ],
)
def test_a_rate_that_cannot_be_meant_is_refused(wrong):
    with pytest.raises(BadRate):
        rate(**wrong)


def test_a_deck_needs_its_bands_and_one_known_currency():
    with pytest.raises(BadRate, match="night are not bands of the plan"):
        Deck("EUR", [rate(bands=(BandPrice("night", 1, 0),))])
    with pytest.raises(UnknownCurrency):
        Deck("Euro", [])


def test_a_rate_holds_from_its_first_moment_and_no_longer_at_its_last():
    deck = Deck("EUR", [rate(begins=10, ends=20)])

    assert [deck.find("out", "44", "", at) is not None for at in (9, 10, 19, 20)] == [False, True, True, False]


def test_an_empty_deck_finds_nothing_and_an_empty_prefix_everything():
    assert Deck("EUR", []).find("out", "44", "", 0) is None
    assert Deck("EUR", [rate("")]).find("out", "44", "", 0) == rate("")


def test_a_deck_travels_to_another_process():
    deck = pickle.loads(pickle.dumps(Deck("EUR", [rate()])))

    assert deck.find("out", "4420", "", 0) == rate()
