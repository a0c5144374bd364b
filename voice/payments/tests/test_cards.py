"""Card payments: forged, repeated, late, out of order and contradicting events, refunds, disputes, collections."""

import threading
import time
import uuid
from datetime import timedelta

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils import timezone

from portal.core.audit import Actor
from portal.core.models import AuditEntry
from portal.db import contexts
from tenants.tests.clients import host_of
from voice.payments import events
from voice.payments.gateway import Charged, GatewayError, lab
from voice.payments.models import CardAccount, CardAttempt, CardEvent, CardMethod
from voice.payments.services import accounts, cards, receipts, webhooks
from voice.rating.models import Movement
from voice.receivables import selectors as books
from voice.receivables.models import Entry, Payment, Reversal
from voice.receivables.tests import make

pytestmark = pytest.mark.django_db
EUR = 1_000_000
ALICE = Actor(email="alice@acme.example")


@pytest.fixture
def account(billed):
    return take_cards(billed.entity)


def take_cards(entity, **facts):
    row = CardAccount(msp_id=entity.msp_id, entity=entity, kind="lab", **facts)
    return accounts.save_account(row, by=make.BY)


@pytest.fixture
def attempt(billed, account):
    """Begin to pay an invoice of 119.00 at the checkout."""
    invoice = make.issued(billed, 100 * EUR)
    return cards.pay(billed.tenant, invoices=[invoice.pk], by=ALICE, saves=True)


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


def test_what_was_paid_is_booked_once_and_the_card_is_saved(billed, account, attempt):
    first = paid(attempt, account, event="evt_1")
    session = {"payment_intent": "pi_1", "payment_status": "paid", "amount_total": 11900, "currency": "eur"}
    again = told(account, "checkout.session.completed", metadata={"attempt": str(attempt.key)}, **session)
    same = paid(attempt, account, event="evt_1")

    assert (first.outcome, again.outcome, same.pk) == ("booked", "noted", first.pk)
    assert fresh(attempt).state == "succeeded" and owed(billed) == 0
    assert (Payment.objects.count(), CardEvent.objects.count()) == (1, 2)
    assert str(CardMethod.objects.get()) == "Visa … 4242"
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


@pytest.mark.parametrize("late", [0, 1])
def test_refunded_before_succeeded_is_booked_after_it(billed, account, attempt, late):
    about = {"payment_intent": "pi_1", "amount_refunded": 1900, "currency": "eur"}
    # Once naming the attempt, once only the payment that nobody knows yet.
    early = told(account, "charge.refunded", **about, **({} if late else {"metadata": {"attempt": str(attempt.key)}}))
    assert early.outcome == ("waiting" if late else "noted") and Payment.objects.count() == 0

    paid(attempt, account)

    assert owed(billed) == 19 * EUR
    assert Reversal.objects.get().kind == "refund"
    assert fresh(attempt).refund_booked == 19 * EUR


def test_refunds_add_up_and_come_late_or_twice_without_harm(billed, account, attempt):
    paid(attempt, account)
    for minor in (5000, 11900, 5000, 11900):
        refunded(account, minor)
    assert [each.amount for each in Reversal.objects.order_by("pk")] == [50 * EUR, 69 * EUR]
    assert owed(billed) == 119 * EUR and paid(attempt, account).outcome == "noted"
    assert refunded(account, 99999).outcome == "refused"
    assert Movement.objects.filter(kind="taken_back").count() == 2


def failed(account, minor=1900, *, refund="re_1", kind="refund.failed", at=200, **facts):
    about = {"id": refund, "payment_intent": "pi_1", "amount": minor, "currency": "eur", "status": "failed"}
    return told(account, kind, created=at, **about | facts)


def test_a_refund_that_failed_is_booked_back_once(billed, account, attempt):
    paid(attempt, account)
    refunded(account, 1900, created=100)
    assert owed(billed) == 19 * EUR
    assert failed(account, status="pending", kind="charge.refund.updated").outcome == "noted"
    assert failed(account, 99999).outcome == "refused"

    first, again = failed(account), failed(account, kind="charge.refund.updated")

    assert (first.outcome, again.outcome, owed(billed)) == ("booked", "noted", 0)
    assert "did not arrive" in first.words and books.open_total(billed.tenant_id, billed.entity_id, "EUR") == 0
    assert Payment.objects.get(reference="re_1").amount == 19 * EUR
    assert (fresh(attempt).refunded, fresh(attempt).refund_booked) == (0, 0)
    # What the gateway counts has shrunk; what is sent again is another refund, and all of the payment can go back.
    refunded(account, 1900, created=300)
    assert owed(billed) == 19 * EUR
    cards.refund(fresh(attempt), 100 * EUR, by=make.BY)
    assert owed(billed) == 119 * EUR
    with pytest.raises(ValidationError):
        cards.refund(fresh(attempt), EUR, by=make.BY)
    assert {each.payment.reference for each in Reversal.objects.all()} == {"pi_1", "re_1"}


