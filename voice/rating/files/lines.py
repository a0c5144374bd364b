"""The rows of a file as rates of a deck: lines that can be stored, and in words what is wrong with each other. Pure."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from voice.rating.decks import Direction
from voice.rating.files.codes import read_callers, read_codes
from voice.rating.files.figures import (
    Evidence,
    Wrong,
    days_in,
    marks_in,
    read_amount,
    read_moment,
    read_seconds,
    read_steps,
)
from voice.rating.files.tables import Row

AMOUNTS = ("per_minute", "fee", "minimum_charge", "maximum_charge")
LONGEST_NAME = 200
YES, NO = frozenset({"yes", "y", "true", "1", "x", "ja", "blocked"}), frozenset({"", "no", "n", "false", "0", "nein"})
DIRECTIONS = {"out": "out", "outbound": "out", "outgoing": "out", "in": "in", "inbound": "in", "incoming": "in"}
CURRENCY_SIGNS = {"€": "EUR", "£": "GBP"}
_TEXT_FORMULA = re.compile(r'="([^"]*)"')
T = TypeVar("T")
# Direction, prefix, callers: what tells one rate of a deck from another.
Key = tuple[str, str, str]


class Terms(NamedTuple):
    """What a rate asks: two rates with the same terms are the same price."""

    destination: str
    per_minute: int
    fee: int = 0
    minimum: int = 1
    increment: int = 1
    grace: int = 0
    minimum_charge: int = 0
    maximum_charge: int | None = None
    blocked: bool = False
    bands: tuple[tuple[str, int, int], ...] = ()


class Line(NamedTuple):
    """A rate as a row of the file has it, with its own dates where it has any."""

    row: int
    key: Key
    terms: Terms
    begins: datetime | None
    ends: datetime | None


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one row: which column, what stands there and why it cannot be; the codes that it meant."""

    row: int
    column: str
    value: str
    words: str
    codes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """How a file is read: which column is what, the marks and the order of dates that were settled, the defaults."""

    columns: Mapping[str, int]
    zone: ZoneInfo
    currency: str
    decimal: str
    dates: str = ""
    minimum: int = 1
    increment: int = 1
    direction: str = Direction.OUT.value
    header: int = -1


def amounts_of(rows: Sequence[Row], columns: Mapping[str, int], header: int) -> Evidence:
    """Return what the file's amounts show of their decimal mark."""
    places = [place for name, place in columns.items() if name in AMOUNTS or name[:5] == "band:" or name[:4] == "fee:"]
    return marks_in(_distinct(rows, places, header))


def dates_of(rows: Sequence[Row], columns: Mapping[str, int], header: int) -> Evidence:
    """Return what the file's dates show of their order."""
    return days_in(_distinct(rows, [columns[name] for name in ("begins", "ends") if name in columns], header))


def _distinct(rows: Sequence[Row], places: Sequence[int], header: int) -> Iterable[str]:
    found: dict[str, None] = {}
    for _number, cells in rows[header + 1 :]:
        for place in places:
            if cells is not None and place < len(cells):
                found[cells[place]] = None
    return found


def read_lines(rows: Sequence[Row], plan: Plan) -> Iterator[Line | Fault]:
    """Yield every rate of the file, and a fault for every row that has none."""
    reader = _Reader(plan)
    seen: dict[tuple[Key, datetime | None], tuple[int, Terms]] = {}
    for number, cells in rows[plan.header + 1 :]:
        if cells is None:
            yield Fault(number, "", "", _("The quotes in this line do not match."))
            continue
        found = reader.read(number, cells)
        if isinstance(found, Fault):
            yield found
            continue
        for line in found:
            earlier = seen.setdefault((line.key, line.begins), (number, line.terms))
            if earlier[0] == number:
                yield line
            # A code that stands twice with the same price is no question; one with two prices is.
            elif earlier[1] != line.terms:
                words = _("This code has another price in line %(line)d.") % {"line": earlier[0]}
                yield Fault(number, "prefix", line.key[1], words, (line.key[1],))


class _InColumn(Exception):
    def __init__(self, column: str, value: str, words: str) -> None:
        self.column, self.value, self.words = column, value, words


