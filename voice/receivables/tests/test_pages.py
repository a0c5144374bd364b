"""The pages and the API of invoices: from the company to the payment, and for whom."""

import io
from csv import reader

import pytest
from pypdf import PdfReader

from portal.core.models import AuditEntry
from portal.db import contexts
from tenants.models import Membership, User
from voice.receivables import selectors, services
from voice.receivables.models import BillingProfile, Invoice, LegalEntity, Payment
from voice.receivables.services import store_files
from voice.receivables.tests import make

pytestmark = pytest.mark.django_db
EUR = 1_000_000


@pytest.fixture
def office(client_of, nadia, northwind):
    return client_of(nadia, northwind)


def member(place, role):
    user = User.objects.create_user(f"{role}@bills.example", "x", name=role)
    here = {"tenant": place} if hasattr(place, "label") else {"msp": place}
    with contexts.msp(getattr(place, "msp", place)):
        Membership(user=user, role=role, **here).save()
    return user


def form_of(row, fields):
    return {name: getattr(row, name) for name in fields if getattr(row, name) not in (None, False)}


def test_the_form_of_a_company_says_why_first_bills_are_looked_at(office):
    page = office.get("/invoices/companies/new/").content.decode()
    assert "has nothing to be compared with: above this somebody has to look at it" in page


def test_from_the_company_to_the_payment(office, acme, northwind):
    contexts.use_public()
    company = {"name": "Northwind Voice GmbH", "street": "Hauptstr. 1", "postcode": "10115", "city": "Berlin",
               "country": "DE", "vat_id": "de 123 456 789", "iban": "DE02 1203 0000 0000 2020 51",
               "invoice_pattern": "{year}-{number:05}", "credit_note_pattern": "CN-{year}-{number:05}"}  # fmt: skip
    assert office.post("/invoices/companies/new/", company).status_code == 302
    with contexts.msp(northwind):
        entity = LegalEntity.objects.get()
    # People read an account in groups of four, and may write it so; programs do neither.
    assert entity.iban == "DE02120300000000202051"
    for path in ("", f"{entity.pk}/"):
        assert "DE02 1203 0000 0000 2020 51" in office.get(f"/invoices/companies/{path}").content.decode()
    profile = {
        "name": "Acme GmbH",
        "country": "DE",
        "city": "Berlin",
        "entity": entity.pk,
        "currency": "EUR",
        "due_days": 14,
    }
    assert office.post(f"/invoices/customers/{acme.pk}/", profile).status_code == 302
    with contexts.msp(northwind):
        billed = BillingProfile.objects.get()
    lines = "Set-up of the trunk; 250.00\nDiscount; -50.5"
    draft = {"customer": billed.pk, "begins": "2026-10-01", "last_day": "2026-10-31", "lines": lines}
    assert office.post("/invoices/new/", draft).status_code == 302
    with contexts.msp(northwind):
        invoice = Invoice.objects.get()
    page = f"/invoices/{invoice.pk}/"

    assert "Set-up of the trunk" in office.get(page).content.decode()
    assert office.post(f"{page}approve/").status_code == 302
    assert "Issue this document?" in office.get(f"{page}issue/").content.decode()
    assert office.post(f"{page}issue/", {"confirmed": "1"}).status_code == 302
    paid = {
        "customer": acme.pk,
        "amount": "237.41",
        "received_on": "2026-11-20",
        "method": "transfer",
        "reference": "4711",
    }
    assert office.post("/invoices/payments/new/", paid).status_code == 302

    shown = office.get(page).content.decode()
    assert "Settled" in shown and "€237.41" in shown
    pdf = office.get(f"{page}files/pdf/")
    assert pdf["Content-Type"] == "application/pdf"
    assert "Set-up of the trunk" in PdfReader(io.BytesIO(pdf.content)).pages[0].extract_text()
    assert office.get(f"{page}files/xml/").content.startswith(b"<?xml")
    assert office.get(f"{page}files/exe/").status_code == 404
    with contexts.msp(northwind):
        verbs = set(AuditEntry.objects.values_list("verb", flat=True))
    assert verbs >= {
        "legal_entity.saved", "billing_profile.saved", "invoice.drafted", "invoice.approved", "invoice.issued",
        "payment.recorded",
    }  # fmt: skip


