"""What stands above a list's rows, the filters and the table's head, drawn in Python as the rows are."""

from html import escape
from typing import TYPE_CHECKING, Any

from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from portal.ui import markup
from portal.ui.columns import Column

if TYPE_CHECKING:
    from portal.ui.lists import ListPage

SORT_ICONS = {"ascending": "sort-ascending", "descending": "sort-descending"}


def table_head(page: "ListPage") -> SafeString:
    """Return the cells of the table's head; a column that can be sorted by links to the list sorted so."""
    cells = [_head(head["column"], head["sorted"], head["url"]) for head in page.heads()]
    # Every part is escaped already.
    return mark_safe("".join(cells))  # noqa: S308


def _head(column: Column, sorted_: str, url: str) -> str:
    if not column.label:
        return "<td></td>"
    number = ' class="num"' if column.is_number else ""
    sort = f' aria-sort="{sorted_}"' if sorted_ else ""
    label: str = conditional_escape(str(column.label))
    if column.sort:
        to = escape(url)
        icon = markup.icon(SORT_ICONS[sorted_]) if sorted_ else markup.icon("arrows-sort", css="idle")
        label = (
            f'<a href="{to}" hx-get="{to}" hx-target="#list" hx-swap="outerHTML" hx-push-url="true">{label}{icon}</a>'
        )
    return f'<th scope="col"{number}{sort}>{label}</th>'


def filters(page: "ListPage") -> SafeString:
    """Return the filters with what is chosen in them."""
    every = escape(_("All"))
    # Every part is escaped already.
    return mark_safe("".join([_filter(field, every) for field in page.filter_fields]))  # noqa: S308


def _filter(field: dict[str, Any], every: str) -> str:
    kind, name, value = field["filter"].kind, escape(field["filter"].name), field["value"]
    if kind == "choice":
        options = "".join([_option(each, label, value) for each, label in field["options"]])
        control = (
            f'<select class="form-select" id="filter-{name}" name="{name}"><option value="">{every}</option>'
            f"{options}</select>"
        )
    else:
        example = getattr(field["filter"], "example", "")
        placeholder = f' placeholder="{escape(example)}"' if example else ""
        control = (
            f'<input class="form-control" id="filter-{name}" type="{kind}" name="{name}" value="{escape(value)}"'
            f"{placeholder}>"
        )
    label = conditional_escape(str(field["filter"].label))
    return f'<div class="tool-filter"><label for="filter-{name}">{label}</label>{control}</div>'


def _option(value: str, label: Any, chosen: str) -> str:
    selected = " selected" if value == chosen else ""
    return f'<option value="{escape(value)}"{selected}>{conditional_escape(str(label))}</option>'
