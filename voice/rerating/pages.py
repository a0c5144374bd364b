"""The lists of rating again: proposals, what one comes to by customer and line, the calls behind a line."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from django.db.models import F, OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from portal.core import jobs
from portal.ui import navigation
from portal.ui.columns import Filter
from portal.ui.lists import EXPORT_AT_ONCE, Action, Choice, Column, Day, Empty, ListPage
from portal.ui.status import Status, status
from portal.ui.values import money, person, total
from voice.carriers.models import Trunk
from voice.rating.tabs import rating_tabs
from voice.rerating.models import Line, Proposal, ProposalSum, Side, What

Written = Callable[[int, str], str]
NEW = Action(_("Rate calls again"), "rerating:new", "refresh", "rates.change")
STATES: dict[Proposal.State, tuple[str, Any]] = {
    Proposal.State.RATING: ("running", ""), Proposal.State.READY: ("waiting_you", ""),
    Proposal.State.APPLYING: ("running", ""), Proposal.State.APPLIED: ("done", _("Applied")),
    Proposal.State.DISCARDED: ("closed", _("Discarded")), Proposal.State.FAILED: ("attention", ""),
}  # fmt: skip
WHATS = {
    What.SAME: ("calm", "circle"), What.CHANGED: ("busy", "arrows-exchange"), What.PRICED: ("good", "plus"),
    What.LEFT: ("wait", "help-circle"),
}  # fmt: skip


def state_of(proposal: Proposal) -> Status:
    """Return the chip of a proposal."""
    name, word = STATES[Proposal.State(proposal.state)]
    return status(name, word=word or proposal.get_state_display())


def what_of(row: Any) -> Status:
    """Return the chip of what a proposal does to calls."""
    tone, icon = WHATS[What(row.what)]
    return Status(What(row.what).label, tone, icon)


def difference(was: int, was_currency: str, now: int, currency: str, written: Written = money) -> str:
    """Return by how much something changes, with its sign; two amounts where the currency changes."""
    if was_currency != currency and was_currency and was:
        return f"{signed(-was, was_currency, written)}, {signed(now, currency, written)}"
    return signed(now - was, currency or was_currency, written)


def signed(micros: int, currency: str, written: Written = money) -> str:
    """Return an amount with its sign, exactly or as `total` writes a sum."""
    if not micros and not currency:
        return "0"
    return ("+" if micros > 0 else "") + (written(micros, currency) if currency else str(micros))


def differences(proposal: Proposal, side: str, written: Written = money) -> str:
    """Return by how much one side of a proposal moves, in each currency."""
    found = [each for each in proposal.totals if each["side"] == side]
    words = [signed(each["micros"] - each["was_micros"], each["currency"], written) for each in found]
    return ", ".join(words) if words or proposal.rated_at is None else "–"


class ProposalList(ListPage):
    title = _("Rating again")
    lead = _(
        "What calls of a period should have cost, beside what was posted for them. Nothing is posted before somebody"
        " applies a proposal, and then only the difference."
    )
    topic = "rerating"
    columns = (
        Column("state", _("State"), kind="status", value=state_of),
        Column("begins", _("Calls from"), value=lambda row: row.begins.date(), sort=True, link="rerating:detail"),
        Column("ends", _("Until"), value=lambda row: (row.ends - timedelta(days=1)).date(), sort=True),
        Column("note", _("What for"), card=False),
        Column("calls", _("Calls"), kind="count", sort=True, card=False),
        Column("changed", _("Changed"), kind="count", value=lambda row: row.changed + row.priced),
        Column("sells", _("Customers pay"), kind="count", value=lambda row: differences(row, Side.SELL),
               draw=lambda row: differences(row, Side.SELL, total)),
        Column("buys", _("Carriers ask"), kind="count", value=lambda row: differences(row, Side.BUY),
               draw=lambda row: differences(row, Side.BUY, total), shown_to="costs.view"),
        Column("made_by", _("By"), value=lambda row: person(row.made_by), card=False),
        Column("created_at", _("Made"), kind="when", sort=True, card=False),
    )  # fmt: skip
    filters = (
        Choice("state", _("State"), Proposal.State.choices),
        Day("from", _("Made from"), "created_at"),
        Day("to", _("Made until"), "created_at", bound="to"),
    )
    search_fields = ("note", "reason", "made_by")
    default_sort = "-created_at"
    export_name = "proposals"
    actions = (NEW,)
    empty = Empty(
        _("Nothing was rated again yet."),
        _("For example last month, after a carrier sent a corrected price list."), NEW, "refresh",
    )  # fmt: skip

    def __init__(self, request: HttpRequest, **context: Any) -> None:
        super().__init__(request, tabs=rating_tabs(request, "rerating:list"), **context)

    def queryset(self) -> QuerySet[Proposal]:
        return Proposal.objects.filter(msp=self.request.msp)  # type: ignore[attr-defined]


def _customers(request: HttpRequest) -> list[tuple[int, str]]:
    return list(request.msp.customers.order_by("name").values_list("pk", "name"))  # type: ignore[attr-defined]


def period(proposal: Proposal) -> str:
    """Return the days that a proposal is about."""
    first, last = proposal.begins, proposal.ends - timedelta(microseconds=1)
    return f"{date_format(first.date(), 'j M Y')} – {date_format(last.date(), 'j M Y')}"


def _line(row: ProposalSum) -> str:
    was, now = (name or _now("no destination") for name in (row.was_destination, row.destination))
    return now if was == now else f"{was} → {now}"


class SumList(ListPage):
    """What the calls of a proposal come to, by customer and line; unchanged ones only where asked for."""

    template = "voice/rerating/proposal.html"
    topic = "rerating"
    columns = (
        Column("what", _("What"), kind="status", value=what_of),
        Column("tenant__name", _("Customer"), sort=True),
        Column("side", _("Side"), value=lambda row: row.get_side_display(), card=False, shown_to="costs.view"),
        Column("trunk_name", _("Trunk"), card=False, shown_to="costs.view"),
        Column("destination", _("Line"), value=_line, sort=True,
               link=lambda row: reverse("rerating:calls", args=[row.proposal_id, row.number])),
        Column("calls", _("Calls"), kind="count", sort=True),
        Column("was_micros", _("Posted"), kind="count", card=False,
               value=lambda row: _amount(row.was_micros, row.was_currency)),
        Column("micros", _("Should be"), kind="count", card=False,
               value=lambda row: _amount(row.micros, row.currency)),
        Column("difference", _("Difference"), kind="count", sort=True,
               value=lambda row: difference(row.was_micros, row.was_currency, row.micros, row.currency)),
    )  # fmt: skip
    filters: Sequence[Filter] = (
        Choice("customer", _("Customer"), _customers, field="tenant_id"),
        Choice("side", _("Side"), Side.choices),
        Choice("what", _("What"), [*What.choices, ("every", _("Everything"))], apply=lambda found, _value: found),
    )
    search_fields = ("tenant__name", "destination", "was_destination")
    search_label = _("Customer or destination")
    default_sort = "-difference"
    export_name, export_job = "rated-again", "rerating.export"
    empty = Empty(_("No call comes to anything else than what was posted for it."), icon="circle-check")

    def __init__(self, request: HttpRequest, proposal: Proposal, **context: Any) -> None:
        super().__init__(request, proposal=proposal, **context)
        self.proposal = proposal
        self.title = _now("Rating again %(period)s") % {"period": period(proposal)}
        if not proposal.buy or not self.may("costs.view"):
            self.filters = [each for each in self.filters if each.name != "side"]

    def visible_columns(self) -> Sequence[Column]:
        """Return the columns; which side and trunk it is matters only where carriers were rated, too."""
        shown = super().visible_columns()
        return shown if self.proposal.buy else [each for each in shown if each.name not in ("side", "trunk_name")]

    def queryset(self) -> QuerySet[ProposalSum]:
        found = ProposalSum.objects.filter(proposal=self.proposal).select_related("tenant")
        if not self.may("costs.view"):
            found = found.filter(side=Side.SELL)
        what = self.request.GET.get("what", "")
        if what.isascii() and what.isdigit():
            found = found.filter(what=int(what[:2]))
        elif what != "every":
            found = found.exclude(what=What.SAME)
        name = Trunk.objects.filter(pk=OuterRef("trunk")).values("name")[:1]
        return found.annotate(difference=F("micros") - F("was_micros"), trunk_name=Subquery(name))

    def export(self) -> HttpResponse:
        if self.found[EXPORT_AT_ONCE : EXPORT_AT_ONCE + 1].exists():
            return _export_job(self, {"proposal": self.proposal.pk, "costs": self.may("costs.view")})
        return super().export()


class CallList(ListPage):
    """The calls behind one line of a proposal."""

    template = "voice/rerating/calls.html"
    tie, counted = "id", False
    filters = (Day("from", _("From day"), "invited"), Day("to", _("To day"), "invited", bound="to"))
    default_sort = "-invited"
    export_name, export_job = "calls-rated-again", "rerating.export_calls"
    empty = Empty(_("No calls here."), icon="phone")

    def __init__(self, request: HttpRequest, line: ProposalSum, **context: Any) -> None:
        super().__init__(request, line=line, proposal=line.proposal, what=what_of(line), **context)
        self.line = line
        names = {"customer": line.tenant.name, "line": _line(line)}
        self.title = _now("%(customer)s: %(line)s") % names
        # All calls of a line have the currencies of the line.
        was, now = line.was_currency, line.currency
        self.columns = (
            Column("invited", _("When"), kind="when", sort=True, link=call_url),
            Column("seconds", _("Talked"), kind="duration", sort=True),
            Column("billed", _("Billed"), kind="duration", card=False),
            Column("was_micros", _("Posted"), kind="count", value=lambda row: _amount(row.was_micros, was), sort=True),
            Column("micros", _("Should be"), kind="count", value=lambda row: _amount(row.micros, now), sort=True),
            Column("difference", _("Difference"), kind="count", sort=True,
                   value=lambda row: difference(row.was_micros, was, row.micros, now)),
        )  # fmt: skip

    def queryset(self) -> QuerySet[Line]:
        rows = Line.objects.filter(proposal=self.line.proposal_id, number=self.line.number)
        return rows.annotate(difference=F("micros") - F("was_micros"))

    def export(self) -> HttpResponse:
        if self.found[EXPORT_AT_ONCE : EXPORT_AT_ONCE + 1].exists():
            return _export_job(self, {"proposal": self.line.proposal_id, "number": self.line.number})
        return super().export()


def call_url(row: Any) -> str:
    """Return where one call of a proposal is told."""
    return navigation.address("rerating:call", "portal.urls_msp", row.proposal_id, row.number, row.id)


def _amount(micros: int, currency: str) -> str:
    return money(micros, currency) if currency else "0"


def _export_job(page: ListPage, params: dict[str, Any]) -> HttpResponse:
    query = page.request.GET.copy()
    query.pop("export", None)
    actor = page.request.actor  # type: ignore[attr-defined]
    job = jobs.start(page.export_job, params | {"query": query.urlencode()}, by=actor)
    return HttpResponseRedirect(reverse("jobs:detail", args=[job.pk]))
