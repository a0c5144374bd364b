"""The rows of a list's page, drawn in Python: a template for each of a hundred cells costs more than the database."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.template import Template
from django.template.base import render_value_in_context
from django.template.context import Context
from django.utils.html import conditional_escape, escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from portal.ui import markup, values
from portal.ui.columns import Column
from portal.ui.cursor import lookup
from portal.ui.status import status

if TYPE_CHECKING:
    from portal.ui.lists import ListPage

BY_KIND: dict[str, Callable[[Any], str]] = {
    "status": lambda value: markup.chip(status(value)),
    "phone": markup.phone,
    "when": markup.when,
    "ago": lambda value: markup.when(value, "ago"),
    "duration": values.duration,
    "code": lambda value: format_html("<code>{}</code>", "–" if value is None else value),
}


@dataclass(frozen=True)
class Drawn:
    """A column as this page's rows need it: its cells' opening tag, whether they may lead on, its template."""

    column: Column
    opening: SafeString
    may_lead: bool
    template: Template | None

    def cell(self, row: Any, context: Context) -> str:
        """Return the row's cell in this column."""
        url = self.column.url(row) if self.may_lead else ""
        shown = conditional_escape(self.shown(row, bool(url), context))
        return (
            f'{self.opening}<a class="row-link" href="{escape(url)}">{shown}</a></td>'
            if url
            else f"{self.opening}{shown}</td>"
        )

    def shown(self, row: Any, is_link: bool, context: Context) -> str:
        """Return what stands in the cell; what is not marked safe is escaped by the caller."""
        column = self.column
        if column.draw is not None:
            return column.draw(row)
        value = column.of(row)
        if self.template is not None:
            with context.push(row=row, value=value):
                return self.template.render(context)
        if column.kind == "phone" and is_link:
            return markup.phone(value, copy=False)  # a button cannot stand within a link
        if column.kind == "money":
            return markup.money(value, column.money_currency(row))
        if column.kind in BY_KIND:
            return BY_KIND[column.kind](value)
        if value is None or value == "":
            return markup.NONE
        return value if isinstance(value, str) else render_value_in_context(value, context)


def draw(page: "ListPage", context: Context) -> SafeString:
    """Return the table rows of the list's page."""
    columns = [_drawn(column, page, context) for column in page.visible_columns()]
    pick = _("Select %(name)s") if page.bulk_buttons else ""
    lines = (
        f"{_opening(page, row, pick)}{''.join(each.cell(row, context) for each in columns)}</tr>"
        for row in page.page.rows
    )
    # Every cell is escaped already.
    return mark_safe("\n".join(lines))  # noqa: S308


def _drawn(column: Column, page: "ListPage", context: Context) -> Drawn:
    css = " ".join(name for name, holds in (("num", column.is_number), ("off-card", not column.card)) if holds)
    opening = format_html('<td data-label="{}" class="{}">', column.label, css)
    engine = context.template.engine  # type: ignore[union-attr]  # bound while a page is drawn
    template = engine.get_template(column.template) if column.template else None
    return Drawn(column, opening, page.may(column.link_needs), template)


def _opening(page: "ListPage", row: Any, pick: str) -> str:
    css = page.row_class(row)
    opening = f'<tr class="{escape(css)}" data-row>' if css else "<tr data-row>"
    if not pick:
        return opening
    return opening + format_html(
        '<td class="pick"><input class="form-check-input" type="checkbox" name="pick" value="{}" aria-label="{}"></td>',
        lookup(row, page.tie),
        pick % {"name": row},
    )
