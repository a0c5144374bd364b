"""Bills of an earlier company, or in an earlier currency, are paid like any other: by hand, by card, by itself."""

from datetime import date

import pytest
from django.core.exceptions import ValidationError

from portal.db import contexts
from voice.payments.gateway import lab
from voice.payments.models import CardAttempt
from voice.payments.services import cards
from voice.payments.tests.cards import ALICE, EUR, paid, save_card, take_cards
from voice.receivables import selectors as books
from voice.receivables.models import Payment
from voice.receivables.services import save_profile
from voice.receivables.tests import make

pytestmark = pytest.mark.django_db
OCTOBER = (date(2026, 10, 1), date(2026, 11, 1))


@pytest.fixture
def moved(billed):
    """Let Acme owe an invoice in euros of one company, and one in dollars of another that bills it now."""
    old = make.issued(billed, 100 * EUR)
    other = make.entity(billed.tenant.msp, name="Northwind Zwei GmbH", invoice_pattern="B-{year}-{number:05}")
    billed.entity, billed.currency = other, "USD"
    save_profile(billed, by=make.BY)
    return old, make.issued(billed, 200 * EUR, name="more")


def left(invoice):
    return books.open_amount(invoice)


def test_a_payment_by_hand_goes_where_its_invoice_is(client_of, nadia, northwind, billed, moved):
    old, new = moved
    contexts.use_public()
    office = client_of(nadia, northwind)
    told = {"customer": billed.tenant_id, "received_on": "2026-11-20", "method": "cash"}

    by_invoice = told | {"amount": "19.00", "reference": "1"}
    assert office.post(f"/invoices/payments/new/?invoice={old.pk}", by_invoice).status_code == 302
    shown = office.get("/invoices/payments/new/").content.decode()
    assert "Northwind Voice GmbH, EUR" in shown and "Northwind Zwei GmbH, USD" not in shown
    chosen = told | {"amount": "40.00", "reference": "2", "books": f"{old.entity_id}-EUR"}
    assert office.post("/invoices/payments/new/", chosen).status_code == 302
    now = told | {"amount": "38.00", "reference": "3"}
    assert office.post("/invoices/payments/new/", now).status_code == 302

    with contexts.msp(northwind):
        assert (left(old), left(new)) == (60 * EUR, 200 * EUR)
        assert [row.currency for row in Payment.objects.order_by("pk")] == ["EUR", "EUR", "USD"]


def test_a_program_pays_where_the_invoice_is_or_where_it_says(client_of, nadia, northwind, billed, moved):
    old, _new = moved
    contexts.use_public()
    office = client_of(nadia, northwind)

    def post(**facts):
        told = {"customer": billed.tenant_id, "amount": 19 * EUR, "received_on": "2026-11-20", "method": "cash"} | facts
        return office.post("/api/v1/payments/", told, content_type="application/json")

    assert post(reference="1", invoice=old.pk).json()["currency"] == "EUR"
    assert post(reference="2", entity=old.entity_id, currency="EUR").json()["entity"] == old.entity_id
    assert post(reference="3").json()["currency"] == "USD"
    assert post(reference="4", currency="GBP").status_code == 400
    with contexts.msp(northwind):
        assert left(old) == 81 * EUR


def test_a_customer_pays_both_by_card_each_to_its_company(client_of, alice, acme, billed, moved):
    old, new = moved
    with contexts.msp(acme.msp):
        accounts = [take_cards(each.entity) for each in moved]
        with pytest.raises(ValidationError, match="with the others"):
            cards.pay(billed.tenant, invoices=[old.pk, new.pk], by=ALICE)
    contexts.use_public()
    browser = client_of(alice, acme)
    page = browser.get("/bills/pay/").content.decode()
    assert "$238.00</span> is to be paid" in page and "€119.00</span> is open with Northwind Voice GmbH, too" in page
    key = f"{old.entity_id}-EUR"
    assert f"?where={key}" in page
    assert old.number in browser.get(f"/bills/pay/?bill={old.pk}").content.decode()

    assert browser.post(f"/bills/pay/?where={key}", {"what": "all", "card": "new"}).status_code == 302
    assert browser.post("/bills/pay/", {"what": "all", "card": "new"}).status_code == 302

    with contexts.msp(acme.msp):
        first, second = CardAttempt.objects.order_by("pk")
        paid(first, accounts[0], intent="pi_1", minor=11900)
        paid(second, accounts[1], intent="pi_2", minor=23800, currency="usd")
        assert (left(old), left(new)) == (0, 0)


def test_a_card_saved_with_the_earlier_company_pays_what_is_due_there(billed, moved):
    old, new = moved
    account = take_cards(old.entity, collects=True)
    save_card(billed, account, lab.GOOD)

    assert cards.collect_due(account, today=old.due_on, by=make.BY) == 1

    assert (left(old), left(new)) == (0, 238 * EUR)
