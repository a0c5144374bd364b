"""The calls of an invoice one by one: on pages and as files, with numbers as far as the reader may see them."""

from typing import Any

from django.db.models import Exists, F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce, JSONObject
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from portal.core import jobs
from portal.ui import markup
from portal.ui.lists import EXPORT_AT_ONCE, Choice, Column, Empty, ListPage
from voice.billing.models import Bill
from voice.calls.masking import hidden_in, is_hidden, masked, sight_of
from voice.calls.models import Cdr
from voice.calls.models.cdr import Direction
from voice.rating.models import Charge
from voice.receivables.models import BilledCharge, Invoice

KEY = {"tenant_id": OuterRef("tenant_id"), "invited": OuterRef("invited"), "id": OuterRef("id")}
PRICED = ("destination", "direction", "seconds", "billed")


class BilledCallList(ListPage):
    """The calls of a document, of all its lines or of one."""

    lead = _("Each call that is billed here, with its charge before anything is rounded.")
    search_label = _("Destination")
    default_sort, tie, counted = "invited", "id", False
    export_name, export_job = "itemised-calls", "bills.export"
    size = 50
    # Set by the job that writes the list into a file.
    in_file = False
    empty = Empty(_("No calls."), _("This is billed without calls."), icon="phone")

    def __init__(
        self, request: HttpRequest, document: Invoice | Bill, position: int = 0, template: str = "", **context: Any
    ) -> None:
        super().__init__(request, invoice=document, **context)
        self.document, self.position, self.template = document, position, template or self.template
        self.title = _now("Calls of %(number)s") % {"number": document}
        self.hidden = hidden_in(request)

    def queryset(self) -> QuerySet[BilledCharge]:
        rows = BilledCharge.objects.filter(line__invoice=self.document.pk)
        if self.position:
            rows = rows.filter(line__position=self.position)
        priced = Charge.objects.filter(**KEY).values(shown=JSONObject(**{name: name for name in PRICED}))
        numbers = Cdr.objects.filter(**KEY).values(shown=JSONObject(caller="caller", called="called"))
        return rows.annotate(
            text=F("line__text"), priced=Subquery(priced), numbers=Subquery(numbers), to_pay=F("micros") - F("off"),
            currency=Coalesce(
                Subquery(Charge.objects.filter(**KEY).exclude(currency="").values("currency")),
                F("line__invoice__currency"),
            ),
        )  # fmt: skip

    def search(self, queryset: QuerySet[Any], text: str) -> QuerySet[Any]:
        return queryset.filter(Exists(Charge.objects.filter(**KEY, destination__icontains=text)))

    @property
    def filters(self) -> list[Any]:  # type: ignore[override]
        by = Choice("direction", _("Direction"), Direction.choices, apply=_in_direction)
        covered = Choice("covered", _("Allowance"), [("1", _("Covered by an allowance"))], apply=_covered)
        return (
            [by, covered] if self.position else [Choice("line", _("Line"), self._lines, "line__position"), by, covered]
        )

    def _lines(self, request: HttpRequest) -> list[tuple[int, str]]:
        lines = self.document.lines.filter(kind="usage").order_by("position")
        return list(lines.values_list("position", "text"))

    def _phone(self, name: str, label: Any) -> Column:
        def number(row: Any) -> str:
            return self._number(row, name)

        # Without a button to copy it: the row's last amount has to fit into a laptop's window.
        return Column(name, label, kind="phone", value=number, draw=lambda row: markup.phone(number(row), copy=False))

    def visible_columns(self) -> list[Column]:
        found = [
            Column("invited", _("When"), kind="when", sort=True, link=_page_of if self.may("calls.view") else False),
            self._phone("caller", _("From")),
            self._phone("called", _("To")),
            Column("text", _("Line"), card=False),
            Column("direction", _("Direction"), value=_direction, card=False),
            Column("destination", _("Destination"), value=lambda row: _told(row, "destination"), card=False),
            Column("seconds", _("Talked"), kind="duration", value=lambda row: _told(row, "seconds"), card=False),
            Column("billed", _("Billed"), kind="duration", value=lambda row: _told(row, "billed")),
            Column("micros", _("Charge"), kind="money", sort=True),
            Column("allowance", _("Covered by"), card=False),
            Column("off", _("Taken off"), kind="money", value=lambda row: row.off or None, card=False),
            Column("to_pay", _("Billed amount"), kind="money", sort=True),
        ]
        # On a page there is room for what differs from call to call; the file has everything.
        left_out = {"direction", "destination", "seconds"} | ({"text"} if self.position else set())
        if not self.is_covered:
            left_out |= {"allowance", "off", "to_pay"}
        in_file = self.request.GET.get("export") == "csv" or self.in_file
        return found if in_file else [column for column in found if column.name not in left_out]

    @cached_property
    def is_covered(self) -> bool:
        """Tell whether an allowance covers any of the calls."""
        return self.queryset().exclude(allowance="").exists()

    def _number(self, row: BilledCharge, name: str) -> str:
        number = str((row.numbers or {}).get(name, ""))  # type: ignore[attr-defined]  # annotated
        return masked(number) if is_hidden(row.tenant_id, self.hidden) else number

    def export(self) -> HttpResponse:
        """Answer with the calls as CSV; the job of a long export shows what this reader may see, and no more."""
        if not self.found[EXPORT_AT_ONCE : EXPORT_AT_ONCE + 1].exists():
            return super().export()
        query = self.request.GET.copy()
        query.pop("export", None)
        params = {
            "query": query.urlencode(), "document": self.document.pk, "position": self.position,
            "sight": sight_of(self.request.roles),  # type: ignore[attr-defined]
        }  # fmt: skip
        job = jobs.start(self.export_job, params, by=self.request.actor)  # type: ignore[attr-defined]
        return HttpResponseRedirect(reverse("jobs:detail", args=[job.pk]))


def _page_of(row: BilledCharge) -> str:
    return reverse("calls:detail", args=[row.id])


def _told(row: Any, name: str) -> Any:
    return (row.priced or {}).get(name)


def _direction(row: Any) -> str:
    found = _told(row, "direction")
    return str(Direction(found).label) if found else ""


def _in_direction(rows: QuerySet[Any], value: str) -> QuerySet[Any]:
    return rows.filter(Exists(Charge.objects.filter(**KEY, direction=value)))


def _covered(rows: QuerySet[Any], _value: str) -> QuerySet[Any]:
    return rows.exclude(allowance="")
