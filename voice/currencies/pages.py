"""The list of exchange rates."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from portal.ui.columns import Action, Choice, Column, Day, Empty, Text
from portal.ui.lists import ListPage
from voice.currencies.conversion import digits
from voice.currencies.models import ExchangeRate
from voice.currencies.tabs import tabs

NEW = Action(_("Enter a rate"), "currencies:new", "plus", "bills.change")
IMPORT = Action(_("Import"), "currencies:import", "upload", "bills.change")


class RateList(ListPage):
    title = _("Exchange rates")
    lead = _(
        "How amounts in another currency are converted: by the last rate published until the day, at most a week old. "
        "Rates are added, never changed: invoices keep the one that they were written with."
    )
    columns = [
        Column("day", _("Day"), sort=True),
        Column("base", _("From currency"), kind="code", sort=True),
        Column(
            "nanos", _("Rate"), kind="count", value=lambda row: digits(row.nanos), sort=True,
            help=_("What one unit of the first currency is worth in the second."),
        ),
        Column("quote", _("To currency"), kind="code", sort=True),
        Column("kind", _("By"), value=lambda row: row.get_kind_display(), card=False),
        Column("source", _("Published"), card=False),
    ]  # fmt: skip
    search_fields = ["base", "quote", "source"]
    search_label = _("Search currency or source")
    filters = [
        Text("quote", _("Currency"), "quote"),
        Choice("kind", _("By"), ExchangeRate.Kind.choices),
        Day("from", _("From"), "day"),
        Day("to", _("Until"), "day", "to"),
    ]
    default_sort = "-day"
    export_name = "exchange-rates"
    size = 50
    actions = [IMPORT, NEW]
    empty = Empty(
        _("No rates yet."),
        _("Import the European Central Bank's once: from then on they come by themselves on each working day."),
        IMPORT,
        "arrows-exchange",
    )

    def __init__(self, request: HttpRequest, **context: Any) -> None:
        super().__init__(request, tabs=tabs(request, "currencies:list"), **context)

    def queryset(self) -> QuerySet[ExchangeRate]:
        return ExchangeRate.objects.filter(msp=self.request.msp)  # type: ignore[attr-defined]
