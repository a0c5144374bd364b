"""Amounts, dates and seconds as files write them. Pure.

`1,234` is a thousand here and a bit more than one there. What a whole column shows decides; what it does not show is
asked. A mark that was settled is applied strictly: `1.234,56` read with a decimal point is an error and not 1.23456.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from voice.rating.files.tables import Figure
from voice.rating.money import MICROS, UnreadableAmount, read_micros

POINT, COMMA = ".", ","
DAY_FIRST, MONTH_FIRST = "dmy", "mdy"
LONGEST_SECONDS = 86_400
# Spaces of all kinds and the Swiss apostrophe group digits; a currency may stand on either side.
_IGNORED = re.compile(r"[\s'’\u00a0\u202f]|^(?:[A-Z]{3}|[€$£¥])|(?:[A-Z]{3}|[€$£¥])$")
_SHAPES = {
    POINT: re.compile(r"-?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?|-?\.[0-9]+"),
    COMMA: re.compile(r"-?(?:[0-9]{1,3}(?:\.[0-9]{3})+|[0-9]+)(?:,[0-9]+)?|-?,[0-9]+"),
}
_SCIENTIFIC = re.compile(r"-?[0-9]+(?:[.,][0-9]+)?[eE][+-]?[0-9]+")
_ISO = re.compile(r"([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})")
_PARTED = re.compile(r"([0-9]{1,2})([-/. ])([0-9]{1,2})\2([0-9]{4}|[0-9]{2})")
_NAMED = re.compile(r"([0-9]{1,2})[-/. ]([A-Za-zäÄ]{3})[a-z]*\.?[-/. ,]+([0-9]{4}|[0-9]{2})")
_MONTHS = {name: number for number, names in enumerate((
    "jan", "feb", "mar mär mrz", "apr", "may mai", "jun", "jul", "aug", "sep", "oct okt", "nov", "dec dez",
), start=1) for name in names.split()}  # fmt: skip
_CLOCK = re.compile(r"[T ]([0-2]?[0-9]):([0-5][0-9])(?::([0-5][0-9]))?(?:\.[0-9]+)?Z?$")


class Wrong(ValueError):
    """A cell that cannot be meant; the message is for the user."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """An example of each way to read a column, empty where no cell shows it."""

    first: str = ""
    second: str = ""
    either: str = ""

    @property
    def is_clear(self) -> bool:
        """Whether one reading is shown and the other is not, or nothing is in question."""
        return not (self.first and self.second) and bool(self.first or self.second or not self.either)


def marks_in(texts: Iterable[str]) -> Evidence:
    """Return what amounts show of their decimal mark: `first` a point, `second` a comma."""
    shown = {POINT: "", COMMA: "", "": ""}
    for text in texts:
        if isinstance(text, Figure) or not (POINT in text or COMMA in text):
            continue
        bare = _IGNORED.sub("", text)
        fits = [mark for mark, shape in _SHAPES.items() if shape.fullmatch(bare)]
        if len(fits) == 1:
            shown[fits[0]] = shown[fits[0]] or text
        elif fits and bare.lstrip("-").startswith("0"):
            # No thousand is written 0,012: what stands there is the decimal mark.
            mark = COMMA if COMMA in bare else POINT
            shown[mark] = shown[mark] or text
        elif fits:
            shown[""] = shown[""] or text
    return Evidence(shown[POINT], shown[COMMA], shown[""])


def read_amount(text: str, mark: str) -> int:
    """Return an amount in micros, its decimal mark being settled; raises Wrong."""
    bare = text if isinstance(text, Figure) else _IGNORED.sub("", text)
    if not isinstance(text, Figure):
        if not _SHAPES[mark].fullmatch(bare):
            raise Wrong(_not_an_amount(text, bare, mark))
        bare = bare.replace(COMMA if mark == POINT else POINT, "").replace(COMMA, POINT)
    whole, _point, part = bare.partition(POINT)
    part = part.rstrip("0")
    if len(part) > 6:
        raise Wrong(_("More than six decimals: is it the price of a second, or was it computed?"))
    try:
        micros = read_micros(f"{whole or '0'}.{part}" if part else whole or "0")
    except UnreadableAmount:
        raise Wrong(_("This is not an amount."))
    if micros < 0:
        raise Wrong(_("An amount cannot be negative. A code that must not be called is blocked instead."))
    if micros > 10_000 * MICROS:
        raise Wrong(_("This is more than 10,000 a minute: the wrong column?"))
    return micros


def _not_an_amount(text: str, bare: str, mark: str) -> str:
    if _SCIENTIFIC.fullmatch(bare):
        return _("A spreadsheet program rewrote this number. Format the column as text and save the file again.")
    other = COMMA if mark == POINT else POINT
    if _SHAPES[other].fullmatch(bare):
        return _("This file was read with “%(mark)s” as its decimal mark, and here it does not fit.") % {"mark": mark}
    return _("This is not an amount.")


def days_in(texts: Iterable[str]) -> Evidence:
    """Return what dates show of their order: `first` day before month, `second` month before day."""
    first = second = either = ""
    for text in texts:
        found = _PARTED.match(text)
        if not found:
            continue
        one, two = int(found[1]), int(found[3])
        if found[2] == "." or (one > 12 >= two):
            first = first or text
        elif two > 12 >= one:
            second = second or text
        elif one != two:
            either = either or text
    return Evidence(first, second, either)


def read_moment(text: str, order: str, zone: ZoneInfo) -> datetime:
    """Return a date as its midnight in the zone, or a date with a time on the zone's clock; raises Wrong."""
    return _moment(str(text), order or DAY_FIRST, zone)


