"""Refunds and disputes: late, twice, failed, before the payment they are about."""

import pytest
from django.core.exceptions import ValidationError

from voice.payments.services import cards
from voice.payments.tests.cards import EUR, dispute, failed, fresh, owed, paid, refunded, told
from voice.rating.models import Movement
from voice.receivables import selectors as books
from voice.receivables.models import Entry, Payment, Reversal
from voice.receivables.tests import make

pytestmark = pytest.mark.django_db


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


def test_the_msp_sends_money_back_once(billed, account, attempt):
    paid(attempt, account)
    cards.refund(fresh(attempt), 19 * EUR, by=make.BY)
    refunded(account, 1900)
    assert owed(billed) == 19 * EUR and Reversal.objects.count() == 1
    for amount in (0, 101 * EUR, 1):
        with pytest.raises(ValidationError):
            cards.refund(fresh(attempt), amount, by=make.BY)
