"""What people book themselves: claims that will not be paid, and entries that are taken back."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.core import audit
from portal.core.audit import Actor
from portal.core.errors import StaleEdit
from voice.receivables import selectors
from voice.receivables.models import Allocation, Entry, Invoice
from voice.receivables.services.counting import count_entry
from voice.receivables.services.ledger import book_correction, book_write_off
from voice.receivables.services.payments import lock_account, settle_from_credit

Kind = Entry.Kind


@transaction.atomic
def write_off(invoice: Invoice, amount: int, *, reason: str, left: int, by: Actor) -> Entry:
    """Give up so much of what is open of an invoice, which settles it like a payment.

    `left` is what was open when they looked. Raises ValidationError, and StaleEdit where it is another amount now.
    """
    lock_account(invoice.tenant_id)
    invoice = Invoice.objects.select_for_update(of=("self",)).select_related("entity__msp", "tenant").get(pk=invoice.pk)
    if invoice.is_credit_note or invoice.state != Invoice.State.ISSUED:
        raise ValidationError(_("Only an issued invoice can be written off."))
    reason = _said(reason)
    if selectors.open_amount(invoice) != left:
        raise StaleEdit(invoice)
    if not 0 < amount <= left:
        raise ValidationError({"amount": _("Enter an amount above 0, and at most what is open.")})
    entry = book_write_off(invoice, amount, on=timezone.localdate(), reason=reason)
    _settle(entry, amount)
    count_entry(entry, amount, by=by)
    audit.record(
        by, "invoice.written_off", invoice, tenant_id=invoice.tenant_id, amount=amount, currency=invoice.currency,
        reason=reason,
    )  # fmt: skip
    return entry


def refusal_of(entry: Entry) -> str:
    """Return why an entry is not taken back by another one; empty where it is."""
    if entry.kind in (Kind.INVOICE, Kind.CREDIT_NOTE):
        return _("A document is corrected by a credit note or by another invoice.")
    if entry.kind in (Kind.PAYMENT, Kind.REVERSAL):
        return _("A payment is taken back on its own page.")
    if entry.kind == Kind.CORRECTION and (entry.corrects_id is None or entry.invoice_id is not None):
        return _("Write it off again where that was right.")
    return ""


@transaction.atomic
def correct(entry: Entry, *, reason: str, by: Actor) -> Entry:
    """Take back an entry: the fee of a reminder, or what was written off; both entries stay.

    Raises ValidationError, and StaleEdit where somebody has taken it back since it was read.
    """
    if entry.tenant_id is None or (refusal := refusal_of(entry)):
        raise ValidationError(refusal)
    reason = _said(reason)
    lock_account(entry.tenant_id)
    if Entry.objects.filter(corrects=entry).exists():
        raise StaleEdit(entry)
    owed = selectors.owed_by(entry)
    made = book_correction(entry, on=timezone.localdate(), reason=reason)
    if entry.kind == Kind.WRITE_OFF:
        _settle(made, owed)
    count_entry(made, owed, by=by)
    settle_from_credit(entry.tenant_id, by=by)
    audit.record(
        by, "book_entry.corrected", entry, tenant_id=entry.tenant_id, amount=owed, currency=entry.currency,
        text=entry.text, reason=reason,
    )  # fmt: skip
    return made


def _said(reason: str) -> str:
    if not reason.strip():
        raise ValidationError({"reason": _("Say why.")})
    return reason.strip()


def _settle(entry: Entry, amount: int) -> None:
    assert entry.tenant_id is not None and entry.invoice_id is not None
    Allocation.objects.create(
        msp_id=entry.msp_id, tenant_id=entry.tenant_id, invoice_id=entry.invoice_id, entry=entry, amount=amount
    )
