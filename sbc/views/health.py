"""Health: what is wrong at this moment, and what was."""

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from portal.ui.lists import Choice, Column, Empty, ListPage
from portal.ui.status import Status, status
from sbc.models import Alarm, QuarantinedRecord
from sbc.selectors.home import nodes_with_load
from sbc.services.alarms import settle_alarm
from tenants.permissions import requires


def chip(alarm: Alarm) -> Status:
    """Return the chip of an alarm: open, or over."""
    return status("done", word=_("Over")) if alarm.until else status("attention", word=_("Open"))


def _narrow(queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
    return queryset.filter(until=None) if value == "open" else queryset.exclude(until=None)


class AlarmList(ListPage):
    title = gettext_lazy("Health")
    lead = gettext_lazy("What nodes report, and what somebody should look at.")
    topic = "nodes"
    template = "sbc/health.html"
    search_fields = ["text", "node__name"]
    default_sort = "-last"
    export_name = "alarms"
    filters = [
        Choice("state", gettext_lazy("State"), [("open", gettext_lazy("Open")), ("over", gettext_lazy("Over"))],
               apply=_narrow),
        Choice("kind", gettext_lazy("Kind"), Alarm.Kind.choices),
    ]  # fmt: skip
    columns = [
        Column("until", gettext_lazy("State"), kind="status", value=chip),
        Column("kind", gettext_lazy("Kind"), value=lambda alarm: alarm.get_kind_display(), card=False),
        Column("text", gettext_lazy("What"), template="sbc/alarm_cell.html"),
        Column("node__name", gettext_lazy("Node"), card=False),
        Column("count", gettext_lazy("Times"), kind="count", card=False),
        Column("last", gettext_lazy("Last"), kind="ago", sort=True),
        Column("since", gettext_lazy("Since"), kind="when", sort=True, card=False),
    ]
    empty = Empty(gettext_lazy("No alarm so far."), icon="heart")

    def queryset(self) -> QuerySet[Alarm]:
        return Alarm.objects.select_related("node")


@requires("nodes.view")
def health(request: HttpRequest) -> HttpResponse:
    context = {
        "nodes": nodes_with_load(),
        "waiting": QuarantinedRecord.objects.filter(settled=None).count(),
        "can_change": request.can("nodes.change"),  # type: ignore[attr-defined]
    }
    return AlarmList(request, **context).response()


@require_POST
@requires("nodes.change")
def alarm_settle(request: HttpRequest, pk: int) -> HttpResponse:
    alarm = get_object_or_404(Alarm, pk=pk, until=None)
    settle_alarm(alarm, at=now(), by=request.actor)  # type: ignore[attr-defined]
    messages.success(request, _("Noted as seen. It opens again if it happens again."))
    return redirect("health:list")
