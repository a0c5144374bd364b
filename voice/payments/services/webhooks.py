"""Events of the gateway: proven, kept once by their id, and handed on to what they are about."""

from dataclasses import replace
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from portal.core.audit import Actor
from voice.payments import events
from voice.payments.models import CardAccount, CardAttempt, CardEvent
from voice.payments.services import cards, facts
from voice.payments.services.facts import Told

BY = Actor.system("card gateway")
Outcome = CardEvent.Outcome


def receive(account: CardAccount, body: bytes, signature: str) -> CardEvent:
    """Take in one event; the same one again changes nothing. Raises events.Forged."""
    event = events.verified(body, signature, account.webhook_secret or "")
    fact, card = events.read(event), None
    known = CardEvent.objects.filter(account=account, event=event["id"])
    if fact is not None and fact.kind == "paid" and not known.exists():
        # Asked while nothing is locked: the gateway may take its time.
        card = cards.card_of(account, fact)
        fact = replace(fact, card=str(card or ""))
    with transaction.atomic():
        row, is_new = CardEvent.objects.get_or_create(
            account=account, event=event["id"],
            defaults={"msp_id": account.msp_id, "kind": event["type"], "fact": fact.stored() if fact else {},
                      "intent": fact.intent if fact else ""},
        )  # fmt: skip
        if not is_new or fact is None:
            return row
        _handle(row, fact)
    if row.attempt is not None and card is not None and row.outcome != Outcome.REFUSED:
        cards.remember(row.attempt, card)
    return row


def _handle(row: CardEvent, fact: events.Fact) -> None:
    attempt = _attempt(row.account, fact)
    if attempt is None:
        # One that names an attempt is wrong here; one that only names a payment may have come too early.
        is_ours = not fact.attempt
        told = Told(
            Outcome.WAITING if is_ours else Outcome.REFUSED,
            _("No payment of this company has this number yet.") if is_ours
            else _("It names a payment that this company has not."),
        )  # fmt: skip
        _note(row, None, told)
        return
    _note(row, attempt, facts.apply(attempt, fact, by=BY))
    if attempt.intent:
        waiting = CardEvent.objects.select_for_update(of=("self",)).filter(
            account=row.account, intent=attempt.intent, outcome=Outcome.WAITING
        )
        for early in waiting.order_by("pk"):
            _note(early, attempt, facts.apply(attempt, events.Fact(**early.fact), by=BY))


def _attempt(account: CardAccount, fact: events.Fact) -> CardAttempt | None:
    found: Any = CardAttempt.objects.select_for_update(of=("self",)).filter(account=account)
    found = found.select_related("account__entity", "tenant", "payment")
    if fact.attempt:
        return found.filter(key=fact.attempt).first() if _is_key(fact.attempt) else None
    return found.filter(intent=fact.intent).first() if fact.intent else None


def _is_key(text: str) -> bool:
    return len(text) == 36 and text.count("-") == 4 and all(letter in "0123456789abcdef-" for letter in text)


def _note(row: CardEvent, attempt: CardAttempt | None, told: Told) -> None:
    row.attempt, row.outcome, row.words = attempt, told.outcome, told.words
    row.save(update_fields=["attempt", "outcome", "words"])
