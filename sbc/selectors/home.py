"""What the three homes say above everything: is all well, and who has to do what."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils.timezone import now
from django.utils.translation import gettext as _

from sbc.models import Alarm, Certificate, Node
from sbc.selectors.rollout import behind, deployments_of
from tenants.countries import country_in_words
from tenants.models import BaseDomain, Customer, Msp
from voice.carriers.models import Trunk
from voice.carriers.pages import why_down
from voice.carriers.selectors import without_help
from voice.rating import warnings

CERTIFICATE_WARNS = timedelta(days=30)
LEVELS = ("danger", "warning", "info")
PRESSING = frozenset(
    {Alarm.Kind.TOKEN, Alarm.Kind.GAP, Alarm.Kind.SPOOL, Alarm.Kind.NODE, Alarm.Kind.DAEMON, Alarm.Kind.COMPILE}
)


@dataclass(frozen=True)
class ToDo:
    """Something that waits for somebody here."""

    text: str
    url: str
    level: str = "warning"
    # What its page asks of the reader.
    needs: str = ""

    @property
    def tone(self) -> str:
        return {"danger": "bad", "warning": "wait"}.get(self.level, "calm")


@dataclass(frozen=True)
class Reach:
    """How many of the SBCs that carry somebody's calls have ever connected, and since when those that do not answer."""

    nodes: int
    away: int
    since: datetime | None

    @property
    def blind(self) -> bool:
        """Tell whether nothing that happens now is heard of here."""
        return self.away == self.nodes


def reach(nodes: Iterable[Node]) -> Reach:
    """Return how the nodes are reached; one that has never connected carries nothing yet."""
    seen = [node for node in nodes if node.last_seen]
    away = [node.last_seen for node in seen if node.state == Node.State.AWAY and node.last_seen]
    return Reach(len(seen), len(away), max(away, default=None))


def nodes_of_customer(customer: Customer) -> QuerySet[Node]:
    """Return the nodes that carry a customer's calls."""
    return nodes_with_load().filter(pk__in=deployments_of(customer, None).order_by().values("node"))


def todos_of_msp(msp: Msp) -> list[ToDo]:
    """Return what an MSP should look at, most pressing first; in the MSP's database context."""
    trunks = Trunk.objects.open().filter(msp=msp)
    found = [*dead_trunks(trunks.shared(), "carriers:trunks")]
    waiting = trunks.filter(approved=False).select_related("tenant")
    found += [
        ToDo(
            _("%(customer)s’s trunk “%(trunk)s” waits for your approval.") % {"customer": each.tenant, "trunk": each},
            reverse("carriers:trunks"),
        )
        for each in waiting[:5]
    ]
    found += _without_help(msp)
    stuck = deployments_of(None, msp).filter(state__in=("refused", "held"))
    found += [
        ToDo(
            _("%(node)s does not take the configuration of %(scope)s.")
            % {"node": each.node, "scope": each.tenant or each.msp},
            reverse("rollout:detail", args=[each.pk]),
            "danger",
        )
        for each in stuck[:5]
    ]
    alarms = Alarm.objects.open().filter(msp=msp).newest_first()
    found += [
        ToDo(alarm.text, reverse("carriers:trunks"), "danger") for alarm in alarms.filter(kind=Alarm.Kind.TRUNK)[:3]
    ]
    found += [ToDo(alarm.text, reverse("rollout:list"), "warning") for alarm in alarms.filter(kind=Alarm.Kind.CALL)[:3]]
    found += limits("accounts:detail", msp=msp)
    return pressing_first(found)


def _without_help(msp: Msp) -> Iterable[ToDo]:
    """Return the countries where somebody who dials 112 would get no answer, with whose people that are."""
    found: dict[str, list[str]] = {}
    for cover in without_help(msp):
        found.setdefault(cover.country, []).append(cover.tenant.name)
    for country, names in found.items():
        customers = ", ".join(names[:3]) + (" …" if len(names) > 3 else "")
        words = _("No trunk carries emergency calls in %(country)s, where numbers are in use (%(customers)s).")
        told = words % {"country": country_in_words(country), "customers": customers}
        yield ToDo(told, reverse("carriers:emergency"), "danger")


