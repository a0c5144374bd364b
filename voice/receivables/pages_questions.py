"""The lists of what customers ask about their bills: the MSP's of all, each customer's of its own."""

from datetime import date, datetime
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from portal.ui.lists import Choice, Column, Empty, ListPage
from portal.ui.status import Status, status
from tenants.models import Customer
from voice.currencies.tabs import tabs
from voice.rating.tabs_customer import money_tabs
from voice.receivables.models import LineQuestion


def state_of_question(row: LineQuestion) -> Status:
    """Return whether a question waits for its answer."""
    return status("waiting_you" if row.is_open else "done", word=row.get_state_display())


def state_of_asked(row: LineQuestion) -> Status:
    """Return the same for who has asked."""
    return status("pending" if row.is_open else "done", word=_("With your provider") if row.is_open else _("Answered"))


def _columns(page: str) -> list[Column]:
    return [
        Column("number", _("Document"), value=_number, draw=_unbroken),
        Column("line", _("Line"), value=lambda row: row.attached.get("text", ""), link=page),
        Column("text", _("Question"), value=lambda row: row.text[:120], card=False),
        Column("disputed", _("Not accepted"), kind="money", value=lambda row: row.disputed or None, sort=True),
        Column("asked_at", _("Asked"), kind="when", sort=True),
    ]


def _number(row: LineQuestion) -> str:
    return str(row.attached.get("number", ""))


def _unbroken(row: LineQuestion) -> str:
    return format_html('<span class="text-nowrap">{}</span>', _number(row))


EMPTY = Empty(_("No questions."), _("“Ask about this line” stands at each line of a bill."), icon="help-circle")


def _month(text: str) -> date | None:
    try:
        return datetime.strptime(text, "%Y-%m").date()
    except ValueError:
        return None


def _of_month(found: QuerySet[Any], value: str) -> QuerySet[Any]:
    month = _month(value)
    return found.filter(invoice__begins__year=month.year, invoice__begins__month=month.month) if month else found


def _with_amount(found: QuerySet[Any], _value: str) -> QuerySet[Any]:
    return found.exclude(disputed=0)


class QuestionList(ListPage):
    title = _("Questions about invoices")
    lead = _("What your customers ask about lines of their invoices. An answer settles what they did not accept.")
    columns = [
        Column("state", _("State"), kind="status", value=state_of_question),
        Column("tenant__name", _("Customer"), sort=True),
        *_columns("invoices:question"),
    ]
    search_fields = ["text", "tenant__name", "invoice__number"]
    default_sort = "-asked_at"
    export_name = "questions"
    empty = EMPTY

    def __init__(self, request: HttpRequest) -> None:
        super().__init__(request, tabs=tabs(request, "invoices:questions"))

    @cached_property
    def filters(self) -> list[Any]:  # type: ignore[override]
        customers = Customer.objects.filter(msp=self.request.msp).order_by("name")  # type: ignore[attr-defined]
        return [
            Choice("state", _("State"), LineQuestion.State.choices),
            Choice("customer", _("Customer"), [(each.pk, each.name) for each in customers], field="tenant"),
            Choice("month", _("Month of the bill"), self._months, apply=_of_month),
            Choice("disputed", _("Not accepted"), [("yes", _("An amount is not accepted"))], apply=_with_amount),
        ]

    def _months(self, _request: HttpRequest) -> list[tuple[str, str]]:
        found = LineQuestion.objects.filter(msp=self.request.msp)  # type: ignore[attr-defined]
        months = [each.strftime("%Y-%m") for each in found.dates("invoice__begins", "month", order="DESC")]
        if (asked := self.request.GET.get("month", "")) and _month(asked) and asked not in months:
            # A link may name a month about which nobody has asked: the list then is empty and not everything.
            months.append(asked)
        return [(each, date_format(day, "F Y")) for each in months if (day := _month(each))]

    def queryset(self) -> QuerySet[LineQuestion]:
        return LineQuestion.objects.filter(msp=self.request.msp).select_related("tenant", "invoice")  # type: ignore[attr-defined]


class AskedList(ListPage):
    title = _("Your questions")
    lead = _("What you asked about lines of your bills, and what your provider answered.")
    columns = [Column("state", _("State"), kind="status", value=state_of_asked), *_columns("bills:question")]
    search_fields = ["text", "invoice__number"]
    filters = [Choice("state", _("State"), LineQuestion.State.choices)]
    default_sort = "-asked_at"
    export_name = "questions"
    empty = EMPTY

    def __init__(self, request: HttpRequest) -> None:
        super().__init__(request, tabs=money_tabs(request, "bills:questions"))

    def queryset(self) -> QuerySet[LineQuestion]:
        return LineQuestion.objects.filter(tenant=self.request.tenant).select_related("invoice")  # type: ignore[attr-defined]
