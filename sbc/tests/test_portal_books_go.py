"""The books go whole, and no sooner than they may: an invoice with its lines, files, payments and entries."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from portal.db import contexts
from portal.db.customers import has_schema
from sbc.services import erasure
from sbc.tests.test_portal_papers_go import erased, in_year
from tenants import services as tenants
from tenants.models import LegalHold, Msp
from voice.billing.models import Bill, BillLine
from voice.delivery import feed
from voice.delivery.models import Feed, Message
from voice.payments.tests.cards import EUR
from voice.receivables import selectors as books
from voice.receivables.models import (
    Allocation,
    BillingProfile,
    Entry,
    Invoice,
    InvoiceFile,
    InvoiceLine,
    InvoiceTax,
    NumberSeries,
    Payment,
    Posting,
    Reversal,
)
from voice.receivables.services import correct, credit, record_payment, reverse_payment, store_files, write_off
from voice.receivables.tests import make
from voice.receivables.tests.conftest import billed as billed
from voice.receivables.tests.conftest import company as company

pytestmark = pytest.mark.django_db(transaction=True)
BOOKS = (Allocation, Entry, Invoice, InvoiceFile, InvoiceLine, InvoiceTax, Payment, Posting, Reversal)
OVER, NOT_YET = in_year(2037), datetime(2036, 12, 30, tzinfo=UTC)


def owed(billed: BillingProfile) -> int:
    return books.balance(billed.tenant_id, billed.entity_id, "EUR")


def pay(billed: BillingProfile, amount: int, reference: str = "4711") -> Payment:
    return record_payment(make.payment(billed, amount * EUR, reference), by=make.BY)


def bills(billed: BillingProfile) -> tuple[int, int]:
    with contexts.msp(billed.tenant.msp, customer=billed.tenant):
        return Bill.objects.count(), BillLine.objects.count()


def told(msp: Msp) -> None:
    """Tell the feed of all documents."""
    Feed.objects.get_or_create(msp=msp, defaults={"began_at": in_year(2026), "marked_at": in_year(2026)})
    feed.collect(msp, datetime.now(UTC), swept=True)


def test_a_paid_invoice_goes_with_all_that_hangs_on_it_after_ten_years(billed: BillingProfile, northwind: Msp) -> None:
    invoice = make.issued(billed, 100 * EUR)
    store_files(invoice)
    first = pay(billed, 119)
    reverse_payment(first, 119 * EUR, kind="returned", on=make.TODAY, reference="R", by=make.BY)
    pay(billed, 119, "again")
    left = make.issued(billed, 10 * EUR, name="more")

    assert not {"receivables_entry", "receivables_invoice"} & erased(NOT_YET, northwind).keys()
    before = owed(billed)
    gone = erased(OVER, northwind)

    assert owed(billed) == before == books.open_amount(left)
    assert list(Invoice.objects.all()) == [left] and list(Entry.objects.values_list("invoice", flat=True)) == [left.pk]
    assert (gone["receivables_entry"], gone["receivables_invoice"]) == ((4, 0), (1, 0))
    assert not Payment.objects.exists() and not Reversal.objects.exists() and not InvoiceFile.objects.exists()
    assert bills(billed) == (1, 1) and gone["billing_bill"] == gone["billing_billline"] == (1, 0)
    assert NumberSeries.objects.get(kind="invoice").last == 2


def test_a_credited_invoice_goes_with_its_credit_note(billed: BillingProfile, northwind: Msp) -> None:
    invoice = make.issued(billed, 100 * EUR)
    note = credit(invoice, reason="Wrong", by=make.BY)
    make.issue(make.approve(note, by=make.BY), on=make.TODAY, by=make.BY)

    erased(OVER, northwind)

    assert [model for model in BOOKS if model.objects.exists()] == [] and bills(billed) == (0, 0)
    assert BillingProfile.objects.exists()


def test_what_was_written_off_and_claimed_again_goes_with_its_invoice(billed: BillingProfile, northwind: Msp) -> None:
    invoice = make.issued(billed, 100 * EUR)
    entry = write_off(invoice, 119 * EUR, reason="Insolvent", left=119 * EUR, by=make.BY)
    correct(entry, reason="It pays", by=make.BY)
    pay(billed, 119)

    erased(OVER, northwind)

    assert [model for model in BOOKS if model.objects.exists()] == []


def test_what_is_held_stays_whole(billed: BillingProfile, northwind: Msp) -> None:
    make.issued(billed, 100 * EUR)
    pay(billed, 119)
    hold = LegalHold(msp=northwind, tenant=billed.tenant, case="7", reason="x", review="2099-01-01")
    tenants.place_hold(hold, by=make.BY)

    kept = erased(OVER, northwind)
    assert (kept["receivables_entry"], kept["receivables_payment"]) == ((0, 2), (0, 1))
    assert Invoice.objects.exists() and bills(billed) == (1, 1)
    tenants.release_hold(hold, reason="settled", by=make.BY)
    erased(OVER, northwind)
    assert not Invoice.objects.exists() and bills(billed) == (0, 0)


@pytest.mark.parametrize(("country", "over"), [("GB", 2033), ("AT", 2034), ("FR", 2037)])
def test_the_company_says_how_long(billed: BillingProfile, northwind: Msp, country: str, over: int) -> None:
    make.issued(billed, 100 * EUR)
    pay(billed, 119)
    type(billed.entity).objects.filter(pk=billed.entity_id).update(country=country)

    assert "receivables_invoice" not in erased(datetime(over - 1, 12, 20, tzinfo=UTC), northwind)
    erased(in_year(over), northwind)
    assert not Invoice.objects.exists() and owed(billed) == 0


def test_the_feed_begins_with_what_is_left(billed: BillingProfile, northwind: Msp) -> None:
    make.issued(billed, 100 * EUR)
    pay(billed, 119)
    told(northwind)
    assert Message.objects.filter(document__isnull=False).count() == 2

    erased(OVER, northwind)
    told(northwind)

    assert not Message.objects.filter(document__isnull=False).exists()


def test_nobody_takes_books_away_but_the_erasure(billed: BillingProfile, northwind: Msp) -> None:
    make.issued(billed, 100 * EUR)
    pay(billed, 119)
    tables = [model._meta.db_table for model in BOOKS if model.objects.exists()]

    def refused(table: str, erasing: bool, **context: Any) -> None:
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            if erasing:
                cursor.execute("SELECT set_config('app.erasing', 'on', true)")
            cursor.execute(f"DELETE FROM {table}")

    for table in tables:
        # The MSP says in vain that it is the erasure; the owner of the tables has to say so.
        refused(table, erasing=True)
        with contexts.owner():
            refused(table, erasing=False)
    with contexts.owner(), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.erasing', 'on', true)")
        cursor.execute("UPDATE receivables_payment SET amount = 1")
        assert cursor.rowcount == 0, "the erasure takes away and changes nothing"
    contexts.use_msp(northwind)
    assert Payment.objects.exists() and has_schema(billed.tenant)


def test_a_run_that_dies_takes_nothing_of_the_books(
    billed: BillingProfile, northwind: Msp, monkeypatch: pytest.MonkeyPatch
) -> None:
    make.issued(billed, 100 * EUR)
    pay(billed, 119)
    whole = erasure._delete

    def dies(due: erasure.Due) -> None:
        if due.holding.table == "receivables_payment":
            raise RuntimeError("the machine is gone")
        whole(due)

    with monkeypatch.context() as patched, pytest.raises(RuntimeError):
        patched.setattr(erasure, "_delete", dies)
        erased(OVER, northwind)

    contexts.use_msp(northwind)
    assert Entry.objects.count() == 2 and Invoice.objects.exists() and owed(billed) == 0
    erased(OVER, northwind)
    assert not Entry.objects.exists()
