"""What an event of Stripe says, once its signature is right. Pure but for the clock of the signature's age."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import stripe

LARGEST = 256 * 1024
TOLERANCE = 300


class Forged(Exception):
    """A body whose signature is missing, wrong or too old, or that is no event."""


@dataclass(frozen=True, slots=True)
class Fact:
    """What happened to a payment: amounts in the gateway's smallest units, ids as the gateway gives them."""

    kind: str
    attempt: str = ""
    intent: str = ""
    minor: int = 0
    currency: str = ""
    reference: str = ""
    method: str = ""
    words: str = ""
    # What it was paid with, as it may be shown; and when the gateway made the event, in seconds.
    card: str = ""
    at: int = 0

    def stored(self) -> dict[str, Any]:
        """Return the fact as it is kept with its event."""
        return asdict(self)


def verified(body: bytes, signature: str, secret: str) -> dict[str, Any]:
    """Return the event in a body that was signed with the secret not long ago; raises Forged."""
    if len(body) > LARGEST:
        raise Forged
    try:
        stripe.WebhookSignature.verify_header(body, signature, secret, TOLERANCE)
        event = json.loads(body)
    except (stripe.SignatureVerificationError, ValueError) as error:
        raise Forged from error
    about = event.get("data", {}).get("object") if isinstance(event, dict) else None
    if not isinstance(about, dict) or not all(isinstance(event.get(name), str) for name in ("id", "type")):
        raise Forged
    return dict(event)


def read(event: Mapping[str, Any]) -> Fact | None:
    """Return what an event says of a payment, or None where it is none of our business."""
    kind, about = event["type"], event["data"]["object"]
    facts: dict[str, Any] = {
        "attempt": _text((about.get("metadata") or {}).get("attempt")),
        "currency": _text(about.get("currency")).upper(),
        "intent": _id(about.get("payment_intent")),
        "at": _count(event.get("created")),
    }
    if kind in ("checkout.session.completed", "checkout.session.async_payment_succeeded"):
        if about.get("payment_status") == "unpaid":
            # A debit: it is done with at the checkout, and its bank takes days.
            return Fact("processing", **facts)
        if about.get("payment_status") != "paid":
            return None
        return Fact("paid", **facts, minor=_count(about.get("amount_total")))
    if kind in ("checkout.session.expired", "checkout.session.async_payment_failed"):
        # A debit that fails days after its checkout was completed: nothing can be tried there any more.
        return Fact("expired" if kind.endswith("expired") else "ended", **facts)
    if kind in ("payment_intent.succeeded", "payment_intent.payment_failed"):
        facts["intent"] = _text(about.get("id"))
        if kind.endswith("failed"):
            return Fact("failed", **facts, words=_text((about.get("last_payment_error") or {}).get("message"))[:200])
        return Fact(
            "paid", **facts, minor=_count(about.get("amount_received")), method=_id(about.get("payment_method"))
        )
    if kind == "charge.refunded":
        return Fact("refunded", **facts, minor=_count(about.get("amount_refunded")))
    if kind in ("refund.failed", "refund.updated", "charge.refund.updated"):
        # A refund that its bank sends back: the money is here again.
        if about.get("status") != "failed":
            return None
        facts |= {"attempt": "", "reference": _text(about.get("id")), "minor": _count(about.get("amount"))}
        return Fact("refund_failed", **facts, words=_text(about.get("failure_reason"))[:60])
    if kind in ("charge.dispute.created", "charge.dispute.funds_withdrawn", "charge.dispute.funds_reinstated"):
        # The dispute's own metadata is not the payment's.
        facts |= {"attempt": "", "reference": _text(about.get("id")), "minor": _count(about.get("amount"))}
        return Fact(kind.removeprefix("charge.dispute."), **facts, words=_text(about.get("reason"))[:60])
    return None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _id(value: Any) -> str:
    """Return an id that stands there as it is, or in the object that was expanded in its place."""
    return _text(value.get("id")) if isinstance(value, dict) else _text(value)


def _count(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else 0
