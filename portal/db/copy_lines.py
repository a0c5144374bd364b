"""Values as lines of PostgreSQL's COPY in its text format, where rows come by the thousand."""

import re
from functools import lru_cache
from time import gmtime, strftime
from typing import Any

import orjson

NULL = "\\N"
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_special = re.compile(r"[\\\t\n\r]").search


def text(value: str) -> str:
    """Return a text that may hold anything but NUL, which no database takes."""
    return value.translate(_ESCAPES) if _special(value) else value


def document(value: Any) -> str:
    """Return a value as JSON, None as NULL."""
    return NULL if value is None else orjson.dumps(value).decode().replace("\\", "\\\\")


def number(value: int | None) -> str:
    """Return a number, None as NULL."""
    return NULL if value is None else str(value)


def moment(ms: int | None) -> str:
    """Return a moment given in milliseconds since 1970 (UTC)."""
    return NULL if ms is None else f"{_second(ms // 1000)}.{ms % 1000:03}+00"


@lru_cache(10_000)  # a busy batch of calls is of few seconds
def _second(second: int) -> str:
    return strftime("%Y-%m-%d %H:%M:%S", gmtime(second))
