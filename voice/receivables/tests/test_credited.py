"""What a credit note leaves of what was paid: it is on the account again, and no invoice asks for what nobody owes."""

import random
import threading

import pytest
from django.db import IntegrityError, connection, transaction

from portal.db import contexts
from voice.rating.models import Account
from voice.rating.money import read_micros
from voice.rating.tests.test_pricing_document import ALL
from voice.receivables import selectors
from voice.receivables.models import Allocation, Invoice, Payment
from voice.receivables.services import approve, credit, issue, record_payment, reverse_payment, settle_from_credit
from voice.receivables.services.ledger import Books, book_fee
from voice.receivables.tests import make

pytestmark = pytest.mark.django_db
EUR = 1_000_000


def paid(billed, amount, reference="4711"):
    return record_payment(make.payment(billed, amount, reference), by=make.BY)


def credited(invoice, amounts=None):
    note = credit(invoice, reason="Wrong plan", amounts=amounts, by=make.BY)
    return issue(approve(note, by=make.BY), on=make.TODAY, by=make.BY)


def refunded(payment, amount, reference="re_1"):
    return reverse_payment(payment, amount, kind="refund", on=make.TODAY, reference=reference, by=make.BY)


def left(*invoices):
    return [selectors.open_amount(each) for each in invoices]


def owed(billed):
    return selectors.balance(billed.tenant_id, billed.entity_id, "EUR")


def rest(billed):
    return sum(free for _payment, free in selectors.payments_with_rest(billed.tenant_id))


def test_what_was_paid_of_a_credited_invoice_settles_the_next_one(billed):
    first = make.issued(billed, 100 * EUR)
    payment = paid(billed, first.total)
    credited(first)
    assert owed(billed) == -119 * EUR and selectors.unallocated(payment) == 119 * EUR

    second = make.issued(billed, 200 * EUR, name="more")

    assert left(first, second) == [0, 119 * EUR]
    assert owed(billed) == selectors.open_total(billed.tenant_id, billed.entity_id, "EUR") == 119 * EUR


def test_the_example_of_the_page_on_pricing(billed):
    (example,) = [each for each in ALL if each.kind == "credited"]
    invoices, payments = [], []
    acts = [
        lambda: invoices.append(make.issued(billed, 100 * EUR)),
        lambda: payments.append(paid(billed, 119 * EUR)),
        lambda: credited(invoices[0]),
        lambda: invoices.append(make.issued(billed, 150 * EUR, name="more")),
        lambda: refunded(payments[0], 119 * EUR),
    ]
    for act, row in zip(acts, example.rows, strict=True):
        act()
        told = [read_micros(row[name]) for name in ("First invoice open", "Second") if row[name]]
        assert left(*invoices) == told, row
        assert (rest(billed), owed(billed)) == (read_micros(row["On the account"]), read_micros(row["Owed"])), row


def test_it_settles_what_is_open_already_when_the_note_is_issued(billed):
    first = make.issued(billed, 100 * EUR)
    paid(billed, first.total)
    second = make.issued(billed, 100 * EUR, name="more")

    credited(first)

    assert left(first, second) == [0, 0] and owed(billed) == 0


def test_what_is_refunded_after_the_credit_asks_for_nothing(billed):
    invoice = make.issued(billed, 100 * EUR)
    payment = paid(billed, invoice.total)
    credited(invoice)

    refunded(payment, invoice.total)

    assert left(invoice) == [0] and owed(billed) == rest(billed) == 0


def test_a_refund_after_the_next_invoice_opens_that_one_and_not_what_was_credited(billed):
    first = make.issued(billed, 100 * EUR)
    payment = paid(billed, first.total)
    credited(first)
    second = make.issued(billed, 100 * EUR, name="more")

    refunded(payment, first.total)

    assert left(first, second) == [0, 119 * EUR] and owed(billed) == 119 * EUR


def test_of_two_payments_the_newest_is_free_again_and_takes_the_place_of_one_that_goes_back(billed):
    invoice = make.issued(billed, 100 * EUR)
    first, second = paid(billed, 100 * EUR), paid(billed, 19 * EUR, "rest")
    credited(invoice, {1: 10 * EUR})
    assert [selectors.unallocated(each) for each in (first, second)] == [0, 11_900_000]

    refunded(first, 11_900_000)

    assert left(invoice) == [0] and owed(billed) == rest(billed) == 0


def test_what_is_open_is_credited_first(billed):
    invoice = make.issued(billed, 100 * EUR)
    payment = paid(billed, 50 * EUR)

    credited(invoice, {1: 50 * EUR})
    assert left(invoice) == [9_500_000] and selectors.unallocated(payment) == 0
    credited(invoice)

    assert left(invoice) == [0] and selectors.unallocated(payment) == 50 * EUR == -owed(billed)


