"""One way to pay at a time: two tabs, an open checkout and the night's collection never take the same money twice."""

import threading
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from portal.core.models import AuditEntry
from portal.db import contexts
from voice.payments.gateway import GatewayError, lab
from voice.payments.models import CardAttempt
from voice.payments.services import cards
from voice.payments.tests.cards import ALICE, EUR, fresh, owed, paid, save_card, silent, take_cards, told
from voice.receivables.models import Payment
from voice.receivables.tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def closed(monkeypatch):
    """Keep the sessions that the gateway was asked to expire."""
    asked, expire = [], lab.LabGateway.expire

    def noted(self, session):
        asked.append(session)
        return expire(self, session)

    monkeypatch.setattr(lab.LabGateway, "expire", noted)
    return asked


def expired(account, attempt):
    return told(account, "checkout.session.expired", metadata={"attempt": str(attempt.key)})


def test_a_new_checkout_closes_the_earlier_one_at_the_gateway(billed, account, attempt, closed):
    second = cards.pay(billed.tenant, invoices=attempt.invoices, by=ALICE)

    assert closed == [fresh(attempt).session] and second.url
    assert (fresh(attempt).state, fresh(attempt).is_under_way) == ("expired", False)
    assert fresh(second).is_under_way and fresh(second).session != fresh(attempt).session
    assert AuditEntry.objects.filter(verb="card_payment.closed").count() == 1


def test_a_checkout_that_was_paid_is_not_followed_by_another(billed, account, attempt, monkeypatch):
    # The gateway knows it, and its event is still on the way to us.
    monkeypatch.setattr(lab.LabGateway, "expire", lambda self, session: False)
    with pytest.raises(ValidationError, match="paid at the checkout already"):
        cards.pay(billed.tenant, invoices=attempt.invoices, by=ALICE)

    assert paid(attempt, account).outcome == "booked" and owed(billed) == 0
    assert CardAttempt.objects.count() == 1


def test_a_gateway_that_cannot_say_whether_it_is_closed_lets_no_other_begin(billed, account, attempt, monkeypatch):
    def nothing(self, session):
        raise GatewayError("Stripe does not answer just now.")

    monkeypatch.setattr(lab.LabGateway, "expire", nothing)
    with pytest.raises(ValidationError, match="does not answer"):
        cards.pay(billed.tenant, invoices=attempt.invoices, by=ALICE)
    assert fresh(attempt).is_under_way and CardAttempt.objects.count() == 1


def test_a_saved_card_closes_an_open_checkout_first(billed, account, attempt, closed):
    card = save_card(billed, account, lab.GOOD)
    cards.pay(billed.tenant, invoices=attempt.invoices, method=card.pk, by=ALICE)

    assert closed == [fresh(attempt).session] and fresh(attempt).state == "expired"
    assert (owed(billed), Payment.objects.count()) == (0, 1)


def test_no_checkout_opens_while_a_card_is_being_charged(billed, account, monkeypatch):
    invoice = make.issued(billed, 100 * EUR)
    card = save_card(billed, account, lab.GOOD)
    monkeypatch.setattr(lab.LabGateway, "charge", silent)
    cards.pay(billed.tenant, invoices=[invoice.pk], method=card.pk, by=ALICE)

    with pytest.raises(ValidationError, match="being charged just now"):
        cards.pay(billed.tenant, invoices=[invoice.pk], by=ALICE)


def test_the_night_leaves_alone_who_is_at_the_checkout(billed, account, attempt, closed):
    save_card(billed, account, lab.GOOD)
    later = make.TODAY + timedelta(days=60)
    assert cards.collect_due(account, today=later, by=make.BY) == 0 and closed == []

    # An hour later nobody types any more: the page is closed, then the card is charged.
    CardAttempt.objects.filter(pk=attempt.pk).update(created_at=timezone.now() - timedelta(hours=2))
    assert cards.collect_due(account, today=later, by=make.BY) == 1
    assert closed == [fresh(attempt).session]
    assert (owed(billed), Payment.objects.count()) == (0, 1)


@pytest.mark.parametrize("reached", [True, False])
def test_the_night_charges_nobody_whose_checkout_may_be_paid(billed, account, attempt, monkeypatch, reached):
    def answer(self, session):
        if not reached:
            raise GatewayError("Stripe does not answer just now.")
        return False

    monkeypatch.setattr(lab.LabGateway, "expire", answer)
    save_card(billed, account, lab.GOOD)
    CardAttempt.objects.filter(pk=attempt.pk).update(created_at=timezone.now() - timedelta(hours=2))

    assert cards.collect_due(account, today=make.TODAY + timedelta(days=60), by=make.BY) == 0
    assert not CardAttempt.objects.filter(kind="collect").exists()


def test_the_night_closes_no_checkout_of_who_owes_nothing_yet(billed, account, attempt, closed):
    save_card(billed, account, lab.GOOD)
    CardAttempt.objects.filter(pk=attempt.pk).update(created_at=timezone.now() - timedelta(hours=2))

    assert cards.collect_due(account, today=make.TODAY, by=make.BY) == 0
    assert closed == [] and fresh(attempt).is_under_way


