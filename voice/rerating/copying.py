"""Rows of fixed width between the database and arrays, by COPY in its binary form: a million rows in a second.

Every column has one width and no row lacks a value; whoever asks sees to that with `coalesce` and `rpad`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from django.db import connection
from numpy.typing import NDArray
from psycopg import sql

# Eleven bytes that name the form, four for flags, four for the length of what follows: none.
_HEAD = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_END = b"\xff\xff"
_ARRAY_HEAD = 20
# How each type of column travels: big-endian, as the database sends it.
KINDS = {"int2": ">i2", "int4": ">i4", "int8": ">i8", "moment": ">i8", "uuid": "V16", "number": "V16"}
Rows = NDArray[Any]
_PIECE = 1 << 22
# Moments are microseconds since 2000.
_Y2000 = 946_684_800_000


class NotFixed(ValueError):
    """What came is not rows of the widths that were asked for."""


def read(query: str, params: Mapping[str, Any], columns: Mapping[str, str]) -> dict[str, Rows]:
    """Return what a query selects, each of `columns` by its kind; no value may be null.

    The database hands each column over whole: a row at a time would cost more than pricing it.
    """
    gathered = ", ".join(f"array_agg({name})" for name in columns)
    with connection.cursor() as cursor:
        statement = f"COPY (SELECT {gathered} FROM ({query}) rows) TO STDOUT (FORMAT BINARY)"  # noqa: S608 constants
        # With DEBUG Django's cursor takes no parameters here; the one inside does.
        with cursor.cursor.copy(statement, params) as copy:
            whole = b"".join(copy)
    if whole[: len(_HEAD)] != _HEAD:
        raise NotFixed("This is not the binary form of COPY.")
    found, place = {}, len(_HEAD) + 2
    for name, kind in columns.items():
        length = int.from_bytes(whole[place : place + 4], "big", signed=True)
        found[name] = _column(whole, place + 4, length, name, kind)
        place += 4 + max(length, 0)
    return found


def _column(whole: bytes, place: int, length: int, name: str, kind: str) -> Rows:
    """Return one array of the database: twenty bytes of head, then each value with its width before it."""
    layout = np.dtype([("width", ">i4"), ("value", KINDS[kind])])
    if length <= 0:
        return np.zeros(0, dtype=layout["value"])
    if (length - _ARRAY_HEAD) % layout.itemsize:
        raise NotFixed(f"{name} has not the same width in all rows.")
    count = (length - _ARRAY_HEAD) // layout.itemsize
    rows = np.frombuffer(whole, dtype=layout, offset=place + _ARRAY_HEAD, count=count)
    if (rows["width"] != layout["value"].itemsize).any():
        raise NotFixed(f"{name} has not the same width in all rows.")
    return rows["value"]


def write(table: str, columns: Mapping[str, str], values: Mapping[str, Any], count: int) -> None:
    """Add rows to a table that this transaction has made, a column each."""
    rows = np.zeros(count, dtype=_layout(columns))
    rows["columns"] = len(columns)
    for name, kind in columns.items():
        rows[f"{name} width"] = np.dtype(KINDS[kind]).itemsize
        rows[name] = values[name]
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY, FREEZE)").format(sql.Identifier(table), names)
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(_HEAD)
        for piece in _pieces(rows):
            copy.write(piece)
        copy.write(_END)


def milliseconds(moments: Rows) -> NDArray[np.int64]:
    """Return moments as milliseconds since 1970."""
    micros: NDArray[np.int64] = moments.astype(np.int64)
    return (micros + 500) // 1000 + _Y2000


def _pieces(rows: Rows) -> Iterator[memoryview]:
    whole = rows.view(np.uint8).reshape(-1).data
    for first in range(0, len(whole), _PIECE):
        yield whole[first : first + _PIECE]


def _layout(columns: Mapping[str, str]) -> np.dtype[Any]:
    fields: list[tuple[str, str]] = [("columns", ">i2")]
    for name, kind in columns.items():
        fields += [(f"{name} width", ">i4"), (name, KINDS[kind])]
    return np.dtype(fields)
