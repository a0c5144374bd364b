"""Decks, plans and calls as hypothesis makes them: few digits and few days, so that things meet."""

from dataclasses import replace
from datetime import date, time

from hypothesis import strategies as st

from voice.rating.bands import HOLIDAY, Bands, BandWindow
from voice.rating.decks import FOREVER, BandPrice, Deck, OverlappingRates, Rate
from voice.rating.pricing import Call

# 27 March to 1 April and 23 to 27 October 2026: around the nights on which clocks change in Berlin, in milliseconds.
SPRING, AUTUMN = 1_774_569_600_000, 1_792_713_600_000
DAY = 86_400_000
NOON = 1_780_315_200_000
# Rates begin and end at midnight, so that a moment is often the very first or the one after the last.
MOMENTS = st.sampled_from([SPRING, AUTUMN]).flatmap(
    lambda begin: st.one_of(st.sampled_from([begin + DAY, begin + 2 * DAY]), st.integers(begin, begin + 4 * DAY))
)
ZONES = st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC"])
AMOUNTS = st.one_of(st.just(0), st.integers(0, 100), st.integers(0, 5_000_000))
_DIGITS = st.text("12", max_size=4)
_DIRECTIONS = st.sampled_from(["out", "in", "internal", "emergency"])
_WEEKDAYS = frozenset(range(5))


@st.composite
def plans(draw: st.DrawFn) -> Bands:
    """Bands that do not overlap: a night, an evening and a weekend whose edges lie at odd minutes."""
    minutes = sorted(draw(st.lists(st.integers(0, 1439), min_size=4, max_size=4, unique=True)))
    a, b, c, d = (time(minute // 60, minute % 60) for minute in minutes)
    windows = [
        BandWindow("night", _WEEKDAYS, a, b),
        BandWindow("evening", _WEEKDAYS, c, d),
        BandWindow("weekend", frozenset({5, 6, HOLIDAY}), time(0), time(0)),
    ]
    kept = draw(st.lists(st.sampled_from(windows), unique=True, min_size=1))
    return Bands(draw(ZONES), kept, draw(st.lists(st.just(date(2026, 3, 30)), max_size=1)))


@st.composite
def rates(draw: st.DrawFn, bands: Bands | None = None) -> Rate:
    names = sorted({window.band for window in bands.windows}) if bands else []
    named = draw(st.lists(st.sampled_from(names), unique=True)) if names else []
    low, high = sorted((draw(AMOUNTS), draw(AMOUNTS)))
    begins = draw(st.sampled_from([0, SPRING + DAY, AUTUMN + DAY]))
    return Rate(
        id=draw(st.integers(1, 10**6)),
        prefix=draw(_DIGITS),
        destination="Somewhere",
        per_minute=draw(AMOUNTS),
        fee=draw(AMOUNTS),
        minimum=draw(st.sampled_from([0, 1, 30, 60])),
        increment=draw(st.sampled_from([1, 6, 60])),
        grace=draw(st.sampled_from([0, 3])),
        callers=draw(st.text("12", max_size=2)),
        direction=draw(_DIRECTIONS),
        begins=begins,
        ends=draw(st.sampled_from([begins + DAY, FOREVER])),
        bands=tuple(BandPrice(name, draw(AMOUNTS), draw(AMOUNTS)) for name in named),
        minimum_charge=draw(st.sampled_from([0, low])),
        maximum_charge=draw(st.sampled_from([None, high])),
        blocked=draw(st.integers(0, 9)) == 0,
    )


@st.composite
def rows(draw: st.DrawFn, bands: Bands | None = None) -> list[Rate]:
    """Rows that make a deck: those that would overlap an earlier one are left out."""
    kept: list[Rate] = []
    for rate in draw(st.lists(rates(bands), max_size=12)):
        try:
            Deck("EUR", [*kept, rate], bands=bands)
        except OverlappingRates:
            continue
        kept.append(rate)
    return kept


@st.composite
def decks(draw: st.DrawFn) -> Deck:
    bands = draw(st.none() | plans())
    free = draw(st.sampled_from([(), ("emergency",), ("internal", "emergency", "in")]))
    return Deck("EUR", draw(rows(bands)), bands=bands, free=free)


@st.composite
def calls(draw: st.DrawFn) -> Call:
    """Calls of all kinds, also such that cannot be: backwards, without an end, to no number."""
    answered = draw(MOMENTS)
    length = draw(st.one_of(st.integers(1, 200_000), st.integers(-5_000, 2 * DAY), st.sampled_from([0, DAY, DAY + 1])))
    return Call(
        called=draw(st.one_of(st.text("12", min_size=1, max_size=6), st.sampled_from(["", "+1", "x", "１"]))),
        caller=draw(st.text("12", max_size=3)),
        answered=draw(st.sampled_from([answered, answered, answered, None])),
        ended=draw(st.sampled_from([answered + length] * 3 + [None])),
        direction=draw(_DIRECTIONS),
    )


def call_of(milliseconds: int, answered: int = NOON, called: str = "1") -> Call:
    return Call(called, "", answered, answered + milliseconds)


def always(rate: Rate, **more: object) -> Rate:
    """The same rate for every number and time."""
    return replace(rate, prefix="", callers="", direction="out", begins=0, ends=2**62, blocked=False, **more)
