"""Claims that are written off and entries that are taken back: settled, booked twice over, told to programs."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction

from portal.core.errors import StaleEdit
from portal.core.models import AuditEntry
from portal.db import contexts
from voice.rating.models import Account
from voice.receivables import selectors
from voice.receivables.models import Allocation, Entry, Posting
from voice.receivables.services import correct, credit, record_payment, write_off
from voice.receivables.services.counting import count_fee
from voice.receivables.services.ledger import Books, book_fee
from voice.receivables.tests import make
from voice.receivables.tests.test_ledger import commit
from voice.receivables.tests.test_pages import member

pytestmark = pytest.mark.django_db
EUR = 1_000_000


def owed(billed):
    return selectors.balance(billed.tenant_id, billed.entity_id, "EUR")


def counted(billed):
    return Account.objects.get(pk=billed.tenant_id).balance_micros


def lost(billed):
    rows = Posting.objects.filter(account__kind="written_off", account__tenant=billed.tenant)
    return sum(row.debit - row.credit for row in rows)


def fee(billed):
    book_fee(Books(billed.entity, billed.tenant, "EUR"), 5 * EUR, on=make.TODAY, text="Fee: First reminder")
    count_fee(billed.tenant_id, 5 * EUR, "EUR", on=make.TODAY, reference="reminder-1", by=make.BY)
    return Entry.objects.get(kind="fee")


def test_what_will_not_be_paid_settles_its_invoice_and_can_be_claimed_again(billed):
    invoice = make.issued(billed, 100 * EUR)
    record_payment(make.payment(billed, 19 * EUR), by=make.BY)
    entry = write_off(invoice, 100 * EUR, reason="Insolvent", left=100 * EUR, by=make.BY)
    commit()

    assert (owed(billed), counted(billed), lost(billed)) == (0, 0, 100 * EUR)
    assert selectors.open_total(billed.tenant_id, billed.entity_id, "EUR") == 0
    with pytest.raises(ValidationError, match="take that back first"):
        credit(invoice, reason="Wrong", by=make.BY)

    record_payment(make.payment(billed, 60 * EUR, "4712"), by=make.BY)
    made = correct(entry, reason="It pays after all", by=make.BY)
    commit()
    assert (made.corrects, lost(billed)) == (entry, 0)
    # What was paid meanwhile settles it at once.
    assert owed(billed) == selectors.open_amount(invoice) == 40 * EUR == -counted(billed)
    words = [move.words for move in selectors.statement(billed.tenant, "EUR")]
    number = invoice.number
    assert f"Ausgebucht: Rechnung {number}" in words and f"Storniert: Ausgebucht: Rechnung {number}" in words
    verbs = AuditEntry.objects.filter(verb__in=["invoice.written_off", "book_entry.corrected"])
    assert sorted(verbs.values_list("reason", flat=True)) == ["Insolvent", "It pays after all"]


def test_who_looked_before_a_payment_came_in_writes_nothing_off(billed):
    invoice = make.issued(billed, 100 * EUR)
    record_payment(make.payment(billed, 19 * EUR), by=make.BY)
    with pytest.raises(StaleEdit):
        write_off(invoice, 119 * EUR, reason="Insolvent", left=119 * EUR, by=make.BY)
    for wrong in ({"amount": 0}, {"amount": 101 * EUR}, {"reason": " "}):
        with pytest.raises(ValidationError):
            write_off(invoice, **{"amount": EUR, "reason": "x", "left": 100 * EUR, "by": make.BY} | wrong)
    with pytest.raises(ValidationError, match="Only an issued"):
        write_off(make.drafted(billed, EUR, name="x"), EUR, reason="x", left=EUR, by=make.BY)


def test_the_fee_of_a_reminder_is_waived_once_and_frees_what_had_paid_it(billed):
    entry = fee(billed)
    record_payment(make.payment(billed, 124 * EUR), by=make.BY)
    invoice = make.issued(billed, 105 * EUR)
    assert selectors.open_amount(invoice) == 5_950_000
    made = correct(entry, reason="Goodwill", by=make.BY)
    commit()

    assert selectors.open_amount(invoice) == owed(billed) == 950_000 == -counted(billed)
    with pytest.raises(StaleEdit):
        correct(entry, reason="Goodwill", by=make.BY)
    correct(made, reason="It was due", by=make.BY)
    assert owed(billed) == 5_950_000


def test_documents_payments_and_what_was_claimed_again_are_corrected_elsewhere(billed):
    invoice = make.issued(billed, 100 * EUR)
    again = correct(write_off(invoice, EUR, reason="x", left=119 * EUR, by=make.BY), reason="y", by=make.BY)
    record_payment(make.payment(billed, EUR), by=make.BY)
    for entry in (*Entry.objects.filter(kind__in=["invoice", "payment"]), again):
        with pytest.raises(ValidationError):
            correct(entry, reason="x", by=make.BY)


def test_the_database_lets_no_other_entry_settle_an_invoice(billed):
    invoice, other = make.issued(billed, 100 * EUR), make.issued(billed, 100 * EUR, name="other")
    written = write_off(invoice, EUR, reason="x", left=119 * EUR, by=make.BY)
    told = {"msp_id": billed.msp_id, "tenant": billed.tenant, "invoice": other}
    for entry in (written, invoice.entries.get(kind="invoice"), fee(billed)):
        with pytest.raises(IntegrityError), transaction.atomic():
            Allocation.objects.create(**told, entry=entry, amount=EUR)
            with connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_the_pages_and_programs_write_off_and_take_back(client_of, nadia, alice, acme, northwind, billed):
    invoice, waived = make.issued(billed, 100 * EUR), fee(billed)
    contexts.use_public()
    office, page = client_of(nadia, northwind), f"/invoices/{invoice.pk}/"
    assert f"{page}write-off/" in office.get(page).content.decode()
    assert 'value="119.00"' in office.get(f"{page}write-off/").content.decode()
    told = {"amount": "19.00", "reason": "Agreed on a part", "left": 119 * EUR}
    assert office.post(f"{page}write-off/", told)["Location"] == page
    assert "Written off on" in office.get(page).content.decode()
    assert office.post(f"{page}write-off/", told).status_code == 200
    assert "Written off on" in client_of(alice, acme).get(f"/bills/{invoice.pk}/").content.decode()
    account = f"/invoices/customers/{acme.pk}/"
    shown = office.get(account).content.decode()
    assert f"/invoices/entries/{waived.pk}/correct/" in shown and "Agreed on a part" in shown
    assert "5.00" in office.get(f"/invoices/entries/{waived.pk}/correct/").content.decode()
    assert office.post(f"/invoices/entries/{waived.pk}/correct/", {"reason": "Goodwill"})["Location"] == account
    assert f"/invoices/entries/{waived.pk}/correct/" not in office.get(account).content.decode()

    def post(path, **data):
        return office.post(f"/api/v1/{path}", data, content_type="application/json")

    answer = post(f"invoices/{invoice.pk}/write-off/", amount=EUR, left=100 * EUR, reason="Insolvent")
    assert (answer.status_code, answer.json()["left"]) == (200, 99 * EUR)
    assert {row["entry"] is None for row in answer.json()["settlements"]} == {False}
    assert post(f"invoices/{invoice.pk}/write-off/", amount=EUR, left=100 * EUR, reason="Insolvent").status_code == 409
    entries = office.get(f"/api/v1/book-entries/?customer={acme.pk}").json()["results"]
    assert [row["amount"] for row in entries] == [-EUR, -5 * EUR, -19 * EUR, 5 * EUR, 119 * EUR]
    made = post(f"book-entries/{entries[0]['id']}/correct/", reason="Paid")
    assert (made.status_code, made.json()["amount"], made.json()["corrects"]) == (201, EUR, entries[0]["id"])
    assert post(f"book-entries/{entries[0]['id']}/correct/", reason="Paid").status_code == 409
    assert post("book-entries/", reason="x").status_code == 405


def test_lists_tell_what_was_written_off_from_what_was_paid(client_of, nadia, alice, acme, northwind, billed):
    given_up, agreed, paid, claimed = (make.issued(billed, 100 * EUR, name=each) for each in "abcd")
    for invoice, amount in ((given_up, 119 * EUR), (agreed, 19 * EUR), (claimed, 119 * EUR)):
        entry = write_off(invoice, amount, reason="Insolvent", left=119 * EUR, by=make.BY)
    correct(entry, reason="It pays after all", by=make.BY)
    record_payment(make.payment(billed, 219 * EUR), by=make.BY, invoices=[agreed, paid])
    contexts.use_public()
    words = {given_up: "Written off", agreed: "Rest written off", paid: "Settled", claimed: "Open"}

    for browser, path in ((client_of(nadia, northwind), "/invoices/"), (client_of(alice, acme), "/bills/")):

        def found(state, browser=browser, path=path):
            return {row.number for row in browser.get(f"{path}?state={state}").context["list"].page.rows}

        for invoice, word in words.items():
            assert f"{word}</span>" in browser.get(f"{path}{invoice.pk}/").content.decode()
        assert found("written_off") == {given_up.number, agreed.number}
        assert (found("settled"), found("open")) == ({paid.number}, {claimed.number})


def test_who_may_not_change_corrects_nothing(client_of, northwind, fabrikam, billed):
    invoice, entry = make.issued(billed, 100 * EUR), fee(billed)
    support, stranger = (
        client_of(member(northwind, "support"), northwind),
        client_of(member(fabrikam, "owner"), fabrikam),
    )
    for path in (f"/invoices/{invoice.pk}/write-off/", f"/invoices/entries/{entry.pk}/correct/"):
        assert (support.get(path).status_code, stranger.get(path).status_code) == (403, 404)
