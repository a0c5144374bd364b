"""Which of a customer's opening hours are open now: the digit that its route rows are chosen by."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

MOST = 3  # schedules in one `sc` row: their open bits make one digit


@dataclass(frozen=True)
class Window:
    days: frozenset[int]  # 0 is Monday
    begin: time
    until: time  # not part of it; not later than `begin` means on the next day

    def is_open(self, local: datetime, closed: frozenset[date]) -> bool:
        """Tell whether the local time lies in a window that began today or yesterday."""
        now, today = local.time(), local.date()
        overnight = self.until <= self.begin
        begun_today = now >= self.begin and (overnight or now < self.until)
        still_open = overnight and now < self.until
        return (begun_today and self._begins(today, closed)) or (
            still_open and self._begins(today - timedelta(days=1), closed)
        )

    def _begins(self, day: date, closed: frozenset[date]) -> bool:
        return day.weekday() in self.days and day not in closed


@dataclass(frozen=True)
class Schedule:
    zone: ZoneInfo
    windows: tuple[Window, ...]
    closed: frozenset[date]

    def is_open(self, at: datetime) -> bool:
        """Tell whether it is open at this aware time, by the clock on the wall of its zone."""
        local = at.astimezone(self.zone)
        return any(window.is_open(local, self.closed) for window in self.windows)


@lru_cache(maxsize=10_000)
def read(text: str) -> tuple[Schedule, ...]:
    """Read the value of an `sc` row. Raises ValueError."""
    try:
        said = json.loads(text)
        if not isinstance(said, list):
            raise TypeError("not a list")
        schedules = tuple(_schedule(each) for each in said)
    except (KeyError, TypeError, AttributeError, ZoneInfoNotFoundError, OSError) as error:
        raise ValueError(f"not a list of schedules: {error!r}") from None
    if len(schedules) > MOST:
        raise ValueError(f"more than {MOST} schedules")
    return schedules


def state(schedules: Iterable[Schedule], at: datetime) -> str:
    """Give the digit of the `ss` row: bit i is set while schedule i is open."""
    return str(sum(1 << place for place, schedule in enumerate(schedules) if schedule.is_open(at)))


def next_minute(at: datetime) -> float:
    """Give the seconds until the next full minute, when states may change."""
    return 60.0 - at.second - at.microsecond / 1_000_000


def _schedule(said: dict[str, object]) -> Schedule:
    windows, closed, zone = said["windows"], said["closed"], said["zone"]
    if not isinstance(windows, list) or not isinstance(closed, list) or not isinstance(zone, str):
        raise TypeError("windows and closed are lists, zone is a text")
    return Schedule(
        zone=ZoneInfo(zone),
        windows=tuple(
            Window(
                frozenset(int(day) for day in each["days"]),
                time.fromisoformat(each["begin"]),
                time.fromisoformat(each["until"]),
            )
            for each in windows
        ),
        closed=frozenset(date.fromisoformat(day) for day in closed),
    )
