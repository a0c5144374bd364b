"""Time zones, read from the system's tables once."""

from functools import lru_cache
from zoneinfo import available_timezones

from babel.core import get_global

# Where most people of a country with several zones live; elsewhere CLDR's only zone of the country counts.
USUAL = {
    "AR": "America/Argentina/Buenos_Aires", "AU": "Australia/Sydney", "BR": "America/Sao_Paulo",
    "CA": "America/Toronto", "CD": "Africa/Kinshasa", "CL": "America/Santiago", "EC": "America/Guayaquil",
    "ES": "Europe/Madrid", "GL": "America/Nuuk", "ID": "Asia/Jakarta", "KZ": "Asia/Almaty",
    "MX": "America/Mexico_City", "MN": "Asia/Ulaanbaatar", "MY": "Asia/Kuala_Lumpur", "NZ": "Pacific/Auckland",
    "PT": "Europe/Lisbon", "RU": "Europe/Moscow", "US": "America/New_York", "UZ": "Asia/Tashkent",
    "CY": "Asia/Nicosia", "FM": "Pacific/Pohnpei", "KI": "Pacific/Tarawa", "MH": "Pacific/Majuro",
    "PF": "Pacific/Tahiti", "XK": "Europe/Belgrade",
}  # fmt: skip
AREAS = ("Africa/", "America/", "Antarctica/", "Asia/", "Atlantic/", "Australia/", "Europe/", "Indian/", "Pacific/")


@lru_cache(maxsize=1)
def zones() -> frozenset[str]:
    """Return the name of every time zone."""
    return frozenset(available_timezones())


@lru_cache(maxsize=1)
def zone_choices() -> list[tuple[str, str]]:
    """Return every time zone by its proper name, without legacy aliases such as `US/Eastern`."""
    return [(name, name.replace("_", " ")) for name in sorted(zones()) if name == "UTC" or name.startswith(AREAS)]


def usual_zone(country: str) -> str:
    """Return the time zone that most people of a country live in."""
    known = [USUAL.get(country, ""), *get_global("territory_zones").get(country, [])]
    return next((name for name in known if name in zones()), "UTC")
