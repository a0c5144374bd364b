"""Receipts and statements: on the page, on paper, as a file, and for whom."""

import io
from datetime import date

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pypdf import PdfReader

from portal.db import contexts
from voice.payments.services import receipts
from voice.payments.statements import statement_of
from voice.receivables.services import record_payment, reverse_payment
from voice.receivables.tests import make

pytestmark = pytest.mark.django_db
EUR = 1_000_000


def words(content):
    return " ".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)


@pytest.fixture
def payment(billed):
    """Pay an invoice of 119.00 with 150.00, of which 40.00 go back."""
    make.issued(billed, 100 * EUR, on=date(2026, 10, 20))
    paid = record_payment(make.payment(billed, 150 * EUR), by=make.BY)
    reverse_payment(paid, 40 * EUR, kind="refund", on=date(2026, 11, 25), reference="re_1", by=make.BY)
    return paid


def test_a_statement_opens_where_the_one_before_closed(billed, payment):
    def period(begins, last):
        found = statement_of(billed.tenant, "EUR", begins, last)
        return found.opening, [move.amount for move in found.movements], found.closing

    assert period(date(2026, 1, 1), date(2026, 10, 31)) == (0, [119 * EUR], 119 * EUR)
    assert period(date(2026, 11, 1), date(2026, 11, 20)) == (119 * EUR, [-150 * EUR], -31 * EUR)
    assert period(date(2026, 11, 21), date(2026, 12, 31)) == (-31 * EUR, [40 * EUR], 9 * EUR)
    assert period(date(2027, 1, 1), date(2027, 12, 31)) == (9 * EUR, [], 9 * EUR)


def test_a_receipt_says_what_was_settled_and_what_went_back(billed, payment):
    facts = receipts.receipt_of(payment)
    assert (facts.paid, facts.ahead, facts.back) == ([("2026-00001", 110 * EUR)], 0, 40 * EUR)
    told = words(receipts.receipt_pdf(payment))
    for text in ("Zahlungsbestätigung", "2026-00001", "150,00", "110,00", "Unter den Linden 1", "Northwind Voice GmbH"):
        assert text in told


def test_many_receipts_take_no_more_questions_than_one(client_of, alice, acme, billed, payment):
    def asked():
        with CaptureQueriesContext(connection) as queries:
            (*_others, first) = browser.get("/api/v1/receipts/").json()["results"]
        assert (first["paid"], first["ahead"]) == ([{"number": "2026-00001", "amount": 110 * EUR}], 0)
        return len(queries)

    contexts.use_public()
    browser = client_of(alice, acme)
    asked()
    one = asked()
    with contexts.msp(acme.msp):
        record_payment(make.payment(billed, EUR, "ahead"), by=make.BY)
    assert asked() == one


def test_a_long_statement_goes_over_pages(billed):
    for number in range(60):
        record_payment(make.payment(billed, EUR, f"Payment {number}"), by=make.BY)
    found = statement_of(billed.tenant, "EUR", date(2026, 1, 1), date(2026, 12, 31))
    content = receipts.statement_pdf(billed.tenant, found)
    assert len(PdfReader(io.BytesIO(content)).pages) > 1
    told = words(content)
    assert "Zahlung, Payment 59" in told and "Endsaldo" in told and "-60,00" in told.replace("\u2212", "-")


def test_the_customer_reads_its_own(client_of, alice, acme, mallory, globex, victor, payment):
    contexts.use_public()
    browser = client_of(alice, acme)
    assert "4711" in browser.get("/bills/payments/").content.decode()
    assert "110.00" in browser.get(f"/bills/payments/{payment.pk}/").content.decode()
    assert browser.get(f"/bills/payments/{payment.pk}/receipt/").content.startswith(b"%PDF")
    asked = "?begins=2026-11-01&last=2026-11-20&currency=EUR"
    page = browser.get(f"/bills/statement/{asked}").content.decode()
    assert "Opening balance" in page and "€119.00" in page
    assert "Closing balance" in browser.get(f"/bills/statement/{asked}&export=csv").content.decode()
    assert (
        "Zahlung, 4711" in page
        and "Zahlung, 4711" in browser.get(f"/bills/statement/{asked}&export=csv").content.decode()
    )
    assert browser.get(f"/bills/statement/{asked}&export=pdf").content.startswith(b"%PDF")
    assert browser.get("/bills/statement/").status_code == 200
    assert (
        "ends before it begins" in browser.get("/bills/statement/?begins=2026-02-01&last=2026-01-01").content.decode()
    )
    told = browser.get(f"/api/v1/account-statements/{asked}").json()
    assert (told["opening"], told["closing"]) == (119 * EUR, -31 * EUR)
    assert [each["text"] for each in told["movements"]] == ["Zahlung, 4711"]
    assert browser.get("/api/v1/account-statements/?begins=x").status_code == 400
    assert browser.get(f"/api/v1/receipts/{payment.pk}/").json()["paid"] == [
        {"number": "2026-00001", "amount": 110 * EUR}
    ]
    other = client_of(mallory, globex)
    for path in (f"/bills/payments/{payment.pk}/", f"/bills/payments/{payment.pk}/receipt/"):
        assert other.get(path).status_code == 404
        assert client_of(victor, acme).get(path).status_code == 403


def test_the_msp_reads_and_mails(client_of, nadia, northwind, billed, payment, initech):
    contexts.use_public()
    office = client_of(nadia, northwind)
    path = f"/invoices/payments/{payment.pk}/"
    assert "Mail the receipt" in office.get(path).content.decode()
    assert office.get(f"{path}receipt/").content.startswith(b"%PDF")
    assert office.post(f"{path}mail/").status_code == 302
    assert office.post(f"/api/v1/receipts/{payment.pk}/mail/").status_code == 200
    assert [sent.to for sent in mail.outbox] == [["ap@acme.example"]] * 2
    assert f"/bills/payments/{payment.pk}/" in mail.outbox[0].body
    assert mail.outbox[0].subject.replace("\xa0", " ") == "Ihre Zahlung von 150,00 €"
    assert "am 20.11.2026 erhalten" in mail.outbox[0].body and "Fragen?" in mail.outbox[0].alternatives[0][0]
    statement = f"/invoices/payments/statements/{billed.tenant_id}/"
    shown = office.get(statement).content.decode()
    assert "Closing balance" in shown and "Rechnung 2026-00001" in shown and "Rückzahlung re_1" in shown
    assert "Rückzahlung re_1" in office.get(f"/invoices/customers/{billed.tenant_id}/").content.decode()
    assert office.get(f"{statement}?export=pdf").status_code == 200
    assert office.get(f"/invoices/payments/statements/{initech.pk}/").status_code == 404
