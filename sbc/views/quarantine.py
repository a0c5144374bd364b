"""Call records that were kept aside: what they say, why they are no calls, and what becomes of them."""

import json
from datetime import UTC, datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from portal.ui.confirm import Question, confirm_page, is_confirmed
from portal.ui.lists import Choice, Column, Empty, ListPage
from portal.ui.status import Status, status
from sbc.models import Node, QuarantinedRecord
from sbc.services import quarantine
from tenants.permissions import requires

MOMENTS = ("invited", "ringing", "answered", "ended", "last_seen")
LATEST = 4_102_444_800_000  # 2100
SHOWN_OF_REASON = 120
STATES = [("waiting", gettext_lazy("Waiting for a person")), *QuarantinedRecord.Outcome.choices]


def chip(kept: QuarantinedRecord) -> Status:
    """Return the chip that says what became of the record."""
    if kept.settled is None:
        return status("attention", word=_("Waiting"))
    return status(
        "done" if kept.outcome == QuarantinedRecord.Outcome.STORED else "closed", word=kept.get_outcome_display()
    )


def _node(kept: QuarantinedRecord) -> SafeString:
    return format_html('<span class="node-name">{}</span>', kept.node)


def _why(kept: QuarantinedRecord) -> str:
    return Truncator(kept.reason).chars(SHOWN_OF_REASON)


def _url(kept: QuarantinedRecord) -> str:
    return reverse("quarantine:detail", args=[kept.pk])


def _narrow(queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
    return queryset.filter(settled=None) if value == "waiting" else queryset.filter(outcome=value)


def _nodes(request: HttpRequest) -> list[tuple[int, str]]:
    return list(Node.objects.order_by("name").values_list("pk", "name"))


class QuarantineList(ListPage):
    title = gettext_lazy("Records kept aside")
    lead = gettext_lazy(
        "Call records of nodes that are no calls of anybody: they are counted nowhere until you decide."
    )
    topic = "nodes"
    search_fields = ["reason", "node__name", "note"]
    default_sort = "-received"
    export_name = "records-kept-aside"
    filters = [
        Choice("state", gettext_lazy("State"), STATES, apply=_narrow),
        Choice("node", gettext_lazy("Node"), _nodes, field="node_id"),
    ]
    columns = [
        Column("settled", gettext_lazy("State"), kind="status", value=chip),
        Column("sequence", gettext_lazy("Record"), link=_url),
        Column("reason", gettext_lazy("Why it is kept aside"), value=_why),
        Column("node__name", gettext_lazy("Node"), sort=True, draw=_node),
        Column("received", gettext_lazy("Received"), kind="when", sort=True),
    ]
    empty = Empty(gettext_lazy("No record was kept aside so far."), icon="archive")

    def queryset(self) -> QuerySet[QuarantinedRecord]:
        return QuarantinedRecord.objects.select_related("node").defer("record")


@requires("quarantine.view")
def quarantine_list(request: HttpRequest) -> HttpResponse:
    return QuarantineList(request).response()


@requires("quarantine.view")
def quarantine_detail(request: HttpRequest, pk: int) -> HttpResponse:
    kept = _found(pk)
    context = {
        "kept": kept,
        "status": chip(kept),
        "facts": [(name, _text(value), _moment(name, value)) for name, value in kept.facts.items()],
        "can_change": request.can("quarantine.change"),  # type: ignore[attr-defined]
    }
    return TemplateResponse(request, "sbc/quarantine_detail.html", context)


@require_POST
@requires("quarantine.change")
def quarantine_try(request: HttpRequest, pk: int) -> HttpResponse:
    kept = _found(pk)
    try:
        quarantine.try_again(kept, by=request.actor)  # type: ignore[attr-defined]
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("It is stored as a call and counted."))
    return redirect("quarantine:detail", pk=pk)


@requires("quarantine.change")
def quarantine_aside(request: HttpRequest, pk: int) -> HttpResponse:
    kept = _found(pk)
    question = Question(
        _("Set record %(n)s of %(node)s aside?") % {"n": kept.sequence, "node": kept.node},
        [_("It stays here as it came, and never becomes a call.")],
        _("Set aside"),
        danger=False,
        reason=True,
    )
    if not is_confirmed(request, question):
        return confirm_page(request, question, cancel=_url(kept))
    try:
        quarantine.set_aside(kept, reason=request.POST.get("reason", ""), by=request.actor)  # type: ignore[attr-defined]
    except ValidationError as error:
        return confirm_page(request, question, cancel=_url(kept), error=" ".join(error.messages))
    messages.success(request, _("It is set aside."))
    return redirect("quarantine:detail", pk=pk)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _moment(name: str, value: Any) -> datetime | None:
    """Return the time that a number of milliseconds stands for: nobody reads those."""
    if name not in MOMENTS or type(value) is not int or not 0 < value < LATEST:
        return None
    return datetime.fromtimestamp(value / 1000, UTC)


def _found(pk: int) -> QuarantinedRecord:
    return get_object_or_404(QuarantinedRecord.objects.select_related("node"), pk=pk)
