"""The lists of carriers, trunks and blocked prefixes."""

from typing import Any

from django.db.models import Count, Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from portal.ui.lists import Action, Choice, Column, Empty, ListPage
from portal.ui.status import Status, status
from voice.carriers import selectors
from voice.carriers.models import BlockedPrefix, Carrier, Trunk

NEW_CARRIER = Action(_("New carrier"), "carriers:new", "plus", "carriers.change")
NEW_TRUNK = Action(_("New trunk"), "carriers:trunk_new", "plus", "carriers.change")
NEW_PREFIX = Action(_("Block a prefix"), "carriers:blocked_new", "plus", "carriers.change")


def state_of(trunk: Trunk) -> Status:
    """Return the trunk's state in a word: what keeps it from carrying calls, else its last OPTIONS answer."""
    if trunk.closed_at:
        return status("closed")
    if not trunk.approved:
        return status("attention", word=_now("Waiting for approval"))
    if not trunk.enabled:
        return status("disabled")
    return status(trunk.health, word=trunk.get_health_display())


# What nodes say of a trunk that they cannot even ask; one that answers 403 is up.
_NOT_ASKED = {
    403: _("Its address is not in the networks that the region allows, or its name leads to another trunk's"),
    478: _("Its name has no address (DNS)"),
}


def answer_of(trunk: Trunk) -> str:
    """Return the last OPTIONS answer in words."""
    if trunk.health == Trunk.Health.UNKNOWN:
        return _now("No node has asked yet")
    if trunk.health == Trunk.Health.DOWN and trunk.health_code in _NOT_ASKED:
        return str(_NOT_ASKED[trunk.health_code])
    return _now("%(code)s") % {"code": trunk.health_code} if trunk.health_code else _now("No answer")


def why_down(trunk: Trunk) -> str:
    """Return why a trunk that is down is so, as a sentence."""
    said = answer_of(trunk)
    return _now("Its last answer was %(code)s") % {"code": said} if said.isdigit() else said


def limits_of(trunk: Trunk) -> str:
    """Return the trunk's caps in words."""
    channels = _now("%(n)d calls") % {"n": trunk.channels} if trunk.channels else ""
    cps = _now("%(n)d a second") % {"n": trunk.cps} if trunk.cps else ""
    return ", ".join(filter(None, (channels, cps))) or _now("none")


def trunk_url(trunk: Trunk) -> str:
    return reverse("carriers:trunk", args=[trunk.pk])


class CarrierList(ListPage):
    title = _("Carriers")
    lead = _("The companies that carry your calls. Each has one or more trunks.")
    topic = "trunks"
    columns = [
        Column(
            "name",
            _("Name"),
            sort=True,
            link=lambda row: reverse("carriers:carrier", args=[row.pk]),
            link_needs="carriers.change",
        ),
        Column("contact", _("Support contact")),
        Column("trunk_count", _("Trunks"), kind="count", sort=True),
        Column("number_count", _("Numbers"), kind="count", sort=True, card=False),
    ]
    search_fields = ["name", "contact"]
    default_sort = "name"
    export_name = "carriers"
    actions = [NEW_CARRIER]
    empty = Empty(_("No carriers yet."), _("For example “Carrier A”, with its support line."), NEW_CARRIER, "antenna")

    def queryset(self) -> QuerySet[Carrier]:
        open_trunks = Count("trunks", filter=Q(trunks__closed_at=None), distinct=True)
        found = Carrier.objects.filter(msp=self.request.msp)  # type: ignore[attr-defined]
        return found.annotate(trunk_count=open_trunks, number_count=Count("stock", distinct=True))