def test_a_failed_refund_that_is_told_before_the_refund_waits_for_it(billed, account, attempt):
    paid(attempt, account)
    assert failed(account).outcome == "noted" and owed(billed) == 0

    refunded(account, 1900, created=100)

    assert owed(billed) == 0
    assert list(Entry.objects.order_by("pk").values_list("kind", flat=True)) == [
        "invoice", "payment", "reversal", "payment",
    ]  # fmt: skip
    refunded(account, 1900, created=100)
    assert owed(billed) == 0 and Payment.objects.count() == 2


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


def test_a_dispute_takes_the_money_and_winning_brings_it_back(billed, account, attempt):
    # The end is told before the beginning.
    paid(attempt, account)
    dispute(account, "funds_reinstated")
    dispute(account, "created")
    assert owed(billed) == 0
    dispute(account, "funds_withdrawn")
    assert owed(billed) == 0
    kinds = list(Entry.objects.order_by("pk").values_list("kind", flat=True))
    assert kinds == ["invoice", "payment", "reversal", "payment"]
    assert Reversal.objects.get().kind == "chargeback"


def test_a_lost_dispute_leaves_the_bill_open(billed, account, attempt):
    paid(attempt, account)
    dispute(account, "funds_withdrawn")
    dispute(account, "funds_withdrawn")
    assert owed(billed) == 119 * EUR and Reversal.objects.count() == 1


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


def test_the_msp_sends_money_back_once(billed, account, attempt):
    paid(attempt, account)
    cards.refund(fresh(attempt), 19 * EUR, by=make.BY)
    refunded(account, 1900)
    assert owed(billed) == 19 * EUR and Reversal.objects.count() == 1
    for amount in (0, 101 * EUR, 1):
        with pytest.raises(ValidationError):
            cards.refund(fresh(attempt), amount, by=make.BY)


def save_card(billed, account, last4):
    return CardMethod.objects.create(
        msp_id=billed.msp_id, tenant=billed.tenant, account=account, reference=f"pm_lab_x_{last4}", brand="visa",
        last4=last4, month=12, year=2034, is_default=True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("last4", "state", "left", "mails"),
    [(lab.GOOD, "succeeded", 0, 0), (lab.ASKS, "action", 119 * EUR, 1), (lab.DECLINED, "failed", 119 * EUR, 1)],
)
def test_due_invoices_are_collected_once(billed, account, last4, state, left, mails):
    invoice = make.issued(billed, 100 * EUR)
    save_card(billed, account, last4)
    assert cards.collect_due(account, today=make.TODAY, by=make.BY) == 0
    assert [cards.collect_due(account, today=invoice.due_on, by=make.BY) for _ in range(2)] == [1, 0]

    assert CardAttempt.objects.get().state == state and owed(billed) == left
    assert len(mail.outbox) == mails and (not mails or "/bills/pay/?bill=" in mail.outbox[0].body)


def test_a_charge_whose_answer_was_lost_is_asked_for_again(billed, account):
    invoice = make.issued(billed, 100 * EUR)
    card = save_card(billed, account, lab.GOOD)
    CardAttempt.objects.create(
        msp_id=billed.msp_id, tenant=billed.tenant, account=account, kind="collect", currency="EUR",
        amount=119 * EUR, invoices=[invoice.pk], method=card,
    )  # fmt: skip
    later = -cards.timedelta(minutes=1)
    assert [cards.resume_charges(before=later, by=make.BY) for _ in range(2)] == [1, 0]
    assert owed(billed) == 0


def test_a_charge_that_was_answered_is_not_asked_for_again(billed, account, monkeypatch):
    """A debit takes days, and the gateway forgets a key after one: the same question would be another charge."""
    invoice = make.issued(billed, 100 * EUR)
    card = save_card(billed, account, lab.GOOD)
    monkeypatch.setattr(lab.LabGateway, "charge", lambda self, order, method: Charged("pi_slow", "processing"))
    cards.pay(billed.tenant, invoices=[invoice.pk], method=card.pk, by=ALICE)
    later = -cards.timedelta(minutes=1)

    assert cards.resume_charges(before=later, by=make.BY) == 0
    assert (CardAttempt.objects.get().state, CardAttempt.objects.get().intent) == ("open", "pi_slow")


def test_a_charge_whose_answer_never_came_is_given_up_while_its_key_is_known(billed, account, monkeypatch):
    invoice = make.issued(billed, 100 * EUR)
    card = save_card(billed, account, lab.GOOD)
    monkeypatch.setattr(lab.LabGateway, "charge", silent)
    cards.pay(billed.tenant, invoices=[invoice.pk], method=card.pk, by=ALICE)
    CardAttempt.objects.update(created_at=timezone.now() - timedelta(hours=24))

    assert cards.resume_charges(by=make.BY) == 0
    assert CardAttempt.objects.get().state == "expired"
    # Should it have been charged after all, the gateway's event still books it.
    assert paid(CardAttempt.objects.get(), account).outcome == "booked" and owed(billed) == 0