@pytest.mark.parametrize("lines", ["", "Set-up", "Set-up; 1,50", "; 1.00", "Set-up; 1.00; x", "Set-up; 0.0000001"])
def test_a_line_that_cannot_be_read_keeps_what_was_typed(office, billed, lines):
    contexts.use_public()
    draft = {"customer": billed.pk, "begins": "2026-10-01", "last_day": "2026-10-31", "lines": lines}
    answer = office.post("/invoices/new/", draft)

    assert answer.status_code == 200
    assert answer.context["form"].errors["lines"]


def test_a_credit_note_over_a_part(office, billed, northwind):
    invoice = make.issued(billed, 100 * EUR, 50 * EUR)
    contexts.use_public()
    form = office.get(f"/invoices/{invoice.pk}/credit/").content.decode()
    assert 'value="100.00"' in form and 'value="50.00"' in form
    office.post(f"/invoices/{invoice.pk}/credit/", {"reason": "Outage", "line_1": "10.00", "line_2": ""})

    with contexts.msp(northwind):
        note = Invoice.objects.get(kind="credit_note")
        assert (note.net, note.total, note.reason) == (10 * EUR, 11_900_000, "Outage")


def test_what_was_paid_of_a_credited_invoice_is_seen_to_be_on_the_account_again(
    office, client_of, alice, acme, billed, northwind
):
    invoice = make.issued(billed, 100 * EUR)
    payment = services.record_payment(make.payment(billed, invoice.total), by=make.BY)
    note = services.credit(invoice, reason="Wrong plan", by=make.BY)
    note = services.issue(services.approve(note, by=make.BY), on=make.TODAY, by=make.BY)
    contexts.use_public()

    customer = client_of(alice, acme)
    for browser, bills, register in ((office, "/invoices/", "invoices"), (customer, "/bills/", "bills")):
        shown = browser.get(f"{bills}{invoice.pk}/").content.decode()
        assert f"On the account again by {note.number}" in shown and f"Credited by {note.number}" in shown
        assert "it settles other invoices" in browser.get(f"{bills}{note.pk}/").content.decode()
        assert "Kept on the account" in browser.get(f"{bills}payments/{payment.pk}/").content.decode()
        told = browser.get(f"/api/v1/{register}/{invoice.pk}/").json()
        assert (told["left"], told["settlements"]) == (
            0,
            [
                {"amount": 119 * EUR, "payment": payment.pk, "credit_note": None, "reversal": None, "entry": None},
                {"amount": -119 * EUR, "payment": payment.pk, "credit_note": note.pk, "reversal": None, "entry": None},
                {"amount": 119 * EUR, "payment": None, "credit_note": note.pk, "reversal": None, "entry": None},
            ],
        )
        told = browser.get(f"/api/v1/receipts/{payment.pk}/").json()
        assert (told["paid"], told["ahead"]) == ([], 119 * EUR)


