"""What tests of cards say and ask: events of the gateway, and what stands on the books."""

import uuid

from portal.core.audit import Actor
from voice.payments.gateway import GatewayError, lab
from voice.payments.models import CardAccount, CardAttempt, CardMethod
from voice.payments.services import accounts, webhooks
from voice.receivables import selectors as books
from voice.receivables.tests import make

EUR = 1_000_000
ALICE = Actor(email="alice@acme.example")


def take_cards(entity, **facts):
    row = CardAccount(msp_id=entity.msp_id, entity=entity, kind="lab", **facts)
    return accounts.save_account(row, by=make.BY)


def fresh(attempt):
    return CardAttempt.objects.select_related("payment").get(pk=attempt.pk)


def told(account, kind, event="", secret="", at=None, created=0, **about):
    name = event or f"evt_{uuid.uuid4().hex}"
    body = {"object": "event", "id": name, "type": kind, "created": created, "data": {"object": about}}
    raw, signature = lab.signed(body, secret or account.webhook_secret, at=at)
    return webhooks.receive(account, raw, signature)


def paid(attempt, account, *, intent="pi_1", minor=11900, currency="eur", **facts):
    about = {"id": intent, "amount_received": minor, "currency": currency, "payment_method": "pm_lab_x_4242"}
    return told(account, "payment_intent.succeeded", metadata={"attempt": str(attempt.key)}, **about | facts)


def refunded(account, minor, *, intent="pi_1", **facts):
    return told(account, "charge.refunded", payment_intent=intent, amount_refunded=minor, currency="eur", **facts)


def dispute(account, what, *, minor=11900, intent="pi_1"):
    about = {"id": "dp_1", "payment_intent": intent, "amount": minor, "currency": "eur", "reason": "fraudulent"}
    return told(account, f"charge.dispute.{what}", **about)


def owed(billed):
    return books.balance(billed.tenant_id, billed.entity_id, "EUR")


def failed(account, minor=1900, *, refund="re_1", kind="refund.failed", at=200, **facts):
    about = {"id": refund, "payment_intent": "pi_1", "amount": minor, "currency": "eur", "status": "failed"}
    return told(account, kind, created=at, **about | facts)


def save_card(billed, account, last4):
    return CardMethod.objects.create(
        msp_id=billed.msp_id, tenant=billed.tenant, account=account, reference=f"pm_lab_x_{last4}", brand="visa",
        last4=last4, month=12, year=2034, is_default=True,
    )  # fmt: skip


def silent(self, order, method):
    raise GatewayError("Stripe does not answer just now.")
