"""The tax table as a list: everybody's rules for the operator, all that hold for an MSP's customers for the MSP."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _

from portal.ui.columns import Action, Choice, Column, Empty, Filter, Text
from portal.ui.lists import ListPage
from portal.ui.status import Status, status
from portal.ui.values import money
from tenants.countries import country_name
from voice.currencies.tabs import tabs
from voice.receivables import selectors
from voice.receivables.einvoice import percent
from voice.receivables.models import TaxCheck, TaxClass, TaxRule
from voice.receivables.pages import day

ADD_RULE = Action(_("New rule"), "taxes:new", "plus", "taxes.change")
NEW_RULE = Action(_("New rule"), "invoices:tax_new", "plus", "bills.change")
WHOLE = 1_000_000
SHOWN_OF_SOURCE = 40


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
        return status("closed", word=_("Ended"))
    return status("done", word=_("In force"))


def checked_of(rule: Any) -> Status:
    """Return whether somebody compared the rule with its source, and what came out."""
    if rule.msp_id:
        return status("inactive", word=_("Your own"))
    if not rule.checked_on:
        return status("unknown", word=_("Not checked"))
    told = _("Checked %(day)s") if rule.outcome == TaxCheck.Outcome.RIGHT else _("Found wrong %(day)s")
    word = told % {"day": date_format(rule.checked_on, "j M Y")}
    return status("done" if rule.outcome == TaxCheck.Outcome.RIGHT else "attention", word=word)


def _place(rule: TaxRule) -> str:
    return " ".join(filter(None, (rule.country, rule.area, rule.county, rule.city)))


def _tax(rule: TaxRule) -> str:
    if not rule.tax_class:
        return rule.get_tax_display()
    return _("%(tax)s on %(what)s") % {"tax": rule.get_tax_display(), "what": rule.get_tax_class_display().lower()}


def _span(rule: TaxRule) -> str:
    return f"{rule.begins}/{rule.ends or '..'}"


def _span_in_words(rule: TaxRule) -> str:
    if not rule.ends:
        return day("begins")(rule)
    return format_html("{} – {}", day("begins")(rule), day("ends")(rule))


def _short_source(rule: TaxRule) -> str:
    return Truncator(rule.source).chars(SHOWN_OF_SOURCE)


def _countries(_request: HttpRequest) -> list[tuple[str, str]]:
    codes = TaxRule.objects.order_by("country").values_list("country", flat=True).distinct()
    return [(code, country_name(code)) for code in codes]


class EverybodysRuleList(ListPage):
    """The rules that the operator keeps for all MSPs."""

    title = _("Taxes")
    lead = _(
        "What is asked where, from which day on, for the customers of every MSP. A rule is never changed: a new rate "
        "is a new rule. Invoices rest on these rows: somebody has to check each against its source."
    )
    columns: Sequence[Column] = [
        Column("standing", _("Holds"), kind="status", value=state_of),
        Column("country", _("Where"), value=_place, sort=True),
        Column("tax", _("Tax"), value=_tax, sort=True),
        Column("name", _("Name on the invoice"), sort=True, link="taxes:rule"),
        Column("per_million", _("Rate"), value=rate_of, sort=True),
        Column("begins", _("From, until"), value=_span, draw=_span_in_words, sort=True),
        Column("source", _("Source"), draw=_short_source, card=False),
        Column("checked", _("Checked"), kind="status", value=checked_of),
    ]
    search_fields = ["country", "area", "county", "city", "name", "source"]
    search_label = _("Search country, state, name or source")
    default_sort = "country"
    export_name = "taxes"
    size = 50
    actions = [ADD_RULE]
    empty = Empty(
        _("No rules yet."), _("For example “DE, VAT, 19 %, from 2007-01-01, § 12 UStG”."), ADD_RULE, "receipt-tax"
    )
    filters: Sequence[Filter] = [
        Choice("country", _("Country"), _countries),
        Text("area", _("State, such as NY")),
        Choice("tax", _("Tax"), TaxRule.Tax.choices),
        Choice(
            "class",
            _("On"),
            [*TaxClass.choices, ("all", _("everything"))],
            apply=lambda found, value: found.filter(tax_class="" if value == "all" else value),
        ),
        Choice(
            "state",
            _("Holds"),
            [("now", _("In force")), ("later", _("Later")), ("ended", _("Ended"))],
            apply=lambda found, value: _narrowed(found, value),
        ),
        Choice(
            "checked",
            _("Checked"),
            [("right", _("Checked")), ("wrong", _("Found wrong")), ("never", _("Not checked"))],
            apply=lambda found, value: (
                found.filter(outcome__isnull=True) if value == "never" else found.filter(outcome=value)
            ),
        ),
    ]

    def queryset(self) -> QuerySet[TaxRule]:
        return selectors.everybodys_rules()


class TaxRuleList(EverybodysRuleList):
    """The rules that hold for an MSP's customers: everybody's, and its own."""

    lead = _(
        "What is asked where, from which day on. The latest rule of its kind that has begun holds. "
        "Check each against its source before invoices rest on it: the table is a start, not advice."
    )
    columns = [replace(column, link="") for column in EverybodysRuleList.columns]
    actions = [NEW_RULE]
    empty = replace(EverybodysRuleList.empty, action=NEW_RULE)
    filters = [
        *EverybodysRuleList.filters,
        Choice(
            "whose",
            _("Whose"),
            [("own", _("Yours")), ("all", _("Shared"))],
            apply=lambda found, value: found.filter(msp__isnull=value == "all"),
        ),
    ]

    def __init__(self, request: HttpRequest, **context: Any) -> None:
        super().__init__(request, tabs=tabs(request, "invoices:taxes"), **context)

    def queryset(self) -> QuerySet[TaxRule]:
        return selectors.with_checks(TaxRule.objects.all())


def _narrowed(found: QuerySet[Any], state: str) -> QuerySet[Any]:
    today = timezone.localdate()
    if state == "later":
        return found.filter(begins__gt=today)
    if state == "ended":
        return found.filter(ends__lte=today)
    return found.filter(Q(ends__isnull=True) | Q(ends__gt=today), begins__lte=today)