class _Reader:
    """Reads the cells of one row after the other as the plan says."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.bands = sorted(name[5:] for name in plan.columns if name.startswith("band:"))
        # The same figures stand in thousands of rows.
        self._amounts: dict[str, int] = {}

    def read(self, number: int, cells: list[str]) -> list[Line] | Fault:
        codes: list[str] = []
        try:
            country = self._text(cells, "country_code")
            codes = self._read(cells, "prefix", lambda text: read_codes(text, country))
            terms = self._terms(cells)
            begins, ends = self._moment(cells, "begins"), self._moment(cells, "ends")
            if begins and ends and ends <= begins:
                raise _InColumn("ends", self._text(cells, "ends"), _("The rate ends before it begins."))
            callers = self._read(cells, "callers", read_callers)
            direction = self._direction(cells)
            self._check_currency(cells)
        except _InColumn as wrong:
            value = wrong.value[:80].replace("\0", "")
            return Fault(number, wrong.column, value, wrong.words, tuple(codes))
        return [Line(number, (direction, code, caller), terms, begins, ends) for code in codes for caller in callers]

    def _text(self, cells: list[str], name: str) -> str:
        place = self.plan.columns.get(name)
        text = cells[place] if place is not None and place < len(cells) else ""
        if text[:1] in ("=", "@"):
            kept = _TEXT_FORMULA.fullmatch(text)
            if kept is None:
                words = _("This cell is a formula. Save the file with values instead of formulas.")
                raise _InColumn(name, text, words)
            return kept[1].strip()
        if "\0" in text:
            raise _InColumn(name, text, _("This cell has characters that are no text."))
        return text

    def _read(self, cells: list[str], name: str, read: Callable[[str], T]) -> T:
        text = self._text(cells, name)
        try:
            return read(text)
        except Wrong as wrong:
            raise _InColumn(name, text, str(wrong)) from wrong

    def _seconds(self, cells: list[str], name: str, default: int) -> int:
        return self._read(cells, name, read_seconds) if self._text(cells, name) else default

    def _amount(self, cells: list[str], name: str) -> int | None:
        text = self._text(cells, name)
        if not text:
            return None
        known = self._amounts.get(text)
        if known is None:
            known = self._amounts[text] = self._read(cells, name, lambda given: read_amount(given, self.plan.decimal))
        return known

    def _moment(self, cells: list[str], name: str) -> datetime | None:
        if not self._text(cells, name):
            return None
        return self._read(cells, name, lambda text: read_moment(text, self.plan.dates, self.plan.zone))

    def _terms(self, cells: list[str]) -> Terms:
        minimum, increment = self.plan.minimum, self.plan.increment
        for name in ("steps", "increment"):
            # Some head 60/1 with "increment" alone.
            if (name == "steps" and self._text(cells, name)) or "/" in self._text(cells, name):
                minimum, increment = self._read(cells, name, read_steps)
        minimum = self._seconds(cells, "minimum", minimum)
        if "/" not in self._text(cells, "increment"):
            increment = self._seconds(cells, "increment", increment)
        if increment < 1:
            raise _InColumn("increment", self._text(cells, "increment"), _("An increment has at least one second."))
        blocked = self._blocked(cells)
        price = self._amount(cells, "per_minute")
        if price is None and not blocked:
            raise _InColumn("per_minute", "", _("There is no price in this line. A code that is free of charge has 0."))
        least, most = self._amount(cells, "minimum_charge") or 0, self._amount(cells, "maximum_charge")
        if most is not None and most < least:
            words = _("At most is less than at least.")
            raise _InColumn("maximum_charge", self._text(cells, "maximum_charge"), words)
        return Terms(
            self._text(cells, "destination")[:LONGEST_NAME],
            price or 0,
            self._amount(cells, "fee") or 0,
            minimum,
            increment,
            self._seconds(cells, "grace", 0),
            least,
            most,
            blocked,
            self._band_prices(cells) if self.bands else (),
        )

    def _band_prices(self, cells: list[str]) -> tuple[tuple[str, int, int], ...]:
        found = []
        for band in self.bands:
            price = self._amount(cells, f"band:{band}")
            if price is not None:
                fee = self._amount(cells, f"fee:{band}")
                # A band without a fee of its own has the ordinary one: docs/pricing.md §5.
                found.append((band, price, (self._amount(cells, "fee") or 0) if fee is None else fee))
        return tuple(found)

    def _blocked(self, cells: list[str]) -> bool:
        text = self._text(cells, "blocked")
        if text.lower() in NO:
            return False
        if text.lower() in YES:
            return True
        raise _InColumn("blocked", text, _("Write yes or no."))

    def _direction(self, cells: list[str]) -> str:
        text = self._text(cells, "direction").lower()
        if not text:
            return self.plan.direction
        known = DIRECTIONS.get(text)
        if known is None:
            raise _InColumn("direction", text, _("Use out or in."))
        return known

    def _check_currency(self, cells: list[str]) -> None:
        text = self._text(cells, "currency")
        if text and CURRENCY_SIGNS.get(text, text.upper()) != self.plan.currency:
            words = _("The deck is in %(currency)s. A file in another currency needs a deck of its own.")
            raise _InColumn("currency", text, words % {"currency": self.plan.currency})