def test_fees_come_before_later_invoices(billed):
    invoice = make.issued(billed, 100 * EUR)
    book_fee(Books(billed.entity, billed.tenant, "EUR"), 5 * EUR, on=make.TODAY, text="Reminder")
    paid(billed, invoice.total)
    credited(invoice)

    second = make.issued(billed, 100 * EUR, name="more")

    assert left(second) == [owed(billed)] == [5 * EUR]


def test_a_note_of_early_days_that_settled_too_little_settles_its_invoice_later(billed, monkeypatch):
    invoice = make.issued(billed, 100 * EUR)
    payment = paid(billed, invoice.total)
    with monkeypatch.context() as early:
        early.setattr("voice.receivables.services.issuing.settle_from_credit", lambda _tenant, by: 0)
        credited(invoice)
    assert selectors.unallocated(payment) == 0

    for _again in range(2):
        settle_from_credit(billed.tenant_id, by=make.BY)

    assert selectors.unallocated(payment) == 119 * EUR and left(invoice) == [0]


def test_the_database_lets_a_note_settle_its_own_invoice_once_and_nothing_mix(billed, globex):
    first, second = make.issued(billed, 100 * EUR), make.issued(billed, 50 * EUR, name="more")
    other = make.issued(make.profile(billed.entity, globex), 100 * EUR)
    payment = paid(billed, 119 * EUR)
    note = credited(first, {1: 10 * EUR})
    told = {"msp_id": billed.msp_id, "tenant": billed.tenant}
    for facts in (
        {"invoice": second, "credit_note": note, "amount": EUR},  # an invoice that it does not take back
        {"invoice": first, "credit_note": note, "amount": EUR},  # more than it is
        {"invoice": first, "credit_note": note, "payment": payment, "amount": -11_900_001},
        {"invoice": first, "credit_note": note, "payment": payment, "amount": EUR},
        {"invoice": first, "payment": payment, "amount": -EUR},  # for no reason
        {"invoice": first, "credit_note": note, "amount": -EUR},
        {"invoice": other, "payment": payment, "amount": EUR},  # another customer's
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Allocation.objects.create(**told | facts)


@pytest.mark.parametrize("seed", range(8))
def test_whatever_comes_what_is_open_less_what_is_on_the_account_is_what_the_books_say(billed, seed):
    chance = random.Random(seed)
    for turn in range(25):
        act = chance.choice(["issue", "pay", "credit", "refund"])
        if act == "issue":
            make.issued(billed, chance.randrange(1, 200) * EUR, name=f"fees {turn}")
        elif act == "pay":
            paid(billed, chance.randrange(1, 300) * EUR, f"transfer {turn}")
        elif act == "credit" and (invoices := list(Invoice.objects.issued().filter(kind="invoice").order_by("pk"))):
            invoice = chance.choice(invoices)
            room = selectors.left_to_credit(invoice).lines[1]
            if room:
                credited(invoice, {1: chance.choice([room, max(room // 2 // 10_000, 1) * 10_000])})
        elif act == "refund" and (payments := list(Payment.objects.order_by("pk"))):
            payment = chance.choice(payments)
            if kept := selectors.kept_of(payment):
                refunded(payment, chance.choice([kept, (kept + 1) // 2]), f"re_{turn}")

        open_ones = selectors.with_standing(Invoice.objects.issued().filter(kind="invoice"))
        assert all(0 <= each.left <= each.total for each in open_ones)
        assert all(each.left == 0 for each in open_ones if not any(selectors.left_to_credit(each).lines.values()))
        still = sum(each.left for each in open_ones)
        assert still - rest(billed) == owed(billed) and 0 in (still, rest(billed))
        # Nobody calls: the account by which calls stop is the books', turned round.
        assert sum(Account.objects.values_list("balance_micros", flat=True)) == -owed(billed)


@pytest.mark.django_db(transaction=True)
def test_a_refund_and_a_credit_note_at_once_take_turns(northwind, acme):
    with contexts.msp(northwind):
        billed = make.profile(make.entity(northwind), acme)
        invoice = make.issued(billed, 100 * EUR)
        payment = paid(billed, invoice.total)
        note = approve(credit(invoice, reason="Wrong plan", by=make.BY), by=make.BY)
    start, raised = threading.Barrier(2), []

    def run(act):
        try:
            start.wait()
            with contexts.msp(northwind):
                act()
        except Exception as error:
            raised.append(error)
        finally:
            connection.close()

    acts = (lambda: issue(note, on=make.TODAY, by=make.BY), lambda: refunded(payment, invoice.total))
    both = [threading.Thread(target=run, args=(act,)) for act in acts]
    for one in both:
        one.start()
    for one in both:
        one.join()

    assert raised == []
    with contexts.msp(northwind):
        assert left(invoice) == [0] and owed(billed) == rest(billed) == 0
