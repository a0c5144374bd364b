"""The tables of the live dashboard as the page draws them first; each says its heads and its cells once.

`static/js/dashboard.js` puts what frames bring into the same tables: the cells stand in the same order there.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.forms.utils import flatatt
from django.template import loader
from django.urls import get_urlconf
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.ui import markup, navigation, values
from portal.ui.status import status

Words = str | Promise
DIRECTIONS = {
    "in": gettext_lazy("In"),
    "out": gettext_lazy("Out"),
    "internal": gettext_lazy("Internal"),
    "emergency": gettext_lazy("Emergency"),
}


@dataclass(frozen=True)
class Head:
    """A column: figures stand right, what is no `card` is left out on a phone, what frames do not bring is `kept`."""

    label: str
    num: bool = False
    card: bool = True
    kept: bool = False


@dataclass(frozen=True)
class Row:
    """One thing of a table, with the attributes by which the script finds it again."""

    cells: list[tuple[Head, Any]]
    attributes: SafeString


@dataclass(frozen=True)
class Table:
    """A table that frames bring up to date."""

    name: str
    title: str
    none: str
    heads: Sequence[Head]
    rows: list[Row] = field(default_factory=list)
    attributes: SafeString | str = ""

    def add(self, *cells: Any, **data: Any) -> None:
        """Append a row; `data` become its data attributes."""
        attributes = flatatt({f"data-{name}": str(value) for name, value in data.items()})
        self.rows.append(Row(list(zip(self.heads, cells, strict=True)), attributes))


def live(frame: dict[str, Any]) -> Table:
    """Return the calls in progress."""
    with_customer = frame.get("customers") is not None
    heads = [
        Head(_("State")),
        *([Head(_("Customer"))] if with_customer else []),
        Head(_("Direction"), card=False),
        Head(_("From")),
        Head(_("To")),
        Head(_("Trunk"), card=False),
        Head(_("For"), num=True),
    ]
    attributes = flatatt({"data-with-customer": with_customer})
    table = Table("live", _("Calls in progress"), _("No call in progress."), heads, attributes=attributes)
    for call in frame["live"]:
        table.add(
            markup.chip(status(call["state"])),
            *([call["customer"]] if with_customer else []),
            DIRECTIONS.get(call["direction"], call["direction"]),
            markup.phone(call["caller"], False),
            markup.phone(call["called"], False),
            call["trunk"],
            values.duration(max(0, (frame["at"] - call["since"]) // 1000)),
            id=call["id"],
            since=call["since"],
        )
    return table


def others(frame: dict[str, Any], page: str) -> list[Table]:
    """Return the tables that stand beside each other; `page` is where those of the last hour are asked for anew."""
    tables = [_trunks(frame), _failures(frame)]
    if frame.get("customers") is not None:
        tables.insert(1, _customers(frame, page))
    return tables


def _trunks(frame: dict[str, Any]) -> Table:
    heads = [Head(_("State")), Head(_("Trunk")), Head(_("Calls now"), num=True), Head(_("Answered"), num=True)]
    table = Table("trunks", _("Trunks"), _("No trunk yet."), heads)
    for trunk in frame["trunks"]:
        health = markup.chip(status(trunk["health"]))
        table.add(health, trunk["name"], trunk["calls"], values.percent(trunk["answered_share"]))
    return table


def _customers(frame: dict[str, Any], page: str) -> Table:
    heads = [
        Head(_("Customer")),
        Head(_("Calls now"), num=True),
        Head(_("Answered"), num=True),
        Head(_("Last 60 minutes"), kept=True),
    ]
    attributes = flatatt({
        "data-page": _page_of(0),
        "hx-get": page,
        "hx-trigger": "every 60s",
        "hx-select": "[data-rows=customers]",
        "hx-swap": "outerHTML",
    })  # fmt: skip
    table = Table("customers", _("Customers"), _("No customer has a call now."), heads, attributes=attributes)
    for customer in frame["customers"]:
        key, name = customer.get("id"), customer["name"]
        url = _page_of(key) if key else ""
        table.add(
            format_html('<a href="{}">{}</a>', url, name) if url else name,
            customer["calls"],
            values.percent(customer["answered_share"]),
            loader.render_to_string("components/sparkline.html", {"spark": customer.get("spark")}),
            key=key,
        )
    return table


def _failures(frame: dict[str, Any]) -> Table:
    heads = [Head(_("Cause")), Head(_("Code"), num=True), Head(_("Calls"), num=True)]
    table = Table("failures", _("Why calls failed in the last hour"), _("None failed."), heads)
    for failure in frame["failures"]:
        table.add(failure["words"], failure["code"], failure["count"])
    return table


def _page_of(customer: Any) -> str:
    return navigation.address("customers:detail", get_urlconf(), customer)
