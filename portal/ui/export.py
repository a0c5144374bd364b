"""Writes lists as CSV that spreadsheets read and that cannot harm who opens it."""

import csv
import io
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.http import HttpResponse
from django.utils import timezone

from portal.ui.columns import Column

# A spreadsheet takes a text that begins like this for a formula, in some countries by its wide letters too; a phone
# number, cut or not, or an amount is none.
FORMULA = re.compile(r"^\s*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]")
NUMBER = re.compile(r"[+-]?[0-9]+(\*+|[.,][0-9]+)?", re.ASCII)
# Where the comma is the decimal mark, it cuts lines at semicolons, and our quotes in the midst of one tell it nothing.
_BLANK = r"[^\S\t\r\n]*"
CUT_IN_TWO = re.compile(
    rf"(?<=[;\t\r\n])(?!{_BLANK}{NUMBER.pattern}{_BLANK}(?:[;\r\n]|\Z))(?={_BLANK}[=+\-@\uff1d\uff0b\uff0d\uff20])"
)
BYTE_ORDER_MARK = "\ufeff"


def csv_lines(columns: Sequence[Column], rows: Iterable[Any]) -> Iterator[str]:
    """Return the export line by line, the head first."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    head = [str(column.label) for column in columns]
    for cells in itertools.chain([head], ([column.text(row) for column in columns] for row in rows)):
        writer.writerow([harmless(cell) for cell in cells])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def csv_response(name: str, columns: Sequence[Column], rows: Iterable[Any]) -> HttpResponse:
    """Answer with the rows as a file.

    The rows are read before the answer leaves: afterwards the request's database context is gone.
    """
    response = HttpResponse(BYTE_ORDER_MARK + "".join(csv_lines(columns, rows)), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}-{timezone.localdate():%Y-%m-%d}.csv"'
    return response


def harmless(cell: str) -> str:
    """Return the cell with a quote before what a spreadsheet would run, or would after it has cut the cell in two."""
    whole = CUT_IN_TWO.sub("'", cell)
    return f"'{whole}" if FORMULA.match(cell) and not NUMBER.fullmatch(cell) else whole
