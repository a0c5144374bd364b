"""From the bank's file to the books: once, by the same account, partly, too much, and back."""

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction

from portal.core import jobs
from portal.db import contexts
from tenants.models import Customer
from voice.payments import services
from voice.payments.models import BankEntry, BankStatement
from voice.payments.tests.papers import IBAN, entry, statement
from voice.receivables import selectors as books
from voice.receivables.models import Payment, Reversal
from voice.receivables.references import creditor_reference
from voice.receivables.tests import make

pytestmark = pytest.mark.django_db
EUR = 1_000_000


def bring(billed, *entries, closing, **facts):
    return services.import_statements(billed.entity, statement(*entries, closing=closing, **facts), by=make.BY)


def do(msp, address):
    """Do the job of a page, as a worker would, and return the page."""
    with contexts.msp(msp):
        jobs.run(address.rstrip("/").rpartition("/")[2])
    return address


def owed(billed):
    return books.balance(billed.tenant_id, billed.entity_id, "EUR")


def test_what_is_sure_is_booked_and_the_rest_stays_visible(billed, northwind):
    first, second = make.issued(billed, 100 * EUR), make.issued(billed, 50 * EUR, name="more")
    bring(billed, entry("119", ref=creditor_reference(first.number)), entry("30", text=second.number), entry("9.99"),
          closing="258.99")  # fmt: skip

    assert services.book_sure(northwind, by=make.BY) == (1, 2)
    assert (books.open_amount(first), books.open_amount(second)) == (0, 59_500_000)
    part = BankEntry.objects.get(text=second.number)
    services.book_in(part, billed.tenant, invoices=[second], by=make.BY)
    assert books.open_amount(second) == 29_500_000 == owed(billed)
    # Acme's account is known now, yet the amount fits nothing: somebody has to look.
    assert services.book_sure(northwind, by=make.BY) == (0, 1)


def test_the_same_file_and_the_same_entry_book_nothing_twice(billed):
    invoice = make.issued(billed, 100 * EUR)
    paid = entry("119", text=invoice.number, bank_ref="B1")
    bring(billed, paid, closing="219")
    with pytest.raises(ValidationError, match="imported already"):
        bring(billed, paid, closing="219")
    bring(billed, paid, entry("1", bank_ref="B2"), closing="220", name="the whole week")

    assert (BankStatement.objects.count(), BankEntry.objects.count()) == (2, 2)
    row = BankEntry.objects.get(amount=119 * EUR)
    services.book_in(row, billed.tenant, by=make.BY)
    with pytest.raises(ValidationError, match="booked already"):
        services.book_in(row, billed.tenant, by=make.BY)
    assert Payment.objects.count() == 1


def test_a_statement_of_another_account_is_refused(billed):
    with pytest.raises(ValidationError, match="is of the account DE89 3704 0044 0532 0130 00, and"):
        bring(billed, entry("5"), closing=105, iban="DE89370400440532013000")
    assert BankStatement.objects.count() == 0


def test_two_equal_transfers_of_a_day_are_two_payments(billed):
    bring(billed, entry("10", text="rate"), entry("10", text="rate"), closing=120)
    for row in BankEntry.objects.all():
        services.book_in(row, billed.tenant, by=make.BY)
    assert owed(billed) == -20 * EUR


def test_a_returned_direct_debit_opens_the_invoice_again(billed, northwind):
    invoice = make.issued(billed, 100 * EUR)
    bring(billed, entry("119", text=invoice.number, e2e="E2E-1"), closing="219")
    services.book_sure(northwind, by=make.BY)
    assert owed(billed) == 0
    back = entry("-119", e2e="E2E-1", why="AC04", day="2026-11-22")
    bring(billed, back, closing="-19", name="two days later")

    assert services.book_sure(northwind, by=make.BY) == (1, 0)
    assert books.open_amount(invoice) == owed(billed) == 119 * EUR
    assert Reversal.objects.get().kind == "returned"


def test_what_is_nobodys_payment_is_set_aside_with_a_reason_and_taken_back(billed):
    bring(billed, entry("-5", payer="Bank", text="Charges"), closing=95)
    row = BankEntry.objects.get()
    with pytest.raises(ValidationError), transaction.atomic():
        services.set_aside(row, note=" ", by=make.BY)
    assert services.set_aside(row, note="Bank charges", by=make.BY).state == "aside"
    assert services.reopen(row, by=make.BY).state == "open"


def test_wrong_sides_and_other_peoples_customers_are_refused(billed, initech):
    bring(billed, entry("5"), entry("-3"), closing=102)
    came, went = BankEntry.objects.get(amount__gt=0), BankEntry.objects.get(amount__lt=0)
    payment = make.payment(billed, EUR)
    for act in (
        lambda: services.book_in(went, billed.tenant, by=make.BY),
        lambda: services.book_out(came, payment, by=make.BY),
        lambda: services.book_in(came, initech, by=make.BY),
    ):
        with pytest.raises(ValidationError), transaction.atomic():
            act()


