"""The columns and filters of lists."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import Promise

from portal.ui import navigation, values
from portal.ui.cursor import lookup
from portal.ui.status import Status, status

Words = str | Promise
Choices = Iterable[tuple[Any, Words]]


@dataclass(frozen=True)
class Column:
    """One column: `name` is the attribute (or path `carrier__name`) that it shows, unless `value` computes it.

    `kind`: text, count, phone, money, total (a sum, rounded to the coin on the page), duration, when, status, code, or
    html for a component's own markup.
    `sort`: the field to sort by, True for the name itself. `link`: True for `get_absolute_url`, the name of the page
    that takes the row's key, or a function of the row.
    `card`: one of the facts that stay when a row becomes a card on a phone. `draw` (what it does not
    mark safe is escaped) or a `template` (with `row` and `value`): draws the cell.
    `link_needs` and `shown_to`: the capability without which the link, or the whole column, is not there.
    """

    name: str
    label: Words
    kind: str = "text"
    value: Callable[[Any], Any] | None = None
    link: bool | str | Callable[[Any], str] = False
    sort: str | bool = False
    card: bool = True
    draw: Callable[[Any], str] | None = None
    template: str = ""
    currency: str = "currency"
    help: Words = ""
    link_needs: str = ""
    shown_to: str = ""
    export: bool = True

    @property
    def sort_field(self) -> str:
        return self.name if self.sort is True else str(self.sort or "")

    @property
    def is_number(self) -> bool:
        return self.kind in ("count", "money", "total", "duration")

    @property
    def draws_itself(self) -> bool:
        return self.draw is not None or bool(self.template)

    def of(self, row: Any) -> Any:
        """Return the value that the row has in this column."""
        found = self.value(row) if self.value else lookup(row, self.name)
        return found() if callable(found) else found

    def url(self, row: Any) -> str:
        """Return where the cell leads."""
        if isinstance(self.link, str):
            return navigation.row_url(self.link, row.pk)
        if self.link is True:
            return str(row.get_absolute_url())
        return self.link(row) if callable(self.link) else ""

    def money_currency(self, row: Any) -> str:
        return str(lookup(row, self.currency) or "EUR")

    def text(self, row: Any) -> str:
        """Return the cell as an export writes it."""
        value = self.of(row)
        if value is None:
            return ""
        if self.kind == "status" or isinstance(value, Status):
            return str(status(value).word)
        if self.kind in ("money", "total"):
            return values.money(value, self.money_currency(row))
        if isinstance(value, datetime):
            return value.isoformat()
        return str(value)


@dataclass(frozen=True)
class Choice:
    """A filter with a list of choices; `field` (or `apply`) says what the chosen value narrows."""

    name: str
    label: Words
    choices: Choices | Callable[[HttpRequest], Choices]
    field: str = ""
    apply: Callable[[QuerySet[Any], str], QuerySet[Any]] | None = None
    kind: str = "choice"

    def options(self, request: HttpRequest) -> list[tuple[str, Words]]:
        found = self.choices(request) if callable(self.choices) else self.choices
        return [(str(value), label) for value, label in found]

    def narrow(self, queryset: QuerySet[Any], value: str, request: HttpRequest) -> QuerySet[Any]:
        """Return the rows that the value leaves; a value that is not offered leaves all."""
        if value not in dict(self.options(request)):
            return queryset
        return self.apply(queryset, value) if self.apply else queryset.filter(**{self.field or self.name: value})


@dataclass(frozen=True)
class Text:
    """A filter with a free text, such as an actor or a prefix; an `example` stands in it while it is empty."""

    name: str
    label: Words
    field: str = ""
    apply: Callable[[QuerySet[Any], str], QuerySet[Any]] | None = None
    kind: str = "text"
    example: str = ""

    def narrow(self, queryset: QuerySet[Any], value: str, request: HttpRequest) -> QuerySet[Any]:
        """Return the rows that hold the text."""
        value = value.replace("\0", "")[:200]
        return (
            self.apply(queryset, value)
            if self.apply
            else queryset.filter(**{f"{self.field or self.name}__icontains": value})
        )


@dataclass(frozen=True)
class Day:
    """A filter with a day, in the reader's zone; `bound` is `from` or `to` (that day included)."""

    name: str
    label: Words
    field: str
    bound: str = "from"
    kind: str = "date"

    def narrow(self, queryset: QuerySet[Any], value: str, request: HttpRequest) -> QuerySet[Any]:
        """Return the rows from that day on, or up to its end; what is no day leaves all."""
        edge = values.day_edge(value, end=self.bound == "to")
        if edge is None:
            return queryset
        return queryset.filter(**{f"{self.field}__{'lt' if self.bound == 'to' else 'gte'}": edge})


Filter = Choice | Text | Day


@dataclass(frozen=True)
class Action:
    """A button of the page or of the selection bar."""

    label: Words
    url_name: str
    icon: str = ""
    capability: str = ""
    danger: bool = False


@dataclass(frozen=True)
class Empty:
    """What an empty list says: a sentence, an example of what would stand here, and one button."""

    sentence: Words
    sample: Words = ""
    action: Action | None = None
    icon: str = "list"
