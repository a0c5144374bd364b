"""Time zones, read from the system's tables once."""

from functools import lru_cache
from zoneinfo import available_timezones

AREAS = ("Africa/", "America/", "Antarctica/", "Asia/", "Atlantic/", "Australia/", "Europe/", "Indian/", "Pacific/")


@lru_cache(maxsize=1)
def zones() -> frozenset[str]:
    """Return the name of every time zone."""
    return frozenset(available_timezones())


@lru_cache(maxsize=1)
def zone_choices() -> list[tuple[str, str]]:
    """Return every time zone by its proper name, without legacy aliases such as `US/Eastern`."""
    return [(name, name.replace("_", " ")) for name in sorted(zones()) if name == "UTC" or name.startswith(AREAS)]