def test_a_payment_that_is_recorded_from_an_invoice_pays_that_one_first(office, billed, northwind):
    old, new = make.issued(billed, 100 * EUR), make.issued(billed, 50 * EUR, name="more")
    contexts.use_public()
    link = f"/invoices/payments/new/?invoice={new.pk}"
    assert link in office.get(f"/invoices/{new.pk}/").content.decode()
    form = office.get(link).content.decode()
    assert 'value="59.50"' in form and f"It pays {new.number} first" in form
    paid = {"customer": billed.tenant_id, "received_on": "2026-11-20", "method": "transfer", "reference": "4711"}

    assert office.post(link, paid | {"amount": "59.50"}).status_code == 302

    with contexts.msp(northwind):
        assert (selectors.open_amount(old), selectors.open_amount(new)) == (119 * EUR, 0)
        payment = Payment.objects.get()
    listed, received = (office.get(f"/invoices/{page}").content.decode() for page in ("", "payments/"))
    assert "To be paid: <strong>€119.00" in listed and "Received: <strong>€59.50" in received

    assert "€119.00" in office.get("/invoices/payments/balances/").content.decode()
    page = f"/invoices/payments/{payment.pk}/"
    assert f'href="{page}"' in office.get(f"/invoices/{new.pk}/").content.decode()
    shown = office.get(page).content.decode()
    assert f'href="/invoices/{new.pk}/"' in shown and f'href="/invoices/customers/{billed.tenant_id}/"' in shown
    statement = office.get(f"/invoices/payments/statements/{billed.tenant_id}/").content.decode()
    assert f'href="/invoices/{old.pk}/"' in statement and f'href="{page}"' in statement
    assert office.get("/invoices/payments/new/?invoice=999999999999999999999").status_code == 200


def test_a_draft_can_be_thrown_away_and_an_issued_invoice_cannot(office, billed, northwind):
    invoice = make.issued(billed, EUR)
    contexts.use_public()
    answer = office.post(f"/invoices/{invoice.pk}/drop/", {"confirmed": "1"}, follow=True)

    assert "cannot be done with it any more" in answer.content.decode()


@pytest.mark.parametrize("role", ["engineer", "support"])
def test_who_may_not_change_is_offered_nothing(client_of, billed, northwind, role):
    invoice = make.issued(billed, EUR)
    contexts.use_public()
    browser = client_of(member(northwind, role), northwind)

    page = browser.get(f"/invoices/{invoice.pk}/").content.decode()
    assert "/credit/" not in page and "/payments/new/" not in page
    assert browser.get(f"/invoices/{invoice.pk}/credit/").status_code == 403
    assert browser.get(f"/invoices/customers/{billed.tenant_id}/").status_code == 200


def test_a_customer_sees_its_bills_and_takes_them_along(client_of, alice, acme, billed):
    invoice = make.issued(billed, 100 * EUR)
    store_files(invoice)
    make.draft(billed, make.Fees(EUR, name="not yet"), begins=make.OCTOBER[0], ends=make.OCTOBER[1], by=make.BY)
    contexts.use_public()
    browser = client_of(alice, acme)

    listed = browser.get("/bills/").content.decode()
    assert "2026-00001" in listed and "1 entry" in listed
    page = browser.get(f"/bills/{invoice.pk}/").content.decode()
    assert "Fee 0" in page and "€119.00" in page
    assert (
        browser.get(f"/bills/{invoice.pk}/files/pdf/")["Content-Disposition"] == 'attachment; filename="2026-00001.pdf"'
    )
    assert browser.get(f"/bills/{invoice.pk}/files/xml/").status_code == 200
    lines = list(reader(io.StringIO(b"".join(browser.get(f"/bills/{invoice.pk}/?export=csv")).decode("utf-8-sig"))))
    assert len(lines) == 2 and "Fee 0" in lines[1]
    assert "€119.00" in browser.get("/bills/statement/").content.decode()
    assert browser.get("/bills/?export=csv").status_code == 200


def test_others_see_no_bill(client_of, mallory, globex, victor, acme, billed):
    invoice = make.issued(billed, EUR)
    contexts.use_public()
    other = client_of(mallory, globex)

    for path in (f"/bills/{invoice.pk}/", f"/bills/{invoice.pk}/files/pdf/", f"/api/v1/bills/{invoice.pk}/"):
        assert other.get(path).status_code == 404
    assert client_of(victor, acme).get("/bills/").status_code == 403


