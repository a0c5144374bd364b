"""Nodes: which there are, how they are, and their tokens."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from portal.ui.confirm import Question, confirm_page, is_confirmed, refusal
from portal.ui.forms import refuse
from portal.ui.lists import Action, Choice, Column, Empty, ListPage
from portal.ui.status import Status, status
from sbc import services
from sbc.forms import NodeForm
from sbc.models import Alarm, Drift, Node
from sbc.selectors.rollout import behind, deployments_of, partly_live
from sbc.services import certificates
from sbc.services.troubles import parts_of
from tenants.permissions import requires


def _url(node: Node) -> str:
    return reverse("nodes:detail", args=[node.pk])


class NodeList(ListPage):
    title = gettext_lazy("Nodes")
    lead = gettext_lazy("The session border controllers: each dials the portal and carries the calls of its region.")
    topic = "nodes"
    search_fields = ["name", "region__name"]
    default_sort = "name"
    export_name = "nodes"
    filters = [Choice("state", gettext_lazy("State"), Node.State.choices)]
    add = Action(gettext_lazy("Add node"), "nodes:new", "plus", "nodes.change")
    actions = [add, Action(gettext_lazy("Regions"), "regions:list", "world", "regions.view")]
    columns = [
        Column("state", gettext_lazy("State"), kind="status"),
        Column("name", gettext_lazy("Name"), link=_url, sort=True),
        Column("region__name", gettext_lazy("Region"), sort=True),
        Column("calls", gettext_lazy("Calls now"), kind="count", value=lambda node: node.gauges.get("calls")),
        Column("spooled", gettext_lazy("Records waiting"), kind="count", card=False,
               value=lambda node: node.gauges.get("spooled")),
        Column("last_seen", gettext_lazy("Last seen"), kind="ago", sort=True),
        Column("software", gettext_lazy("Software"), card=False),
    ]  # fmt: skip
    empty = Empty(gettext_lazy("No nodes yet."), gettext_lazy("For example “sbc-fra-1”."), add, icon="server-2")

    def queryset(self) -> QuerySet[Node]:
        return Node.objects.select_related("region")


@requires("nodes.view")
def node_list(request: HttpRequest) -> HttpResponse:
    return NodeList(request).response()


@requires("nodes.view")
def node_detail(request: HttpRequest, pk: int) -> HttpResponse:
    return TemplateResponse(request, "sbc/node_detail.html", _facts(request, _node(pk)))


@never_cache
@requires("nodes.change")
def node_new(request: HttpRequest) -> HttpResponse:
    form = NodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            node, token = services.add_node(form.instance, by=request.actor)  # type: ignore[attr-defined]
        except ValidationError as error:
            refuse(form, error)
        else:
            return _token_page(request, node, token)
    return TemplateResponse(request, "sbc/node_form.html", {"form": form})


@never_cache
@requires("nodes.change")
def node_token(request: HttpRequest, pk: int) -> HttpResponse:
    node = _node(pk)
    question = Question(
        _("Give “%s” a new token?") % node,
        [_("The old token stops at once: the node is cut off until it has the new one. Calls go on meanwhile.")],
        _("Give a new token"),
    )
    if not is_confirmed(request, question):
        return confirm_page(request, question, cancel=_url(node), error=refusal(request, question))
    return _token_page(request, node, services.rotate_token(node, by=request.actor))  # type: ignore[attr-defined]


@requires("nodes.change")
def node_disable(request: HttpRequest, pk: int) -> HttpResponse:
    node = _node(pk)
    question = Question(
        _("Disable “%s”?") % node,
        [_("Its token opens nothing any more, and no change waits for it."), _("Calls that it carries are not cut.")],
        _("Disable"),
        type_name=node.name,
    )
    if not is_confirmed(request, question):
        return confirm_page(request, question, cancel=_url(node), error=refusal(request, question))
    services.disable_node(node, by=request.actor)  # type: ignore[attr-defined]
    messages.success(request, _("The node is out of service."))
    return redirect("nodes:detail", pk=pk)


@require_POST
@requires("nodes.change")
def node_enable(request: HttpRequest, pk: int) -> HttpResponse:
    services.enable_node(_node(pk), by=request.actor)  # type: ignore[attr-defined]
    messages.success(request, _("The node may connect again."))
    return redirect("nodes:detail", pk=pk)


@require_POST
@requires("nodes.change")
def node_restart(request: HttpRequest, pk: int) -> HttpResponse:
    try:
        certificates.restart_for_certificate(_node(pk), by=request.actor)  # type: ignore[attr-defined]
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("Kamailio starts anew within seconds. Calls keep talking."))
    return redirect("nodes:detail", pk=pk)


def _token_page(request: HttpRequest, node: Node, token: str) -> HttpResponse:
    # Shown in the answer itself and stored nowhere: a reload asks again.
    return TemplateResponse(request, "sbc/node_token.html", {"node": node, "token": token})


def _facts(request: HttpRequest, node: Node) -> dict[str, Any]:
    shown = deployments_of(None, None).filter(node=node)
    return {
        "node": node,
        "parts": _parts(node),
        "scopes": shown.count(),
        "certificate": getattr(node, "certificate", None),
        "wanted_certificate": certificates.wanted_certificate(node, at=now()),
        "late": shown.filter(behind() | partly_live())[:20],
        "alarms": Alarm.objects.open().filter(node=node).newest_first()[:20],
        "drift": Drift.objects.filter(node=node).order_by("-at")[:20],
        "can_change": request.can("nodes.change"),  # type: ignore[attr-defined]
    }


def _parts(node: Node) -> list[tuple[str, Status]]:
    """Return what of the node is well and what is not, as it said last."""
    if not node.gauges:
        return []
    well = parts_of(node.gauges["kamailio"], node.gauges["daemons"])
    found = [(name, status("up" if is_well else "down")) for name, is_well in sorted(well.items()) if name != "disk"]
    if "disk" in well:
        room = status("up", word=_("Enough")) if well["disk"] else status("down", word=_("Little"))
        found.append((_("Room on its disk"), room))
    words = {"answers": _("Microsoft answers it"), "asks": _("Microsoft asks it")}
    return found + [
        (words[name], status("up" if is_well else "down", word=_("Yes") if is_well else _("No")))
        for name, is_well in node.gauges.get("microsoft", {}).items()
    ]


def _node(pk: int) -> Node:
    return get_object_or_404(Node.objects.select_related("region", "spool", "certificate"), pk=pk)
