"""Rollout: what is wanted, what each node runs, since when, and what stands in the way."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from portal.ui.lists import Choice, Column, Empty, ListPage
from portal.ui.status import Status, status
from sbc import selectors, services
from sbc.models import Deployment, Drift, Revision
from sbc.selectors.rollout import behind, partly_live
from sbc.services.receipts import scope_name
from tenants.permissions import requires

STATES = [
    ("behind", gettext_lazy("Not live")),
    ("refused", gettext_lazy("Refused")),
    ("held", gettext_lazy("Waiting for a person")),
    ("partly", gettext_lazy("Partly live")),
]


def chip(deployment: Deployment) -> Status:
    """Return the chip of one node's state with one scope."""
    if deployment.state == Deployment.State.REFUSED:
        return status("attention", word=_("Refused"))
    if deployment.state == Deployment.State.HELD:
        return status("held")
    if deployment.is_partly_live:
        return status("attention", word=_("Partly live"))
    if deployment.is_live:
        return status("live")
    if deployment.node.state != deployment.node.State.CONNECTED:
        return status("away", word=_("Node is away"))
    return status("going_live")


def scope_words(deployment: Deployment) -> str:
    """Return whose configuration it is, in words."""
    if not deployment.wanted:
        return _("%(scope)s, which leaves this SBC") % {"scope": scope_name(deployment.scope)}
    if deployment.tenant is not None:
        return str(deployment.tenant)
    if deployment.msp is not None:
        return _("%(msp)s: trunks and block list") % {"msp": deployment.msp}
    return _("Region %(region)s") % {"region": deployment.region}


def _took(deployment: Deployment) -> str:
    return "" if deployment.took_ms is None else _("%(ms)s ms") % {"ms": round(deployment.took_ms, 1)}


def _url(deployment: Deployment) -> str:
    return reverse("rollout:detail", args=[deployment.pk])


def _narrow(queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
    standing = {"behind": behind(), "partly": partly_live()}
    return queryset.filter(standing.get(value) or Q(state=value))


class RolloutList(ListPage):
    title = gettext_lazy("Rollout")
    lead = gettext_lazy("What you saved is live on an SBC, a server that carries calls, when that SBC says so.")
    topic = "rollout"
    template = "sbc/rollout_list.html"
    search_fields = ["tenant__name", "msp__name", "region__name", "node__name", "error"]
    default_sort = "-since"
    export_name = "rollout"
    filters = [Choice("state", gettext_lazy("State"), STATES, apply=_narrow)]
    columns = [
        Column("state", gettext_lazy("State"), kind="status", value=chip),
        Column("scope", gettext_lazy("Configuration of"), value=scope_words, link=_url),
        Column("node__name", gettext_lazy("SBC"), sort=True),
        Column("wanted", gettext_lazy("Wanted"), card=False),
        Column("running", gettext_lazy("Running")),
        Column("since", gettext_lazy("Since"), kind="ago", sort=True),
        Column("took_ms", gettext_lazy("Took"), value=_took, card=False),
        Column("error", gettext_lazy("Says")),
    ]
    empty = Empty(
        gettext_lazy("Nothing has been sent to an SBC yet."),
        gettext_lazy("As soon as a node connects, this page shows what it runs."),
        icon="versions",
    )

    def queryset(self) -> QuerySet[Deployment]:
        return selectors.deployments_of(self.request.tenant, self.request.msp)  # type: ignore[attr-defined]


@requires("rollout.view")
def rollout_list(request: HttpRequest) -> HttpResponse:
    shown = selectors.deployments_of(request.tenant, request.msp)  # type: ignore[attr-defined]
    drift = Drift.objects.select_related("node").order_by("-at")[:10] if request.place == "operator" else []  # type: ignore[attr-defined]
    counts = shown.aggregate(
        total=Count("pk"),
        late=Count("pk", filter=behind()),
        stuck=Count("pk", filter=Q(state__in=("refused", "held"))),
        partly=Count("pk", filter=partly_live()),
    )
    return RolloutList(request, **counts, drift=drift).response()


@requires("rollout.view")
def rollout_detail(request: HttpRequest, pk: int) -> HttpResponse:
    deployment = _found(request, pk)
    # What a revision says of its rows is its owner's; the operator sees the counts of region revisions only.
    revisions = Revision.objects.filter(scope=deployment.scope).order_by("-version").defer("rows")[:15]
    drift = Drift.objects.filter(node=deployment.node, scope=deployment.scope).order_by("-at")[:20]
    context = {
        "deployment": deployment,
        "status": chip(deployment),
        "words": scope_words(deployment),
        "revisions": revisions,
        "drift": drift,
        "can_change": request.can("rollout.change"),  # type: ignore[attr-defined]
    }
    return TemplateResponse(request, "sbc/rollout_detail.html", context)


@require_POST
@requires("rollout.change")
def rollout_approve(request: HttpRequest, pk: int) -> HttpResponse:
    return _act(request, pk, services.approve, _("Approved. It goes to the SBC now."))


@require_POST
@requires("rollout.change")
def rollout_retry(request: HttpRequest, pk: int) -> HttpResponse:
    return _act(request, pk, services.try_again, _("Sent once more."))


def _act(request: HttpRequest, pk: int, service: Any, done: str) -> HttpResponse:
    deployment = _found(request, pk)
    try:
        service(deployment, by=request.actor)  # type: ignore[attr-defined]
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, done)
    return redirect("rollout:detail", pk=pk)


def _found(request: HttpRequest, pk: int) -> Deployment:
    deployment = selectors.deployments_of(request.tenant, request.msp).filter(pk=pk).first()  # type: ignore[attr-defined]
    if deployment is None:
        raise Http404
    return deployment
