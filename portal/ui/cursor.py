"""Pages through a sorted queryset by the last row seen, so that page 500 costs what page 1 costs."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core import signing
from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import DataError
from django.db.models import F, Q, QuerySet
from django.utils.functional import Promise

SALT = "portal.ui.cursor"


class Encoder(DjangoJSONEncoder):
    """Writes moments whole: cut to milliseconds, as Django's does, a cursor would find its own row again."""

    def default(self, o: Any) -> Any:
        return o.isoformat() if isinstance(o, datetime) else super().default(o)


class Serializer(signing.JSONSerializer):
    """Lets moments, amounts and ids stand in a cursor."""

    def dumps(self, obj: Any) -> bytes:
        return Encoder(separators=(",", ":")).encode(obj).encode()


@dataclass(frozen=True)
class Page:
    rows: list[Any]
    after: str
    before: str


def page(queryset: QuerySet[Any], sort: str, cursor: str, size: int, tie: str = "pk") -> Page:
    """Return the page that the cursor names, or the first one where it names none that can be read."""
    field, descending = sort.lstrip("-"), sort.startswith("-")
    try:
        value, key, backwards = read(cursor)
        rows = fetch(
            queryset.filter(beyond(field, value, tie, key, descending, backwards)),
            field,
            tie,
            descending,
            backwards,
            size,
        )
    except (signing.BadSignature, ValueError, TypeError, ValidationError, DataError):
        backwards, rows = False, fetch(queryset, field, tie, descending, False, size)
    return cut(rows, sort, size, tie, backwards=backwards, started=bool(cursor) and not backwards)


def cut(
    rows: list[Any], sort: str, size: int, tie: str = "pk", *, backwards: bool = False, started: bool = False
) -> Page:
    """Return the page of these rows, of which one more was fetched than it holds where there are more."""
    field = sort.lstrip("-")
    more = len(rows) > size
    rows = rows[:size]
    if backwards:
        rows.reverse()
    has_after, has_before = (True, more) if backwards else (more, started)
    return Page(
        rows,
        write(rows[-1], field, tie, False) if rows and has_after else "",
        write(rows[0], field, tie, True) if rows and has_before else "",
    )


def fetch(queryset: QuerySet[Any], field: str, tie: str, descending: bool, backwards: bool, size: int) -> list[Any]:
    """Return one row more than the page holds, so that the next link shows only where there is a next page."""
    return list(ordered(queryset, field, tie, descending, backwards)[: size + 1])


def ordered(queryset: QuerySet[Any], field: str, tie: str, descending: bool, backwards: bool = False) -> QuerySet[Any]:
    """Return the rows in the order of a page's, or of one that is read from its end."""
    down = descending != backwards
    first = F(field).desc(nulls_first=True) if down and backwards else F(field).desc(nulls_last=True)
    if not down:
        first = F(field).asc(nulls_first=True) if backwards else F(field).asc(nulls_last=True)
    second = F(tie).desc() if backwards else F(tie).asc()
    return queryset.order_by(first, second)


def beyond(field: str, value: Any, tie: str, key: Any, descending: bool, backwards: bool) -> Q:
    """Return the condition for the rows after (or before) the one named; rows without a value stand at the end."""
    later = Q(**{f"{tie}__{'lt' if backwards else 'gt'}": key})
    if value is None:
        within = Q(**{f"{field}__isnull": True}) & later
        return within | Q(**{f"{field}__isnull": False}) if backwards else within
    further = Q(**{f"{field}__{'lt' if descending != backwards else 'gt'}": value})
    rest = further | (Q(**{field: value}) & later)
    return rest if backwards else rest | Q(**{f"{field}__isnull": True})


def write(row: Any, field: str, tie: str, backwards: bool) -> str:
    """Return the signed cursor that names a row."""
    value, key = lookup(row, field), lookup(row, tie)
    value = str(value) if isinstance(value, Promise) else value
    return signing.dumps([value, key, backwards], salt=SALT, serializer=Serializer)


def read(cursor: str) -> tuple[Any, Any, bool]:
    """Return what a cursor names; raises BadSignature for what this portal has not written."""
    value, key, backwards = signing.loads(cursor, salt=SALT, serializer=Serializer)
    return value, key, bool(backwards)


def lookup(row: Any, path: str) -> Any:
    """Return the value at a path such as `carrier__name`."""
    for name in path.split("__"):
        row = row.get(name) if isinstance(row, dict) else getattr(row, name, None)
    return row
