"""Stripe, by its own package."""

import logging
from collections.abc import Callable
from typing import Any, TypeVar

import stripe
from django.utils.translation import gettext as _

from voice.payments.gateway import Card, Charged, GatewayError, Order, Session

logger = logging.getLogger(__name__)
STATES = {"succeeded": "succeeded", "processing": "processing", "requires_action": "action"}
# A payment whose checkout is completed and that failed afterwards.
NO_MORE = ("requires_payment_method", "canceled")
RETRIES = 2
T = TypeVar("T")


class StripeGateway:
    """Charges cards through one Stripe account; every write has an idempotency key, so that it can be repeated."""

    def __init__(self, api_key: str, *, http_client: Any = None) -> None:
        self._client = stripe.StripeClient(api_key, max_network_retries=RETRIES, http_client=http_client)

    def payer(self, name: str, email: str, *, key: str) -> str:
        """Make the customer at Stripe and return its id."""
        facts: Any = {"name": name, **({"email": email} if email else {})}
        made = _asked(lambda: self._client.v1.customers.create(facts, {"idempotency_key": key}))
        return str(made.id)

    def checkout(self, order: Order) -> Session:
        """Open a Checkout Session for the order."""
        intent: dict[str, Any] = {"metadata": order.metadata, "description": order.text}
        if order.saves:
            intent["setup_future_usage"] = "off_session"
        price = {"currency": order.currency.lower(), "unit_amount": order.minor, "product_data": {"name": order.text}}
        facts: Any = {
            "mode": "payment", "customer": order.payer, "line_items": [{"price_data": price, "quantity": 1}],
            "success_url": order.back, "cancel_url": order.back, "metadata": order.metadata,
            "payment_intent_data": intent,
        }  # fmt: skip
        made = _asked(lambda: self._client.v1.checkout.sessions.create(facts, {"idempotency_key": order.key}))
        return Session(str(made.id), str(made.url))

    def expire(self, session: str) -> bool:
        """Close a Checkout Session, or find it closed; tell that no money comes from it any more."""
        try:
            self._client.v1.checkout.sessions.expire(session)
        except stripe.InvalidRequestError as error:
            if error.code == "resource_missing":
                # Of an account that the company had before: it ends within a day, and nobody can close it from here.
                return True
            # Only an open one expires: this one did so before, or was completed.
            found: Any = _asked(
                lambda: self._client.v1.checkout.sessions.retrieve(session, {"expand": ["payment_intent"]})
            )
            if found.status == "open":
                raise _refused(error)
            intent = getattr(found, "payment_intent", None)
            return found.status == "expired" or getattr(intent, "status", "") in NO_MORE
        except stripe.StripeError as error:
            raise _refused(error)
        return True

    def charge(self, order: Order, method: str) -> Charged:
        """Charge a saved card while its owner is not there."""
        facts: Any = {
            "amount": order.minor, "currency": order.currency.lower(), "customer": order.payer, "confirm": True,
            "payment_method": method, "off_session": True, "metadata": order.metadata, "description": order.text,
        }  # fmt: skip
        try:
            made = self._client.v1.payment_intents.create(facts, {"idempotency_key": order.key})
        except stripe.CardError as error:
            told: Any = error.json_body or {}
            intent = (told.get("error") or {}).get("payment_intent") or {}
            state = "action" if error.code == "authentication_required" else "failed"
            return Charged(str(intent.get("id", "")), state, error.user_message or _("The card was declined."))
        except stripe.StripeError as error:
            raise _refused(error)
        return Charged(str(made.id), STATES.get(str(made.status), "failed"))

    def refund(self, intent: str, minor: int, *, key: str) -> bool:
        """Send so much back; tell whether it is on its way already."""
        facts: Any = {"payment_intent": intent, "amount": minor}
        made = _asked(lambda: self._client.v1.refunds.create(facts, {"idempotency_key": key}))
        return made.status == "succeeded"

    def method_of(self, intent: str) -> str:
        """Return what a payment was paid with."""
        found: Any = _asked(lambda: self._client.v1.payment_intents.retrieve(intent))
        return str(getattr(found, "payment_method", None) or "")

    def card(self, method: str) -> Card:
        """Return what may be shown of a card."""
        found: Any = _asked(lambda: self._client.v1.payment_methods.retrieve(method))
        card = getattr(found, "card", None)
        if card is None:
            return Card(method, str(found.type), "", 12, 9999)
        return Card(method, str(card.brand), str(card.last4), int(card.exp_month), int(card.exp_year))

    def forget(self, method: str) -> None:
        """Detach a saved card, so that nobody can charge it any more."""
        _asked(lambda: self._client.v1.payment_methods.detach(method))


def _asked(ask: Callable[[], T]) -> T:
    try:
        return ask()
    except stripe.StripeError as error:
        raise _refused(error)


def _refused(error: stripe.StripeError) -> GatewayError:
    # The text may name our key or account: it goes to the log, and never to a page.
    logger.warning("Stripe refused: %s (%s, request %s)", type(error).__name__, error.code, error.request_id)
    if isinstance(error, stripe.AuthenticationError | stripe.PermissionError):
        return GatewayError(_("Stripe does not accept the key of this company."))
    if isinstance(error, stripe.APIConnectionError | stripe.RateLimitError):
        return GatewayError(_("Stripe does not answer just now. Try it again in a minute."))
    return GatewayError(_("Stripe refused this."))
