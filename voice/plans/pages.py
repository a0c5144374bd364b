"""The lists of plans, contracts and quotes, siblings under one entry of the navigation."""

from functools import cached_property
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from portal.ui import markup
from portal.ui.lists import Action, Choice, Column, Empty, ListPage
from portal.ui.parts import Tab
from portal.ui.status import Status, status
from portal.ui.values import person
from tenants.models import Customer
from voice.plans import selectors
from voice.plans.models import Contract, Plan, Quote

NEW_PLAN = Action(_("New plan"), "plans:new", "plus", "plans.change")
NEW_CONTRACT = Action(_("New contract"), "plans:contract_new", "plus", "plans.change")
NEW_QUOTE = Action(_("New quote"), "plans:quote_new", "plus", "plans.change")
STANDINGS = {
    "scheduled": ("scheduled", _("Scheduled")),
    "trial": ("waiting_you", _("On trial")),
    "running": ("active", _("Running")),
    "ending": ("closing", _("Ending")),
    "ended": ("closed", _("Ended")),
}


def tabs(current: str) -> list[Tab]:
    """Return the tabs of everything that is sold."""
    return [
        Tab(_("Plans"), reverse("plans:list"), current == "plans"),
        Tab(_("Contracts"), reverse("plans:contracts"), current == "contracts"),
        Tab(_("Quotes"), reverse("plans:quotes"), current == "quotes"),
    ]


def chip_of(contract: Contract) -> Status:
    """Return where a contract stands, as a chip."""
    state, word = STANDINGS[selectors.standing(contract, timezone.localdate())]
    return status(state, word=word)


def day_of(name: str) -> Any:
    """Return what draws a row's date."""
    return lambda row: markup.day(getattr(row, name))


class Sold(ListPage):
    """A list with its siblings as tabs."""

    here = ""

    def __init__(self, request: HttpRequest, **context: Any) -> None:
        super().__init__(request, tabs=tabs(self.here), **context)


class PlanList(Sold):
    title = _("Plans")
    lead = _("What you sell: fees, included minutes and prices per minute. A published version never changes.")
    here = "plans"
    columns = [
        Column("name", _("Plan"), link="plans:detail", sort=True),
        Column("currency", _("Currency"), sort=True, card=False),
        Column("newest", _("Version"), value=lambda row: row.newest or "–", card=False),
        Column("draft", _("Draft"), value=lambda row: _("waits for you") if row.draft else "–", card=False),
        Column("deck_name", _("Prices per minute"), value=lambda row: row.deck_name or "–"),
        Column("customers", _("Customers"), kind="count", sort=True),
    ]
    search_fields = ["name", "note"]
    filters = [
        Choice(
            "sale",
            _("For sale"),
            [("yes", _("For sale")), ("no", _("Not sold any more"))],
            apply=lambda found, value: found.filter(closed_at__isnull=value == "yes"),
        )
    ]
    default_sort = "name"
    export_name = "plans"
    actions = [NEW_PLAN]
    empty = Empty(
        _("No plans yet."),
        _("For example “Office”: 12.00 for each user, 1,000 minutes included."),
        NEW_PLAN,
        "packages",
    )

    def queryset(self) -> QuerySet[Plan]:
        return selectors.plans(self.request.msp.pk)


class ContractList(Sold):
    title = _("Contracts")
    lead = _("Who has which plan, since when and for how long.")
    here = "contracts"
    columns = [
        Column("standing", _("State"), kind="status", value=chip_of),
        Column("tenant__name", _("Customer"), link="plans:contract", sort=True),
        Column("plan_name", _("Plan"), value=lambda row: row.past_plan_name or row.future_plan_name or "–"),
        Column("starts", _("Starts"), draw=day_of("starts"), sort=True),
        Column("ends", _("Ends"), draw=day_of("ends"), sort=True),
        Column("term_months", _("Term, months"), kind="count", card=False),
        Column("reference", _("Reference"), card=False),
    ]
    search_fields = ["tenant__name", "reference", "phases__version__plan__name"]
    default_sort = "-pk"
    export_name = "contracts"
    actions = [NEW_CONTRACT]
    empty = Empty(
        _("No contracts yet."), _("A contract gives a customer a plan from a day on."), NEW_CONTRACT, "file-text"
    )

    @cached_property
    def filters(self) -> list[Any]:  # type: ignore[override]
        customers = Customer.objects.filter(msp=self.request.msp).order_by("name")
        plans = Plan.objects.filter(msp=self.request.msp).order_by("name")
        return [
            Choice("customer", _("Customer"), [(each.pk, each.name) for each in customers], field="tenant"),
            Choice(
                "plan",
                _("Plan"),
                [(each.pk, each.name) for each in plans],
                apply=lambda found, value: found.filter(phases__version__plan=value).distinct(),
            ),
            Choice(
                "ended",
                _("Runs"),
                [("no", _("Runs or is to come")), ("yes", _("Ended"))],
                apply=lambda found, value: (
                    found.filter(pk__in=_ended(found)) if value == "yes" else found.exclude(pk__in=_ended(found))
                ),
            ),
        ]

    def queryset(self) -> QuerySet[Contract]:
        return selectors.contracts(msp=self.request.msp.pk)

    def search(self, queryset: QuerySet[Any], text: str) -> QuerySet[Any]:
        matching = super().search(Contract.objects.all(), text).values("pk")
        return queryset.filter(pk__in=matching)


def _ended(found: QuerySet[Contract]) -> QuerySet[Any]:
    return Contract.objects.filter(ends__lte=timezone.localdate()).values("pk")


class QuoteList(Sold):
    title = _("Quotes")
    lead = _("What somebody would pay under your plans, with real or typed traffic. A quote stays as it was made.")
    here = "quotes"
    columns = [
        Column("title", _("Quote"), link="plans:quote", sort=True),
        Column("tenant__name", _("Traffic of"), value=lambda row: row.tenant.name if row.tenant else _("typed")),
        Column("plans", _("Plans"), value=lambda row: ", ".join(each["plan"] for each in row.outcome), card=False),
        Column("made_by", _("By"), value=lambda row: person(row.made_by), card=False),
        Column("created_at", _("Made"), kind="when", sort=True),
    ]
    search_fields = ["title", "tenant__name", "made_by"]
    default_sort = "-pk"
    export_name = "quotes"
    actions = [NEW_QUOTE]
    empty = Empty(
        _("No quotes yet."),
        _("For example “40 users, last month's traffic, Office against Business”."),
        NEW_QUOTE,
        "tag",
    )

    def queryset(self) -> QuerySet[Quote]:
        return Quote.objects.filter(msp=self.request.msp).select_related("tenant")
