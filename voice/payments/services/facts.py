"""What happened to a card payment becomes entries in the books, in whatever order and however often it is told.

Callers hold the lock of the attempt's row.
"""

from collections.abc import Iterable, Mapping
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
from voice.receivables.entry_words import booked
from voice.receivables.models import Invoice, Payment, Reversal
from voice.receivables.services import record_payment, reverse_payment

Kind, State, Outcome = CardAttempt.Kind, CardAttempt.State, CardEvent.Outcome
NOT_PAID = {"failed": State.FAILED, "ended": State.FAILED, "action": State.ACTION, "expired": State.EXPIRED}
# Facts that name a part of the payment, at most all of it.
OUTGOING = ("refunded", "refund_failed", "created", "funds_withdrawn", "funds_reinstated")


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
        return _paid(attempt, fact, by=by)
    if fact.kind == "processing":
        return _at_bank(attempt)
    if fact.kind in ("failed", "ended", "action", "expired"):
        return _not_paid(attempt, fact)
    if fact.kind == "refunded":
        # The gateway counts what is out there: what had failed by then is not in it any more.
        total = from_minor_units(fact.minor, fact.currency) + sum(_failed(attempt, until=fact.at).values())
        return refunded(attempt, total, by=by)
    if fact.kind == "refund_failed":
        return _settle(attempt, by=by, failed={fact.reference: from_minor_units(fact.minor, attempt.currency)})
    if fact.kind in ("created", "funds_withdrawn", "funds_reinstated"):
        return _disputed(attempt, fact, by=by)
    return Told(Outcome.NOTED)


def refunded(attempt: CardAttempt, total: int, *, by: Actor) -> Told:
    """Note how much was sent back in all, and book what of it is not booked yet."""
    more = total - sent_back(attempt)
    if more > 0:
        attempt.refunded += more
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
    if fact.kind in OUTGOING and not 0 < micros <= attempt.amount:
        return _("Its amount is more than was paid.")
    return ""


def _paid(attempt: CardAttempt, fact: Fact, *, by: Actor) -> Told:
    if attempt.payment is not None:
        return Told(Outcome.NOTED, _("It is booked already."))
    payment = Payment(
        msp_id=attempt.msp_id, tenant=attempt.tenant, entity=attempt.account.entity, currency=attempt.currency,
        amount=attempt.amount, received_on=timezone.localdate(), method=Payment.Method.CARD, reference=attempt.intent,
    )  # fmt: skip
    named = list(Invoice.objects.filter(pk__in=attempt.invoices, tenant=attempt.tenant).order_by("due_on", "pk"))
    attempt.card = fact.card
    attempt.payment = record_payment(
        payment, invoices=named, settles=attempt.kind != Kind.TOP_UP, by=by, text=_named("card_payment", attempt)
    )
    attempt.state, attempt.words, attempt.is_under_way, attempt.at_bank = State.SUCCEEDED, "", False, False
    attempt.save(update_fields=["payment", "state", "words", "card", "is_under_way", "at_bank"])
    resume_if_paid(attempt.tenant_id, by=by)
    transaction.on_commit(partial(mail_receipt_of, attempt.payment.pk, by=by), robust=True)
    _settle(attempt, by=by)
    return Told(Outcome.BOOKED)


def _at_bank(attempt: CardAttempt) -> Told:
    if not attempt.is_under_way:
        return Told(Outcome.NOTED, _("How it ended was told already."))
    attempt.state, attempt.words, attempt.at_bank = State.OPEN, "", True
    attempt.save(update_fields=["state", "words", "at_bank"])
    return Told(Outcome.NOTED, _("A bank is debited: that takes some working days."))


def _not_paid(attempt: CardAttempt, fact: Fact) -> Told:
    if attempt.payment is not None:
        return Told(Outcome.NOTED, _("It was paid all the same."))
    if attempt.state == State.EXPIRED:
        return Told(Outcome.NOTED, _("It was given up already."))
    at_checkout = fact.kind == "failed" and attempt.kind in (Kind.CHECKOUT, Kind.TOP_UP)
    if at_checkout and attempt.at_bank:
        # A card that was declined there before, told late: of the debit itself the checkout's own end is told.
        return Told(Outcome.NOTED, fact.words)
    attempt.state, attempt.words = NOT_PAID[fact.kind], fact.words
    # A card that is declined at the checkout leaves its page open: the payer may try another one there.
    attempt.is_under_way, attempt.at_bank = attempt.is_under_way and at_checkout, False
    attempt.save(update_fields=["state", "words", "is_under_way", "at_bank"])
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


