"""What Stripe is asked, by its own package, over a transport that answers as its documentation does."""

import json
from urllib.parse import parse_qs

import pytest
import stripe

from voice.payments.gateway import GatewayError, Order
from voice.payments.gateway.stripe_client import StripeGateway


class Wire(stripe.HTTPClient):
    """Answers what it was told and keeps what it was asked."""

    name = "test"

    def __init__(self, code, answer):
        super().__init__()
        self.code, self.answer, self.asked = code, answer, []

    def request(self, method, url, headers, post_data=None):
        self.asked.append((method, url, headers, parse_qs(post_data or "")))
        return json.dumps(self.answer), self.code, {}

    def close(self):
        pass


def gateway(code, answer):
    wire = Wire(code, answer)
    return StripeGateway("sk_test_1", http_client=wire), wire


ORDER = Order("key-1", 11900, "EUR", "Acme: 2026-00001", "cus_1", True, "https://acme.example/back", {"attempt": "a"})


def test_a_checkout_is_asked_for_once_whatever_happens():
    real, wire = gateway(200, {"id": "cs_1", "object": "checkout.session", "url": "https://checkout.stripe.com/c/1"})

    session = real.checkout(ORDER)

    ((method, url, headers, facts),) = wire.asked
    assert (session.id, session.url) == ("cs_1", "https://checkout.stripe.com/c/1")
    assert (method, url) == ("post", "https://api.stripe.com/v1/checkout/sessions")
    assert headers["Idempotency-Key"] == "key-1" and headers["Authorization"] == "Bearer sk_test_1"
    assert facts["line_items[0][price_data][unit_amount]"] == ["11900"]
    assert facts["line_items[0][price_data][currency]"] == ["eur"]
    assert facts["payment_intent_data[metadata][attempt]"] == ["a"] == facts["metadata[attempt]"]
    assert facts["payment_intent_data[setup_future_usage]"] == ["off_session"]


@pytest.mark.parametrize(
    ("code", "answer", "state"),
    [
        (200, {"id": "pi_1", "object": "payment_intent", "status": "succeeded"}, "succeeded"),
        (200, {"id": "pi_1", "object": "payment_intent", "status": "processing"}, "processing"),
        (402, {"error": {"type": "card_error", "code": "authentication_required", "message": "Ask.",
                         "payment_intent": {"id": "pi_1"}}}, "action"),
        (402, {"error": {"type": "card_error", "code": "card_declined", "message": "Declined.",
                         "payment_intent": {"id": "pi_1"}}}, "failed"),
    ],
)  # fmt: skip
def test_a_charge_without_the_payer_succeeds_asks_or_fails(code, answer, state):
    real, wire = gateway(code, answer)
    charged = real.charge(ORDER, "pm_1")

    assert (charged.intent, charged.state) == ("pi_1", state)
    assert wire.asked[0][3]["off_session"] == ["true"] == wire.asked[0][3]["confirm"]


def test_a_card_is_told_by_what_may_be_shown():
    told = {"id": "pm_1", "object": "payment_method", "type": "card",
            "card": {"brand": "amex", "last4": "0005", "exp_month": 3, "exp_year": 2031}}  # fmt: skip
    real, wire = gateway(200, told)
    assert str(real.card("pm_1")) == "American Express … 0005"
    link, _wire = gateway(200, {"id": "pm_2", "object": "payment_method", "type": "link"})
    assert str(link.card("pm_2")) == "Link"
    intent, wire = gateway(200, {"id": "pi_1", "object": "payment_intent", "payment_method": "pm_1"})
    assert intent.method_of("pi_1") == "pm_1" and wire.asked[0][1].endswith("/v1/payment_intents/pi_1")


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [(401, "invalid_request_error", "does not accept the key"), (400, "invalid_request_error", "refused this"),
     (429, "rate_limit_error", "does not answer")],
)  # fmt: skip
def test_what_stripe_refuses_is_said_without_its_words(code, kind, words):
    real, _wire = gateway(code, {"error": {"type": kind, "message": "sk_test_1 of acct_1 is wrong"}})
    with pytest.raises(GatewayError, match=words) as error:
        real.refund("pi_1", 5, key="k")
    assert "sk_test" not in str(error.value)


class Talk(Wire):
    """Answers one question after the other."""

    def __init__(self, *answers):
        super().__init__(0, None)
        self.answers = list(answers)

    def request(self, method, url, headers, post_data=None):
        self.code, self.answer = self.answers.pop(0)
        return super().request(method, url, headers, post_data)


NOT_OPEN = {"error": {"type": "invalid_request_error", "message": 'Only Checkout Sessions with a status in ["open"]'
                      " can be expired."}}  # fmt: skip


def test_an_open_checkout_expires():
    real, wire = gateway(200, {"id": "cs_1", "object": "checkout.session", "status": "expired"})
    assert real.expire("cs_1") is True
    assert wire.asked[0][:2] == ("post", "https://api.stripe.com/v1/checkout/sessions/cs_1/expire")


@pytest.mark.parametrize(
    ("status", "intent", "over"),
    [
        ("expired", None, True),
        ("complete", "succeeded", False),
        # A debit is on its way for days.
        ("complete", "processing", False),
        ("complete", "requires_payment_method", True),
        ("complete", "canceled", True),
    ],
)
def test_a_checkout_that_is_not_open_any_more_says_whether_money_comes(status, intent, over):
    paid_with = {"id": "pi_1", "object": "payment_intent", "status": intent} if intent else None
    told = {"id": "cs_1", "object": "checkout.session", "status": status, "payment_intent": paid_with}
    wire = Talk((400, NOT_OPEN), (200, told))

    assert StripeGateway("sk_test_1", http_client=wire).expire("cs_1") is over
    assert wire.asked[1][1].startswith("https://api.stripe.com/v1/checkout/sessions/cs_1?expand")


def test_a_checkout_of_an_account_that_the_company_had_before_keeps_nobody_from_paying():
    missing = {"error": {"type": "invalid_request_error", "code": "resource_missing", "message": "No such session"}}
    real, wire = gateway(404, missing)
    assert real.expire("cs_lab_1") is True and len(wire.asked) == 1


def test_a_checkout_that_stays_open_is_an_error():
    still = {"id": "cs_1", "object": "checkout.session", "status": "open", "payment_intent": None}
    for answers in ([(400, NOT_OPEN), (200, still)], [(401, {"error": {"type": "invalid_request_error"}})]):
        with pytest.raises(GatewayError):
            StripeGateway("sk_test_1", http_client=Talk(*answers)).expire("cs_1")
