"""Card payments: forged, repeated, out of order and contradicting events, and how they are booked."""

import threading
import time

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction

from portal.core.models import AuditEntry
from portal.db import contexts
from tenants.tests.clients import host_of
from voice.payments import events
from voice.payments.gateway import lab
from voice.payments.models import CardAccount, CardAttempt, CardEvent, CardMethod
from voice.payments.services import accounts, cards, receipts
from voice.payments.tests.cards import ALICE, EUR, fresh, owed, paid, take_cards, told
from voice.rating.models import Movement
from voice.receivables import services
from voice.receivables.models import Entry, Payment
from voice.receivables.tests import make

pytestmark = pytest.mark.django_db


def test_what_was_paid_is_booked_once_and_the_card_is_saved(billed, account, attempt):
    first = paid(attempt, account, event="evt_1")
    session = {"payment_intent": "pi_1", "payment_status": "paid", "amount_total": 11900, "currency": "eur"}
    again = told(account, "checkout.session.completed", metadata={"attempt": str(attempt.key)}, **session)
    same = paid(attempt, account, event="evt_1")

    assert (first.outcome, again.outcome, same.pk) == ("booked", "noted", first.pk)
    assert fresh(attempt).state == "succeeded" and owed(billed) == 0
    assert (Payment.objects.count(), CardEvent.objects.count()) == (1, 2)
    assert str(CardMethod.objects.get()) == "Visa … 4242"
    kept = AuditEntry.objects.get(verb="card.saved")
    assert (kept.email, kept.tenant_id, kept.object_name) == (ALICE.email, billed.tenant_id, "Visa … 4242")
    assert kept.after == {"card": "Visa … 4242", "is_default": True}
    assert Movement.objects.filter(kind="payment").get().micros == 119 * EUR


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"minor": 11901}, "not what was to be paid"),
        ({"minor": 0}, "not what was to be paid"),
        ({"currency": "usd"}, "in USD and not in EUR"),
        ({"intent": ""}, "not what was to be paid"),
    ],
)
def test_another_amount_or_currency_books_nothing_and_is_shown(billed, account, attempt, change, words):
    event = paid(attempt, account, **change)

    assert event.outcome == "refused" and words in event.words
    assert Payment.objects.count() == 0 and fresh(attempt).state == "open"


def test_a_second_payment_intent_for_the_same_attempt_books_nothing(billed, account, attempt):
    paid(attempt, account)
    assert paid(attempt, account, intent="pi_2").outcome == "refused"
    assert Payment.objects.count() == 1


def test_an_event_about_another_companys_payment_is_refused(billed, account, attempt, northwind):
    other = take_cards(make.entity(northwind, name="Northwind Two GmbH"))
    event = paid(attempt, other)

    assert event.outcome == "refused" and "has not" in event.words
    assert fresh(attempt).state == "open"


def test_statements_and_receipts_name_the_card_and_keep_the_gateways_number(billed, account, attempt):
    paid(attempt, account)
    cards.refund(fresh(attempt), 19 * EUR, by=make.BY)

    texts = list(Entry.objects.order_by("pk").values_list("text", flat=True))
    assert texts[1:] == ["Card payment, Visa … 4242", "Card refund, Visa … 4242"]
    assert (fresh(attempt).card, Payment.objects.get().reference) == ("Visa … 4242", "pi_1")
    assert receipts.receipt_of(Payment.objects.get()).card == "Visa … 4242"


def test_a_card_that_the_gateway_does_not_name_is_a_card_payment(billed, account, attempt):
    paid(attempt, account, payment_method=None)
    assert Entry.objects.get(kind="payment").text == "Card payment" and not CardMethod.objects.exists()


def test_failed_and_expired_after_paid_change_nothing(billed, account, attempt):
    paid(attempt, account)
    for kind in ("payment_intent.payment_failed", "checkout.session.expired"):
        told(account, kind, id="pi_1", payment_intent="pi_1", metadata={"attempt": str(attempt.key)})
    assert fresh(attempt).state == "succeeded"


