"""Numbers as people bring them: ranges, CSV from any spreadsheet program. Pure: text in, rows or faults out."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache

import phonenumbers
from django.utils.translation import gettext as _
from phonenumbers import PhoneNumberType

from portal.core.whole import whole
from voice.inventory.models import StockNumber

MOST_IN_RANGE = 10_000
MOST_NUMBERS = 200_000
MICRO = 1_000_000
KINDS = {
    PhoneNumberType.MOBILE: StockNumber.Kind.MOBILE,
    PhoneNumberType.TOLL_FREE: StockNumber.Kind.TOLL_FREE,
    PhoneNumberType.VOIP: StockNumber.Kind.NATIONAL,
    PhoneNumberType.UAN: StockNumber.Kind.NATIONAL,
    PhoneNumberType.SHARED_COST: StockNumber.Kind.NATIONAL,
}
COLUMNS = {
    "number": (
        "number",
        "e164",
        "phone",
        "phone number",
        "telephone",
        "telephone number",
        "did",
        "rufnummer",
        "nummer",
    ),
    "first": ("first", "from", "start", "von"),
    "last": ("last", "to", "end", "bis"),
    "count": ("count", "size", "anzahl"),
    "country": ("country", "land"),
    "kind": ("kind", "type", "art"),
    "carrier": ("carrier", "netzbetreiber"),
    "monthly_cost": ("monthly_cost", "monthly cost", "cost", "price", "kosten"),
}
NAMES = {spelling: column for column, spellings in COLUMNS.items() for spelling in spellings}
# What spreadsheet programs do to numbers: ="+49301" keeps the plus, 4.93012E+11 has lost the digits.
TEXT_FORMULA = re.compile(r'="([^"]*)"')
SCIENTIFIC = re.compile(r"[0-9][.,]?[0-9]*[eE]\+?[0-9]+")
RANGE = re.compile(r"(?P<first>[+0-9 ()./-]*?[0-9)])\s*(?:-|–|\.\.|/|to|bis)\s*(?P<last>\+?[0-9 ()]+)")
E164 = re.compile(r"\+[1-9][0-9]{6,14}")
# A range may end with only its last digits; more than this is a whole number.
SHORT_END = 5
# Four digits after a dash are the end of a number in North America.
SHORTEST_PART = 4
COUNT = re.compile(r"(?P<first>[+0-9 ()./-]+?)\s*[x×*]\s*(?P<count>[0-9]{1,6})")


@dataclass(frozen=True)
class Row:
    """One number to add to the stock, and the line of the file it comes from."""

    row: int
    e164: str
    country: str
    kind: str
    carrier: str = ""
    monthly_cost: int | None = None


@dataclass(frozen=True)
class Fault:
    """What is wrong with one line: which column, what stands there, and why it cannot be."""

    row: int
    column: str
    value: str
    words: str


class Unreadable(Exception):
    """The file as a whole makes no sense; the message is for the user."""


class _Wrong(Exception):
    def __init__(self, column: str, value: str, words: str) -> None:
        self.fault = (column, value[:80], words)


def parse(content: bytes, country: str) -> Iterator[Row | Fault]:
    """Yield every number of the file, and a fault for every line that has none; national numbers are of `country`."""
    text = _decode(content)
    delimiter = _delimiter(text)
    columns: dict[str, int] | None = None
    seen: dict[str, int] = {}
    for row, line in enumerate(text.split("\n"), start=1):
        if not line.strip(f" \t{delimiter}"):
            continue
        try:
            # Line by line: a stray quote spoils its own line and does not swallow the rest of the file.
            cells = next(csv.reader([line], delimiter=delimiter, strict=True))
        except csv.Error:
            yield Fault(row, "", line[:80], _("The quotes in this line do not match."))
            continue
        if columns is None:
            columns = _header(cells)
            if columns:
                continue
            columns = {"number": 0}
        yield from _line(row, cells, columns, country, seen)
        if len(seen) > MOST_NUMBERS:
            raise Unreadable(_("Import at most %(most)s numbers at a time.") % {"most": f"{MOST_NUMBERS:,}"})


def _line(
    row: int, cells: list[str], columns: dict[str, int], country: str, seen: dict[str, int]
) -> Iterator[Row | Fault]:
    try:
        found = list(_numbers(row, {name: _cell(cells, place, name) for name, place in columns.items()}, country))
    except _Wrong as wrong:
        yield Fault(row, *wrong.fault)
        return
    for number in found:
        earlier = seen.setdefault(number.e164, row)
        if earlier != row:
            yield Fault(row, "number", number.e164, _("This number is also in line %(line)d.") % {"line": earlier})
        else:
            yield number


def _numbers(row: int, cells: dict[str, str], country: str) -> Iterator[Row]:
    region = cells.get("country", "").upper() or country
    if region not in phonenumbers.SUPPORTED_REGIONS:
        raise _Wrong("country", region, _("Use a country code of two letters, for example DE."))
    first, last = _ends(cells, region)
    kind, cost, carrier = _kind(cells.get("kind", "")), _cost(cells.get("monthly_cost", "")), cells.get("carrier", "")
    own_country, own_kind = _plan(first) or (region, StockNumber.Kind.GEOGRAPHIC)
    for digits in range(int(first[1:]), int(last[1:]) + 1):
        yield Row(row, f"+{digits}", own_country, kind or own_kind, carrier, cost)


def _ends(cells: dict[str, str], region: str) -> tuple[str, str]:
    """Return the first and the last number of the line: the same one, when it is no range."""
    text, last, count = cells.get("number") or cells.get("first", ""), cells.get("last", ""), cells.get("count", "")
    column = "number" if cells.get("number") else "first"
    if not text:
        raise _Wrong("number", "", _("There is no number in this line."))
    if not last and not count:
        if counted := COUNT.fullmatch(text):
            text, count = counted["first"], counted["count"]
        elif (ranged := RANGE.fullmatch(text)) and _is_range(text, ranged["first"], ranged["last"], region):
            text, last = ranged["first"], ranged["last"]
    begin = _e164(text, region, column)
    if count:
        many = whole(count)
        if many is None or not 1 <= many <= MOST_IN_RANGE:
            raise _Wrong("count", count, _("A range has 1 to %(most)s numbers.") % {"most": f"{MOST_IN_RANGE:,}"})
        end = f"+{int(begin[1:]) + many - 1}"
        if len(end) != len(begin):
            raise _Wrong("count", count, _("The range runs past the end of its digits."))
        return begin, end
    return begin, _last(begin, last, region) if last else begin


def _last(begin: str, text: str, region: str) -> str:
    """Return the end of a range: a whole number, or only its last digits."""
    digits = re.sub(r"\D", "", text)
    if not text.startswith("+") and len(digits) <= SHORT_END:
        end = begin[: len(begin) - len(digits)] + digits
    else:
        end = _e164(text, region, "last")
    size = int(end[1:]) - int(begin[1:])
    if len(end) != len(begin) or size < 0:
        raise _Wrong("last", text, _("The range must end after its first number and have as many digits."))
    if size >= MOST_IN_RANGE:
        raise _Wrong("last", text, _("A range has 1 to %(most)s numbers.") % {"most": f"{MOST_IN_RANGE:,}"})
    return end


def _is_range(text: str, first: str, last: str, region: str) -> bool:
    """Tell +49301234500-99, a range, from 206-555-0100 and 030 1234-0, which are numbers with dashes in them."""
    if not _is_number(text, region) or last.startswith("+"):
        return True
    return len(last) < SHORTEST_PART and last != "0" and _is_number(first, region)


def _is_number(text: str, region: str) -> bool:
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(text, region))
    except phonenumbers.NumberParseException:
        return False


@lru_cache(maxsize=50_000)
def _block(digits: str, length: int) -> tuple[str, str] | None:
    # National plans are cut in blocks of a hundred or more, so one answer serves the block.
    number = phonenumbers.parse(f"+{digits}{'0' * (length - len(digits))}")
    if not phonenumbers.is_valid_number(number):
        return None
    kind = KINDS.get(phonenumbers.number_type(number), StockNumber.Kind.GEOGRAPHIC)
    return str(phonenumbers.region_code_for_number(number)), kind


def _plan(e164: str) -> tuple[str, str] | None:
    """Return the country and kind of a number, or None where its plan has no such number."""
    return _block(e164[1:-2], len(e164) - 1)


def _e164(text: str, region: str, column: str) -> str:
    if E164.fullmatch(text) and _plan(text):
        return text
    if SCIENTIFIC.fullmatch(text):
        words = _("Your spreadsheet program rounded this number. Format the column as text and save the file again.")
        raise _Wrong(column, text, words)
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        raise _Wrong(column, text, _("This is not a telephone number."))
    if number.extension or not phonenumbers.is_possible_number(number):
        raise _Wrong(column, text, _("This number has too few or too many digits."))
    if not phonenumbers.is_valid_number(number):
        words = _("No number like this exists in the plan of %(country)s.")
        raise _Wrong(
            column, text, words % {"country": phonenumbers.region_code_for_country_code(number.country_code or 0)}
        )
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def _kind(text: str) -> str:
    if not text:
        return ""
    wanted = text.strip().lower().replace("-", "_").replace(" ", "_")
    if wanted not in StockNumber.Kind.values:
        words = _("Use one of: %(kinds)s.") % {"kinds": ", ".join(StockNumber.Kind.values)}
        raise _Wrong("kind", text, words)
    return wanted


def _cost(text: str) -> int | None:
    if not text:
        return None
    try:
        amount = Decimal(text.replace(",", "."))
        if not 0 <= amount < 1_000_000:
            raise InvalidOperation
    except InvalidOperation:
        raise _Wrong("monthly_cost", text, _("Write the cost as a number, for example 0.45."))
    return int((amount * MICRO).to_integral_value("ROUND_HALF_UP"))


def _cell(cells: list[str], place: int, column: str) -> str:
    text = cells[place].strip() if place < len(cells) else ""
    kept = TEXT_FORMULA.fullmatch(text)
    text = kept[1].strip() if kept else text
    if text[:1] in ("=", "@") or (text[:1] in ("+", "-") and re.search(r"[A-Za-z(!]{2}", text)):
        raise _Wrong(column, text, _("This cell is a formula. Save the file with values instead of formulas."))
    if "\0" in text:
        raise _Wrong(column, "", _("This cell has characters that are no text."))
    return text


def _header(cells: list[str]) -> dict[str, int] | None:
    """Return which column stands where, or None when the first line is data."""
    known = {NAMES.get(cell.strip().lower().replace("_", " "), NAMES.get(cell.strip().lower())): place
             for place, cell in enumerate(cells)}  # fmt: skip
    columns = {name: place for name, place in known.items() if name}
    if columns and not ({"number", "first"} & set(columns)):
        raise Unreadable(_("The file needs a column named number, or first and last."))
    return columns or None


def _delimiter(text: str) -> str:
    first = next((line for line in text.splitlines() if line.strip()), "")
    return max(";\t,", key=first.count) if any(mark in first for mark in ";\t,") else ";"


def _decode(content: bytes) -> str:
    for encoding in _encodings(content):
        try:
            text = content.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    # One kind of line end, so that line numbers are those of an editor.
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _encodings(content: bytes) -> tuple[str, ...]:
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return ("utf-16", "latin-1")
    return ("utf-8-sig", "cp1252", "latin-1")