@pytest.mark.parametrize("again", ["pay", "collect"])
def test_a_bill_is_not_charged_a_second_time_while_the_first_charge_is_under_way(billed, account, monkeypatch, again):
    invoice = make.issued(billed, 100 * EUR)
    card = save_card(billed, account, lab.GOOD)
    monkeypatch.setattr(lab.LabGateway, "charge", silent)
    cards.pay(billed.tenant, invoices=[invoice.pk], method=card.pk, by=ALICE)
    monkeypatch.undo()

    if again == "pay":
        with pytest.raises(ValidationError, match="being charged just now"):
            cards.pay(billed.tenant, invoices=[invoice.pk], method=card.pk, by=ALICE)
    else:
        assert cards.collect_due(account, today=invoice.due_on, by=make.BY) == 0
    assert cards.resume_charges(before=-timedelta(minutes=1), by=make.BY) == 1
    assert (Payment.objects.count(), owed(billed)) == (1, 0)


def silent(self, order, method):
    raise GatewayError("Stripe does not answer just now.")


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


class TestPages:
    def test_a_customer_pays_in_the_lab_and_tops_up(self, client_of, alice, acme, billed, account):
        invoice = make.issued(billed, 100 * EUR)
        contexts.use_public()
        browser = client_of(alice, acme)

        page = browser.get(f"/bills/pay/?bill={invoice.pk}")
        assert "checkout.stripe.com" in page["Content-Security-Policy"] and "RF" in page.content.decode()
        sent = browser.post("/bills/pay/", {"what": str(invoice.pk), "card": "new", "saves": "on"})
        checkout = "/" + sent["Location"].split("/", 3)[3]
        assert "no money moves" in browser.get(checkout).content.decode()
        assert browser.post(checkout, {"card": lab.DECLINED}).status_code == 302
        done = browser.post(checkout, {"card": lab.GOOD})
        assert "Thank you" in browser.get(done["Location"]).content.decode()
        assert "Nothing is to be paid" in browser.get("/bills/pay/").content.decode()
        saved = browser.get("/api/v1/saved-cards/").json()["results"]
        assert [card["last4"] for card in saved] == [lab.GOOD]
        assert browser.post(f"/bills/cards/{saved[0]['id']}/default/").status_code == 302

        sent = browser.post("/bills/top-up/", {"amount": "50"})
        assert browser.post("/" + sent["Location"].split("/", 3)[3], {"card": lab.GOOD}).status_code == 302
        with contexts.msp(acme.msp):
            assert owed(billed) == -50 * EUR
            assert Movement.objects.filter(kind="top_up").get().micros == 50 * EUR
        assert "This is refused" not in browser.post("/bills/top-up/", {"amount": "1"}).content.decode()
        assert browser.post(f"/bills/cards/{saved[0]['id']}/remove/").status_code == 302
        assert browser.get("/bills/cards/").status_code == 200

    def test_with_a_saved_card_it_takes_one_step(self, client_of, alice, acme, billed, account):
        make.issued(billed, 100 * EUR)
        card = save_card(billed, account, lab.GOOD)
        contexts.use_public()
        browser = client_of(alice, acme)
        done = browser.post("/bills/pay/", {"what": "all", "card": str(card.pk)}, follow=True)
        assert "Thank you" in done.content.decode()

    def test_viewers_and_others_neither_pay_nor_see(self, client_of, victor, acme, mallory, globex, billed, attempt):
        contexts.use_public()
        viewer, other = client_of(victor, acme), client_of(mallory, globex)
        assert viewer.get("/bills/pay/").status_code == viewer.get(f"/bills/pay/{attempt.key}/").status_code == 403
        assert other.get(f"/bills/pay/{attempt.key}/").status_code == 404
        assert other.post(f"/bills/lab-checkout/{attempt.key}/", {"card": lab.GOOD}).status_code == 404
        assert other.post("/api/v1/card-payments/", {"bills": attempt.invoices}, "application/json").status_code == 400

    def test_the_msp_sets_up_looks_and_refunds(self, client_of, nadia, northwind, billed, account, attempt):
        paid(attempt, account)
        paid(attempt, account, minor=5)
        contexts.use_public()
        office = client_of(nadia, northwind)
        shown = office.get("/invoices/payments/cards/").content.decode()
        assert "Signed events that fit no payment" in shown
        path = f"/invoices/payments/cards/{attempt.pk}/"
        assert "payment_intent.succeeded" in office.get(path).content.decode()
        assert office.post(f"{path}refund/", {"amount": "500"}).status_code == 200
        assert office.post(f"{path}refund/", {"amount": "19"}).status_code == 302
        setup = f"/invoices/payments/cards/companies/{billed.entity_id}/"
        page = office.get(setup).content.decode()
        assert account.hook in page and account.webhook_secret not in page
        assert office.post(f"{setup}hook/").status_code == 302
        assert account.hook not in office.get(setup).content.decode()
        assert office.post(setup, {"kind": "stripe", "is_on": "on", "row_version": "2"}).status_code == 200
        assert "sk_ or rk_" in office.post(setup, {"kind": "stripe", "is_on": "on"}).content.decode()
        assert office.get("/invoices/payments/cards/companies/").status_code == 200
