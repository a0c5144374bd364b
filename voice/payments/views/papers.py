"""Payments with their receipts, and statements of account: the customer's own, and the MSP's of each customer."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _later
from django.views.decorators.http import require_POST

from portal.core.access import requires
from portal.ui.columns import Column
from portal.ui.export import csv_response
from portal.ui.navigation import page_url
from tenants.models import Customer
from voice.payments.forms_papers import PeriodForm
from voice.payments.models import BankEntry, CardAttempt
from voice.payments.pages_papers import OwnPaymentList
from voice.payments.services import by_hand, receipts
from voice.payments.statements import Statement, statement_of
from voice.rating.tabs_customer import money_tabs
from voice.receivables.models import Entry, Payment
from voice.receivables.pages import currencies
from voice.selection import refusal_words


def pdf_response(content: bytes, name: str) -> HttpResponse:
    """Answer with a paper as a download."""
    disposition = f'attachment; filename="{name}.pdf"'
    return HttpResponse(content, content_type="application/pdf", headers={"Content-Disposition": disposition})


@requires("payments.view")
def own_list(request: HttpRequest) -> HttpResponse:
    return OwnPaymentList(request, tabs=money_tabs(request, "pay:payments")).response()


def _payment(request: HttpRequest, pk: int) -> Payment:
    own = {"tenant": request.tenant} if request.place == "customer" else {"msp": request.msp}
    return get_object_or_404(Payment.objects.filter(**own).select_related("tenant"), pk=pk)


@requires("payments.view")
def payment(request: HttpRequest, pk: int) -> HttpResponse:
    row, is_own = _payment(request, pk), request.place == "customer"
    facts = receipts.receipt_of(row)
    invoices = dict(row.allocations.values_list("invoice__number", "invoice"))
    context = {
        "payment": row,
        "facts": facts,
        "paid": [(number, micros, invoices[number]) for number, micros in facts.paid],
        "reversals": row.reversals.order_by("pk"),
        # How it came in is the MSP's to see.
        "attempt": None if is_own else CardAttempt.objects.filter(payment=row).first(),
        "entry": None if is_own else BankEntry.objects.filter(payment=row).first(),
        "is_own": is_own,
        "can_change": request.can("payments.change"),
        "may_take_back": not is_own and by_hand.may_take_back(row),
    }
    return TemplateResponse(request, "voice/payments/payment.html", context)


@requires("payments.view")
def receipt(request: HttpRequest, pk: int) -> HttpResponse:
    row = _payment(request, pk)
    return pdf_response(receipts.receipt_pdf(row), f"receipt-{row.received_on}-{row.pk}")


@require_POST
@requires("payments.change")
def mail_receipt(request: HttpRequest, pk: int) -> HttpResponse:
    row = _payment(request, pk)
    try:
        receipts.mail_receipt(row, by=request.actor)
    except ValidationError as error:
        messages.error(request, refusal_words(error))
    else:
        messages.success(request, _("Mailed."))
    return redirect("payments:payment", pk=row.pk)


@requires("payments.view")
def own_statement(request: HttpRequest) -> HttpResponse:
    return _statement(request, request.tenant)


@requires("payments.view")
def statement(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a customer's statement to its MSP."""
    return _statement(request, get_object_or_404(Customer.objects.select_related("msp"), pk=pk, msp=request.msp))


def _statement(request: HttpRequest, customer: Customer) -> HttpResponse:
    offered = currencies(customer)
    form = PeriodForm(request.GET or None, currencies=offered)
    found: Statement | None = None
    if offered and (not form.is_bound or form.is_valid()):
        found = statement_of(customer, *form.period)
    asked = request.GET.get("export", "")
    if found is not None and asked in ("csv", "pdf"):
        name = f"statement-{found.begins}-{found.last}"
        if asked == "csv":
            return csv_response("statement", COLUMNS, _rows(found))
        try:
            return pdf_response(receipts.statement_pdf(customer, found), name)
        except ValidationError as error:
            messages.error(request, refusal_words(error))
    query = request.GET.copy()
    query.pop("export", None)
    context = {
        "form": form, "statement": found, "customer": customer, "query": query.urlencode(),
        "movements": [(move, _page_of(request, move.entry)) for move in found.movements] if found else [],
        "is_own": request.place == "customer",
        "tabs": money_tabs(request, "pay:statement") if request.place == "customer" else [],
    }  # fmt: skip
    return TemplateResponse(request, "voice/payments/statement.html", context)


def _page_of(request: HttpRequest, entry: Entry) -> str:
    """Return where what an entry books stands; a fee and a correction have no page of their own."""
    bill, payment = (
        ("bills:detail", "pay:payment") if request.place == "customer" else ("invoices:detail", "payments:payment")
    )
    if entry.invoice_id:
        return page_url(bill, request, entry.invoice_id)
    paid = entry.payment_id or (entry.reversal.payment_id if entry.reversal else None)
    return page_url(payment, request, paid) if paid else ""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a statement as its file has it."""

    day: date
    text: str
    amount: int | None
    balance: int
    currency: str


COLUMNS = [
    Column("day", _later("Day")),
    Column("text", _later("What")),
    Column("amount", _later("Amount"), kind="money"),
    Column("balance", _later("Balance"), kind="money"),
    Column("currency", _later("Currency")),
]


def _rows(found: Statement) -> Iterator[Row]:
    yield Row(found.begins, _("Opening balance"), None, found.opening, found.currency)
    for move in found.movements:
        yield Row(move.entry.booked_on, move.words, move.amount, move.balance, found.currency)
    yield Row(found.last, _("Closing balance"), None, found.closing, found.currency)