class MspTrunkList(ListPage):
    title = _("Trunks")
    lead = _(
        "The lines to your carriers, shared with the customers that you choose, and the trunks that customers brought."
    )
    template = "voice/carriers/trunks.html"
    topic = "trunks"
    columns = [
        Column("health", _("State"), kind="status", value=state_of, sort=True),
        Column("name", _("Name"), sort=True, link=trunk_url),
        Column("carrier__name", _("Carrier"), sort=True),
        Column("host", _("Host"), kind="code", sort=True, card=False),
        Column("customers", _("Customers"), value=lambda row: row.tenant or row.grant_count, card=False),
        Column("limits", _("Limits"), value=limits_of, card=False),
        Column("health_since", _("Since"), kind="ago", sort=True),
    ]
    search_fields = ["name", "host", "carrier__name", "tenant__name"]
    filters = [
        Choice("health", _("State"), Trunk.Health.choices),
        Choice(
            "whose",
            _("Whose"),
            [("ours", _("Yours")), ("theirs", _("Customers' own")), ("waiting", _("Waiting for approval"))],
            apply=lambda found, value: found.filter(  # type: ignore[arg-type]
                **{"ours": {"tenant": None}, "theirs": {"tenant__isnull": False}, "waiting": {"approved": False}}[value]
            ),
        ),
    ]
    default_sort = "name"
    export_name = "trunks"
    actions = [NEW_TRUNK]
    empty = Empty(
        _("No trunks yet."), _("For example “Carrier A Berlin”, 198.51.100.7, 30 calls."), NEW_TRUNK, "plug-connected"
    )

    def queryset(self) -> QuerySet[Trunk]:
        found = Trunk.objects.open().filter(msp=self.request.msp)  # type: ignore[attr-defined]
        return found.select_related("carrier", "tenant").annotate(
            grant_count=Count("grants", filter=Q(grants__until=None))
        )


class CustomerTrunkList(ListPage):
    title = _("Trunks")
    lead = _("The lines that your calls can take: those that your provider shares with you, and your own.")
    topic = "trunks"
    columns = [
        Column("health", _("State"), kind="status", value=state_of, sort=True),
        Column("name", _("Name"), sort=True, link=trunk_url),
        Column("whose", _("Whose"), value=lambda row: _now("Yours") if row.tenant_id else _now("Your provider's")),
        Column("answer", _("Last answer"), value=answer_of, card=False),
        Column("health_since", _("Since"), kind="ago", sort=True),
    ]
    search_fields = ["name"]
    filters = [Choice("health", _("State"), Trunk.Health.choices)]
    default_sort = "name"
    export_name = "trunks"
    actions = [Action(_("Bring your own trunk"), "carriers:trunk_new", "plus", "carriers.change")]
    empty = Empty(
        _("No trunks yet."),
        _("Your provider shares trunks with you; you can also bring a carrier of your own."),
        actions[0],
        "plug-connected",
    )

    def queryset(self) -> QuerySet[Trunk]:
        return selectors.trunks_for(self.request.tenant)  # type: ignore[attr-defined]


class BlockList(ListPage):
    title = _("Block list")
    lead = _(
        "Numbers that none of your customers can call, whatever their own routing says. Emergency numbers always pass."
    )
    topic = "blocked"
    columns = [
        Column("prefix", _("Numbers that start with"), value=str, sort=True),
        Column("note", _("Note")),
        Column("created_at", _("Since"), kind="when", sort=True, card=False),
        Column("pk", "", template="voice/carriers/unblock_cell.html", export=False, shown_to="carriers.change"),
    ]
    search_fields = ["prefix", "note"]
    default_sort = "prefix"
    export_name = "block-list"
    actions = [NEW_PREFIX]
    empty = Empty(_("Nothing is blocked."), _("For example +882, satellite and global networks."), NEW_PREFIX, "ban")

    def queryset(self) -> QuerySet[BlockedPrefix]:
        return selectors.blocked_prefixes(self.request.msp.pk)  # type: ignore[attr-defined]

    def search(self, queryset: QuerySet[Any], text: str) -> QuerySet[Any]:
        return super().search(queryset, text.lstrip("+"))
