"""Lists: a class says what a list shows; search, filters, sorting, paging, export and refreshing come from here.

class TrunkList(ListPage):
    title, lead, topic = _("Trunks"), _("The lines to your carriers."), "carriers"
    columns = [
        Column("health", _("State"), kind="status"),
        Column("name", _("Name"), link=True, sort=True),
        Column("channels", _("Channels"), kind="count", sort=True),
    ]
    search_fields = ["name", "host"]
    filters = [Choice("health", _("State"), [("up", _("Up")), ("down", _("Down"))])]
    actions = [Action(_("New trunk"), "carriers:new", "plus", "carriers.change")]
    empty = Empty(_("No trunks yet."), _("For example “Carrier A, 30 channels”."), actions[0])

    def queryset(self):
        return selectors.trunks_for(self.request.tenant)

@requires("carriers.view")
def trunk_list(request):
    return TrunkList(request).response()
"""

from collections.abc import Iterable, Sequence
from functools import cached_property, lru_cache
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q, QuerySet, Sum
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from portal.core import audit, jobs
from portal.core.joined import Worded
from portal.core.whole import whole
from portal.ui import cursor, navigation, values
from portal.ui.columns import Action, Choice, Column, Day, Empty, Filter, Text
from portal.ui.export import csv_response

Words = str | Promise
SIZES = (25, 50, 100, 200)
EXPORT_AT_ONCE = 5_000

__all__ = ["Action", "Choice", "Column", "Day", "Empty", "ListPage", "Text"]