def _settle(attempt: CardAttempt, *, by: Actor, failed: Mapping[str, int] | None = None) -> Told:
    """Book everything that is known of the attempt and not in the books; nothing before the payment itself is."""
    if attempt.payment is None:
        return Told(Outcome.NOTED, _("Kept until the payment itself is told."))
    returns = _failed(attempt) | dict(failed or {})
    booked = _settle_refunds(attempt, attempt.payment, returns, by)
    words = ""
    if _settle_failed(attempt, attempt.payment, returns, by):
        booked, words = True, _("A refund did not arrive: the money is here again, on the customer's account.")
    for dispute in attempt.disputes.order_by("pk"):
        booked |= _settle_dispute(attempt, attempt.payment, dispute, by)
    return Told(Outcome.BOOKED, words) if booked else Told(Outcome.NOTED, _("It is booked already."))


def refundable(attempt: CardAttempt) -> int:
    """Return what of an attempt can still be sent back: of its payment, and of refunds of it that came here again."""
    if attempt.payment is None:
        return 0
    kept = sum(books.kept_of(each) for each in [attempt.payment, *_returned(attempt.payment, _failed(attempt))])
    return min(kept, attempt.amount - attempt.refunded)


def sent_back(attempt: CardAttempt) -> int:
    """Return how much was sent back in all, also what came here again since."""
    came = _returned(attempt.payment, _failed(attempt)) if attempt.payment else []
    return attempt.refunded + sum(each.amount for each in came)


def _failed(attempt: CardAttempt, *, until: int | None = None) -> dict[str, int]:
    """Return the refunds that failed, by their number at the gateway; up to a moment, where it is given."""
    told = attempt.events.filter(fact__kind="refund_failed").exclude(outcome=Outcome.REFUSED)
    return {
        fact["reference"]: from_minor_units(fact["minor"], attempt.currency)
        for fact in told.order_by("pk").values_list("fact", flat=True)
        if until is None or fact["at"] <= until
    }


def _returned(payment: Payment, references: Iterable[str]) -> list[Payment]:
    """Return what came in again of a payment's refunds, each as a payment of its own."""
    found = Payment.objects.filter(
        tenant=payment.tenant_id, entity=payment.entity_id, method=Payment.Method.CARD, reference__in=list(references)
    )
    return list(found.order_by("pk"))


def _settle_refunds(attempt: CardAttempt, payment: Payment, failed: Mapping[str, int], by: Actor) -> bool:
    left = attempt.refunded - attempt.refund_booked
    booked = False
    for each in [payment, *_returned(payment, failed)]:
        amount = min(left, books.kept_of(each))
        if amount <= 0:
            continue
        number = each.reversals.filter(kind=Reversal.Kind.REFUND).count() + 1
        reference = f"{each.reference} ({number})"
        _back(each, amount, Reversal.Kind.REFUND, reference, _named("card_refund", attempt), by)
        left, booked = left - amount, True
    if booked:
        attempt.refund_booked = attempt.refunded
        attempt.save(update_fields=["refund_booked"])
    return booked


def _settle_failed(attempt: CardAttempt, payment: Payment, failed: Mapping[str, int], by: Actor) -> bool:
    """Book refunds that came here again as money that came in; one that is not booked as sent yet waits for that."""
    known = {each.reference for each in _returned(payment, failed)}
    booked = False
    for reference, amount in failed.items():
        if reference in known or not 0 < amount <= attempt.refund_booked:
            continue
        _again(attempt, payment, amount, reference, _named("card_refund_failed", attempt), by)
        attempt.refunded, attempt.refund_booked = attempt.refunded - amount, attempt.refund_booked - amount
        attempt.save(update_fields=["refunded", "refund_booked"])
        booked = True
    return booked


def _settle_dispute(attempt: CardAttempt, payment: Payment, dispute: CardDispute, by: Actor) -> bool:
    booked = False
    amount = min(dispute.amount, books.kept_of(payment))
    if dispute.withdrawn and dispute.reversal is None and amount > 0:
        text = _named("card_taken_back", attempt)
        dispute.reversal = _back(payment, amount, Reversal.Kind.CHARGEBACK, dispute.reference, text, by)
        booked = True
    if dispute.reinstated and dispute.reversal is not None and dispute.returned is None:
        text = _named("card_decided", attempt)
        dispute.returned = _again(attempt, payment, dispute.reversal.amount, dispute.reference, text, by)
        booked = True
    if booked:
        dispute.save(update_fields=["reversal", "returned"])
    return booked


def _named(key: str, attempt: CardAttempt) -> str:
    return booked(key, card=f", {attempt.card}" if attempt.card else "")


def _again(attempt: CardAttempt, payment: Payment, amount: int, reference: str, text: str, by: Actor) -> Payment:
    came = Payment(
        msp_id=payment.msp_id, tenant_id=payment.tenant_id, entity=payment.entity, currency=payment.currency,
        amount=amount, received_on=timezone.localdate(), method=Payment.Method.CARD, reference=reference,
    )  # fmt: skip
    # Money of a top-up is for calls, wherever it went in between.
    return record_payment(came, by=by, settles=attempt.kind != Kind.TOP_UP, text=text)


def _back(payment: Payment, amount: int, kind: str, reference: str, text: str, by: Actor) -> Reversal:
    return reverse_payment(payment, amount, kind=kind, on=timezone.localdate(), reference=reference, by=by, text=text)
