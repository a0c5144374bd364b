"""The lists of the customer's numbers."""

from typing import Any

from django.db.models import QuerySet
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from portal.ui.lists import Action, Choice, Column, Empty, ListPage
from portal.ui.status import STATES, Status, status
from voice.directory import selectors as directory
from voice.numbers import selectors
from voice.numbers.models import ApprovedCallerId, Number

SHORT: dict[str, Any] = {Number.Inbound.TEAMS: _("Teams"), Number.Inbound.REFUSE: _("Refused")}
NEW_CALLER_ID = Action(_("Approve a number"), "numbers:caller_id_new", "plus", "numbers.change")


class NumberList(ListPage):
    title = _("Numbers")
    lead = _("Your telephone numbers: who rings when they are called, and where help is sent to.")
    template = "voice/numbers/list.html"
    topic = "numbers"
    search_label = _("Search 030 123, the last four digits, a label or a person")
    default_sort = "e164"
    export_name, export_job = "numbers", "numbers.export"
    shown_fields = [
        "e164", "label", "state", "inbound", "inbound_trunk", "config_version", "person__name", "place__description",
        "place__address__city", "place__address__validation",
    ]  # fmt: skip
    actions = [
        Action(_("Caller ID"), "numbers:caller_ids", "id", "numbers.view"),
        Action(_("Fold ranges"), "numbers:ranges", "stack-2", "numbers.view"),
        Action(_("Usage by person"), "numbers:usage", "chart-bar", "calls.view"),
    ]
    bulk = [
        Action(_("Activate"), "numbers:bulk_activate", "player-play", "numbers.change"),
        Action(_("Set location"), "numbers:bulk_place", "map-pin", "numbers.change"),
        Action(_("Suspend"), "numbers:bulk_suspend", "player-pause", "numbers.change"),
        Action(_("Deactivate"), "numbers:bulk_deactivate", "player-stop", "numbers.change", danger=True),
    ]
    empty = Empty(
        _("You have no numbers yet."), _("Your provider gives you numbers; they appear here at once."), icon="hash"
    )

    @cached_property
    def columns(self) -> list[Column]:  # type: ignore[override]
        return [
            Column("state", _("State"), kind="status", value=self.state_of, sort=True),
            Column("e164", _("Number"), kind="phone", sort=True, link="numbers:number"),
            Column("label", _("Label"), sort=True),
            Column("person__name", _("Person"), sort=True, card=False),
            Column("inbound", _("Calls go to"), value=self.inbound_of, card=False),
            Column("place", _("Emergency location"), value=self.place_of, draw=self.place_cell),
        ]

    @cached_property
    def filters(self) -> list[Choice]:  # type: ignore[override]
        return [
            Choice("state", _("State"), Number.State.choices),
            Choice("inbound", _("Calls go to"), Number.Inbound.choices),
            Choice("place", _("Location"), self._place_choices(), apply=self._at_place),
        ]

    @cached_property
    def count(self) -> int | None:
        around = self.context.get("around")
        return super().count if self.is_narrowed or around is None else around.total

    @cached_property
    def inbound_words(self) -> dict[str, str]:
        return {value: str(label) for value, label in {**dict(Number.Inbound.choices), **SHORT}.items()}

    @cached_property
    def trunk_names(self) -> dict[int, str]:
        return selectors.trunk_names(self.request.tenant)  # type: ignore[attr-defined]

    @staticmethod
    def everything() -> QuerySet[Number]:
        return selectors.numbers()

    def search(self, queryset: QuerySet[Any], text: str) -> QuerySet[Any]:
        return queryset & selectors.numbers(text)

    def state_of(self, row: Number) -> Status:
        """Return the number's state: an active one says whether every SBC has it."""
        if row.state == Number.State.ACTIVE:
            live = row.config_version <= self.request.tenant.live_version  # type: ignore[attr-defined]
            return status("active") if live else status("going_live")
        return STATES[row.state] if row.state in STATES else status(row.state, word=row.get_state_display())

    def inbound_of(self, row: Number) -> str:
        """Return in words where calls to the number go."""
        if row.inbound == Number.Inbound.TRUNK:
            return self.trunk_names.get(row.inbound_trunk or 0, _now("a trunk that is not there any more"))
        return self.inbound_words.get(row.inbound, row.inbound)

    def place_cell(self, row: Number) -> str:
        """Return where help is sent to, as short as a row has room for."""
        if row.place is None:
            return self.no_place
        place = f"{row.place.description}, {row.place.address.city}"
        if row.place.address.is_validated:
            return place
        return format_html('{} <span class="none">({})</span>', place, _now("not validated"))

    @cached_property
    def no_place(self) -> SafeString:
        return format_html('<span class="none">{}</span>', _now("Not set"))

    def place_of(self, row: Number) -> str:
        """Return where help is sent to."""
        return str(row.place) if row.place else ""

    def _place_choices(self) -> list[tuple[Any, Any]]:
        around = self.context.get("around")
        return [("none", _("Not set")), *(directory.place_choices() if around is None else around.places)]

    @staticmethod
    def _at_place(queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        return queryset.filter(place=None) if value == "none" else queryset.filter(place=value)


class RangeList(NumberList):
    """The same numbers, found the same way; `views_ranges` draws them folded."""

    title = _("Numbers, ranges folded")
    lead = _("Neighbours about which everything is the same stand in one line. Open it to see each number.")
    actions = [Action(_("One line a number"), "numbers:list", "list", "numbers.view")]

    def facts_of(self, row: Number) -> dict[str, Any]:
        """Return what a line says of all its numbers."""
        return {"state": self.state_of(row), "inbound": self.inbound_of(row), "place": row.place}


class CallerIdList(ListPage):
    title = _("Caller ID")
    lead = _("Which numbers your calls show: your own active numbers always, others when they are approved here.")
    template = "voice/numbers/caller_ids.html"
    topic = "numbers"
    columns = [
        Column(
            "e164",
            _("Number"),
            kind="phone",
            sort=True,
            link="numbers:caller_id",
            link_needs="numbers.change",
        ),
        Column("note", _("Whose number it is")),
        Column("evidence", _("Proof"), card=False),
        Column("approved_by", _("Approved by"), card=False),
        Column("approved_at", _("Approved"), kind="when", sort=True, card=False),
    ]
    search_fields = ["e164", "note"]
    default_sort = "e164"
    export_name = "caller-ids"
    actions = [
        NEW_CALLER_ID,
        Action(_("When it is not yours"), "numbers:caller_id_policy", "adjustments", "numbers.change"),
    ]
    empty = Empty(_("No foreign numbers are approved."), _("For example your head office's line."), NEW_CALLER_ID, "id")

    def queryset(self) -> QuerySet[ApprovedCallerId]:
        return selectors.caller_ids()
