"""Deciding on calls that have no price: from the list of unrated calls, for those that are ticked or all that match."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy

from portal.core import jobs
from portal.core.access import requires
from portal.core.models import Job
from portal.ui.forms import refuse
from portal.ui.lists import Choice, Column, Day, Empty, ListPage
from portal.ui.navigation import address
from portal.ui.values import person
from tenants.models import Msp
from voice.rating import asides
from voice.rating.models import Charge, PricedOutcome
from voice.rating.tabs import rating_tabs
from voice.rating.usage_pages import UnpricedList
from voice.rerating.deciding import Verdict
from voice.rerating.forms import DecideForm
from voice.rerating.models import Decision
from voice.selection import nothing_picked

MOST_PICKED = 1_000


def chosen(request: HttpRequest) -> tuple[QuerySet[Charge], dict[str, Any], list[tuple[str, str]]]:
    """Return the calls that were ticked, or all that the list's search and filters match: rows, job's words, fields."""
    if request.POST.get("every"):
        query = request.POST.get("query", "")
        fields = [("every", "1"), ("query", query)]
        return matching(request.msp, query), {"query": query}, fields  # type: ignore[attr-defined]
    ids = [text for text in (request.POST.getlist("pick") or request.GET.getlist("pick")) if _is_uuid(text)]
    ids = ids[:MOST_PICKED]
    found = asides.charges_aside(request.msp).filter(id__in=ids)  # type: ignore[attr-defined]
    return found, {"calls": ids}, [("pick", text) for text in ids]


def matching(msp: Msp, query: str) -> QuerySet[Charge]:
    """Return the calls that the list of unrated calls shows with this search and these filters."""
    request = HttpRequest()
    request.GET = QueryDict(query)
    request.msp, request.tenant = msp, None  # type: ignore[attr-defined]
    found: QuerySet[Charge] = UnpricedList(request).found
    return found


@requires("rates.change")
def decide(request: HttpRequest) -> HttpResponse:
    found, words, fields = chosen(request)
    count = found.count()
    if not count:
        messages.error(request, nothing_picked())
        return redirect("unrated:list")
    asked = request.method == "POST" and "confirmed" in request.POST
    form = DecideForm(request.POST if asked else None)
    if asked and form.is_valid():
        verdict = form.verdict()
        try:
            verdict.check()
        except ValidationError as error:
            refuse(form, error)
        else:
            job = start(words, verdict, by=request.actor)  # type: ignore[attr-defined]
            return redirect("jobs:detail", job.pk)
    context = {"form": form, "count": count, "fields": fields}
    return TemplateResponse(request, "voice/rerating/decide.html", context)


def start(words: dict[str, Any], verdict: Verdict, *, by: Any) -> Job:
    """Begin to decide on calls in the background; `words` name them as `calls` or by a `query` of the list."""
    facts = {"kind": verdict.kind, "reason": verdict.reason, "micros": verdict.micros, "currency": verdict.currency}
    return jobs.start("rerating.decide", words | {"verdict": facts}, by=by)


def _is_uuid(text: str) -> bool:
    try:
        return bool(UUID(text))
    except ValueError:
        return False


class DecisionList(ListPage):
    title = gettext_lazy("Decisions")
    lead = gettext_lazy(
        "What somebody decided about calls that no rate priced, with the reason. Rating again leaves them."
    )
    columns = (
        Column("made_at", gettext_lazy("Decided"), kind="when", sort=True,
               link=lambda row: address("calls:detail", "portal.urls_msp", row.call)),
        Column("tenant__name", gettext_lazy("Customer"), sort=True),
        Column("invited", gettext_lazy("Call of"), kind="when", sort=True, card=False),
        Column("was", gettext_lazy("Was kept aside as"), value=lambda row: row.get_was_display(), card=False),
        Column("kind", gettext_lazy("Decision"), value=lambda row: row.get_kind_display()),
        Column("micros", gettext_lazy("Charge"), kind="money"),
        Column("reason", gettext_lazy("Reason")),
        Column("made_by", gettext_lazy("By"), value=lambda row: person(row.made_by), card=False),
    )  # fmt: skip
    filters = (
        Choice("kind", gettext_lazy("Decision"), Decision.Kind.choices),
        Choice("was", gettext_lazy("Was kept aside as"), PricedOutcome.choices),
        Day("from", gettext_lazy("From day"), "made_at"),
        Day("to", gettext_lazy("To day"), "made_at", bound="to"),
    )
    search_fields = ("tenant__name", "reason", "made_by")
    default_sort = "-made_at"
    export_name = "decisions"
    empty = Empty(
        gettext_lazy("Nobody decided anything yet."),
        gettext_lazy("Unrated calls are ticked in their list, then decided."), icon="list-check",
    )  # fmt: skip

    def queryset(self) -> QuerySet[Decision]:
        return Decision.objects.filter(msp=self.request.msp).select_related("tenant")  # type: ignore[attr-defined]


@requires("rates.view")
def decision_list(request: HttpRequest) -> HttpResponse:
    return DecisionList(request, tabs=rating_tabs(request, "rerating:decisions")).response()
