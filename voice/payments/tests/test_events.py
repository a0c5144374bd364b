"""What Stripe's events say, and which bodies are believed."""

import json
import time

import pytest

from voice.payments import events
from voice.payments.gateway import from_minor_units, lab, to_minor_units

SECRET = "whsec_right"


def event(kind="payment_intent.succeeded", **about):
    return {"object": "event", "id": "evt_1", "type": kind, "data": {"object": about}}


def test_a_signed_event_is_believed():
    body, signature = lab.signed(event(id="pi_1"), SECRET)
    assert events.verified(body, signature, SECRET)["id"] == "evt_1"


@pytest.mark.parametrize(
    "change",
    [
        lambda body, sign: (body, ""),
        lambda body, sign: (body, "t=now,v1=nothing"),
        lambda body, sign: (body.replace(b"pi_1", b"pi_2"), sign),
        lambda body, sign: (body, sign.replace("v1=", "v0=")),
        lambda body, sign: (body, lab.signed(event(id="pi_1"), "whsec_other")[1]),
        lambda body, sign: (body, lab.signed(event(id="pi_1"), SECRET, at=int(time.time()) - 301)[1]),
        lambda body, sign: lab.signed(["not an event"], SECRET),
        lambda body, sign: lab.signed({"id": "evt_1", "type": "x", "data": {}}, SECRET),
        lambda body, sign: lab.signed({"id": 1, "type": "x", "data": {"object": {}}}, SECRET),
        lambda body, sign: (b"\xff\xfe", sign),
        lambda body, sign: (b" " * (events.LARGEST + 1), sign),
    ],
)
def test_a_body_that_was_not_signed_just_now_is_not(change):
    body, signature = change(*lab.signed(event(id="pi_1"), SECRET))
    with pytest.raises(events.Forged):
        events.verified(body, signature, SECRET)


def test_an_empty_secret_verifies_nothing():
    with pytest.raises(events.Forged):
        events.verified(*lab.signed(event(id="pi_1"), ""), "")


KEY = "3f0c7f9a-6f0e-4a53-9d3e-0a8f6a6f1b11"


@pytest.mark.parametrize(
    ("kind", "about", "fact"),
    [
        ("payment_intent.succeeded",
         {"id": "pi_1", "amount_received": 500, "currency": "eur", "metadata": {"attempt": KEY}, "payment_method": "p"},
         events.Fact("paid", KEY, "pi_1", 500, "EUR", method="p")),
        ("checkout.session.completed",
         {"payment_intent": {"id": "pi_1"}, "payment_status": "paid", "amount_total": 5, "currency": "jpy"},
         events.Fact("paid", "", "pi_1", 5, "JPY")),
        ("checkout.session.completed", {"payment_intent": "pi_1", "payment_status": "unpaid"},
         events.Fact("processing", "", "pi_1")),
        ("checkout.session.completed", {"payment_intent": "pi_1", "payment_status": "no_payment_required"}, None),
        ("charge.refunded", {"payment_intent": "pi_1", "amount_refunded": 5, "currency": "eur"},
         events.Fact("refunded", "", "pi_1", 5, "EUR")),
        ("charge.dispute.funds_withdrawn",
         {"id": "dp_1", "payment_intent": "pi_1", "amount": 5, "currency": "eur", "reason": "fraudulent",
          "metadata": {"attempt": KEY}},
         events.Fact("funds_withdrawn", "", "pi_1", 5, "EUR", "dp_1", words="fraudulent")),
        ("payment_intent.succeeded", {"id": 7, "amount_received": -5, "currency": None, "metadata": []},
         events.Fact("paid")),
        ("customer.created", {"id": "cus_1"}, None),
    ],
)  # fmt: skip
def test_what_an_event_says(kind, about, fact):
    assert events.read(json.loads(json.dumps(event(kind, **about)))) == fact


@pytest.mark.parametrize(
    ("micros", "currency", "minor"),
    [(1_230_000, "EUR", 123), (5_000_000, "JPY", 5), (5_000_000, "ISK", 500), (1_234_000, "KWD", 1234)],
)
def test_the_gateway_counts_coins(micros, currency, minor):
    assert to_minor_units(micros, currency) == minor
    assert from_minor_units(minor, currency) == micros
    with pytest.raises(ValueError):
        to_minor_units(micros + 1, currency)
