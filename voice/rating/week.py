"""The picture of a week: which band holds in each of its hours, by kind of day. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import time

from voice.rating.bands import HOLIDAY, ORDINARY, BandWindow

HOURS = range(24)


@dataclass(frozen=True)
class Hour:
    """One hour of one kind of day: the bands that hold in it, in their order; more than one where one ends within."""

    hour: int
    bands: tuple[str, ...]

    @property
    def first(self) -> str:
        return self.bands[0]


def week(windows: Iterable[BandWindow]) -> list[list[Hour]]:
    """Return the hours of Monday to Sunday, and of holidays where a window names them."""
    known = tuple(windows)
    days = [*range(7), *([HOLIDAY] if any(HOLIDAY in window.days for window in known) else [])]
    return [[Hour(hour, _in_hour(known, day, hour)) for hour in HOURS] for day in days]


def _in_hour(windows: tuple[BandWindow, ...], day: int, hour: int) -> tuple[str, ...]:
    edges = {0, *(edge.minute for window in windows for edge in (window.begin, window.until) if edge.hour == hour)}
    found: list[str] = []
    for minute in sorted(edges):
        band = _at(windows, day, time(hour, minute))
        if not found or found[-1] != band:
            found.append(band)
    return tuple(found)


def _at(windows: tuple[BandWindow, ...], day: int, now: time) -> str:
    # A holiday may follow any day: what runs into it from the day before is not drawn.
    yesterday = (day - 1) % 7 if day != HOLIDAY else None
    for window in windows:
        to_midnight, overnight = window.until == time(), window.until <= window.begin
        if day in window.days and window.begin <= now and (to_midnight or overnight or now < window.until):
            return window.band
        if overnight and not to_midnight and yesterday in window.days and now < window.until:
            return window.band
    return ORDINARY