def test_paid_after_failed_is_paid(billed, account, attempt):
    told(account, "payment_intent.payment_failed", id="pi_1", currency="eur", metadata={"attempt": str(attempt.key)})
    assert fresh(attempt).state == "failed"
    assert paid(attempt, account).outcome == "booked" and owed(billed) == 0


def test_forged_and_late_bodies_leave_no_trace(billed, account, attempt):
    for facts in ({"secret": "whsec_other"}, {"at": int(time.time()) - 400}):
        with pytest.raises(events.Forged):
            told(account, "charge.refunded", **facts)
    assert CardEvent.objects.count() == 0


def test_the_webhook_takes_signed_events_and_nothing_else(client, billed, account, attempt, northwind, fabrikam):
    contexts.use_public()
    body = {"object": "event", "id": "evt_1", "type": "customer.created", "data": {"object": {}}}
    raw, signature = lab.signed(body, account.webhook_secret)

    def post(msp, hook, sign=signature):
        client.defaults["HTTP_HOST"] = host_of(msp)
        headers = {"Stripe-Signature": sign} if sign else {}
        return client.post(f"/hooks/cards/{hook}/", raw, content_type="application/json", headers=headers)

    assert post(northwind, account.hook).status_code == 200
    assert post(northwind, account.hook, "").status_code == 400
    assert post(northwind, "guessed").status_code == 404
    # Another MSP's host does not know the address.
    assert post(fabrikam, account.hook).status_code == 404
    assert client.get(f"/hooks/cards/{account.hook}/").status_code in (404, 405)


@pytest.mark.django_db(transaction=True)
def test_the_same_event_twice_at_once_books_once(northwind, acme):
    with contexts.msp(northwind):
        billed = make.profile(make.entity(northwind), acme)
        account = take_cards(billed.entity)
        invoice = make.issued(billed, 100 * EUR)
        attempt = cards.pay(billed.tenant, invoices=[invoice.pk], by=ALICE)
    start, outcomes = threading.Barrier(2), []

    def tell(event):
        try:
            start.wait()
            with contexts.msp(northwind):
                outcomes.append(paid(attempt, account, event=event).outcome)
        finally:
            connection.close()

    for names in (("evt_1", "evt_1"), ("evt_2", "evt_3")):
        both = [threading.Thread(target=tell, args=(name,)) for name in names]
        for one in both:
            one.start()
        for one in both:
            one.join()
    with contexts.msp(northwind):
        assert Payment.objects.count() == 1 and outcomes.count("booked") >= 1


def test_keys_are_encrypted_and_demanded(billed):
    row = CardAccount(msp_id=billed.msp_id, entity=billed.entity, kind="stripe")
    for keys in ({}, {"api_key": "sk_1"}, {"api_key": "pk_1", "webhook_secret": "whsec_1"}):
        with pytest.raises(ValidationError), transaction.atomic():
            accounts.save_account(row, by=make.BY, **keys)
    accounts.save_account(row, by=make.BY, api_key="sk_live_secret", webhook_secret="whsec_secret")
    with connection.cursor() as cursor:
        cursor.execute("SELECT api_key, webhook_secret FROM payments_cardaccount")
        stored = cursor.fetchone()
    assert "sk_live_secret" not in stored[0] and "whsec_secret" not in stored[1]
    # Left empty they stay.
    assert accounts.save_account(CardAccount.objects.get(), by=make.BY).api_key == "sk_live_secret"
    assert "sk_live_secret" not in str(list(AuditEntry.objects.values()))


def test_what_a_credit_has_settled_already_is_not_charged(billed, account):
    first = make.issued(billed, 100 * EUR)
    services.record_payment(make.payment(billed, first.total), by=make.BY)
    note = services.credit(first, reason="Wrong plan", by=make.BY)
    services.issue(services.approve(note, by=make.BY), on=make.TODAY, by=make.BY)
    second = make.issued(billed, 100 * EUR, name="more")

    for invoices in ([second.pk], None):
        with pytest.raises(ValidationError):
            cards.pay(billed.tenant, invoices=invoices, by=ALICE)
    assert not CardAttempt.objects.exists()
