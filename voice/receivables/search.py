"""What the search palette finds among bills and invoices."""

from collections.abc import Iterator

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from portal.ui import values
from portal.ui.search import Hit, provider
from voice.receivables import selectors
from voice.receivables.pages import state_of


@provider("bills.view", places=["customer"])
def bills(request: HttpRequest, text: str) -> Iterator[Hit]:
    """Find the customer's bills by number."""
    for bill in selectors.bills().filter(number__icontains=text).order_by("-pk")[:5]:
        detail = f"{values.money(bill.total, bill.currency)}, {state_of(bill).word}"
        yield Hit(bill.number, reverse("bills:detail", args=[bill.pk]), _("Bill"), "file-text", detail)


@provider("bills.view", places=["msp"])
def invoices(request: HttpRequest, text: str) -> Iterator[Hit]:
    """Find the MSP's invoices by number."""
    mine = selectors.invoices().filter(msp=request.msp, number__icontains=text)  # type: ignore[attr-defined]
    for invoice in mine.order_by("-pk")[:5]:
        detail = f"{invoice.tenant}, {values.money(invoice.total, invoice.currency)}, {state_of(invoice).word}"
        yield Hit(invoice.number, reverse("invoices:detail", args=[invoice.pk]), _("Invoice"), "file-text", detail)
