"""The rows of a list's page, drawn in Python: a template for each of a hundred cells costs more than the database.

What all rows have in common is settled once for a column; what is left runs once for a cell.
"""

from collections.abc import Callable
from datetime import date, datetime
from html import escape
from typing import TYPE_CHECKING, Any

from django.template.base import render_value_in_context
from django.template.context import Context
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from portal.ui import markup, values
from portal.ui.columns import Column
from portal.ui.cursor import lookup
from portal.ui.status import status

if TYPE_CHECKING:
    from portal.ui.lists import ListPage

Drawer = Callable[[Any], str]

# A word with more letters is an address, a key or the like, which may break anywhere.
LONG, SHORT = 20, 10

BY_KIND: dict[str, Callable[[Any], str]] = {
    "status": lambda value: markup.chip(status(value)),
    "phone": markup.phone,
    "when": markup.when,
    "ago": lambda value: markup.when(value, "ago"),
    "duration": values.duration,
    "code": lambda value: _code(str(value)) if value not in (None, "") else markup.NONE,
}


def _code(value: str) -> SafeString:
    # What is short stays whole: half of a dial code is another one.
    return format_html("<code>{}</code>" if len(value) > SHORT else '<code class="whole">{}</code>', value)


def draw(page: "ListPage", context: Context) -> SafeString:
    """Return the table rows of the list's page."""
    opening = _opening(page)
    cells = [_cell(column, page, context) for column in page.visible_columns()]
    lines = [f"{opening(row)}{''.join([cell(row) for cell in cells])}</tr>" for row in page.page.rows]
    # Every cell is escaped already.
    return mark_safe("\n".join(lines))  # noqa: S308


def _opening(page: "ListPage") -> Drawer:
    """Return what draws a row's beginning: its class, and the box to pick it where there is something to do with it."""
    pick = escape(_("Select %(name)s")) if page.bulk_buttons else ""

    def opening(row: Any) -> str:
        css = page.row_class(row)
        begin = f'<tr class="{escape(css)}" data-row>' if css else "<tr data-row>"
        if not pick:
            return begin
        value, name = escape(str(lookup(row, page.tie))), escape(str(row))
        return (
            f'{begin}<td class="pick"><input class="form-check-input" type="checkbox" name="pick" value="{value}"'
            f' aria-label="{pick % {"name": name}}"></td>'
        )

    return opening


def _cell(column: Column, page: "ListPage", context: Context) -> Drawer:
    """Return what draws the column's cell in a row."""
    css = " ".join(name for name, holds in (("num", column.is_number), ("off-card", not column.card)) if holds)
    opening = format_html('<td data-label="{}" class="{}">', column.label, css)
    shown = _shown(column, context)
    if not column.link or not page.may(column.link_needs):
        return lambda row: f"{opening}{_escaped(shown(row))}</td>"
    # A button cannot stand within a link.
    linked = _phone_in_link(column) if column.kind == "phone" and not column.draws_itself else shown

    def cell(row: Any) -> str:
        url = column.url(row)
        if not url:
            return f"{opening}{_escaped(shown(row))}</td>"
        return f'{opening}<a class="row-link" href="{escape(url)}">{_escaped(linked(row))}</a></td>'

    return cell


def _shown(column: Column, context: Context) -> Drawer:
    """Return what stands in the column's cells; what it does not mark safe is escaped by the caller."""
    if column.draw is not None:
        return column.draw
    if column.template:
        return _by_template(column, context)
    if column.kind in ("money", "total"):
        drawn_money = markup.total if column.kind == "total" else markup.money
        return lambda row: drawn_money(column.of(row), column.money_currency(row))
    if column.kind in BY_KIND:
        drawn = BY_KIND[column.kind]
        return lambda row: drawn(column.of(row))

    def text(row: Any) -> str:
        value = column.of(row)
        if value is None or value == "":
            return markup.NONE
        if isinstance(value, date) and not isinstance(value, datetime):
            return markup.day(value)
        words = value if isinstance(value, str) else render_value_in_context(value, context)
        if len(words) > LONG and not hasattr(words, "__html__") and max(map(len, words.split()), default=0) > LONG:
            return format_html('<span class="long">{}</span>', words)
        return words

    return text


def _phone_in_link(column: Column) -> Drawer:
    return lambda row: markup.phone(column.of(row), copy=False)


def _by_template(column: Column, context: Context) -> Drawer:
    template = context.template.engine.get_template(column.template)  # type: ignore[union-attr]  # bound while drawing

    def shown(row: Any) -> str:
        with context.push(row=row, value=column.of(row)):
            return template.render(context)

    return shown


def _escaped(text: str) -> str:
    return text if hasattr(text, "__html__") else escape(text)
