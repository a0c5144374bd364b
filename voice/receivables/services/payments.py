"""Money that came in: noted once, booked, and set against the invoices that it pays."""

from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from portal.core import audit
from portal.core.audit import Actor
from voice.receivables import selectors
from voice.receivables.models import Allocation, Invoice, Payment
from voice.receivables.services.ledger import book_payment


@transaction.atomic
def record_payment(payment: Payment, *, by: Actor, invoices: Sequence[Invoice] | None = None) -> Payment:
    """Note a payment and set it against invoices: those named, then the oldest open ones.

    What is left over stays on the customer's account. Raises ValidationError when it is recorded already.
    """
    payment.full_clean()
    payment.save(force_insert=True)
    book_payment(payment)
    _allocate(payment, [invoice.pk for invoice in invoices or ()])
    audit.record(
        by,
        "payment.recorded",
        payment,
        tenant_id=payment.tenant_id,
        amount=payment.amount,
        currency=payment.currency,
        received_on=payment.received_on,
        method=payment.method,
    )
    return payment


def _allocate(payment: Payment, first: Sequence[int]) -> None:
    open_ones = Invoice.objects.select_for_update(of=("self",)).filter(
        tenant_id=payment.tenant_id,
        entity_id=payment.entity_id,
        currency=payment.currency,
        state=Invoice.State.ISSUED,
        kind=Invoice.Kind.INVOICE,
    )
    # Locked in one order by everybody; which of them is paid first is decided afterwards.
    found = {invoice.pk: invoice for invoice in open_ones.order_by("pk")}
    if any(pk not in found for pk in first):
        raise ValidationError(_("This invoice is not open, or is another customer's or in another currency."))
    order = [*first, *(pk for pk in sorted(found, key=lambda pk: (found[pk].due_on, pk)) if pk not in first)]
    left = payment.amount
    for pk in order:
        amount = min(selectors.open_amount(found[pk]), left)
        if amount > 0:
            Allocation.objects.create(
                msp_id=payment.msp_id, tenant_id=payment.tenant_id, invoice_id=pk, payment=payment, amount=amount
            )
            left -= amount
