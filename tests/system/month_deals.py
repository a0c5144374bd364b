"""Five customers and what each has agreed on: read by what sets them up and by what reckons their bills apart.

Prices are micros: of a minute, a piece, a call. Nothing of the product is used here.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

ONE = 1_000_000
IBAN = "DE02120300000000202051"
BERLIN = ZoneInfo("Europe/Berlin")
# Destination: its codes' beginning, how its numbers go on, what a minute costs by day, what the carrier asks.
WORLD = {
    "Germany": ("49", "30", 12_000, 5_000),
    "Germany, mobile": ("4915", "1", 95_000, 17_500),
    "United Kingdom": ("44", "20", 15_000, 5_500),
    "United Kingdom, mobile": ("447", "7", 180_000, 24_000),
    "France": ("33", "1", 14_000, 6_000),
    "North America": ("1", "212", 9_100, 4_000),
    "Puerto Rico": ("1787", "5", 42_000, 21_000),
}
# The deck by the second costs half at night; 20:00 to 07:00 by the clock on the wall.
NIGHT = "night"


@dataclass(frozen=True)
class Deal:
    """A customer with its plan: `parts` are the plan's components as the product's forms name them."""

    label: str
    by_minute: bool
    parts: list[dict[str, Any]]
    destinations: tuple[str, ...] = tuple(WORLD)
    starts_before: int = 0  # months before the month that is billed
    people: int = 0
    numbers: int = 1
    channels: int = 10
    prepaid: int = 0
    tiers: tuple[tuple[int | None, int], ...] = field(default=())


EUROPE, HOME = ["France", "Germany", "United Kingdom"], ["Germany", "United Kingdom"]
DEALS = {
    deal.label: deal
    for deal in (
        Deal("perminute", by_minute=False, parts=[
            {"kind": "monthly", "name": "Platform", "amount": 10 * ONE, "tax_class": "service"},
            {"kind": "once", "name": "Set-up", "amount": 50 * ONE, "tax_class": "service"},
        ]),
        Deal("seats", by_minute=True, people=4, numbers=4, starts_before=1, parts=[
            {"kind": "monthly", "name": "User", "amount": 6 * ONE, "per": "seat"},
            {"kind": "minutes", "name": "Included minutes", "minutes": 100, "roll_over": 1},
        ]),
        Deal("volume", by_minute=True, destinations=("Germany", "Germany", "Germany", "United Kingdom", "France"),
             tiers=((500, 20_000), (1_000, 15_000), (None, 10_000)), parts=[
            {"kind": "tiers", "name": "Home by volume", "destinations": HOME},
            {"kind": "commitment", "name": "Minimum", "amount": 100 * ONE},
        ]),
        Deal("bundles", by_minute=True, people=3, numbers=3, destinations=(*EUROPE, "North America", "Germany, mobile"),
             parts=[
            {"kind": "monthly", "name": "User", "amount": 9 * ONE, "per": "seat"},
            {"kind": "minutes", "name": "Europe", "minutes": 120, "pool": "seat", "destinations": EUROPE},
            {"kind": "minutes", "name": "America", "minutes": 20, "pool": "seat", "destinations": ["North America"]},
            {"kind": "discount", "name": "Good customer", "per_million": 100_000, "scope": "all"},
        ]),
        Deal("trunk", by_minute=False, numbers=5, channels=12, prepaid=400 * ONE, parts=[
            {"kind": "monthly", "name": "Channel", "amount": 4 * ONE, "per": "channel"},
            {"kind": "emergency", "name": "Emergency surcharge", "amount": 750_000, "per": "number"},
            {"kind": "call", "name": "Connection", "amount": 20_000},
        ]),
    )
}  # fmt: skip


def last_october(today: date) -> date:
    """Return the first day of the newest October that is over: the month with a night of 25 hours less one."""
    return date(today.year - (today < date(today.year, 11, 1)), 10, 1)


def next_month(month: date) -> date:
    """Return the first day after a month."""
    return (month + timedelta(days=31)).replace(day=1)


def midnight(day: date) -> datetime:
    """Return when a day begins for these customers."""
    return datetime(day.year, day.month, day.day, tzinfo=BERLIN)
