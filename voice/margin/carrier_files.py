"""The rows of a carrier's file of calls: what their columns are, and each as a call or as what is wrong. Pure."""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from voice.margin.matching import Theirs
from voice.rating.files.columns import Field
from voice.rating.files.figures import Evidence, Wrong, days_in, marks_in, read_amount, read_moment
from voice.rating.files.lines import CURRENCY_SIGNS, Fault
from voice.rating.files.tables import Row

FIELDS = (
    Field("called", gettext_lazy("Called number"), (
        "called", "called number", "called party", "called party number", "b number", "b party", "dialled number",
        "dialed number", "destination number", "dst", "callee", "to number", "terminating number", "zielrufnummer",
        "gerufene nummer", "number", "called e164", "to",
    )),
    Field("at", gettext_lazy("Beginning, date and time"), (
        "start", "start time", "call start", "start date time", "date time", "datetime", "timestamp", "time stamp",
        "connect time", "connected at", "answer time", "answered", "answered at", "setup time", "call date time",
        "begin", "beginn", "startzeit", "verbindungsbeginn", "call time", "start time utc",
    )),
    Field("day", gettext_lazy("Date, if the time stands beside it"), (
        "date", "datum", "call date", "day", "start date",
    )),
    Field("clock", gettext_lazy("Time of day, if the date stands beside it"), (
        "time", "uhrzeit", "zeit", "time of day",
    )),
    Field("seconds", gettext_lazy("Duration"), (
        "duration", "call duration", "billed duration", "billsec", "charged duration", "billable", "seconds billed",
        "dauer", "dauer sekunden", "length", "billed", "talk time", "conversation time", "gespraechsdauer",
        "duration billed", "charged",
    )),
    Field("amount", gettext_lazy("Amount"), (
        "amount", "cost", "charge", "price", "betrag", "preis", "total", "charged amount", "net amount", "net",
        "rated amount", "call cost", "call charge", "total cost", "total charge", "kosten", "netto", "sell price",
    )),
    Field("destination", gettext_lazy("Destination"), (
        "destination", "destination name", "description", "country", "zone", "ziel", "area", "zielname", "route",
        "called zone",
    )),
    Field("currency", gettext_lazy("Currency"), ("currency", "waehrung", "ccy", "cur")),
)  # fmt: skip
NAMES = {heading: field.name for field in FIELDS for heading in field.headings}
NEEDED = ("called", "seconds", "amount")
LONGEST_NAME = 200
LONGEST_CALL = 7 * 86_400
YEARS = (1990, 2100)
_EPOCH = re.compile(r"1[0-9]{9}(?:[0-9]{3})?")
_PARTS = re.compile(r"(?:([0-9]{1,3}):)?([0-9]{1,4}):([0-5]?[0-9])(?:[.,]0+)?")
_DECIMAL = re.compile(r"([0-9]{1,6})(?:[.,]([0-9]{1,6}))?")
_NUMBER = re.compile(r"[0-9]{3,20}")
T = TypeVar("T")


@dataclass(frozen=True)
class Plan:
    """How a file is read: which column is what, the marks and the order of dates that were settled."""

    columns: Mapping[str, int]
    zone: ZoneInfo
    currency: str
    decimal: str
    dates: str = ""
    header: int = -1


def lacking(columns: Mapping[str, Any]) -> bool:
    """Tell whether a column is missing without which no call can be read."""
    has_time = "at" in columns or ("day" in columns and "clock" in columns)
    return not has_time or not all(name in columns for name in NEEDED)


def amounts_of(rows: Sequence[Row], plan: Mapping[str, int], header: int) -> Evidence:
    """Return what the file's amounts show of their decimal mark."""
    return marks_in(_cells(rows, [plan["amount"]], header))


def dates_of(rows: Sequence[Row], plan: Mapping[str, int], header: int) -> Evidence:
    """Return what the file's dates show of their order."""
    return days_in(_cells(rows, [plan[name] for name in ("at", "day") if name in plan], header))


def _cells(rows: Sequence[Row], places: Sequence[int], header: int) -> Iterable[str]:
    for _number, cells in rows[header + 1 :]:
        for place in places:
            if cells is not None and place < len(cells):
                yield cells[place]


def read_calls(rows: Sequence[Row], plan: Plan) -> Iterator[Theirs | Fault]:
    """Yield every call of the file, and a fault for every row that is none; lines that only add up are left out."""
    reader = _Reader(plan)
    for number, cells in rows[plan.header + 1 :]:
        if cells is None:
            yield Fault(number, "", "", _("The quotes in this line do not match."))
        elif not reader.is_total(cells):
            yield reader.read(number, cells)


class _InColumn(Exception):
    def __init__(self, column: str, value: str, words: str) -> None:
        self.column, self.value, self.words = column, value, words