def test_a_declined_card_leaves_the_checkout_open_and_it_is_closed_like_any_other(billed, account, attempt, closed):
    told(account, "payment_intent.payment_failed", id="pi_1", currency="eur", metadata={"attempt": str(attempt.key)})
    assert (fresh(attempt).state, fresh(attempt).is_under_way) == ("failed", True)

    cards.pay(billed.tenant, invoices=attempt.invoices, by=ALICE)
    assert closed == [fresh(attempt).session] and not fresh(attempt).is_under_way


def test_a_payment_that_fails_after_the_checkout_is_through_is_under_way_no_more(billed, account, attempt, closed):
    told(account, "checkout.session.async_payment_failed", metadata={"attempt": str(attempt.key)})
    assert (fresh(attempt).state, fresh(attempt).is_under_way) == ("failed", False)

    cards.pay(billed.tenant, invoices=attempt.invoices, by=ALICE)
    assert closed == []


def test_that_a_checkout_expired_may_be_told_often_and_late(billed, account, attempt):
    second = cards.pay(billed.tenant, invoices=attempt.invoices, by=ALICE)
    words = fresh(attempt).words
    for _ in range(2):
        assert expired(account, attempt).outcome == "noted"
    assert (fresh(attempt).state, fresh(attempt).words) == ("expired", words) and words
    assert fresh(second).is_under_way

    paid(second, account)
    expired(account, second)
    assert (fresh(second).state, fresh(second).is_under_way) == ("succeeded", False)


def test_a_checkout_whose_number_was_lost_is_asked_for_again_and_closed(billed, account, attempt, closed):
    """The portal died before it kept the session: the same key names the same one."""
    session = fresh(attempt).session
    CardAttempt.objects.filter(pk=attempt.pk).update(session="")
    cards.pay(billed.tenant, invoices=attempt.invoices, by=ALICE)
    assert closed == [session]


def test_a_gateway_that_refuses_a_checkout_leaves_none_under_way(billed, account, monkeypatch):
    invoice = make.issued(billed, 100 * EUR)

    def nothing(self, order):
        raise GatewayError("Stripe refused this.")

    monkeypatch.setattr(lab.LabGateway, "checkout", nothing)
    with pytest.raises(ValidationError, match="refused"):
        cards.pay(billed.tenant, invoices=[invoice.pk], by=ALICE)
    assert (CardAttempt.objects.get().state, CardAttempt.objects.get().is_under_way) == ("failed", False)


def test_a_top_up_is_for_calls_and_stands_beside_the_payment_of_a_bill(billed, account, attempt, closed):
    cards.top_up(billed.tenant, 50 * EUR, by=ALICE)
    cards.top_up(billed.tenant, 50 * EUR, by=ALICE)
    assert closed == [] and CardAttempt.objects.filter(is_under_way=True).count() == 3


def test_the_database_keeps_a_second_way_out(billed, account, attempt):
    facts = {"msp_id": billed.msp_id, "tenant": billed.tenant, "account": account, "currency": "EUR", "amount": EUR}
    for kind in ("checkout", "saved", "collect"):
        with pytest.raises(IntegrityError, match="one_way"), transaction.atomic():
            CardAttempt.objects.create(kind=kind, **facts)
    with pytest.raises(IntegrityError, match="attempt_over"), transaction.atomic():
        CardAttempt.objects.filter(pk=attempt.pk).update(state="expired")


def test_the_labs_checkout_takes_nothing_once_it_is_closed(client_of, alice, acme, billed, account, attempt):
    second = cards.pay(billed.tenant, invoices=attempt.invoices, by=ALICE)
    contexts.use_public()
    browser = client_of(alice, acme)
    path = f"/bills/lab-checkout/{attempt.key}/"
    assert "has expired" in browser.get(path).content.decode()
    assert "has expired" in browser.post(path, {"card": lab.GOOD}).content.decode()
    done = browser.post(f"/bills/lab-checkout/{second.key}/", {"card": lab.GOOD}, follow=True)
    assert "Thank you" in done.content.decode()
    with contexts.msp(acme.msp):
        assert (owed(billed), Payment.objects.count()) == (0, 1)


@pytest.mark.django_db(transaction=True)
def test_two_tabs_at_once_leave_one_checkout_that_can_be_paid(northwind, acme):
    with contexts.msp(northwind):
        billed = make.profile(make.entity(northwind), acme)
        take_cards(billed.entity)
        invoice = make.issued(billed, 100 * EUR)
    start, urls, refused = threading.Barrier(4), [], []

    def begin():
        try:
            start.wait()
            urls.append(cards.pay(billed.tenant, invoices=[invoice.pk], by=ALICE).url)
        except ValidationError as error:
            refused.append(error.messages)
        finally:
            connection.close()

    tabs = [threading.Thread(target=begin) for _ in range(4)]
    for tab in tabs:
        tab.start()
    for tab in tabs:
        tab.join()
    with contexts.msp(northwind):
        assert CardAttempt.objects.filter(is_under_way=True).count() == 1
        left = CardAttempt.objects.get(is_under_way=True)
    assert len(urls) + len(refused) == 4
    assert any(str(left.key) in url for url in urls), refused
