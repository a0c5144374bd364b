"""The books: invoices with their lines and files, payments, and the ledger that books them."""

from sbc.services.retained.holding import Holding
from sbc.services.retained.papers import BILLER
from tenants.models import DataClass

# What can go is found for all of them at once (sbc/services/old_books.py).
_INVOICE = "t.invoice_id IN (SELECT id FROM erasure_invoice)"
_PAYMENT = "t.payment_id IN (SELECT id FROM erasure_payment)"
_OF_INVOICE = "(SELECT i.entity_id FROM receivables_invoice i WHERE i.id = t.invoice_id)"
_ISSUED = "(SELECT i.issued_at FROM receivables_invoice i WHERE i.id = t.invoice_id)"
_OF_ENTRY = "(SELECT e.{} FROM receivables_entry e WHERE e.id = t.entry_id)"
# A message of a document would have nothing to tell without it.
_DOCUMENT = "t.kind IN ('invoice.issued', 'credit_note.issued')"
_TOLD = f"""
    {_DOCUMENT} AND t.document IN (SELECT id FROM erasure_invoice)
    OR t.kind = 'payment.recorded' AND t.document IN (SELECT id FROM erasure_payment)
    OR t.kind = 'payment.reversed' AND t.document IN (
        SELECT r.id FROM receivables_reversal r JOIN erasure_payment p ON p.id = r.payment_id)
    OR t.kind = 'entry.booked' AND t.document IN (SELECT id FROM erasure_entry)
"""  # noqa: S608  names of ours
_TOLD_OF = """
    (SELECT i.{0} FROM receivables_invoice i
      WHERE i.id = t.document AND t.kind IN ('invoice.issued', 'credit_note.issued')
     UNION ALL
     SELECT p.{0} FROM receivables_payment p WHERE p.id = t.document AND t.kind = 'payment.recorded'
     UNION ALL
     SELECT p.{0} FROM receivables_payment p JOIN receivables_reversal r ON r.payment_id = p.id
      WHERE r.id = t.document AND t.kind = 'payment.reversed'
     UNION ALL
     SELECT e.{0} FROM receivables_entry e WHERE e.id = t.document AND t.kind = 'entry.booked')
""".strip()
_NO_DOCUMENT = "NOT EXISTS (SELECT FROM receivables_invoice i WHERE i.id = t.{})"
_NO_BOOKS = """
    NOT EXISTS (SELECT FROM receivables_invoice i WHERE i.tenant_id = t.tenant_id)
    AND NOT EXISTS (SELECT FROM receivables_entry e WHERE e.tenant_id = t.tenant_id)
"""
_LEFT_AT = "(SELECT c.closed_at FROM tenants_customer c WHERE c.id = t.tenant_id)"

BOOKS = (
    Holding(DataClass.BOOKS, "delivery_message", "at", _TOLD, tenant=_TOLD_OF.format("tenant_id"),
            company=_TOLD_OF.format("entity_id")),
    Holding(DataClass.BOOKS, "receivables_allocation", "created_at", _INVOICE, company=_OF_INVOICE),
    Holding(DataClass.BOOKS, "receivables_posting", _OF_ENTRY.format("created_at"),
            "t.entry_id IN (SELECT id FROM erasure_entry)", tenant=_OF_ENTRY.format("tenant_id"),
            company=_OF_ENTRY.format("entity_id")),
    Holding(DataClass.BOOKS, "receivables_entry", "created_at", "t.id IN (SELECT id FROM erasure_entry)",
            company="entity_id"),
    Holding(DataClass.BOOKS, "receivables_billedmonth", "month", _INVOICE, company=_OF_INVOICE),
    Holding(DataClass.BOOKS, "receivables_invoicefile", "created_at", _INVOICE, company=_OF_INVOICE),
    Holding(DataClass.BOOKS, "receivables_invoicetax", _ISSUED, _INVOICE, company=_OF_INVOICE),
    Holding(DataClass.BOOKS, "receivables_invoiceline", _ISSUED, _INVOICE, company=_OF_INVOICE),
    Holding(DataClass.BOOKS, "receivables_reversal", "created_at", _PAYMENT,
            company="(SELECT p.entity_id FROM receivables_payment p WHERE p.id = t.payment_id)"),
    Holding(DataClass.BOOKS, "receivables_invoice", "issued_at", "t.id IN (SELECT id FROM erasure_invoice)",
            company="entity_id"),
    Holding(DataClass.BOOKS, "receivables_payment", "created_at", "t.id IN (SELECT id FROM erasure_payment)",
            company="entity_id"),
    # The customers' copies go with what they are copies of.
    Holding(DataClass.BOOKS, "billing_billline",
            "(SELECT b.issued_on FROM {schema}.billing_bill b WHERE b.id = t.bill_id)", _NO_DOCUMENT.format("bill_id"),
            company=BILLER, in_schemas=True),
    Holding(DataClass.BOOKS, "billing_bill", "issued_on", _NO_DOCUMENT.format("id"), company=BILLER, in_schemas=True),
    Holding(DataClass.BOOKS, "rating_movement", "at", company=BILLER),
    Holding(DataClass.BOOKS, "receivables_billingprofile", _LEFT_AT, _NO_BOOKS, company="entity_id"),
)  # fmt: skip