class _Reader:
    """Reads the cells of one row after the other as the plan says."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._amounts: dict[str, int] = {}

    def is_total(self, cells: list[str]) -> bool:
        """Tell whether a row has an amount and neither a number nor a time: the sum at the end."""
        return not any(self._raw(cells, name) for name in ("called", "at", "day", "clock"))

    def read(self, number: int, cells: list[str]) -> Theirs | Fault:
        try:
            self._check_currency(cells)
            return Theirs(
                number,
                self._read(cells, "called", read_number),
                self._moment(cells),
                self._read(cells, "seconds", read_duration),
                self._amount(cells),
                self._text(cells, "destination")[:LONGEST_NAME],
            )
        except _InColumn as wrong:
            return Fault(number, wrong.column, wrong.value[:80].replace("\0", ""), wrong.words)

    def _raw(self, cells: list[str], name: str) -> str:
        place = self.plan.columns.get(name)
        return cells[place] if place is not None and place < len(cells) else ""

    def _text(self, cells: list[str], name: str) -> str:
        text = self._raw(cells, name)
        if "\0" in text:
            raise _InColumn(name, text, _("This cell has characters that are no text."))
        if text[:1] in ("=", "@"):
            raise _InColumn(name, text, _("This cell is a formula. Save the file with values instead of formulas."))
        return text

    def _read(self, cells: list[str], name: str, read: Callable[[str], T]) -> T:
        text = self._text(cells, name)
        try:
            return read(text)
        except Wrong as wrong:
            raise _InColumn(name, text, str(wrong)) from wrong

    def _amount(self, cells: list[str]) -> int:
        text = self._text(cells, "amount")
        known = self._amounts.get(text)
        if known is None:
            if not text:
                raise _InColumn("amount", "", _("There is no amount in this line."))
            known = self._amounts[text] = self._read(cells, "amount", lambda one: read_amount(one, self.plan.decimal))
        return known

    def _moment(self, cells: list[str]) -> int:
        if "at" in self.plan.columns and self._text(cells, "at"):
            return self._read(cells, "at", lambda text: read_at(text, self.plan.dates, self.plan.zone))
        both = f"{self._text(cells, 'day')} {self._text(cells, 'clock')}"
        try:
            return read_at(both.strip(), self.plan.dates, self.plan.zone)
        except Wrong as wrong:
            raise _InColumn("day", both, str(wrong)) from wrong

    def _check_currency(self, cells: list[str]) -> None:
        text = self._text(cells, "currency")
        if text and CURRENCY_SIGNS.get(text, text.upper()) != self.plan.currency:
            words = _("The file was said to be in %(currency)s.") % {"currency": self.plan.currency}
            raise _InColumn("currency", text, words)


def read_number(text: str) -> str:
    """Return the digits of a number with its country code, without the zeros before it; raises Wrong."""
    digits = re.sub(r"[\s()./+-]", "", text)
    if digits.startswith("00"):
        digits = digits[2:]
    if not _NUMBER.fullmatch(digits):
        raise Wrong(_("This is not a telephone number."))
    return digits


def read_at(text: str, order: str, zone: ZoneInfo) -> int:
    """Return a moment in milliseconds: with a zone of its own, in seconds since 1970, or on the zone's clock."""
    if _EPOCH.fullmatch(text):
        return int(text) * (1000 if len(text) == 10 else 1)
    try:
        own = datetime.fromisoformat(text)
    except ValueError:
        own = None
    if own is not None and not YEARS[0] <= own.year <= YEARS[1]:
        raise Wrong(_("A date between %(first)d and %(last)d is expected.") % {"first": YEARS[0], "last": YEARS[1]})
    if own is not None and own.tzinfo is not None:
        return round(own.astimezone(UTC).timestamp() * 1000)
    if own is not None and own.time().isoformat() != "00:00:00":
        # A plain ISO time, which most files have: read here at a fraction of the cost.
        return round(own.replace(tzinfo=zone).timestamp() * 1000)
    return round(read_moment(text, order, zone).timestamp() * 1000)


def read_duration(text: str) -> int:
    """Return seconds that are written as such, as 2:05 or as 0:02:05, rounded up; raises Wrong."""
    bare = text.strip().removesuffix("s").strip()
    if found := _PARTS.fullmatch(bare):
        seconds = int(found[1] or 0) * 3600 + int(found[2]) * 60 + int(found[3])
    elif found := _DECIMAL.fullmatch(bare):
        seconds = math.ceil(float(f"{found[1]}.{found[2] or 0}"))
    else:
        raise Wrong(_("Write a duration in seconds, or as 0:02:05."))
    if seconds > LONGEST_CALL:
        raise Wrong(_("A call of more than a week: the wrong column?"))
    return seconds
