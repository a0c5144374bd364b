"""Bands of the week by the clock on the wall: which one holds, and how the seconds of a call fall into them.

Pure: times are milliseconds since 1970 (UTC), as nodes record them; docs/pricing.md §5 has the rules.
"""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

ORDINARY = ""
HOLIDAY = 7
DAY_MS = 86_400_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_S = 86_400
# A deck that rates a year again and then one old call must not keep every day for ever.
_MOST_DAYS = 1_000


class BadBands(ValueError):
    """Windows that overlap, have no name or name no day; or a zone that does not exist."""


@dataclass(frozen=True, slots=True)
class BandWindow:
    """Hours of `band` on `days` (0 Monday to 6 Sunday, 7 for holidays); `until` is not part of it, 00:00 is midnight.

    One that ends before it begins runs into the next day, whatever day that is.
    """

    band: str
    days: frozenset[int]
    begin: time
    until: time


class Bands:
    """The bands of a plan in its zone; holidays are dates that have windows of their own, not their weekday's."""

    __slots__ = ("_days", "holidays", "windows", "zone")

    def __init__(self, zone: str, windows: Iterable[BandWindow], holidays: Iterable[date] = ()) -> None:
        """Check the windows, with every weekday next to every other and holidays; raises BadBands."""
        try:
            self.zone = ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise BadBands(f"{zone!r} is not a time zone.") from error
        self.windows = tuple(windows)
        self.holidays = frozenset(holidays)
        self._days: dict[int, tuple[list[int], list[str]]] = {}
        self._check()

    def at(self, moment: int) -> str:
        """Return the band that holds at a moment (ms), ORDINARY where no window covers it."""
        begins, bands = self._of_day(moment // DAY_MS)
        return bands[bisect_right(begins, moment) - 1]

    def split(self, answered: int, seconds: int) -> list[tuple[str, int]]:
        """Return the bands of `seconds` seconds from the answer (ms) on, in order, with how many begin in each.

        Neighbours differ; the counts add up to `seconds`; none for no seconds.
        """
        parts: list[tuple[str, int]] = []
        done = 0
        while done < seconds:
            moment = answered + done * 1000
            day = moment // DAY_MS
            begins, bands = self._of_day(day)
            index = bisect_right(begins, moment)
            end = begins[index] if index < len(begins) else (day + 1) * DAY_MS
            # A second belongs to the band in which it begins, so the last one may reach over the boundary.
            count = min(-((moment - end) // 1000), seconds - done)
            band = bands[index - 1]
            if parts and parts[-1][0] == band:
                parts[-1] = (band, parts[-1][1] + count)
            else:
                parts.append((band, count))
            done += count
        return parts

    def changes(self, since: int, until: int) -> list[int]:
        """Return the moments (ms) after `since` and before `until` at which another band begins to hold."""
        found: list[int] = []
        band = self.at(since)
        for day in range(since // DAY_MS, -(-until // DAY_MS)):
            for moment, then in zip(*self._of_day(day), strict=True):
                if since < moment < until and then != band:
                    found.append(moment)
                    band = then
        return found

    def line(self, begins: int, ends: int) -> tuple[list[int], list[str]]:
        """Return the moments (ms) at which bands begin that hold between two moments, with the bands in their order."""
        moments: list[int] = []
        names: list[str] = []
        for day in range(begins // DAY_MS, ends // DAY_MS + 1):
            for moment, band in zip(*self._of_day(day), strict=True):
                if not names or names[-1] != band:
                    moments.append(moment)
                    names.append(band)
        return moments, names

    def _of_day(self, day: int) -> tuple[list[int], list[str]]:
        known = self._days.get(day)
        if known is None:
            if len(self._days) >= _MOST_DAYS:
                self._days.clear()
            known = self._days[day] = self._make_day(day)
        return known

    def _make_day(self, day: int) -> tuple[list[int], list[str]]:
        """Return when the stretches of a UTC day begin (ms), and the band of each."""
        begins: list[int] = []
        bands: list[str] = []
        moment, end = day * _DAY_S, (day + 1) * _DAY_S
        while moment < end:
            local = self._local(moment)
            band = self._by_clock(local)
            if not bands or bands[-1] != band:
                begins.append(moment * 1000)
                bands.append(band)
            moment = self._clock_reaches(moment, local, min(end, moment + self._to_next_edge(local)))
        return begins, bands

    def _local(self, moment: int) -> datetime:
        return (_EPOCH + timedelta(seconds=moment)).astimezone(self.zone)

    def _clock_reaches(self, moment: int, local: datetime, then: int) -> int:
        """Return `then`, or the moment before it at which the clock on the wall leaps."""
        offset = local.utcoffset()
        if self._local(then).utcoffset() == offset:
            return then
        before, after = moment, then
        while after - before > 1:
            middle = (before + after) // 2
            if self._local(middle).utcoffset() == offset:
                before = middle
            else:
                after = middle
        return after

    def _to_next_edge(self, local: datetime) -> int:
        """Return the seconds on the clock until a window begins or ends, or until midnight."""
        now = local.hour * 3600 + local.minute * 60 + local.second
        edges = {_seconds(edge) for window in self.windows for edge in (window.begin, window.until)}
        return min((edge for edge in edges if edge > now), default=_DAY_S) - now

    def _by_clock(self, local: datetime) -> str:
        now, today = _seconds(local.time()), self._kind(local.date())
        yesterday = self._kind(local.date() - timedelta(days=1))
        for window in self.windows:
            begin, until = _seconds(window.begin), _seconds(window.until) or _DAY_S
            overnight = until <= begin
            if today in window.days and begin <= now and (overnight or now < until):
                return window.band
            if overnight and yesterday in window.days and now < until:
                return window.band
        return ORDINARY

    def _kind(self, day: date) -> int:
        return HOLIDAY if day in self.holidays else day.weekday()

    def _check(self) -> None:
        today: list[tuple[frozenset[int], int, int, BandWindow]] = []
        tomorrow: list[tuple[int, int, BandWindow]] = []
        for window in self.windows:
            if not window.band or not window.days or not window.days <= frozenset(range(8)):
                raise BadBands("A window needs a name, and days from 0 (Monday) to 6 or 7 for holidays.")
            if any(edge.second or edge.microsecond or edge.tzinfo for edge in (window.begin, window.until)):
                raise BadBands(f"{window.band}: windows begin and end at full minutes of the plan's clock.")
            begin, until = _seconds(window.begin), _seconds(window.until) or _DAY_S
            today.append((window.days, begin, _DAY_S if until <= begin else until, window))
            if until <= begin:
                tomorrow.append((0, until, window))
        for index, (days, begin, until, window) in enumerate(today):
            for others, other_begin, other_until, other in today[:index]:
                if days & others and begin < other_until and other_begin < until:
                    raise BadBands(f"{window.band} and {other.band} overlap.")
            for over_begin, over_until, over in tomorrow:
                # With holidays any kind of day may follow any other.
                follows = days & ({(day + 1) % 7 for day in over.days - {HOLIDAY}} | {HOLIDAY})
                if (follows or HOLIDAY in over.days) and begin < over_until and over_begin < until:
                    raise BadBands(f"{over.band} runs into {window.band} of the next day.")


def _seconds(clock: time) -> int:
    return clock.hour * 3600 + clock.minute * 60 + clock.second
