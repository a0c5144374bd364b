"""A debit that a bank takes days for: what it pays is never paid twice, and the rest can be paid meanwhile."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import ValidationError

from portal.db import contexts
from voice.payments.gateway import Charged, lab
from voice.payments.models import CardAttempt, DunningStep, Reminder, ReminderLine
from voice.payments.services import cards, dunning
from voice.payments.services.ladder import save_step
from voice.payments.tests.cards import ALICE, EUR, fresh, owed, paid, save_card, told
from voice.receivables.models import Payment
from voice.receivables.tests import make

pytestmark = pytest.mark.django_db
SEPTEMBER = (date(2026, 9, 1), date(2026, 10, 1))
AT_BANK = "the bank takes some working days"


@pytest.fixture
def slow(monkeypatch):
    """Let saved methods be debits."""
    monkeypatch.setattr(lab.LabGateway, "charge", lambda self, order, method: Charged(order.key, "processing"))


@pytest.fixture
def bills(billed):
    return [make.issued(billed, 100 * EUR), make.issued(billed, 200 * EUR, period=SEPTEMBER)]


@pytest.fixture
def debit(billed, account, bills, slow):
    """Begin to debit the first of two bills."""
    card = save_card(billed, account, lab.GOOD)
    return cards.pay(billed.tenant, invoices=[bills[0].pk], method=card.pk, by=ALICE)


def completed(account, attempt, **facts):
    told_ = {"payment_intent": "pi_1", "payment_status": "unpaid", "amount_total": 11900, "currency": "eur"} | facts
    return told(account, "checkout.session.completed", metadata={"attempt": str(attempt.key)}, **told_)


def test_another_bill_is_paid_while_the_first_is_debited(billed, account, bills, debit):
    second = cards.pay(billed.tenant, invoices=[bills[1].pk], by=ALICE)

    paid(second, account, intent="pi_2", minor=23800)
    assert (fresh(debit).state, fresh(debit).at_bank, owed(billed)) == ("open", True, 119 * EUR)
    paid(debit, account, intent=str(debit.key))
    assert (fresh(debit).state, fresh(debit).at_bank, fresh(debit).is_under_way) == ("succeeded", False, False)
    assert (owed(billed), Payment.objects.count()) == (0, 2)


@pytest.mark.parametrize("wanted", [[0], [0, 1], None])
def test_what_is_debited_is_not_paid_a_second_time(billed, account, bills, debit, wanted):
    invoices = None if wanted is None else [bills[place].pk for place in wanted]
    with pytest.raises(ValidationError, match=AT_BANK):
        cards.pay(billed.tenant, invoices=invoices, by=ALICE)
    assert CardAttempt.objects.count() == 1


def test_a_debit_of_everything_stands_in_the_way_of_each_bill(billed, account, bills, slow):
    card = save_card(billed, account, lab.GOOD)
    cards.pay(billed.tenant, invoices=None, method=card.pk, by=ALICE)

    with pytest.raises(ValidationError, match=AT_BANK):
        cards.pay(billed.tenant, invoices=[bills[1].pk], by=ALICE)


def test_beside_a_debit_there_is_one_way_as_ever(billed, account, bills, debit):
    first = cards.pay(billed.tenant, invoices=[bills[1].pk], by=ALICE)
    second = cards.pay(billed.tenant, invoices=[bills[1].pk], by=ALICE)

    assert (fresh(first).state, fresh(second).is_under_way) == ("expired", True)
    assert cards.collect_due(account, today=bills[0].due_on, by=make.BY) == 0


def test_a_debit_that_fails_lets_its_bill_be_paid(billed, account, bills, debit):
    second = cards.pay(billed.tenant, invoices=[bills[1].pk], by=ALICE)
    about = {"id": str(debit.key), "currency": "eur", "metadata": {"attempt": str(debit.key)}}
    told(account, "payment_intent.payment_failed", **about)

    assert (fresh(debit).state, fresh(debit).is_under_way, fresh(debit).at_bank) == ("failed", False, False)
    paid(second, account, intent="pi_2", minor=23800)
    cards.pay(billed.tenant, invoices=[bills[0].pk], by=ALICE)


def test_a_checkout_that_is_paid_by_debit_waits_for_the_bank(billed, account, attempt, monkeypatch):
    other = make.issued(billed, 200 * EUR, period=SEPTEMBER)
    monkeypatch.setattr(lab.LabGateway, "expire", lambda self, session: session != fresh(attempt).session)
    completed(account, attempt)

    assert (fresh(attempt).state, fresh(attempt).at_bank) == ("open", True)
    with pytest.raises(ValidationError, match=AT_BANK):
        cards.pay(billed.tenant, invoices=attempt.invoices, by=ALICE)
    assert cards.pay(billed.tenant, invoices=[other.pk], by=ALICE).url
    assert paid(attempt, account).outcome == "booked" and not fresh(attempt).at_bank


def test_a_card_declined_before_the_debit_and_told_late_opens_no_second_way(billed, account, attempt, monkeypatch):
    monkeypatch.setattr(lab.LabGateway, "expire", lambda self, session: False)
    completed(account, attempt)
    told(account, "payment_intent.payment_failed", id="pi_1", currency="eur", metadata={"attempt": str(attempt.key)})

    assert (fresh(attempt).state, fresh(attempt).at_bank) == ("open", True)
    with pytest.raises(ValidationError, match=AT_BANK):
        cards.pay(billed.tenant, invoices=attempt.invoices, by=ALICE)
    told(account, "checkout.session.async_payment_failed", metadata={"attempt": str(attempt.key)})
    assert (fresh(attempt).state, fresh(attempt).is_under_way) == ("failed", False)
    assert completed(account, attempt).outcome == "noted" and not fresh(attempt).at_bank


def test_a_debit_whose_end_was_lost_is_asked_about_and_closed(billed, account, attempt):
    completed(account, attempt)
    # The gateway says that no money comes from it any more.
    second = cards.pay(billed.tenant, invoices=attempt.invoices, by=ALICE)

    assert (fresh(attempt).state, fresh(attempt).at_bank) == ("expired", False) and second.url


def test_a_debit_after_a_declined_card_is_waiting_again(billed, account, attempt):
    told(account, "payment_intent.payment_failed", id="pi_1", currency="eur", metadata={"attempt": str(attempt.key)})
    completed(account, attempt)
    assert (fresh(attempt).state, fresh(attempt).at_bank) == ("open", True)


def test_page_and_api_say_that_the_bank_takes_days(client_of, alice, acme, debit):
    contexts.use_public()
    browser = client_of(alice, acme)
    shown = " ".join(browser.get(f"/bills/pay/{debit.key}/").content.decode().split())
    assert "The bank takes some working days for a debit" in shown and "At the bank" in shown
    assert browser.get("/api/v1/card-payments/").json()["results"][0]["at_bank"] is True


@pytest.fixture
def step(billed, northwind):
    """A reminder after a week that costs something and ends calls."""
    words = {"title": "Reminder", "words": "Please pay.", "fee": 5 * EUR, "suspends": True}
    return save_step(DunningStep(msp=northwind, after_days=7, **words), by=make.BY)


def reminded(northwind, bills, days):
    today = bills[0].due_on + timedelta(days=days)
    for reminder in dunning.propose(northwind, today=today, by=make.BY):
        dunning.release(reminder, today=today, by=make.BY)
    lines = ReminderLine.objects.filter(reminder__state=Reminder.State.RELEASED)
    return sorted(lines.values_list("invoice", flat=True))


def test_nobody_is_reminded_of_what_a_bank_is_debiting(billed, northwind, account, bills, debit, step):
    assert reminded(northwind, bills, 8) == [bills[1].pk]
    about = {"id": str(debit.key), "currency": "eur", "metadata": {"attempt": str(debit.key)}}
    told(account, "payment_intent.payment_failed", **about)

    assert reminded(northwind, bills, 9) == sorted(bill.pk for bill in bills)


def test_a_debit_of_everything_keeps_the_reminders_of_what_was_open_then(billed, northwind, account, bills, slow, step):
    card = save_card(billed, account, lab.GOOD)
    cards.pay(billed.tenant, invoices=None, method=card.pk, by=ALICE)
    later = make.issued(billed, 300 * EUR, name="later")

    assert reminded(northwind, bills, 8) == [later.pk]


def test_a_reminder_that_waits_is_not_sent_once_its_bill_is_debited(billed, northwind, account, bills, slow, step):
    today = bills[0].due_on + timedelta(days=8)
    (proposed,) = dunning.propose(northwind, today=today, by=make.BY)
    card = save_card(billed, account, lab.GOOD)
    cards.pay(billed.tenant, invoices=None, method=card.pk, by=ALICE)

    assert dunning.release(proposed, today=today, by=make.BY).state == Reminder.State.WITHDRAWN
    assert owed(billed) == 357 * EUR


def test_an_open_checkout_or_a_debit_without_an_end_keeps_no_reminder_back(billed, northwind, account, bills, step):
    cards.pay(billed.tenant, invoices=[bills[1].pk], by=ALICE)
    lost = {"kind": "saved", "amount": 119 * EUR, "currency": "EUR", "invoices": [bills[0].pk], "at_bank": True}
    debit = CardAttempt.objects.create(msp=northwind, tenant=billed.tenant, account=account, **lost)
    CardAttempt.objects.filter(pk=debit.pk).update(created_at=debit.created_at - timedelta(days=60))

    assert reminded(northwind, bills, 8) == sorted(bill.pk for bill in bills)
