"""What the MSP's and the customer's pages of invoices have in common."""

from dataclasses import dataclass
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from django.db.models import Sum
from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _

from portal.ui import values
from portal.ui.status import Status
from tenants.models import Customer
from voice.billing.models import Bill
from voice.receivables import einvoice, selectors, services
from voice.receivables.models import Allocation, Invoice, InvoiceFile
from voice.receivables.pages import currencies
from voice.receivables.selectors import Movement
from voice.receivables.services.corrections import refusal_of
from voice.receivables.tax import WHOLE

# The content type of each file, and how its name ends.
TYPES: dict[str, tuple[str, str]] = {
    InvoiceFile.Kind.PDF: ("application/pdf", "pdf"),
    InvoiceFile.Kind.XML: ("application/xml", "xml"),
    InvoiceFile.Kind.UBL: ("application/xml", "ubl.xml"),
}


@dataclass(frozen=True)
class Statement:
    """A customer's account in one currency, newest first."""

    currency: str
    balance: int
    movements: list[Movement]

    @property
    def correctable(self) -> set[int]:
        """The entries that people may take back and nobody has taken back."""
        entries = {move.entry.pk: move.entry for move in self.movements}
        done = {entry.corrects_id for entry in entries.values()}
        return {pk for pk, entry in entries.items() if pk not in done and not refusal_of(entry)}


@dataclass(frozen=True)
class ToldTax:
    """A tax of a document in words."""

    words: str
    tax: int
    note: str


def accounts_of(customer: Customer) -> list[Statement]:
    """Return the customer's accounts."""
    found = []
    for currency in currencies(customer):
        moves = list(selectors.statement(customer, currency))
        found.append(Statement(currency, moves[-1].balance if moves else 0, moves[::-1]))
    return found


def facts_of(invoice: Invoice | Bill, state: Status) -> dict[str, Any]:
    """Return what the page of an invoice, or of the customer's copy of it, shows beside its lines."""
    taxes: list[Any]
    if isinstance(invoice, Bill):
        issued, taxes = True, [SimpleNamespace(**each) for each in invoice.taxes]
    else:
        issued, taxes = invoice.state == Invoice.State.ISSUED, list(invoice.taxes.order_by("pk"))
    settled = Allocation.objects.filter(invoice=invoice.pk).order_by("pk")
    settled = settled.select_related("payment", "credit_note", "reversal", "entry")
    freed = Allocation.objects.filter(credit_note=invoice.pk, payment__isnull=False)
    return {
        "state": state,
        "issued": issued,
        "last_day": invoice.ends - timedelta(days=1),
        "taxes": told_taxes(taxes, invoice.currency),
        "settlements": settled,
        "freed": -int(freed.aggregate(sum=Sum("amount"))["sum"] or 0),
        "credit_notes": list(invoice.credit_notes.order_by("pk")),
        "no_einvoice": why_none(invoice, taxes) if issued else "",
    }


def told_taxes(taxes: list[Any], currency: str) -> list[ToldTax]:
    """Return the taxes of a document as its page says them; beside sales taxes there is nothing to say of VAT."""
    has_levies = any(each.is_levy for each in taxes)
    found = [
        ToldTax(_words(each, currency), each.tax, each.note)
        for each in taxes
        if each.category != "O" or each.is_levy or not has_levies
    ]
    notes = [each.note for each in taxes if each.note and has_levies and each.category == "O" and not each.is_levy]
    return found + [ToldTax(_("Not taxed"), 0, note) for note in notes]


def _words(each: Any, currency: str) -> str:
    if each.fixed:
        return f"{each.name}, {each.units} × {values.money(each.fixed, currency)}"
    if each.category != "S":
        return _("VAT")
    told = f"{each.name} {einvoice.percent(each.per_million)} %"
    if each.share_per_million == WHOLE:
        return told
    return _("%(tax)s on %(share)s %% of it") % {"tax": told, "share": einvoice.percent(each.share_per_million)}


def why_none(invoice: Invoice | Bill, taxes: list[Any]) -> str:
    """Return why there is no e-invoice of the document, or nothing where there is one."""
    try:
        einvoice.refuse(invoice, taxes)
    except einvoice.NotPossible as error:
        return str(error)
    return ""


def file_response(document: Invoice | Bill, kind: str) -> HttpResponse:
    """Answer with a file of an issued document; 404 where there is none."""
    # Files are kept once, with the register; its policies let a customer read those of its own.
    invoice = Invoice.objects.select_related("corrects").get(pk=document.pk) if isinstance(document, Bill) else document
    content = services.content_of(invoice, kind) if kind in TYPES and invoice.number else None
    if content is None:
        raise Http404(_("There is no such file."))
    name, (content_type, ending) = invoice.number.replace("/", "-"), TYPES[kind]
    disposition = f'attachment; filename="{name}.{ending}"'
    return HttpResponse(content, content_type=content_type, headers={"Content-Disposition": disposition})
