from datetime import UTC, datetime, time, timedelta
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.rating.bands import HOLIDAY, ORDINARY, BadBands, Bands, BandWindow
from voice.rating.tests.strategies import MOMENTS, plans

EVERY_DAY = frozenset(range(7))
NIGHT = BandWindow("night", EVERY_DAY, time(22), time(6))


def by_the_clock(bands: Bands, moment: int) -> str:
    """Look at the clock on the wall and through the windows, one by one; none of them runs overnight."""
    local = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=moment)).astimezone(bands.zone)
    kind = HOLIDAY if local.date() in bands.holidays else local.weekday()
    for window in bands.windows:
        if kind in window.days and window.begin <= local.time() and (not window.until or local.time() < window.until):
            return window.band
        if kind in window.days and window.until == time(0) and window.begin <= local.time():
            return window.band
    return ORDINARY


@given(plans(), MOMENTS, st.integers(1, 90_000))
def test_every_second_is_in_the_band_that_the_clock_shows_when_it_begins(bands, answered, seconds):
    split = bands.split(answered, seconds)

    begin = 0
    for band, count in split:
        # The edges, and a look every ten minutes between them.
        for second in {begin, begin + count - 1, *range(begin, begin + count, 600)}:
            shown = by_the_clock(bands, answered + second * 1000)
            assert (band, bands.at(answered + second * 1000)) == (shown, shown)
        begin += count
    assert begin == seconds


@given(plans(), MOMENTS, st.integers(0, 90_000), st.integers(0, 90_000))
def test_a_call_cut_in_two_falls_into_the_same_bands(bands, answered, first, second):
    whole = bands.split(answered, first + second)
    halves = bands.split(answered, first) + bands.split(answered + first * 1000, second)

    joined = [(band, sum(count for _, count in group)) for band, group in groupby(halves, key=lambda part: part[0])]
    assert joined == whole


def test_an_overnight_window_belongs_to_the_day_on_which_it_begins():
    bands = Bands("UTC", [BandWindow("night", frozenset({4}), time(22), time(6))])
    friday = 1_795_132_800_000  # 2026-11-20

    assert bands.at(friday + 22 * 3_600_000 - 1) == ORDINARY
    assert bands.at(friday + 22 * 3_600_000) == "night"
    assert bands.at(friday + 30 * 3_600_000 - 1) == "night"
    assert bands.at(friday + 30 * 3_600_000) == ORDINARY


def test_half_an_hour_of_summer_time_and_a_day_without_midnight():
    lord_howe = Bands("Australia/Lord_Howe", [BandWindow("night", EVERY_DAY, time(0), time(2))])
    april = 1_775_311_200_000  # 2026-04-04T14:00Z, an hour and a half after which the clock goes from 02:00 to 01:30
    beirut = Bands("Asia/Beirut", [BandWindow("first", EVERY_DAY, time(0), time(0, 30))])
    march = 1_774_735_200_000  # 2026-03-28T22:00Z, the clock goes from 24:00 to 01:00

    assert lord_howe.split(april, 4 * 3600) == [("night", 3600 + 1800), (ORDINARY, 9000)]
    assert beirut.split(march - 60_000, 120) == [(ORDINARY, 120)]


def test_no_more_days_are_kept_than_are_of_use():
    bands = Bands("Europe/Berlin", [NIGHT])

    for day in range(1_200):
        assert bands.at(day * 86_400_000) == "night"

    assert len(bands._days) <= 1_000


@pytest.mark.parametrize(
    ("windows", "words"),
    [
        ([NIGHT, BandWindow("late", frozenset({3}), time(23), time(0))], "overlap"),
        ([NIGHT, BandWindow("early", frozenset({3}), time(5), time(7))], "runs into early"),
        ([BandWindow("", EVERY_DAY, time(1), time(2))], "needs a name"),
        ([BandWindow("never", frozenset(), time(1), time(2))], "days"),
        ([BandWindow("odd", frozenset({8}), time(1), time(2))], "days"),
        ([BandWindow("odd", EVERY_DAY, time(1, 0, 1), time(2))], "full minutes"),
        ([BandWindow("odd", EVERY_DAY, time(1, tzinfo=UTC), time(2))], "full minutes"),
    ],
)
def test_windows_that_cannot_be_meant_are_refused(windows, words):
    with pytest.raises(BadBands, match=words):
        Bands("Europe/Berlin", windows)


@pytest.mark.parametrize("zone", ["Europe/Atlantis", "", "../etc/passwd"])
def test_a_zone_that_is_none_is_refused(zone):
    with pytest.raises(BadBands, match="is not a time zone"):
        Bands(zone, [NIGHT])