class ListPage:
    """A list page of one kind of thing; subclass it and say what differs."""

    title: Words = ""
    lead: Words = ""
    template = "components/list_page.html"
    topic = ""
    columns: Sequence[Column] = ()
    filters: Sequence[Filter] = ()
    search_fields: Sequence[str] = ()
    search_label: Words = _("Search")
    default_sort = "pk"
    tie = "pk"
    size = 25
    actions: Sequence[Action] = ()
    bulk: Sequence[Action] = ()
    empty = Empty(_("Nothing here yet."))
    export_name = ""
    export_job = ""
    counted = True
    # Amounts of which the sums over all rows found stand beside their count, in each currency.
    summed: Sequence[tuple[str, Words]] = ()
    # The fields that the page's cells show; all of them where none is named, and always in the export.
    shown_fields: Sequence[str] = ()

    def __init__(self, request: HttpRequest, **context: Any) -> None:
        self.request, self.context = request, context

    @staticmethod
    def everything() -> QuerySet[Any]:
        """Return all rows where they depend on nothing but the database's context: then a first page is worded once."""
        raise NotImplementedError

    def queryset(self) -> QuerySet[Any]:
        """Return everything that the reader may see here."""
        return self.everything()

    def search(self, queryset: QuerySet[Any], text: str) -> QuerySet[Any]:
        """Return the rows that the search text finds: each word in any of the search fields."""
        for word in text.split()[:8]:
            found = Q()
            for field in self.search_fields:
                found |= Q(**{f"{field}__icontains": word})
            queryset = queryset.filter(found)
        return queryset

    def visible_columns(self) -> Sequence[Column]:
        """Return the columns for this reader."""
        return [column for column in self.columns if self.may(column.shown_to)]

    def may(self, capability: str) -> bool:
        """Tell whether the reader holds the capability; everybody holds the empty one."""
        return not capability or bool(self.request.can(capability))  # type: ignore[attr-defined]

    def row_class(self, row: Any) -> str:
        """Return a class for a row that should stand out."""
        return ""

    @property
    def can_search(self) -> bool:
        return bool(self.search_fields) or type(self).search is not ListPage.search

    @property
    def text(self) -> str:
        return self.request.GET.get("q", "").replace("\0", "").strip()[:200]

    @cached_property
    def chosen(self) -> dict[str, str]:
        """Return the filters that are set."""
        found = {item.name: self.request.GET.get(item.name, "").strip() for item in self.filters}
        return {name: value for name, value in found.items() if value}

    @cached_property
    def sort(self) -> str:
        """Return the sort that the address asks for, where a column offers it."""
        asked = self.request.GET.get("sort", "")
        offered = {column.sort_field for column in self.visible_columns() if column.sort}
        return asked if asked.lstrip("-") in offered and not asked.startswith("--") else self.default_sort

    @property
    def page_size(self) -> int:
        asked = whole(self.request.GET.get("size", ""))
        return asked if asked in SIZES else self.size

    @property
    def is_narrowed(self) -> bool:
        return bool(self.text or self.chosen)

    @cached_property
    def found(self) -> QuerySet[Any]:
        """Return every row that search and filters leave, unsorted."""
        queryset = self.queryset()
        for item in self.filters:
            if item.name in self.chosen:
                queryset = item.narrow(queryset, self.chosen[item.name], self.request)
        return self.search(queryset, self.text) if self.text and self.can_search else queryset

    def in_order(self) -> QuerySet[Any]:
        """Return every row found as the pages show them one after another."""
        return cursor.ordered(self.found, self.sort.lstrip("-"), self.tie, self.sort.startswith("-"))

    @cached_property
    def count(self) -> int | None:
        return self.found.count() if self.counted else None

    def sums(self) -> Iterable[tuple[Words, str]]:
        """Return what the rows found come to: words, and a sum in each currency that has one."""
        if not self.summed:
            return
        named = {f"sum_{name}": Sum(name) for name, _label in self.summed}
        rows = list(self.found.order_by().values("currency").annotate(**named).order_by("currency"))
        for name, label in self.summed:
            amounts = [values.total(row[f"sum_{name}"], row["currency"]) for row in rows if row[f"sum_{name}"]]
            if amounts:
                yield label, ", ".join(amounts)

    @cached_property
    def page(self) -> cursor.Page:
        asked = self.request.GET.get("cursor", "")
        if not asked and not self.is_narrowed and type(self).queryset is ListPage.queryset:
            rows = _first_rows(type(self), self.sort, self.page_size).rows()  # type: ignore[arg-type]  # a class
            return cursor.cut(rows, self.sort, self.page_size, self.tie)
        found = self.found.only(*self.shown_fields) if self.shown_fields else self.found
        return cursor.page(found, self.sort, asked, self.page_size, self.tie)

    def address(self, **changes: str) -> str:
        """Return this list's address with some parameters changed; an empty value takes one away."""
        query = {name: value for name, value in self.request.GET.items() if name != "cursor"} | changes
        text = urlencode({name: value for name, value in query.items() if value})
        return f"?{text}" if text else self.request.path

    @property
    def without_text(self) -> str:
        return self.address(q="")

    @cached_property
    def next_url(self) -> str:
        return self.address(cursor=self.page.after) if self.page.after else ""

    @cached_property
    def previous_url(self) -> str:
        return self.address(cursor=self.page.before) if self.page.before else ""

    @cached_property
    def export_url(self) -> str:
        return self.address(export="csv") if self.export_name else ""

    def heads(self) -> Iterable[dict[str, Any]]:
        """Return the table's head: each column with the address that sorts by it and how it is sorted now."""
        for column in self.visible_columns():
            now = {column.sort_field: "ascending", f"-{column.sort_field}": "descending"}.get(self.sort, "")
            turned = f"-{column.sort_field}" if now == "ascending" else column.sort_field
            yield {"column": column, "sorted": now if column.sort else "", "url": self.address(sort=turned)}

    @cached_property
    def filter_fields(self) -> list[dict[str, Any]]:
        """Return the filters with their choices and what is chosen."""
        return [
            {
                "filter": item,
                "options": item.options(self.request) if isinstance(item, Choice) else [],
                "value": self.chosen.get(item.name, ""),
            }
            for item in self.filters
        ]

    def chips(self) -> Iterable[dict[str, Any]]:
        """Return what narrows the list now, each with the address without it."""
        for field in self.filter_fields:
            if field["value"]:
                label = dict(field["options"]).get(field["value"], field["value"])
                yield {"filter": field["filter"], "value": label, "url": self.address(**{field["filter"].name: ""})}

    def allowed(self, actions: Sequence[Action]) -> list[dict[str, Any]]:
        """Return the actions that the reader may take, with their addresses."""
        offered = [action for action in actions if self.may(action.capability)]
        found = [{"action": action, "url": navigation.page_url(action.url_name, self.request)} for action in offered]
        return [item for item in found if item["url"]]

    def buttons(self) -> list[dict[str, Any]]:
        return self.allowed(self.actions)

    @cached_property
    def bulk_buttons(self) -> list[dict[str, Any]]:
        return self.allowed(self.bulk)

    def empty_button(self) -> dict[str, Any] | None:
        return next(iter(self.allowed([self.empty.action] if self.empty.action else [])), None)

    def response(self) -> HttpResponse:
        """Answer with the page, with its live part alone where htmx asks for it, or with the export."""
        if self.request.GET.get("export") == "csv" and self.export_name:
            return self.export()
        fragment = getattr(getattr(self.request, "htmx", None), "target", None) == "list"
        template = "components/list.html" if fragment else self.template
        response = TemplateResponse(self.request, template, {"list": self, **self.context})
        patch_vary_headers(response, ["HX-Request", "HX-Target"])
        return response

    def export(self) -> HttpResponse:
        """Answer with the rows as CSV, or start a job where there are many and take the reader to its progress."""
        if self.export_job and self.found[EXPORT_AT_ONCE : EXPORT_AT_ONCE + 1].exists():
            query = self.request.GET.copy()
            query.pop("export", None)
            job = jobs.start(self.export_job, {"query": query.urlencode()}, by=self.request.actor)  # type: ignore[attr-defined]
            return HttpResponseRedirect(reverse("jobs:detail", args=[job.pk]))
        columns = [column for column in self.visible_columns() if column.export]
        rows = list(self.rows_to_export())
        self.note_export(len(rows))
        return csv_response(self.export_name, columns, rows)

    def note_export(self, rows: int) -> None:
        """Write into the audit log who took so many rows away; what was looked for may tell more than that."""
        audit.record(self.request.actor, f"{self.export_name}.exported", None, rows=rows)  # type: ignore[attr-defined]

    def rows_to_export(self) -> Iterable[Any]:
        """Return what stands in the export; a list whose rows are to be told more than they hold adds it here."""
        return self.in_order()


# Neither the reader nor the customer is within reach here, so nothing of theirs can be kept.
@lru_cache(maxsize=256)
def _first_rows(kind: type[ListPage], sort: str, size: int) -> Worded:
    found = kind.everything()
    if kind.shown_fields:
        found = found.only(*kind.shown_fields)
    return Worded(cursor.ordered(found, sort.lstrip("-"), kind.tie, sort.startswith("-"))[: size + 1])
