"""Charges of saved cards: each bill once, whatever the gateway answers or does not."""

from datetime import timedelta

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.utils import timezone

from voice.payments.gateway import Charged, lab
from voice.payments.models import CardAttempt
from voice.payments.services import cards
from voice.payments.tests.cards import ALICE, EUR, owed, paid, save_card, silent
from voice.receivables.models import Payment
from voice.receivables.tests import make

pytestmark = pytest.mark.django_db


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
    assert not mails or mail.outbox[0].subject == "Ihre Karte konnte nicht belastet werden"


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
