"""The lists of the stock."""

from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.functional import cached_property
from django.utils.timezone import localtime
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from portal.ui.lists import Action, Choice, Column, Empty, ListPage
from portal.ui.status import Status, status
from tenants.models import Customer
from voice.inventory import selectors
from voice.inventory.imports import Carrier
from voice.inventory.models import StockImport, StockImportError, StockNumber

IMPORT = Action(_("Import numbers"), "inventory:import", "upload", "stock.change")


def state_of(number: StockNumber) -> Status:
    """Return the number's state as a chip: a cooling one says until when."""
    if number.state == StockNumber.State.COOLING and number.cooling_until:
        until = date_format(localtime(number.cooling_until), "j M")
        return status("cooling", word=_now("Cooling until %(day)s") % {"day": until})
    return status(number.state)


class StockList(ListPage):
    title = _("Number stock")
    lead = _("Every number that you can give to customers. A number belongs to one customer at a time.")
    topic = "numbers"
    columns = [
        Column("state", _("State"), kind="status", value=state_of, sort=True),
        Column(
            "e164",
            _("Number"),
            kind="phone",
            sort=True,
            link=lambda number: reverse("inventory:number", args=[number.pk]),
        ),
        Column("tenant__name", _("Customer"), sort=True),
        Column("country", _("Country"), sort=True, card=False),
        Column("kind", _("Kind"), value=lambda number: number.get_kind_display(), sort=True, card=False),
        Column("carrier__name", _("Carrier"), sort=True, card=False),
    ]
    search_label = _("Search numbers, for example 030 123")
    default_sort = "e164"
    export_name, export_job = "number-stock", "inventory.export"
    actions = [IMPORT]
    bulk = [
        Action(_("Give to a customer"), "allocation:allocate", "user-plus", "stock.change"),
        Action(_("Take back"), "allocation:release", "arrow-back-up", "stock.change"),
        Action(_("Move"), "allocation:move", "transfer", "stock.change"),
        Action(_("Reserve"), "inventory:reserve", "clock", "stock.change"),
        Action(_("Free again"), "inventory:unreserve", "rotate", "stock.change"),
        Action(_("Close"), "inventory:close", "archive", "stock.change", danger=True),
    ]
    empty = Empty(
        _("No numbers yet."), _("Import a range such as +49301234500-99, or a file from your carrier."), IMPORT, "hash"
    )

    @cached_property
    def filters(self) -> list[Choice]:  # type: ignore[override]
        """Return the filters, with the MSP's own customers and carriers as choices."""
        customers = Customer.objects.filter(msp=self.request.msp).order_by("name")  # type: ignore[attr-defined]
        carriers = Carrier.objects.filter(msp=self.request.msp).order_by("name")  # type: ignore[attr-defined]
        return [
            Choice("state", _("State"), StockNumber.State.choices),
            Choice("customer", _("Customer"), [(each.pk, each.name) for each in customers], field="tenant"),
            Choice("carrier", _("Carrier"), [(each.pk, each.name) for each in carriers]),
            Choice("kind", _("Kind"), StockNumber.Kind.choices),
        ]

    def queryset(self) -> QuerySet[StockNumber]:
        return StockNumber.objects.filter(msp=self.request.msp).select_related("tenant", "carrier")  # type: ignore[attr-defined]

    def search(self, queryset: QuerySet[Any], text: str) -> QuerySet[Any]:
        found = selectors.search(queryset, text)  # type: ignore[arg-type]
        return found if selectors.digits_pattern(text) else queryset.filter(tenant__name__icontains=text)


class ImportErrors(ListPage):
    """The rows of one import that cannot be stored."""

    template = "voice/inventory/import.html"
    columns = [
        Column("row", _("Line"), kind="count", sort=True),
        Column("column", _("Column")),
        Column("value", _("What stands there"), kind="code"),
        Column("words", _("What is wrong")),
    ]
    search_fields = ["column", "value", "words"]
    default_sort = "row"
    export_name = "import-errors"
    empty = Empty(_("Every line is good."), icon="circle-check")

    def __init__(self, request: Any, draft: StockImport, **context: Any) -> None:
        super().__init__(request, draft=draft, **context)
        self.draft = draft
        self.title = draft.name

    def queryset(self) -> QuerySet[StockImportError]:
        return self.draft.errors.all()
