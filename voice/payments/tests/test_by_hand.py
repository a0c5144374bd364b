"""Payments that people take back: entered by mistake, or sent back by their own hand."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from portal.core.errors import StaleEdit
from portal.core.models import AuditEntry
from portal.db import contexts
from voice.payments.services import by_hand
from voice.payments.tests.cards import EUR, owed, paid
from voice.rating.models import Account
from voice.receivables import selectors
from voice.receivables.models import Payment, Reversal
from voice.receivables.services import record_payment
from voice.receivables.tests import make
from voice.receivables.tests.test_pages import member

pytestmark = pytest.mark.django_db


def take_back(payment, amount, **facts):
    told = {"kind": "mistake", "on": make.TODAY, "reference": "It was Globex", "kept": payment.amount} | facts
    return by_hand.take_back(payment, amount=amount, by=make.BY, **told)


@pytest.fixture
def payment(billed):
    make.issued(billed, 100 * EUR)
    return record_payment(make.payment(billed, 119 * EUR), by=make.BY)


def test_a_payment_of_another_customer_is_taken_back_and_stays_on_the_statement(billed, payment):
    take_back(payment, 119 * EUR)

    assert owed(billed) == selectors.open_total(billed.tenant_id, billed.entity_id, "EUR") == 119 * EUR
    words = [move.words for move in selectors.statement(billed.tenant, "EUR")]
    assert words[1:] == ["Zahlung, 4711", "Irrtümlich gebuchte Zahlung, It was Globex"]
    assert Account.objects.get(pk=billed.tenant_id).balance_micros == -119 * EUR
    assert AuditEntry.objects.get(verb="payment.reversed").object_id == str(payment.pk)


def test_who_looked_before_somebody_else_took_it_back_looks_again(payment):
    take_back(payment, 19 * EUR, kind="refund")
    with pytest.raises(StaleEdit):
        take_back(payment, 100 * EUR, reference="Once more")
    take_back(payment, 100 * EUR, reference="Once more", kept=100 * EUR)
    assert not by_hand.may_take_back(payment)


@pytest.mark.parametrize(
    "wrong",
    [{"kind": "chargeback"}, {"reference": " "}, {"on": date(2999, 1, 1)}, {"on": date(1026, 11, 20)}],
)
def test_what_nobody_can_mean_is_refused(payment, wrong):
    with pytest.raises(ValidationError):
        take_back(payment, EUR, **wrong)
    assert not Reversal.objects.exists()


def test_a_card_payment_goes_back_by_its_card(account, attempt):
    paid(attempt, account)
    payment = Payment.objects.get()

    assert not by_hand.may_take_back(payment)
    with pytest.raises(ValidationError, match="own page"):
        take_back(payment, EUR)


def test_money_has_come_in_on_a_day_that_has_come(billed):
    today = timezone.localdate()
    record_payment(make.payment(billed, EUR, on=today + timedelta(days=1)), by=make.BY)
    for day in (today + timedelta(days=2), date(1026, 11, 20)):
        with pytest.raises(ValidationError) as refused:
            record_payment(make.payment(billed, EUR, "4712", on=day), by=make.BY)
        assert "received_on" in refused.value.message_dict


def test_the_page_and_programs_take_payments_back(client_of, nadia, northwind, payment):
    contexts.use_public()
    office = client_of(nadia, northwind)
    page = f"/invoices/payments/{payment.pk}/"
    assert f"{page}take-back/" in office.get(page).content.decode()
    told = {"kind": "mistake", "amount": "19.00", "on": "2026-11-20", "reference": "Typed twice", "kept": 119 * EUR}
    assert 'value="119.00"' in office.get(f"{page}take-back/").content.decode()
    assert office.post(f"{page}take-back/", told)["Location"] == page
    assert "Typed twice" in office.get(page).content.decode()
    assert "somebody" in office.post(f"{page}take-back/", told).content.decode().lower()

    path, rest = "/api/v1/payment-reversals/", {"payment": payment.pk, "amount": 100 * EUR, "kept": 100 * EUR}
    made = office.post(path, told | rest | {"kind": "refund"}, content_type="application/json")
    assert made.status_code == 400  # the same reference twice
    made = office.post(path, told | rest | {"reference": "Paid out"}, content_type="application/json")
    assert (made.status_code, made.json()["currency"]) == (201, "EUR")
    assert len(office.get(f"{path}?payment={payment.pk}").json()["results"]) == 2
    assert office.post(path, told | {"payment": 0}, content_type="application/json").status_code == 400


def test_who_may_not_change_takes_nothing_back(client_of, northwind, fabrikam, payment):
    page = f"/invoices/payments/{payment.pk}/"
    support = client_of(member(northwind, "support"), northwind)
    assert support.get(f"{page}take-back/").status_code == 403
    assert client_of(member(fabrikam, "owner"), fabrikam).get(f"{page}take-back/").status_code == 404
