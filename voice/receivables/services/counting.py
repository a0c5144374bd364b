"""What documents, payments and reminders do to the account by which a customer's calls stop: docs/pricing.md §11."""

from django.db import connection

from portal.core.audit import Actor
from voice.rating import accounts
from voice.rating.models import Account
from voice.receivables.models import Invoice, Payment, Reversal

# What the calls on an invoice took from the account when they were stored, and what it gave or took when they were
# priced again: both in the invoice's currency.
_TAKEN = """
    SELECT coalesce(sum(c.micros), 0) + (
        SELECT coalesce(sum(a.micros), 0) FROM public.rerating_adjustment a
         WHERE a.tenant_id = %(tenant)s AND a.invoice_id = %(invoice)s AND a.currency = %(currency)s
    ) FROM public.receivables_invoiceline l
      JOIN public.receivables_billedcharge b ON b.line_id = l.id
      JOIN public.rating_charge c ON (c.tenant_id, c.invited, c.id) = (b.tenant_id, b.invited, b.id)
     WHERE l.invoice_id = %(invoice)s AND c.currency = %(currency)s
"""


def is_counted(tenant_id: int, currency: str) -> bool:
    """Tell whether amounts in a currency move the customer's account.

    It counts one currency: what is in another one is between the customer and the books. Where there is none yet, the
    first amount opens it, as the payment would that is to bring it back.
    """
    account = Account.objects.filter(pk=tenant_id).first()
    return account is None or account.currency == currency


def count(document: Invoice, *, by: Actor) -> None:
    """Take from the customer's account what an invoice asks beyond its calls, or give what a credit note takes off."""
    if not is_counted(document.tenant_id, document.currency):
        return
    told = (document.tenant_id, document.total)
    reference = reference_of(document)
    if not document.is_credit_note:
        # One over nothing, too: what bears its calls gives back what they took.
        accounts.invoiced(*told, _taken(document), document.currency, reference=reference, by=by)
    elif document.total:
        accounts.credit_note(*told, document.currency, reference=reference, by=by)


def count_payment(payment: Payment, *, settles: bool, by: Actor) -> None:
    """Give the customer's account what was paid: of its bills, or as a top-up."""
    if is_counted(payment.tenant_id, payment.currency):
        tell = accounts.credit if settles else accounts.top_up
        tell(payment.tenant_id, payment.amount, payment.currency, reference=reference_of(payment), by=by)


def count_reversal(reversal: Reversal, *, by: Actor) -> None:
    """Take from the customer's account what went back of a payment."""
    told = (reversal.tenant_id, reversal.amount, reversal.payment.currency)
    if is_counted(reversal.tenant_id, reversal.payment.currency):
        accounts.take_back(*told, reference=reference_of(reversal), by=by)


def reference_of(event: Invoice | Payment | Reversal) -> str:
    """Return by which reference an event moves the account, once."""
    if isinstance(event, Invoice):
        return f"{event.number} #{event.pk}"
    return f"{'payment' if isinstance(event, Payment) else 'reversal'}-{event.pk}"


def asks(document: Invoice) -> int:
    """Return what counting a document moves its account by, in micros: above zero gives."""
    return document.total if document.is_credit_note else _taken(document) - document.total


def count_fee(tenant_id: int, micros: int, currency: str, *, reference: str, by: Actor) -> None:
    """Take from the customer's account what a reminder costs: its payment gives all of it back."""
    if is_counted(tenant_id, currency):
        accounts.fee(tenant_id, micros, currency, reference=reference, by=by)


def _taken(invoice: Invoice) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_TAKEN, {"tenant": invoice.tenant_id, "invoice": invoice.pk, "currency": invoice.currency})
        return int(cursor.fetchone()[0])