def todos_of_operator() -> list[ToDo]:
    """Return what the operator should look at, most pressing first."""
    found = [
        ToDo(_("%(node)s is away.") % {"node": node}, reverse("nodes:detail", args=[node.pk]), "danger")
        for node in nodes_with_load().filter(state=Node.State.AWAY)
    ]
    found += _certificates()
    # A node that is away stands above.
    alarms = Alarm.objects.open().exclude(kind=Alarm.Kind.NODE, subject="away").newest_first()[:8]
    found += [ToDo(alarm.text, reverse("health:list"), _level(alarm)) for alarm in alarms]
    return pressing_first(found)


def nodes_with_load() -> QuerySet[Node]:
    """Return the nodes with what they said last."""
    return Node.objects.enabled().select_related("region").order_by("region__name", "name")


def nodes_of_msp(msp: Msp) -> QuerySet[Node]:
    """Return the nodes that carry an MSP's calls."""
    regions = BaseDomain.objects.filter(msp=msp).values("region")
    return nodes_with_load().filter(region__in=regions)


def operator_counts() -> dict[str, int]:
    """Return how much there is of everything, for the operator's home."""
    shown = deployments_of(None, None)
    return {
        "msps": Msp.objects.count(),
        "customers": Customer.objects.exclude(state=Customer.State.CLOSED).count(),
        "late": shown.filter(behind()).count(),
        "scopes": shown.count(),
    }


def customers_behind(msp: Msp) -> list[Customer]:
    """Return the MSP's customers whose newest configuration is not live everywhere."""
    late = deployments_of(None, msp).filter(behind(), tenant__isnull=False).order_by().values("tenant")
    return list(Customer.objects.filter(pk__in=late).order_by("name")[:10])


def _certificates() -> Iterable[ToDo]:
    at = now()
    soon = Certificate.objects.without_key().filter(not_after__lt=at + CERTIFICATE_WARNS)
    # One that has a successor may end unnoticed.
    newer = Certificate.objects.filter(region=OuterRef("region"), pk__gt=OuterRef("pk"))
    replaced = Exists(newer.filter(node=OuterRef("node"))) | Q(node=None) & Exists(newer.filter(node=None))
    for each in soon.exclude(replaced).order_by("not_after"):
        ended = each.not_after < at
        words = (
            _("The certificate %(name)s ended on %(day)s.") if ended else _("The certificate %(name)s ends on %(day)s.")
        )
        yield ToDo(
            words % {"name": each, "day": each.not_after.date()},
            reverse("certificates:list"),
            "danger" if ended else "warning",
        )


def dead_trunks(trunks: QuerySet[Trunk], url: str, needs: str = "") -> Iterable[ToDo]:
    """Return the trunks that take no calls."""
    for trunk in trunks.filter(health=Trunk.Health.DOWN, enabled=True)[:5]:
        text = _("The trunk “%(trunk)s” takes no calls. %(why)s.") % {"trunk": trunk, "why": why_down(trunk)}
        yield ToDo(text, reverse(url), "danger", needs)


def limits(url: str, **whose: Customer | Msp) -> Iterable[ToDo]:
    """Return the limits that accounts have reached or come near to; an MSP reads whose account it is."""
    at = now()
    found = warnings.open_warnings(**whose)[:8]
    names = {} if "tenant" in whose else Customer.objects.in_bulk({warning.tenant_id for warning, _account in found})
    for warning, account in found:
        words = warnings.words(account, warning.kind, warning.share, at)
        name = names.get(warning.tenant_id)
        address = reverse(url, args=[warning.tenant_id] if names else [])
        yield ToDo(f"{name}: {words}" if name else words, address, "danger" if warning.share == 100 else "warning")


def _level(alarm: Alarm) -> str:
    return "danger" if alarm.kind in PRESSING else "warning"


def pressing_first(todos: list[ToDo]) -> list[ToDo]:
    """Return what waits in the order in which to look at it."""
    return sorted(todos, key=lambda todo: LEVELS.index(todo.level))
