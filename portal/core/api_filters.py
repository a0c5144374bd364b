"""What narrows the lists of the API: a view set names its `filters`, which are described as they are applied.

What a filter does not understand is refused: a program that is shown more than it asked for would not notice.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ValidationError
from rest_framework.filters import BaseFilterBackend
from rest_framework.request import Request
from rest_framework.serializers import DateField, DateTimeField

from portal.core.whole import whole

LONGEST_TEXT = 200


@dataclass(frozen=True)
class Filter:
    """Narrows a list to the rows in which `lookup` is what was asked for."""

    lookup: str
    help: str = ""

    def narrow(self, rows: QuerySet[Any], text: str, view: Any) -> QuerySet[Any]:
        """Return the rows that are left; raises ValidationError where the text makes no sense here."""
        return rows.filter(**{self.lookup: self.value(text)})

    def value(self, text: str) -> Any:
        """Return what the text stands for."""
        return text[:LONGEST_TEXT]

    def schema(self) -> dict[str, Any]:
        """Return the kind of text that it takes, as OpenAPI says it."""
        return {"type": "string"}


class Number(Filter):
    """An id or another whole number."""

    def value(self, text: str) -> int:
        number = whole(text)
        if number is None:
            raise ValidationError(_("Use a whole number."))
        return number

    def schema(self) -> dict[str, Any]:
        return {"type": "integer"}


class Day(Filter):
    """A day such as 2026-11-27."""

    def value(self, text: str) -> Any:
        return DateField().to_internal_value(text)

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "format": "date"}


class Moment(Filter):
    """A moment such as 2026-11-27T08:00:00Z."""

    def value(self, text: str) -> Any:
        return DateTimeField().to_internal_value(text)

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "format": "date-time"}


@dataclass(frozen=True)
class Choice(Filter):
    """One of some words, such as those of a state."""

    offered: tuple[str, ...] = ()

    def value(self, text: str) -> str:
        if text not in self.offered:
            raise ValidationError(_("Use one of: %(words)s.") % {"words": ", ".join(self.offered)})
        return text

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "enum": list(self.offered)}


@dataclass(frozen=True)
class Condition(Choice):
    """One of some words that each stand for a condition."""

    conditions: Mapping[str, Callable[[], Q]] | None = None

    def narrow(self, rows: QuerySet[Any], text: str, view: Any) -> QuerySet[Any]:
        assert self.conditions is not None
        return rows.filter(self.conditions[self.value(text)]())


@dataclass(frozen=True)
class Found(Filter):
    """A text by which a selector finds rows."""

    find: Callable[[Any, str], QuerySet[Any]] | None = None

    def narrow(self, rows: QuerySet[Any], text: str, view: Any) -> QuerySet[Any]:
        assert self.find is not None
        return self.find(rows, self.value(text))


Filters = Mapping[str, Filter]


def one_of(lookup: str, choices: type[Any], help: str = "") -> Choice:
    """Return a filter for a field with choices."""
    return Choice(lookup, help, tuple(choices.values))


def when(conditions: Mapping[str, Callable[[], Q]], help: str = "") -> Condition:
    """Return a filter of words that stand for conditions."""
    return Condition("", help, tuple(conditions), conditions)


def found(find: Callable[[Any, str], QuerySet[Any]], help: str = "") -> Found:
    """Return a filter that finds rows by a text."""
    return Found("", help, find)


def between(field: str) -> dict[str, Filter]:
    """Return the filters `from` and `to` of a field that holds moments."""
    return {"from": Moment(f"{field}__gte", "The earliest."), "to": Moment(f"{field}__lt", "The first after the last.")}


CUSTOMER: dict[str, Filter] = {"customer": Number("tenant", "A customer's id.")}


def narrowed(rows: QuerySet[Any], view: Any, filters: Filters) -> QuerySet[Any]:
    """Return the rows that the filters in the address of the view's request leave."""
    for name, each in filters.items():
        text = view.request.query_params.get(name, "")
        if not text:
            continue
        if "\0" in text:
            raise ValidationError({name: [_("Null characters are not allowed.")]})
        try:
            rows = each.narrow(rows, text, view)
        except ValidationError as error:
            raise ValidationError({name: error.detail})
    return rows


def described(filters: Filters) -> list[OpenApiParameter]:
    """Return the filters for the description of a call that narrows what it lists itself."""
    return [OpenApiParameter(name, each.schema(), description=each.help) for name, each in filters.items()]


class Narrowing(BaseFilterBackend):
    """Narrows a view set's list by its `filters`; a single object is there or not, whatever the address says beside."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        return narrowed(queryset, view, _filters_of(view))

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        return [
            {"name": name, "in": "query", "required": False, "description": each.help, "schema": each.schema()}
            for name, each in _filters_of(view).items()
        ]


def _filters_of(view: Any) -> Filters:
    filters: Filters = getattr(view, "filters", {}) if getattr(view, "action", "") == "list" else {}
    return filters
