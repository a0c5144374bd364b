"""The lab's stand-in for Stripe, after its documentation: same states, same events, same signatures, no money."""

import hashlib
import json
from typing import Any
from urllib.parse import urljoin

import stripe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _later

from voice.payments.gateway import Card, Charged, Order, Session
from voice.payments.models import CardAttempt

# The last digits of Stripe's own test cards.
GOOD, ASKS, DECLINED = "4242", "3155", "0341"
LABELS = {GOOD: _later("pays"), ASKS: _later("asks its owner each time"), DECLINED: _later("is declined")}


class LabGateway:
    """Answers as Stripe does for its test cards; an id follows from the order's key, so that asking twice is once."""

    def payer(self, name: str, email: str, *, key: str) -> str:
        return _id("cus", key)

    def checkout(self, order: Order) -> Session:
        return Session(_id("cs", order.key), urljoin(order.back, f"/bills/lab-checkout/{order.key}/"))

    def expire(self, session: str) -> bool:
        # The lab's page is through with a payment once its events are told: who has paid there is known here.
        return not CardAttempt.objects.filter(session=session, payment__isnull=False).exists()

    def charge(self, order: Order, method: str) -> Charged:
        intent, last4 = _id("pi", order.key), last4_of(method)
        if last4 == ASKS:
            return Charged(intent, "action", _("The card's bank asks its owner to confirm."))
        if last4 == DECLINED:
            return Charged(intent, "failed", _("The card was declined."))
        return Charged(intent, "succeeded")

    def refund(self, intent: str, minor: int, *, key: str) -> bool:
        return True

    def method_of(self, intent: str) -> str:
        return ""

    def card(self, method: str) -> Card:
        return Card(method, "visa", last4_of(method), 12, 2034)

    def forget(self, method: str) -> None:
        """Do nothing: the lab keeps no cards."""


def method_of(last4: str, key: str) -> str:
    """Return the id of a card that somebody used in the lab's checkout."""
    return f"{_id('pm', key)}_{last4}"


def last4_of(method: str) -> str:
    return method.rpartition("_")[2]


def checkout_events(order: Order, *, last4: str, at: int) -> list[dict[str, Any]]:
    """Return the events that Stripe sends after somebody paid, or failed to pay, at its checkout."""
    intent: dict[str, Any] = {
        "object": "payment_intent", "id": _id("pi", order.key), "amount": order.minor, "metadata": order.metadata,
        "currency": order.currency.lower(), "payment_method": method_of(last4, order.key),
    }  # fmt: skip
    if last4 == DECLINED:
        said = {"code": "card_declined", "message": _("The card was declined.")}
        return [_event("payment_intent.payment_failed", intent | {"last_payment_error": said}, at)]
    session = {
        "object": "checkout.session", "id": _id("cs", order.key), "payment_intent": intent["id"],
        "payment_status": "paid", "amount_total": order.minor, "currency": intent["currency"],
        "metadata": order.metadata,
    }  # fmt: skip
    return [
        _event("payment_intent.succeeded", intent | {"amount_received": order.minor}, at),
        _event("checkout.session.completed", session, at),
    ]


def signed(event: dict[str, Any], secret: str, *, at: int | None = None) -> tuple[bytes, str]:
    """Return an event as it comes over the wire: the body, and its `Stripe-Signature`."""
    body = json.dumps(event)
    return body.encode(), stripe.WebhookSignature.generate_signature_header(body, secret, at)


def _event(kind: str, about: dict[str, Any], at: int) -> dict[str, Any]:
    name = _id("evt", f"{kind}{about['id']}{at}")
    return {"object": "event", "id": name, "type": kind, "created": at, "livemode": False, "data": {"object": about}}


def _id(kind: str, key: str) -> str:
    return f"{kind}_lab_{hashlib.sha256(f'{kind}{key}'.encode()).hexdigest()[:24]}"