# The same few dates stand in every row.
@lru_cache(maxsize=4_096)
def _moment(text: str, order: str, zone: ZoneInfo) -> datetime:
    clock = _CLOCK.search(text)
    hour, minute, second = (int(part or 0) for part in clock.groups()) if clock else (0, 0, 0)
    day = text[: clock.start()].strip() if clock else text.strip()
    if found := _ISO.fullmatch(day):
        parts = (found[1], found[2], found[3])
    elif found := _PARTED.fullmatch(day):
        first, then = (found[1], found[3]) if order == DAY_FIRST else (found[3], found[1])
        parts = (found[4], then, first)
    elif (found := _NAMED.fullmatch(day)) and (month := _MONTHS.get(found[2].lower())):
        parts = (found[3], str(month), found[1])
    else:
        raise Wrong(_("This is not a date such as 2026-12-01 or 01.12.2026."))
    year = int(parts[0]) + (2000 if len(parts[0]) == 2 else 0)
    try:
        moment = datetime(year, int(parts[1]), int(parts[2]), hour, minute, second, tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Wrong(_("There is no such day."))
    if not 1990 <= moment.year <= 2100:
        raise Wrong(_("A date between 1990 and 2100 is expected."))
    return moment


def read_seconds(text: str) -> int:
    """Return a number of seconds; raises Wrong."""
    bare = text.strip().removesuffix("s").strip()
    if bare.endswith(".0"):
        bare = bare[:-2]
    if not (bare.isascii() and bare.isdigit()) or int(bare[:9]) > LONGEST_SECONDS:
        raise Wrong(_("Write whole seconds, 86,400 at most."))
    return int(bare)


def read_steps(text: str) -> tuple[int, int]:
    """Return minimum and increment of what is written 60/1, 60+1, 1:1 or 60 for both; raises Wrong."""
    parts = [part for part in re.split(r"[/+:;| -]+", text.strip()) if part]
    # 0/60/1: some write a grace or a first step of nothing before the two.
    if len(parts) == 3 and parts[0] == "0":
        parts = parts[1:]
    if not 1 <= len(parts) <= 2:
        raise Wrong(_("Write minimum and increment such as 60/1."))
    minimum, increment = read_seconds(parts[0]), read_seconds(parts[-1])
    if increment < 1:
        raise Wrong(_("An increment has at least one second."))
    return minimum, increment
