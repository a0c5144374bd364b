"""What documents, payments and reminders do to the account by which a customer's calls stop: docs/pricing.md §11."""

from datetime import date, datetime

from django.db import connection
from django.db.models import Max

from portal.core.audit import Actor
from voice.currencies.conversion import NoRate
from voice.currencies.selectors import rate_on
from voice.rating import accounts
from voice.rating.models import Account, Movement
from voice.rating.money import half_up
from voice.receivables.models import Entry, Invoice, Payment, Reversal

# What the calls on an invoice took from the account when they were stored, and what it gave or took when they were
# priced again: both in one currency, up to a moment.
_TAKEN = """
    SELECT coalesce(sum(c.micros), 0) + (
        SELECT coalesce(sum(a.micros), 0) FROM public.rerating_adjustment a
         WHERE a.tenant_id = %(tenant)s AND a.invoice_id = %(invoice)s AND a.currency = %(currency)s
           AND (%(before)s::timestamptz IS NULL OR a.made_at < %(before)s)
    ) FROM public.receivables_invoiceline l
      JOIN public.receivables_billedcharge b ON b.line_id = l.id
      JOIN public.rating_charge c ON (c.tenant_id, c.invited, c.id) = (b.tenant_id, b.invited, b.id)
     WHERE l.invoice_id = %(invoice)s AND c.currency = %(currency)s
       AND (%(before)s::timestamptz IS NULL OR c.rated_at < %(before)s)
"""


def in_account(tenant_id: int, micros: int, currency: str, day: date) -> tuple[int, str] | None:
    """Return an amount in the currency of the customer's account, and that currency; run as the MSP.

    Another currency is converted by the stored rate of the day; without one the amount does not move the account: None.
    Where there is no account yet, the first amount opens it, as the payment would that is to bring it back.
    """
    account = Account.objects.filter(pk=tenant_id).first()
    if account is None or account.currency == currency:
        return micros, currency
    try:
        exact = rate_on(currency, account.currency, day).exact(micros)
    except NoRate:
        return None
    return half_up(*exact.as_integer_ratio()), account.currency


def is_counted(tenant_id: int, currency: str, day: date) -> bool:
    """Tell whether amounts in a currency move the customer's account on a day."""
    return in_account(tenant_id, 0, currency, day) is not None


def count(document: Invoice, *, by: Actor) -> None:
    """Take from the customer's account what an invoice asks beyond its calls, or give what a credit note takes off."""
    # A credit note gives what its invoice took.
    day = document.corrects.issued_on if document.corrects is not None else document.issued_on
    assert day is not None
    told = in_account(document.tenant_id, document.total, document.currency, day)
    if told is None:
        return
    total, currency = told
    reference = reference_of(document)
    taken = _taken(document, currency)
    if not document.is_credit_note:
        # One over nothing, too: what bears its calls gives back what they took.
        accounts.invoiced(document.tenant_id, total, taken, currency, reference=reference, by=by)
    elif taken:
        # Calls that were priced again gave theirs when they were: what is left is the tax, and what a plan had borne.
        accounts.invoiced(document.tenant_id, -total, taken, currency, reference=reference, by=by)
    elif total:
        accounts.credit_note(document.tenant_id, total, currency, reference=reference, by=by)


def count_payment(payment: Payment, *, settles: bool, by: Actor) -> None:
    """Give the customer's account what was paid: of its bills, or as a top-up."""
    told = in_account(payment.tenant_id, payment.amount, payment.currency, payment.received_on)
    if told and told[0]:
        tell = accounts.credit if settles else accounts.top_up
        tell(payment.tenant_id, *told, reference=reference_of(payment), by=by)


def count_reversal(reversal: Reversal, *, by: Actor) -> None:
    """Take from the customer's account what went back of a payment, by the rate at which it gave that."""
    payment = reversal.payment
    told = in_account(reversal.tenant_id, reversal.amount, payment.currency, payment.received_on)
    if told and told[0]:
        accounts.take_back(reversal.tenant_id, *told, reference=reference_of(reversal), by=by)


def reference_of(event: Invoice | Payment | Reversal) -> str:
    """Return by which reference an event moves the account, once."""
    if isinstance(event, Invoice):
        return f"{event.number} #{event.pk}"
    return f"{'payment' if isinstance(event, Payment) else 'reversal'}-{event.pk}"


def asks(document: Invoice) -> int:
    """Return what counting a document moves its account by, in micros: above zero gives."""
    return _taken(document, document.currency) + (document.total if document.is_credit_note else -document.total)


def count_fee(tenant_id: int, micros: int, currency: str, *, on: date, reference: str, by: Actor) -> None:
    """Take from the customer's account what a reminder costs: its payment gives all of it back."""
    told = in_account(tenant_id, micros, currency, on)
    if told and told[0]:
        accounts.fee(tenant_id, *told, reference=reference, by=by)


def count_entry(entry: Entry, micros: int, *, by: Actor) -> None:
    """Move the customer's account by what it owes less, or more (negative), for an entry that people booked."""
    first = entry
    while first.corrects is not None:
        first = first.corrects
    # As that once moved the account: the invoice of which something is written off, or the fee of a reminder.
    day = (first.invoice.issued_on if first.invoice else None) or first.booked_on
    assert entry.tenant_id is not None
    told = in_account(entry.tenant_id, micros, entry.currency, day)
    if told and told[0]:
        accounts.correct(entry.tenant_id, *told, reference=f"entry-{entry.pk}", by=by)


def _taken(invoice: Invoice, currency: str) -> int:
    """Return what the calls on an invoice took from the account, in its currency of today."""
    taken = _charged(invoice, currency)
    # Those of before the account changed its currency took theirs in that of then.
    changes = Movement.objects.filter(tenant=invoice.tenant_id, kind=Movement.Kind.CURRENCY).exclude(currency=currency)
    for old, at in changes.values_list("currency").annotate(at=Max("at")).order_by("currency"):
        told = in_account(invoice.tenant_id, _charged(invoice, old, at), old, at.date())
        taken += told[0] if told else 0
    return taken


def _charged(invoice: Invoice, currency: str, before: datetime | None = None) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            _TAKEN, {"tenant": invoice.tenant_id, "invoice": invoice.pk, "currency": currency, "before": before}
        )
        return int(cursor.fetchone()[0])