def test_filters_and_search_of_invoices(office, billed):
    make.issued(billed, 100 * EUR)
    make.draft(billed, make.Fees(EUR, name="later"), begins=make.OCTOBER[0], ends=make.OCTOBER[1], by=make.BY)
    contexts.use_public()

    def count(query):
        return office.get(f"/invoices/?{query}").context["list"].count

    assert [count(query) for query in ("", "state=draft", "state=open", "state=settled", "state=overdue")] == [
        2,
        1,
        1,
        0,
        0,
    ]
    assert [count(query) for query in ("q=2026-00001", "q=Fee", "q=nothing", "kind=credit_note")] == [1, 2, 0, 0]
    assert office.get("/invoices/?export=csv").status_code == 200


class TestApi:
    def post(self, browser, path, data=None):
        return browser.post(f"/api/v1/{path}", data or {}, content_type="application/json")

    def test_a_program_bills_a_customer(self, office, billed, acme):
        contexts.use_public()
        lines = [{"text": "Set-up", "net": 100 * EUR}]
        made = self.post(
            office, "invoices/", {"customer": acme.pk, "begins": "2026-10-01", "ends": "2026-11-01", "lines": lines}
        )
        assert (made.status_code, made.json()["total"]) == (201, 119 * EUR)
        path = f"invoices/{made.json()['id']}/"
        assert self.post(office, f"{path}issue/").status_code == 400
        assert self.post(office, f"{path}approve/").json()["state"] == "approved"
        issued = self.post(office, f"{path}issue/", {"on": "2026-11-20"}).json()
        assert (issued["number"], issued["left"]) == ("2026-00001", 119 * EUR)
        paid = self.post(office, "payments/", {"customer": acme.pk, "amount": 119 * EUR, "received_on": "2026-11-20",
                                               "reference": "4711", "invoice": issued["id"]})  # fmt: skip
        assert paid.status_code == 201
        assert office.get(f"/api/v1/{path}").json()["left"] == 0
        note = self.post(office, f"{path}credit/", {"reason": "Wrong"})
        assert (note.status_code, note.json()["corrects"]) == (201, issued["id"])
        assert office.delete(f"/api/v1/invoices/{note.json()['id']}/").status_code == 204
        assert office.delete(f"/api/v1/{path}").status_code == 400

    def test_the_same_payment_twice_is_refused(self, office, billed, acme, northwind):
        contexts.use_public()
        data = {"customer": acme.pk, "amount": EUR, "received_on": "2026-11-20", "reference": "4711"}
        assert [self.post(office, "payments/", data).status_code for _ in range(2)] == [201, 400]
        with contexts.msp(northwind):
            assert Payment.objects.count() == 1

    def test_somebody_elses_customer_is_not_billed(self, office, billed, initech):
        contexts.use_public()
        lines = [{"text": "x", "net": EUR}]
        data = {"customer": initech.pk, "begins": "2026-10-01", "ends": "2026-11-01", "lines": lines}
        assert self.post(office, "invoices/", data).status_code == 400
        profile = {"customer": initech.pk, "entity": billed.entity_id, "name": "x", "country": "GB", "currency": "GBP"}
        assert self.post(office, "billing-profiles/", profile).status_code == 400

    def test_a_customer_reads_its_bills(self, client_of, alice, acme, billed):
        make.issued(billed, EUR)
        contexts.use_public()
        (bill,) = client_of(alice, acme).get("/api/v1/bills/").json()["results"]
        assert (bill["number"], bill["lines"][0]["net"]) == ("2026-00001", EUR)


def test_the_search_finds_a_bill_by_its_number_for_its_own_customer_and_msp(
    client_of, office, alice, victor, acme, mallory, globex, billed
):
    invoice = make.issued(billed, 100 * EUR)
    contexts.use_public()

    def found(browser):
        return browser.get("/search/", {"q": invoice.number}).content.decode()

    assert f'href="/bills/{invoice.pk}/"' in found(client_of(alice, acme))
    assert f'href="/invoices/{invoice.pk}/"' in found(office)
    for browser in (client_of(victor, acme), client_of(mallory, globex)):
        assert "Nothing found" in found(browser)
