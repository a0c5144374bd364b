"""Reconciliation: what nodes counted against what the portal has, hour by hour."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, Max, OuterRef, Q, QuerySet, Subquery, TextField, Value
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.ui.lists import Choice, Column, Day, Empty, ListPage, Text
from portal.ui.status import Status, status
from sbc.models import HourCount, Node
from sbc.models.counts import differing
from sbc.services.reconciling import HOUR, PATIENCE, missing
from tenants.models import Customer
from tenants.permissions import requires

HOURS_SHOWN = 24
STATES = [
    ("red", gettext_lazy("Does not add up")),
    ("open", gettext_lazy("Being counted")),
    ("green", gettext_lazy("Adds up")),
]


@dataclass(frozen=True)
class Cell:
    """One hour of one node."""

    at: datetime
    status: Status | None
    url: str


def state_of(settled: datetime | None, at: datetime, moment: datetime) -> str:
    """Return green, red or open: an hour has a quarter of an hour to be complete."""
    if settled is not None:
        return "green"
    return "red" if moment >= at + HOUR + PATIENCE else "open"


def chip(state: str) -> Status:
    """Return the chip of a state."""
    if state == "green":
        return status("done", word=_("Adds up"))
    return (
        status("attention", word=_("Does not add up")) if state == "red" else status("queued", word=_("Being counted"))
    )


def _chip_of(count: HourCount) -> Status:
    return chip(state_of(count.settled, count.at, now()))


def _narrow(counts: QuerySet[Any], value: str) -> QuerySet[Any]:
    late = now() - HOUR - PATIENCE
    if value == "green":
        return counts.exclude(settled=None)
    return counts.filter(settled=None, **({"at__lte": late} if value == "red" else {"at__gt": late}))


def _by_hour(counts: QuerySet[Any], value: str) -> QuerySet[Any]:
    try:
        return counts.filter(at=datetime.strptime(value, "%Y-%m-%dT%H").replace(tzinfo=UTC))
    except ValueError:
        return counts.none()


def _node(count: HourCount) -> SafeString:
    return format_html('<span class="node-name">{}</span>', count.node)


def _nodes(request: HttpRequest) -> list[tuple[int, str]]:
    return list(Node.objects.order_by("name").values_list("pk", "name"))


class CountList(ListPage):
    title = gettext_lazy("Reconciliation")
    lead = gettext_lazy(
        "Each node counts the call records that it hands over. Here its count is held against what arrived,"
        " customer by customer and hour by hour (UTC)."
    )
    template = "sbc/counts.html"
    columns = [
        Column("settled", gettext_lazy("State"), kind="status", value=lambda row: _chip_of(row)),
        Column("at", gettext_lazy("Hour"), kind="when", sort=True, link="counts:detail"),
        Column("node__name", gettext_lazy("Node"), sort=True, draw=_node),
        Column("customer", gettext_lazy("Customer"), value=lambda row: row.name),
        Column("said", gettext_lazy("Node counted"), kind="count"),
        Column("stored", gettext_lazy("Stored as calls"), kind="count", sort=True),
        Column("aside", gettext_lazy("Kept aside"), kind="count", sort=True, card=False),
        Column("ended", gettext_lazy("Ends alone"), kind="count", sort=True, card=False,
               help=gettext_lazy("Ends of calls that the node did not know.")),
        Column("range", gettext_lazy("Numbers"), value=lambda row: f"{row.first}–{row.last}", card=False,
               help=gettext_lazy("The numbers that the node gave to the first and the last of these records.")),
    ]  # fmt: skip
    search_fields = ["node__name"]
    filters = [
        Choice("state", gettext_lazy("State"), STATES, apply=_narrow),
        Choice("node", gettext_lazy("Node"), _nodes, field="node_id"),
        Text("hour", gettext_lazy("Hour (UTC)"), apply=_by_hour, example="2026-11-20T14"),
        Day("from", gettext_lazy("From day"), "at"),
        Day("to", gettext_lazy("To day"), "at", bound="to"),
    ]
    default_sort = "-at"
    export_name = "reconciliation"
    empty = Empty(
        gettext_lazy("No node has counted yet."),
        gettext_lazy("Nodes tell their counts from this version on, a few seconds after the first call."),
        icon="checks",
    )

    def queryset(self) -> QuerySet[HourCount]:
        return named(HourCount.objects.select_related("node"))


def named(counts: QuerySet[HourCount]) -> QuerySet[HourCount]:
    """Return the counts with the names of their customers."""
    name = Customer.objects.filter(pk=OuterRef("customer")).values("name")[:1]
    return counts.annotate(name=Coalesce(Subquery(name), Value("–"), output_field=TextField()))


def board(moment: datetime) -> tuple[list[datetime], list[tuple[str, list[Cell]]]]:
    """Return the last day's hours, and each node's cell in each of them."""
    this = moment.replace(minute=0, second=0, microsecond=0)
    hours = [this - timedelta(hours=back) for back in range(HOURS_SHOWN - 1, -1, -1)]
    counts = HourCount.objects.filter(at__gte=hours[0]).values("node__name", "node", "at").order_by("node__name")
    rows: dict[tuple[int, str], dict[datetime, Cell]] = {}
    for each in counts.annotate(open=Count("pk", filter=Q(settled=None)), settled=Max("settled")):
        state = state_of(None if each["open"] else each["settled"], each["at"], moment)
        url = "?" + urlencode({"node": each["node"], "hour": f"{each['at']:%Y-%m-%dT%H}"})
        rows.setdefault((each["node"], each["node__name"]), {})[each["at"]] = Cell(each["at"], chip(state), url)
    lines = [(name, [cells.get(hour, Cell(hour, None, "")) for hour in hours]) for (_pk, name), cells in rows.items()]
    return hours, lines


@requires("counts.view")
def count_list(request: HttpRequest) -> HttpResponse:
    hours, lines = board(now())
    return CountList(request, hours=hours, lines=lines).response()


@requires("counts.view")
def count_detail(request: HttpRequest, pk: int) -> HttpResponse:
    count = get_object_or_404(named(HourCount.objects.select_related("node")), pk=pk)
    context = {
        "count": count,
        "status": chip(state_of(count.settled, count.at, now())),
        "missing": missing(count) if count.settled is None else [],
        "others": HourCount.objects.filter(spool=count.spool, at=count.at).filter(differing()).exclude(pk=pk).count(),
    }
    return TemplateResponse(request, "sbc/count_detail.html", context)
