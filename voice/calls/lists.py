"""The list of calls: search, filters and columns, for the page and for the export."""

from typing import Any, cast

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from portal.core import jobs
from portal.ui.lists import EXPORT_AT_ONCE, Choice, Column, Day, Empty, ListPage, Text
from voice.calls import hooks, selectors, story
from voice.calls.masking import hidden_in, sight_of
from voice.calls.models import Cdr, CdrQuerySet, Disposition
from voice.calls.models.cdr import Direction
from voice.calls.releasers import releaser

# What decides which columns of prices a reader gets.
PRICED = ("bills.view", "costs.view")


def _story_of(cdr: Cdr) -> str:
    return reverse("calls:detail", args=[cdr.id])


def _trunk(cdr: Cdr) -> str:
    return cdr.ingress_name if cdr.ingress != "teams" else cdr.egress_name


def _customers(request: HttpRequest) -> list[tuple[int, str]]:
    return list(request.msp.customers.order_by("name").values_list("pk", "name"))  # type: ignore[attr-defined]


def _over_trunk(calls: QuerySet[Any], text: str) -> QuerySet[Any]:
    return calls.filter(Q(ingress_name__icontains=text) | Q(egress_name__icontains=text))


class CallList(ListPage):
    title = _("Calls")
    lead = _("Every call that was placed, answered or refused.")
    search_label = _("Number in any form, last digits, or Call-ID")
    default_sort, tie, counted = "-invited", "id", False
    export_name, export_job = "calls", "calls.export"
    # Set by the job that writes the list into a file.
    in_file = False
    empty = Empty(_("No calls yet."), _("The first call is here seconds after it has ended."), icon="phone")

    def queryset(self) -> QuerySet[Cdr]:
        calls = selectors.calls_of(self.request.tenant, self.request.msp, hidden_in(self.request))  # type: ignore[attr-defined]
        return hooks.prices().add_to(calls, self.request)

    def search(self, queryset: QuerySet[Any], text: str) -> QuerySet[Any]:
        return selectors.find_calls(cast(CdrQuerySet, queryset), text)

    def visible_columns(self) -> list[Column]:
        columns = [
            Column("disposition", _("Result"), kind="status", value=story.status_of, link=_story_of),
            Column("invited", _("When"), kind="when", sort=True),
            Column("direction", _("Direction"), value=lambda cdr: cdr.get_direction_display(), card=False),
            Column("caller", _("From"), kind="phone"),
            Column("called", _("To"), kind="phone"),
            Column("trunk", _("Trunk"), value=_trunk, card=False),
            Column("talk_ms", _("Talked"), kind="duration", value=_talked, sort="talk_ms"),
            Column("code", _("Code"), card=False),
        ]
        if self.request.tenant is None:  # type: ignore[attr-defined]
            columns.insert(1, Column("tenant__name", _("Customer")))
        priced = hooks.prices().columns(self.request)
        if self.in_file or self.request.GET.get("export") == "csv":
            columns.append(Column("releaser", _("Ended by"), value=lambda cdr: releaser(cdr).label))
        elif priced:
            # On a page there is no room beside the charge; filters, export and each call's own page have them.
            left_out = {"code", "direction"} | (set() if self.request.tenant is not None else {"trunk"})  # type: ignore[attr-defined]
            columns = [column for column in columns if column.name not in left_out]
        return [*columns, *priced]

    @property
    def filters(self) -> list[Any]:  # type: ignore[override]
        mine: list[Any] = [
            Choice("result", _("Result"), Disposition.choices, field="disposition"),
            Choice("direction", _("Direction"), Direction.choices),
            Day("from", _("From day"), "invited"),
            Day("to", _("To day"), "invited", bound="to"),
            Text("trunk", _("Trunk"), apply=_over_trunk),
        ]
        if self.request.tenant is None:  # type: ignore[attr-defined]
            mine.insert(0, Choice("customer", _("Customer"), _customers, field="tenant_id"))
        return [*mine, *hooks.prices().filters(self.request)]

    def export(self) -> HttpResponse:
        """Answer with the calls as CSV; the job of a long export shows what this reader may see, and no more."""
        if not self.found[EXPORT_AT_ONCE : EXPORT_AT_ONCE + 1].exists():
            return super().export()
        query = self.request.GET.copy()
        query.pop("export", None)
        may = [name for name in PRICED if self.may(name)]
        params = {"query": query.urlencode(), "may": may, "sight": sight_of(self.request.roles)}  # type: ignore[attr-defined]
        job = jobs.start(self.export_job, params, by=self.request.actor)  # type: ignore[attr-defined]
        return HttpResponseRedirect(reverse("jobs:detail", args=[job.pk]))


def _talked(cdr: Cdr) -> float | None:
    return cdr.talk_ms / 1000 if cdr.answered is not None else None