def test_no_customer_and_no_other_msp_sees_the_bank(billed, fabrikam):
    bring(billed, entry("5"), closing=105)
    with contexts.customer(billed.tenant):
        assert BankEntry.objects.count() == BankStatement.objects.count() == 0
    with contexts.msp(fabrikam):
        assert BankEntry.objects.count() == 0


def test_the_clerk_imports_looks_and_books(client_of, nadia, northwind, billed):
    invoice = make.issued(billed, 100 * EUR)
    office = client_of(nadia, northwind)
    content = statement(entry("119", text=invoice.number), entry("4.50", payer="Somebody"), closing="223.5")

    def send(data):
        file = SimpleUploadedFile("statement.xml", data, "text/xml")
        contexts.use_public()
        return office.post("/invoices/payments/bank/import/", {"entity": billed.entity_id, "file": file})

    for wrong in (b"nonsense", b"", b"<html/>"):
        assert "job" not in send(wrong).headers.get("Location", "")
    assert "not XML" in send(b"nonsense").content.decode()
    page = office.get(do(northwind, send(content)["Location"])).content.decode()
    assert "Done" in page and "Back to: Bank statements" in page and "statement.xml" not in page
    page = office.get(do(northwind, send(content)["Location"])).content.decode()
    assert "imported already" in page
    page = office.get("/invoices/payments/bank/").content.decode()
    assert (
        "1 open entry is sure" in page and "Nothing fits" in page and f"{billed.tenant.name}, {invoice.number}" in page
    )
    page = office.get(do(northwind, office.post("/invoices/payments/bank/sure/")["Location"])).content.decode()
    assert "1 booked, 1 to look at." in page and "Back to: Bank statements" in page
    with contexts.msp(northwind):
        left = BankEntry.objects.get(state="open")
    path = f"/invoices/payments/bank/{left.pk}/"
    page = office.get(path).content.decode()
    assert "No open invoice and no payment fits" in page and "DE89 3704 0044 0532 0130 00" in page
    refused = office.post(f"{path}book/", {"customer": ""}).content.decode()
    assert "This field is required" in refused
    assert office.post(f"{path}book/1/", {"customer": "1"}).status_code == 302
    assert office.post(f"{path}book/", {"customer": billed.tenant_id}).status_code == 302
    with contexts.msp(northwind):
        assert set(BankEntry.objects.values_list("state", flat=True)) == {"booked"}
        assert Customer.objects.filter(pk=billed.tenant_id).exists()
    assert office.get("/invoices/payments/bank/?export=csv&state=booked&way=in").status_code == 200


def test_a_program_does_the_same(client_of, nadia, northwind, billed):
    invoice = make.issued(billed, 100 * EUR)
    office = client_of(nadia, northwind)
    contexts.use_public()

    def post(path, data=None):
        return office.post(f"/api/v1/{path}", data or {}, content_type="application/json")

    content = statement(entry("119", text=invoice.number), entry("-2", text="fee"), closing="217").decode()
    assert post("bank-statements/", {"entity": billed.entity_id, "content": "<a/>"}).status_code == 400
    made = post("bank-statements/", {"entity": billed.entity_id, "content": content})
    assert made.status_code == 202
    do(northwind, f"/jobs/{made.json()['job']}/")
    (stored,) = office.get("/api/v1/bank-statements/").json()["results"]
    assert (stored["entries"], stored["iban"]) == (2, IBAN)
    rows = {row["amount"]: row["id"] for row in office.get("/api/v1/bank-entries/?state=open").json()["results"]}
    (suggestion,) = office.get(f"/api/v1/bank-entries/{rows[119 * EUR]}/").json()["suggestions"]
    assert (suggestion["invoices"], suggestion["sure"]) == ([invoice.pk], True)
    booked = post(f"bank-entries/{rows[119 * EUR]}/book/", {"customer": billed.tenant_id, "invoices": [invoice.pk]})
    assert booked.json()["state"] == "booked"
    assert post(f"bank-entries/{rows[-2 * EUR]}/book/", {"payment": 0}).status_code == 400
    assert post(f"bank-entries/{rows[-2 * EUR]}/set-aside/", {"note": "Charges"}).json()["state"] == "aside"
    assert post(f"bank-entries/{rows[-2 * EUR]}/reopen/").json()["state"] == "open"
    started = post("bank-entries/")
    assert started.status_code == 202
    do(northwind, f"/jobs/{started.json()['job']}/")
    told = office.get(f"/api/v1/jobs/{started.json()['job']}/").json()["result"]
    assert (told["booked"], told["left"]) == (0, 1)
