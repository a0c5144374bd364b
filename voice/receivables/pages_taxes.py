"""The tax table as a list."""

from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from portal.ui.columns import Action, Choice, Column, Empty
from portal.ui.lists import ListPage
from portal.ui.status import Status, status
from portal.ui.values import money
from voice.currencies.tabs import tabs
from voice.receivables.einvoice import percent
from voice.receivables.models import TaxRule
from voice.receivables.pages import day

NEW_RULE = Action(_("New rule"), "invoices:tax_new", "plus", "bills.change")
WHOLE = 1_000_000


def rate_of(rule: TaxRule) -> str:
    """Return what a rule asks, in words."""
    if rule.fixed:
        return str(_("%(amount)s for each number") % {"amount": money(rule.fixed, rule.currency)})
    told = f"{percent(rule.per_million)} %"
    if rule.share_per_million < WHOLE:
        told = str(_("%(rate)s of %(share)s") % {"rate": told, "share": f"{percent(rule.share_per_million)} %"})
    return told if rule.tax != TaxRule.Tax.RESALE else str(_("owed by the reseller"))


def state_of(rule: TaxRule) -> Status:
    """Return whether the rule holds: one that a later rule has followed is told by its date alone."""
    today = timezone.localdate()
    if rule.begins > today:
        return status("scheduled", word=_("Later"))
    if rule.ends and rule.ends <= today:
        return status("ended", word=_("Ended"))
    return status("done", word=_("In force"))


class TaxRuleList(ListPage):
    title = _("Taxes")
    lead = _(
        "What is asked where, from which day on. The latest rule of its kind that has begun holds. "
        "Check each against its source before invoices rest on it: the table is a start, not advice."
    )
    template = "voice/receivables/settings_list.html"
    columns = [
        Column("country", _("Country"), sort=True),
        Column("area", _("Where"), value=lambda row: " ".join(filter(None, (row.area, row.county, row.city))) or "–"),
        Column("tax", _("Tax"), value=lambda row: row.get_tax_display(), sort=True),
        Column("tax_class", _("On"), value=lambda row: row.get_tax_class_display() or _("everything"), card=False),
        Column("name", _("Name on the invoice"), sort=True, card=False),
        Column("per_million", _("Rate"), value=rate_of, sort=True),
        Column("begins", _("From"), draw=day("begins"), sort=True),
        Column("ends", _("Until"), draw=day("ends"), card=False),
        Column("whose", _("Whose"), value=lambda row: _("Yours") if row.msp_id else _("Everybody's"), card=False),
        Column("source", _("Source"), card=False),
        Column("standing", _("State"), kind="status", value=state_of, card=False),
    ]
    search_fields = ["country", "area", "county", "city", "name", "source"]
    search_label = _("Search country, state, name or source")
    default_sort = "country"
    export_name = "taxes"
    size = 50
    actions = [NEW_RULE]
    empty = Empty(
        _("No rules yet."), _("For example “DE, VAT, 19 %, from 2007-01-01, § 12 UStG”."), NEW_RULE, "receipt"
    )
    filters = [
        Choice("tax", _("Tax"), TaxRule.Tax.choices),
        Choice(
            "whose",
            _("Whose"),
            [("own", _("Yours")), ("all", _("Everybody's"))],
            apply=lambda found, value: found.filter(msp__isnull=value == "all"),
        ),
        Choice(
            "state",
            _("State"),
            [("now", _("In force")), ("later", _("Later")), ("ended", _("Ended"))],
            apply=lambda found, value: _narrowed(found, value),
        ),
    ]

    def __init__(self, request: HttpRequest, **context: Any) -> None:
        super().__init__(request, tabs=tabs(request, "invoices:taxes"), **context)

    def queryset(self) -> QuerySet[TaxRule]:
        return TaxRule.objects.all()


def _narrowed(found: QuerySet[Any], state: str) -> QuerySet[Any]:
    today = timezone.localdate()
    if state == "later":
        return found.filter(begins__gt=today)
    if state == "ended":
        return found.filter(ends__lte=today)
    return found.filter(Q(ends__isnull=True) | Q(ends__gt=today), begins__lte=today)
