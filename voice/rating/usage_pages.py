"""The customer's page of usage and the MSP's of calls without a price."""

from datetime import UTC
from typing import Any

from django.db.models import QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.core import jobs
from portal.ui import navigation
from portal.ui.confirm import Question, confirm_page, is_confirmed
from portal.ui.lists import Action, Choice, Column, Day, Empty, ListPage, Text
from tenants.permissions import requires
from voice.calls.models.cdr import Direction
from voice.months import MONTH, MonthList
from voice.rating import asides
from voice.rating.models import Charge, PricedOutcome, RateDeck, Usage
from voice.rating.models.charges import ASIDE
from voice.rating.prices import chip
from voice.rating.tabs import rating_tabs
from voice.rating.tabs_customer import money_tabs

MOST_DESTINATIONS = 15


def where(destination: str, direction: str, answered: int) -> str:
    """Return where calls went; those that no rate names are told by what they were."""
    if destination:
        return destination
    words = {
        Direction.IN.value: _("To your numbers"), Direction.INTERNAL.value: _("Between your numbers"),
        Direction.EMERGENCY.value: _("Emergency numbers"),
    }  # fmt: skip
    return words.get(direction) or (_("No price yet") if answered else _("Not answered"))


def _where(row: Usage) -> str:
    return where(row.destination, row.direction, row.answered)


class UsageList(MonthList):
    title = gettext_lazy("Usage")
    lead = gettext_lazy("What your calls came to this month, by destination and day. Days are those of UTC.")
    template = "voice/rating/usage.html"
    search_fields = ("destination",)
    search_label = gettext_lazy("Destination")
    default_sort = "-at"
    export_name = "usage"
    columns = (
        Column("at", gettext_lazy("Day"), value=lambda row: row.at.astimezone(UTC).date(), sort="at"),
        Column("direction", gettext_lazy("Direction"), value=lambda row: row.get_direction_display()),
        Column("destination", gettext_lazy("Destination"), value=_where, sort=True),
        Column("calls", gettext_lazy("Calls"), kind="count", sort=True),
        Column("answered", gettext_lazy("Answered"), kind="count", card=False),
        Column("seconds", gettext_lazy("Talked"), kind="duration", sort=True),
        Column("billed", gettext_lazy("Billed"), kind="duration", card=False),
        Column(
            "micros", gettext_lazy("Charge"), kind="total", sort=True,
            value=lambda row: row.micros if row.currency else None,
        ),
    )  # fmt: skip
    filters = (
        MONTH,
        Choice("direction", gettext_lazy("Direction"), Direction.choices),
    )
    empty = Empty(
        gettext_lazy("No calls in this month."), gettext_lazy("Each call counts here as it ends."), icon="chart-bar"
    )

    def queryset(self) -> QuerySet[Usage]:
        return self.of_month().filter(calls__gt=0)

    def of_month(self) -> QuerySet[Usage]:
        """Return the customer's days of the month that is looked at."""
        return self.in_month(Usage.objects.filter(tenant=self.request.tenant, grain="day"))  # type: ignore[attr-defined]

    @property
    def by_destination(self) -> list[dict[str, Any]]:
        """Return what each destination came to, the dearest first."""
        rows = self.of_month().values("direction", "destination", "currency").annotate(
            made=Sum("calls"), answered=Sum("answered"), talked=Sum("seconds"), total=Sum("micros")
        )  # fmt: skip
        found = list(rows.filter(made__gt=0).order_by("-total", "-made", "destination")[:MOST_DESTINATIONS])
        return [
            row | {"way": Direction(row["direction"]).label,
                   "where": where(row["destination"], row["direction"], row["answered"])}
            for row in found
        ]  # fmt: skip

    @property
    def totals(self) -> list[dict[str, Any]]:
        """Return what the month came to in each currency."""
        rows = self.of_month().exclude(currency="").values("currency")
        return [dict(row) for row in rows.annotate(total=Sum("micros")).order_by("currency")]


@requires("bills.view")
def usage(request: HttpRequest) -> HttpResponse:
    return UsageList(request, tabs=money_tabs(request, "usage:list")).response()


