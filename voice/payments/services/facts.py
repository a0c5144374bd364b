"""What happened to a card payment becomes entries in the books, in whatever order and however often it is told.

Callers hold the lock of the attempt's row.
"""

from dataclasses import dataclass
from functools import partial

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.core.audit import Actor
from voice.payments.events import Fact
from voice.payments.gateway import from_minor_units
from voice.payments.models import CardAttempt, CardDispute, CardEvent
from voice.payments.services.dunning import resume_if_paid
from voice.payments.services.receipts import mail_receipt_of
from voice.receivables import selectors as books
from voice.receivables.models import Invoice, Payment, Reversal
from voice.receivables.services import record_payment, reverse_payment

Kind, State, Outcome = CardAttempt.Kind, CardAttempt.State, CardEvent.Outcome


@dataclass(frozen=True, slots=True)
class Told:
    """What was made of a fact."""

    outcome: str
    words: str = ""


def apply(attempt: CardAttempt, fact: Fact, *, by: Actor) -> Told:
    """Note a fact and book what it makes due; what contradicts the attempt is refused and changes nothing."""
    wrong = _contradiction(attempt, fact)
    if wrong:
        return Told(Outcome.REFUSED, wrong)
    if fact.intent and not attempt.intent:
        attempt.intent = fact.intent
        attempt.save(update_fields=["intent"])
    if fact.kind == "paid":
        return _paid(attempt, by=by)
    if fact.kind in ("failed", "action", "expired"):
        return _not_paid(attempt, fact)
    if fact.kind == "refunded":
        return refunded(attempt, from_minor_units(fact.minor, fact.currency), by=by)
    if fact.kind in ("created", "funds_withdrawn", "funds_reinstated"):
        return _disputed(attempt, fact, by=by)
    return Told(Outcome.NOTED)


def refunded(attempt: CardAttempt, total: int, *, by: Actor) -> Told:
    """Note how much went back in all, and book what of it is not booked yet."""
    if total > attempt.refunded:
        attempt.refunded = total
        attempt.save(update_fields=["refunded"])
    return _settle(attempt, by=by)


def _contradiction(attempt: CardAttempt, fact: Fact) -> str:
    if fact.intent and attempt.intent and fact.intent != attempt.intent:
        return _("It names another payment at the gateway.")
    if fact.currency and fact.currency != attempt.currency:
        return _("It is in %(currency)s and not in %(own)s.") % {"currency": fact.currency, "own": attempt.currency}
    micros = from_minor_units(fact.minor, attempt.currency)
    if fact.kind == "paid" and (micros != attempt.amount or not fact.intent):
        return _("Its amount is not what was to be paid.")
    if fact.kind in ("refunded", "created", "funds_withdrawn", "funds_reinstated") and not 0 < micros <= attempt.amount:
        return _("Its amount is more than was paid.")
    return ""


def _paid(attempt: CardAttempt, *, by: Actor) -> Told:
    if attempt.payment is not None:
        return Told(Outcome.NOTED, _("It is booked already."))
    payment = Payment(
        msp_id=attempt.msp_id, tenant=attempt.tenant, entity=attempt.account.entity, currency=attempt.currency,
        amount=attempt.amount, received_on=timezone.localdate(), method=Payment.Method.CARD, reference=attempt.intent,
    )  # fmt: skip
    named = list(Invoice.objects.filter(pk__in=attempt.invoices, tenant=attempt.tenant).order_by("due_on", "pk"))
    attempt.payment = record_payment(payment, invoices=named, settles=attempt.kind != Kind.TOP_UP, by=by)
    attempt.state, attempt.words = State.SUCCEEDED, ""
    attempt.save(update_fields=["payment", "state", "words"])
    resume_if_paid(attempt.tenant_id, by=by)
    transaction.on_commit(partial(mail_receipt_of, attempt.payment.pk, by=by), robust=True)
    _settle(attempt, by=by)
    return Told(Outcome.BOOKED)


def _not_paid(attempt: CardAttempt, fact: Fact) -> Told:
    if attempt.payment is not None:
        return Told(Outcome.NOTED, _("It was paid all the same."))
    attempt.state = {"failed": State.FAILED, "action": State.ACTION, "expired": State.EXPIRED}[fact.kind]
    attempt.words = fact.words
    attempt.save(update_fields=["state", "words"])
    return Told(Outcome.NOTED, fact.words)


def _disputed(attempt: CardAttempt, fact: Fact, *, by: Actor) -> Told:
    dispute, _made = CardDispute.objects.get_or_create(
        attempt=attempt, reference=fact.reference,
        defaults={
            "msp_id": attempt.msp_id, "tenant_id": attempt.tenant_id, "reason": fact.words,
            "amount": from_minor_units(fact.minor, attempt.currency),
        },
    )  # fmt: skip
    dispute.withdrawn |= fact.kind == "funds_withdrawn"
    dispute.reinstated |= fact.kind == "funds_reinstated"
    dispute.save(update_fields=["withdrawn", "reinstated"])
    return _settle(attempt, by=by)


def _settle(attempt: CardAttempt, *, by: Actor) -> Told:
    """Book everything that is known of the attempt and not in the books; nothing before the payment itself is."""
    if attempt.payment is None:
        return Told(Outcome.NOTED, _("Kept until the payment itself is told."))
    booked = _settle_refunds(attempt, attempt.payment, by)
    for dispute in attempt.disputes.order_by("pk"):
        booked |= _settle_dispute(attempt, attempt.payment, dispute, by)
    return Told(Outcome.BOOKED) if booked else Told(Outcome.NOTED, _("It is booked already."))


def _settle_refunds(attempt: CardAttempt, payment: Payment, by: Actor) -> bool:
    amount = min(attempt.refunded - attempt.refund_booked, books.kept_of(payment))
    if amount <= 0:
        return False
    number = payment.reversals.filter(kind=Reversal.Kind.REFUND).count() + 1
    _back(payment, amount, Reversal.Kind.REFUND, f"{attempt.intent} ({number})", by)
    attempt.refund_booked = attempt.refunded
    attempt.save(update_fields=["refund_booked"])
    return True


def _settle_dispute(attempt: CardAttempt, payment: Payment, dispute: CardDispute, by: Actor) -> bool:
    booked = False
    amount = min(dispute.amount, books.kept_of(payment))
    if dispute.withdrawn and dispute.reversal is None and amount > 0:
        dispute.reversal = _back(payment, amount, Reversal.Kind.CHARGEBACK, dispute.reference, by)
        booked = True
    if dispute.reinstated and dispute.reversal is not None and dispute.returned is None:
        won = Payment(
            msp_id=payment.msp_id, tenant_id=payment.tenant_id, entity=payment.entity, currency=payment.currency,
            amount=dispute.reversal.amount, received_on=timezone.localdate(), method=Payment.Method.CARD,
            reference=dispute.reference,
        )  # fmt: skip
        dispute.returned = record_payment(won, by=by)
        booked = True
    if booked:
        dispute.save(update_fields=["reversal", "returned"])
    return booked


def _back(payment: Payment, amount: int, kind: str, reference: str, by: Actor) -> Reversal:
    return reverse_payment(payment, amount, kind=kind, on=timezone.localdate(), reference=reference, by=by)
