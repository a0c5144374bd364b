"""A file of rates as rows of cells: CSV from any program, or the sheet of an XLSX workbook. Pure: bytes in, rows out.

Nothing that a file says about itself is believed: not its size, not its number of rows, not that its formulas are
harmless.
"""

import csv
import io
import zipfile
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from itertools import islice
from typing import Any

from django.utils.translation import gettext as _
from openpyxl.reader.excel import SHARED_STRINGS, ExcelReader
from openpyxl.utils.exceptions import InvalidFileException

MOST_BYTES = 20 * 1024 * 1024
MOST_UNPACKED = 400 * 1024 * 1024
# Of what is not a sheet, such as its texts and styles, which are read before the first row: eight million bytes of them
# take a worker five seconds.
MOST_BESIDE = 64 * 1024 * 1024
MOST_PARTS = 2_000
MOST_ROWS = 500_000
MOST_COLUMNS = 60
MOST_SHEETS = 20
LONGEST_CELL = 2_000
_ZIP = b"PK\x03\x04"
_OLD_EXCEL = b"\xd0\xcf\x11\xe0"
_DELIMITERS = ";\t,|"
_LOOKED_AT = 60


class Unreadable(Exception):
    """The file as a whole makes no sense; the message is for the user."""


class Figure(str):
    """A number that a workbook holds as one, written with a decimal point: no mark of it is in question."""

    __slots__ = ()


# None is a line whose quotes do not match.
Row = tuple[int, list[str] | None]


@dataclass
class Table:
    """The rows of a file with their line numbers; empty ones are left out."""

    rows: list[Row]
    sheets: list[str] = field(default_factory=list)
    sheet: str = ""


def read_table(content: bytes, sheet: str = "") -> Table:
    """Return the rows of a CSV file, or of one sheet of a workbook: the named one, else the longest.

    Raises Unreadable.
    """
    if not content.strip():
        raise Unreadable(_("The file is empty."))
    if len(content) > MOST_BYTES:
        raise Unreadable(_("The file is larger than 20 MB. Split it."))
    if content.startswith(_OLD_EXCEL):
        raise Unreadable(_("This is an old or a protected Excel file. Save it as XLSX without a password, or as CSV."))
    return _workbook(content, sheet) if content.startswith(_ZIP) else _csv(content)


def _csv(content: bytes) -> Table:
    text = _decode(content)
    lines = text.split("\n")
    delimiter = _delimiter(lines)
    blank = f" \t{delimiter}"
    rows: list[Row] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip(blank):
            continue
        if len(rows) >= MOST_ROWS:
            raise Unreadable(_too_long())
        rows.append((number, _cells(line, delimiter)))
    return Table(rows)


def _cells(line: str, delimiter: str) -> list[str] | None:
    # Line by line: a stray quote spoils its own line and does not swallow the rest of the file.
    if '"' not in line:
        return [cell.strip() for cell in line.split(delimiter)[:MOST_COLUMNS]]
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter, strict=True))[:MOST_COLUMNS]]
    except csv.Error:
        return None


def _delimiter(lines: list[str]) -> str:
    """Return what stands equally often in most lines: a decimal comma stands in some cells and not in others."""
    looked_at = list(islice((line for line in lines if line.strip()), _LOOKED_AT))

    def weight(mark: str) -> tuple[int, int]:
        counts = Counter(count for line in looked_at if (count := line.count(mark)))
        often, lines_with = max(counts.items(), key=lambda item: item[1], default=(0, 0))
        return lines_with, often

    return max(_DELIMITERS, key=weight)


def _decode(content: bytes) -> str:
    encodings = ("utf-16",) if content[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "cp1252")
    for encoding in (*encodings, "latin-1"):
        try:
            text = content.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    # One kind of line end, so that line numbers are those of an editor.
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _workbook(content: bytes, wanted: str) -> Table:
    _refuse_bombs(content)
    try:
        # Formulas stay formulas: what a program once computed for them may be old, and is not what the cell says.
        reader = _Reader(io.BytesIO(content), read_only=True, data_only=False, keep_links=False)
        reader.read()
        book = reader.wb
        try:
            names = [sheet.title for sheet in book.worksheets[:MOST_SHEETS]]
            tables = {name: _sheet(book[name]) for name in names if not wanted or name == wanted or wanted not in names}
        finally:
            book.close()
    except Unreadable:
        raise
    # A broken or hostile workbook fails wherever openpyxl happens to trip over it.
    except (InvalidFileException, zipfile.BadZipFile, *_TRIPS) as error:
        raise Unreadable(_("This workbook is damaged. Save it again as XLSX, or as CSV.")) from error
    if not tables:
        raise Unreadable(_("There is no sheet in this workbook."))
    name = wanted if wanted in tables else max(tables, key=lambda each: len(tables[each]))
    return Table(tables[name], names, name)


_TRIPS = (KeyError, ValueError, TypeError, IndexError, AttributeError, SyntaxError, OverflowError, EOFError, OSError)


class _Reader(ExcelReader):  # type: ignore[misc]
    """openpyxl's reader, which finds the texts of cells by what the workbook says, wherever they lie."""

    def read_strings(self) -> None:
        part = self.package.find(SHARED_STRINGS)
        if part is not None and self.archive.getinfo(part.PartName[1:]).file_size > MOST_BESIDE:
            raise Unreadable(_too_large())
        super().read_strings()


def _refuse_bombs(content: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            infos = parts.infolist()
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise Unreadable(_("This workbook is damaged. Save it again as XLSX, or as CSV.")) from error
    # Reading a part stops at the size that it declares, so that what is declared is what can come.
    whole = sum(info.file_size for info in infos)
    beside = sum(info.file_size for info in infos if not info.filename.startswith("xl/worksheets/"))
    if len(infos) > MOST_PARTS or whole > MOST_UNPACKED or beside > MOST_BESIDE:
        raise Unreadable(_too_large())
    if any(info.flag_bits & 1 for info in infos):
        raise Unreadable(_("This workbook is protected by a password. Save it without one."))


def _sheet(sheet: Any) -> list[Row]:
    rows: list[Row] = []
    # A cell far to the right or below would make every row as wide, or the sheet as long.
    for number, cells in enumerate(sheet.iter_rows(values_only=True, max_col=MOST_COLUMNS), start=1):
        written = [_written(cell) for cell in cells]
        while written and not written[-1]:
            written.pop()
        if not written:
            if number > 2 * MOST_ROWS:
                raise Unreadable(_too_long())
            continue
        if len(rows) >= MOST_ROWS:
            raise Unreadable(_too_long())
        rows.append((number, written))
    return rows


def _written(cell: Any) -> str:
    """Return a workbook's cell as text; dates in the order of ISO 8601."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        return cell.strip()[:LONGEST_CELL]
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, int):
        return Figure(cell)
    if isinstance(cell, float):
        # Fifteen digits are what spreadsheet programs show; the rest is what binary fractions add.
        text = f"{cell:.15g}"
        return Figure(format(Decimal(text), "f") if "e" in text else text)
    if isinstance(cell, datetime):
        return cell.strftime("%Y-%m-%d %H:%M") if cell.time() != time() else cell.strftime("%Y-%m-%d")
    return cell.isoformat() if isinstance(cell, date) else str(cell)[:LONGEST_CELL]


def _too_large() -> str:
    return _("This workbook is too large when it is unpacked. Save only the sheet with the rates, as CSV.")


def _too_long() -> str:
    return _("Import at most %(most)s lines at a time.") % {"most": f"{MOST_ROWS:,}"}
