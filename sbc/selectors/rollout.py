"""How far the nodes are with what is wanted."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils.timezone import now
from django.utils.translation import gettext as _

from portal.ui.status import Status, going_live, status
from sbc.models import Deployment, Drift, Node
from tenants.models import Customer, Msp
from tenants.scopes import Scope, scope_key


@dataclass(frozen=True)
class Summary:
    """One scope: how many of its nodes run what is wanted, and what stands in the way."""

    wanted: int
    nodes: int
    running: int
    wanted_at: datetime | None
    error: str
    waits: str  # why some node does not carry out what it has been sent

    @property
    def is_live(self) -> bool:
        return self.running == self.nodes


def deployments_of(tenant: Customer | None, msp: Msp | None) -> QuerySet[Deployment]:
    """Return what a customer, an MSP or (neither given) the operator may see of the rollout."""
    # What leaves a node is of interest only while somebody has to do something about it.
    stuck = Q(leaving=True, state__in=(Deployment.State.HELD, Deployment.State.REFUSED))
    shown = Deployment.objects.filter(Q(wanted__gt=0) | stuck).exclude(node__state=Node.State.DISABLED)
    if tenant is not None:
        shown = shown.filter(tenant=tenant)
    elif msp is not None:
        shown = shown.filter(msp=msp)
    return shown.select_related("node", "tenant", "msp", "region")


def drift_of(tenant: Customer | None, msp: Msp | None) -> QuerySet[Drift]:
    """Return what was changed by hand of what a customer, an MSP or (neither given) the operator may see."""
    found = Drift.objects.select_related("node").order_by("-at", "-pk")
    if tenant is None and msp is None:
        return found
    theirs = deployments_of(tenant, msp).filter(node=OuterRef("node"), scope=OuterRef("scope"))
    return found.filter(Exists(theirs))


def summary(scope: Scope) -> Summary:
    """Return how far a region, MSP or customer is; for the last two in their own database context."""
    found = Deployment.objects.filter(scope=scope_key(scope), wanted__gt=0).exclude(node__state=Node.State.DISABLED)
    rows = list(found.values_list("wanted", "running", "wanted_at", "error", "state"))
    wanted = scope.config_version
    running = sum(each[1] >= wanted for each in rows)
    at = max((each[2] for each in rows if each[2]), default=None)
    error = next((each[3] for each in rows if each[4] in ("refused", "held", "acked") and each[3]), "")
    waits = next((each[3] for each in rows if each[4] == "sent" and each[3]), "")
    return Summary(wanted, len(rows), running, at, error, waits)


def scope_status(scope: Scope) -> Status:
    """Return the chip of a scope: Live, or Going live with n of m nodes and the seconds, or what is wrong."""
    found = summary(scope)
    if not found.nodes:
        return status("pending", word=_("No SBC yet"), detail=_("No node has connected so far."))
    if found.is_live and not found.error:
        return status("live")
    if found.error:
        word = _("Partly live") if found.is_live else ""
        return status("attention", word=word, detail=found.error[:200])
    if found.waits:
        return status("going_live", detail=found.waits[:200])
    seconds = int((now() - found.wanted_at).total_seconds()) if found.wanted_at else None
    return going_live(found.running, found.nodes, seconds)


def behind() -> Q:
    """Return the condition for deployments that do not run what is wanted."""
    return Q(running__lt=F("wanted"))


def partly_live() -> Q:
    """Return the condition for deployments that run what is wanted but for rows that their node left out."""
    return Q(running__gte=F("wanted")) & ~Q(error="")
