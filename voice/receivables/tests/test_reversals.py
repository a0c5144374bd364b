"""Money that goes back: it is owed again, once, and what it had settled is open again."""

import threading

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction

from portal.db import contexts
from voice.receivables import references, selectors
from voice.receivables.models import Allocation, Entry, Reversal
from voice.receivables.services import record_payment, reverse_payment, settle_from_credit
from voice.receivables.services.ledger import Books, book_fee
from voice.receivables.tests import make

pytestmark = pytest.mark.django_db
EUR = 1_000_000


def paid(billed, amount, reference="4711"):
    return record_payment(make.payment(billed, amount, reference), by=make.BY)


def back(payment, amount, reference="re_1", kind="refund"):
    return reverse_payment(payment, amount, kind=kind, on=make.TODAY, reference=reference, by=make.BY)


def owed(billed):
    return selectors.balance(billed.tenant_id, billed.entity_id, "EUR")


def test_what_goes_back_is_owed_again_and_opens_the_newest_invoice_first(billed):
    old = make.issued(billed, 100 * EUR)
    new = make.issued(billed, 50 * EUR, name="more")
    payment = paid(billed, 200 * EUR)
    assert (selectors.open_amount(old), selectors.open_amount(new), selectors.unallocated(payment)) == (
        0,
        0,
        21_500_000,
    )

    back(payment, 30 * EUR)

    assert (selectors.open_amount(old), selectors.open_amount(new)) == (0, 8_500_000)
    assert owed(billed) == selectors.open_total(billed.tenant_id, billed.entity_id, "EUR") == 8_500_000
    back(payment, 170 * EUR, "re_2")
    assert owed(billed) == 178_500_000 and selectors.unallocated(payment) == 0
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


@pytest.mark.parametrize(("amount", "reference"), [(0, "x"), (-1, "x"), (101 * EUR, "x"), (1, "re_1"), (1, "")])
def test_no_more_goes_back_than_came_in_and_nothing_twice(billed, amount, reference):
    payment = paid(billed, 100 * EUR)
    back(payment, EUR)
    with pytest.raises(ValidationError), transaction.atomic():
        back(payment, amount, reference)
    assert Reversal.objects.count() == 1


def test_the_database_lets_no_payment_settle_more_than_it_is(billed):
    invoice, payment = make.issued(billed, 100 * EUR), paid(billed, 10 * EUR)
    for amount in (EUR, 110 * EUR):
        with pytest.raises(IntegrityError), transaction.atomic():
            Allocation.objects.create(
                msp_id=billed.msp_id, tenant=billed.tenant, invoice=invoice, payment=payment, amount=amount
            )


def test_what_was_paid_ahead_settles_later_invoices_after_fees(billed):
    paid(billed, 100 * EUR)
    books = Books(billed.entity, billed.tenant, "EUR")
    book_fee(books, 5 * EUR, on=make.TODAY, text="Reminder")
    invoice = make.issued(billed, 100 * EUR)

    # Issuing it has settled what there was; nobody settles it twice.
    assert settle_from_credit(billed.tenant_id, by=make.BY) == 0
    assert selectors.open_amount(invoice) == owed(billed) == 24 * EUR


def test_a_customer_reads_its_reversals_and_nobody_elses(billed, globex):
    back(paid(billed, EUR), EUR)
    with contexts.customer(billed.tenant):
        assert Entry.objects.filter(kind="reversal").count() == Reversal.objects.count() == 1
    with contexts.customer(globex):
        assert Reversal.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_two_at_once_take_back_no_more_than_there_is(northwind, acme):
    with contexts.msp(northwind):
        billed = make.profile(make.entity(northwind), acme)
        payment = paid(billed, 100 * EUR)
    said, start = [], threading.Barrier(2)

    def take(reference):
        try:
            start.wait()
            with contexts.msp(northwind):
                said.append(back(payment, 60 * EUR, reference).pk is not None)
        except ValidationError:
            said.append(False)
        finally:
            connection.close()

    both = [threading.Thread(target=take, args=(name,)) for name in ("a", "b")]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert sorted(said) == [False, True]


@pytest.mark.parametrize(
    ("number", "reference"), [("539007547034", "RF18539007547034"), ("2026-00001", "RF32202600001"), ("", "")]
)
def test_an_invoice_has_a_structured_reference(number, reference):
    made = references.creditor_reference(number)
    assert made == reference
    assert not made or references.is_creditor_reference(made)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("RF18 5390 0754 7034", ["RF18539007547034"]),
        ("pay rf18539007547034 thanks", ["RF18539007547034"]),
        ("RF18539007547034 and RF32202600001", ["RF18539007547034", "RF32202600001"]),
        ("RF19539007547034", []),
        ("XRF18539007547034", []),
        ("RF", []),
    ],
)
def test_references_are_found_in_what_people_write(text, found):
    assert references.references_in(text) == found
