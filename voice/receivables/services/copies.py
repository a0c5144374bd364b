"""The customer's own copy of each issued document (`voice/billing`): written with the register, read by its pages."""

from portal.db import contexts
from portal.db.customers import has_schema
from tenants.models import Customer, Msp
from voice.billing import services as billing
from voice.billing.models import Bill
from voice.receivables.models import Invoice

TAX_COLUMNS = (
    "category", "per_million", "name", "note", "net", "tax", "is_levy", "position", "share_per_million", "fixed",
    "units",
)  # fmt: skip


def keep_copy(invoice: Invoice) -> None:
    """Write the customer's copy of a document that is being issued; the caller holds the transaction."""
    if has_schema(invoice.tenant):
        _write(invoice)
    # Otherwise it was closed so long ago that its data is gone, and the register alone has the document.


def keep_missing_copies(msp: Msp) -> int:
    """Write the copies of documents that were issued before customers had copies; return how many lacked one."""
    made = 0
    for customer in Customer.objects.filter(msp=msp, invoices__state=Invoice.State.ISSUED).distinct().order_by("pk"):
        if has_schema(customer):
            with contexts.msp(msp, customer=customer):
                issued = Invoice.objects.issued().filter(tenant=customer).exclude(pk__in=Bill.objects.values("pk"))
                lacking = list(issued.select_related("msp", "tenant").order_by("pk"))
            for invoice in lacking:
                _write(invoice)
            made += len(lacking)
    return made


def _write(invoice: Invoice) -> None:
    lines = list(invoice.lines.order_by("position"))
    taxes = list(invoice.taxes.order_by("pk").values(*TAX_COLUMNS))
    with contexts.msp(invoice.msp, customer=invoice.tenant):
        billing.keep(invoice, lines, taxes)
