"""Money that came in and went back: noted once, booked, and set against the invoices that it pays."""

from collections.abc import Sequence
from datetime import date

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext as _

from portal.core import audit
from portal.core.audit import Actor
from voice import days
from voice.receivables import selectors
from voice.receivables.entry_words import booked
from voice.receivables.models import Allocation, BillingProfile, Invoice, Payment, Reversal
from voice.receivables.services.counting import count_payment, count_reversal, is_counted
from voice.receivables.services.ledger import book_payment, book_reversal


def lock_account(tenant_id: int) -> None:
    """Make everybody who settles or reminds this customer take turns, until the transaction ends."""
    BillingProfile.objects.select_for_update(of=("self",)).filter(tenant_id=tenant_id).first()


@transaction.atomic
def record_payment(
    payment: Payment, *, by: Actor, invoices: Sequence[Invoice] | None = None, settles: bool = True, text: str = ""
) -> Payment:
    """Note a payment and set it against invoices: those named, then the oldest open ones.

    What is left over stays on the customer's account; all of it where it `settles` nothing, as a top-up. `text` is
    what statements call it. Raises ValidationError when it is recorded already, or received on a day to come.
    """
    days.demand_come(received_on=payment.received_on)
    lock_account(payment.tenant_id)
    payment.full_clean()
    payment.save(force_insert=True)
    book_payment(payment, text)
    if settles:
        _allocate(payment, payment.amount, [invoice.pk for invoice in invoices or ()])
    count_payment(payment, settles=settles, by=by)
    audit.record(
        by,
        "payment.recorded",
        payment,
        tenant_id=payment.tenant_id,
        amount=payment.amount,
        currency=payment.currency,
        received_on=payment.received_on,
        method=payment.method,
        for_calls=not settles,
    )
    return payment


@transaction.atomic
def record_top_up(payment: Payment, *, by: Actor) -> Payment:
    """Note money that a customer paid ahead for its calls: they can cost it from now on, and it settles no bill yet.

    Raises ValidationError when it is recorded already, or would not move the account by which calls stop.
    """
    if not is_counted(payment.tenant_id, payment.currency, payment.received_on):
        words = _("The account for calls is not in %(currency)s, and no exchange rate of the week leads there.")
        raise ValidationError({"amount": words % {"currency": payment.currency}})
    text = booked("top_up", reference=payment.reference)
    return record_payment(payment, by=by, settles=False, text=text)


@transaction.atomic
def reverse_payment(
    payment: Payment, amount: int, *, kind: str, on: date, reference: str, by: Actor, text: str = ""
) -> Reversal:
    """Book that so much of a payment went back; what it had settled is open again, the newest invoice first.

    What else is on the customer's account settles that at once.
    Raises ValidationError when it is booked already, or when less than that is left of the payment.
    """
    lock_account(payment.tenant_id)
    reversal = Reversal(
        msp_id=payment.msp_id, tenant_id=payment.tenant_id, payment=payment, kind=kind, amount=amount, booked_on=on,
        reference=reference,
    )  # fmt: skip
    reversal.full_clean()
    if amount > selectors.kept_of(payment):
        raise ValidationError(_("Less than that is left of the payment."))
    free = selectors.unallocated(payment)
    reversal.save(force_insert=True)
    book_reversal(reversal, text)
    _take_back(payment, reversal, max(amount - free, 0))
    count_reversal(reversal, by=by)
    settle_from_credit(payment.tenant_id, by=by)
    audit.record(
        by, "payment.reversed", payment, tenant_id=payment.tenant_id, amount=amount, currency=payment.currency,
        kind=kind, reference=reference,
    )  # fmt: skip
    return reversal


@transaction.atomic
def settle_from_credit(tenant_id: int, *, by: Actor) -> int:
    """Set what a customer paid too much, or ahead, against its open invoices; return how much that was, in micros.

    So is what was paid of an invoice that a credit note takes back. Fees that are owed come first: they stand in the
    books and on no invoice.
    """
    lock_account(tenant_id)
    for note, amount in selectors.credit_notes_with_rest(tenant_id):
        _settle_by(note, amount)
    settled = 0
    for payment, free in selectors.payments_with_rest(tenant_id):
        room = selectors.open_total(tenant_id, payment.entity_id, payment.currency) - selectors.balance(
            tenant_id, payment.entity_id, payment.currency
        )
        settled += _allocate(payment, min(free, max(room, 0)), [])
    if settled:
        audit.record(by, "payment.settled_later", tenant_id=tenant_id, amount=settled)
    return settled


def _allocate(payment: Payment, amount: int, first: Sequence[int]) -> int:
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
    left = amount
    for pk in order:
        if not left:
            break
        part = min(selectors.open_amount(found[pk]), left)
        if part > 0:
            Allocation.objects.create(
                msp_id=payment.msp_id, tenant_id=payment.tenant_id, invoice_id=pk, payment=payment, amount=part
            )
            left -= part
    return amount - left


def _settle_by(note: Invoice, amount: int) -> None:
    """Let a credit note settle its invoice, in the place of what payments have settled of it."""
    assert note.corrects_id is not None
    invoice = Invoice.objects.select_for_update(of=("self",)).get(pk=note.corrects_id)
    told = {"msp_id": note.msp_id, "tenant_id": note.tenant_id, "invoice": invoice, "credit_note": note}
    free = amount - selectors.open_amount(invoice)
    of_payments = Allocation.objects.filter(invoice=invoice, payment__isnull=False).order_by()
    sums = of_payments.values("payment").annotate(sum=Sum("amount")).filter(sum__gt=0)
    # What came last is what came too much.
    for row in sums.order_by("-payment__received_on", "-payment"):
        part = min(row["sum"], free)
        if part > 0:
            Allocation.objects.create(**told, payment_id=row["payment"], amount=-part)
            free -= part
    Allocation.objects.create(**told, amount=amount)


def _take_back(payment: Payment, reversal: Reversal, amount: int) -> None:
    settled = Allocation.objects.filter(payment=payment).order_by().values("invoice").annotate(sum=Sum("amount"))
    sums = {row["invoice"]: row["sum"] for row in settled if row["sum"] > 0}
    locked = Invoice.objects.select_for_update(of=("self",)).filter(pk__in=sums).order_by("pk")
    taken = []
    for invoice in sorted(locked, key=lambda row: (row.due_on, row.pk), reverse=True):
        part = min(sums[invoice.pk], amount)
        if part > 0:
            taken.append(
                Allocation(
                    msp_id=payment.msp_id, tenant_id=payment.tenant_id, invoice=invoice, payment=payment,
                    reversal=reversal, amount=-part,
                )
            )  # fmt: skip
            amount -= part
    # In one statement: after a part of them the payment would settle more than was kept of it.
    Allocation.objects.bulk_create(taken)
