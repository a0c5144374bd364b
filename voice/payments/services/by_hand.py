"""What people book about payments themselves: money that went back by their own hand, or that never came."""

from datetime import date

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from portal.core.audit import Actor
from portal.core.errors import StaleEdit
from voice import days
from voice.payments.models import CardAttempt
from voice.receivables import selectors
from voice.receivables.models import Payment, Reversal
from voice.receivables.services import lock_account, reverse_payment

Kind = Reversal.Kind
# A chargeback is told by the gateway alone.
KINDS = [Kind.MISTAKE, Kind.REFUND, Kind.RETURNED]


def may_take_back(payment: Payment) -> bool:
    """Tell whether something is left of a payment that people may take back: not of one that a gateway tells of."""
    return selectors.kept_of(payment) > 0 and not CardAttempt.objects.filter(payment=payment).exists()


@transaction.atomic
def take_back(payment: Payment, *, amount: int, kind: str, on: date, reference: str, kept: int, by: Actor) -> Reversal:
    """Book that so much of a payment went back, or was entered by mistake: it is owed again.

    `kept` is what was left of the payment when they looked. Raises ValidationError, and StaleEdit where less is now.
    """
    days.demand_come(on=on)
    if kind not in KINDS:
        raise ValidationError({"kind": _("Choose why it is taken back.")})
    lock_account(payment.tenant_id)
    if CardAttempt.objects.filter(payment=payment).exists():
        raise ValidationError(_("A card payment is refunded on its own page: the gateway tells the books."))
    if selectors.kept_of(payment) != kept:
        raise StaleEdit(payment)
    return reverse_payment(payment, amount, kind=kind, on=on, reference=reference.strip(), by=by)