def _customers(request: HttpRequest) -> list[tuple[int, str]]:
    return list(request.msp.customers.order_by("name").values_list("pk", "name"))  # type: ignore[attr-defined]


def _decks(request: HttpRequest) -> list[tuple[int, str]]:
    selling = RateDeck.objects.filter(msp=request.msp, kind=RateDeck.Kind.SELL)  # type: ignore[attr-defined]
    return list(selling.order_by("name").values_list("pk", "name"))


def _begins(rows: QuerySet[Any], text: str) -> QuerySet[Any]:
    return rows.filter(prefix__startswith=text.lstrip("+"))


REASONS = [choice for choice in PricedOutcome.choices if choice[0] in ASIDE]


class UnpricedList(ListPage):
    title = gettext_lazy("Unrated calls")
    lead = gettext_lazy(
        "Answered calls that have no price yet, and why. They cost their customer nothing until a rate or a decision"
        " comes; an invoice waits for them."
    )
    template = "voice/rating/unpriced.html"
    default_sort, tie, counted = "-invited", "id", False
    export_name = "unrated-calls"
    search_fields = ("tenant__name", "prefix")
    search_label = gettext_lazy("Customer, or how the number begins")
    actions = (Action(gettext_lazy("Price again"), "unrated:again", "refresh", "rates.change"),)
    bulk = (Action(gettext_lazy("Decide what they cost"), "rerating:decide", "list-check", "rates.change"),)
    empty = Empty(
        gettext_lazy("Every call has its price."), gettext_lazy("A call without a rate waits here."), icon="checks"
    )
    columns = (
        Column("outcome", gettext_lazy("Reason"), kind="status", value=lambda row: chip(row.outcome)),
        Column("invited", gettext_lazy("When"), kind="when", sort=True,
               link=lambda row: navigation.address("calls:detail", "portal.urls_msp", row.id)),
        Column("tenant__name", gettext_lazy("Customer")),
        Column("direction", gettext_lazy("Direction"), value=lambda row: row.get_direction_display(), card=False),
        Column("prefix", gettext_lazy("Number begins with"), value=lambda row: f"+{row.prefix}" if row.prefix else ""),
        Column("country", gettext_lazy("Country"), value=lambda row: asides.where_of(row.prefix), card=False),
        Column("seconds", gettext_lazy("Talked"), kind="duration"),
    )  # fmt: skip
    filters = (
        Choice("customer", gettext_lazy("Customer"), _customers, field="tenant_id"),
        Choice("reason", gettext_lazy("Reason"), REASONS, field="outcome"),
        Choice("deck", gettext_lazy("Deck"), _decks, field="deck_id"),
        Choice("direction", gettext_lazy("Direction"), Direction.choices),
        Text("begins", gettext_lazy("Number begins with"), apply=_begins),
        Day("from", gettext_lazy("From day"), "invited"),
        Day("to", gettext_lazy("To day"), "invited", bound="to"),
    )

    def queryset(self) -> QuerySet[Charge]:
        return asides.charges_aside(self.request.msp).select_related("tenant")  # type: ignore[attr-defined]


@requires("rates.view")
def unpriced(request: HttpRequest) -> HttpResponse:
    msp = request.msp  # type: ignore[attr-defined]
    costs = asides.lacking_costs(msp) if request.can("costs.view") else []  # type: ignore[attr-defined]
    tabs = rating_tabs(request, "unrated:list")
    return UnpricedList(request, tabs=tabs, lacks=asides.lacking_charges(msp), costs=costs).response()


@requires("rates.change")
def price_again(request: HttpRequest) -> HttpResponse:
    question = Question(
        _("Price the waiting calls again?"),
        [
            _("Every call that has no price is looked at again, by the rates that held when it was answered."),
            _("Calls that have a price keep it."),
        ],
        _("Price again"),
        danger=False,
    )
    if is_confirmed(request, question):
        job = jobs.start("rating.again", {}, by=request.actor)  # type: ignore[attr-defined]
        return redirect("jobs:detail", job.pk)
    return confirm_page(request, question, cancel=navigation.page_url("unrated:list", request))
