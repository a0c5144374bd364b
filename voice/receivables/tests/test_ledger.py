"""The ledger: what the database refuses, whoever asks."""

from datetime import date

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.utils import ProgrammingError

from portal.db import contexts
from voice.receivables import selectors
from voice.receivables.models import Account, Entry, Posting
from voice.receivables.services import record_payment
from voice.receivables.services.ledger import Books, correct
from voice.receivables.tests import make

pytestmark = pytest.mark.django_db
Kind = Account.Kind
DAY = date(2026, 11, 20)
# What pg_trigger.tgtype is made of.
ROW, BEFORE, DELETE, UPDATE = 1, 2, 8, 16


@pytest.fixture
def books(billed):
    return Books(billed.entity, billed.tenant, "EUR")


def commit():
    """Run what the database would check at the commit."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def refused(moves, books):
    with pytest.raises(IntegrityError) as error, transaction.atomic():
        correct(books, moves, on=DAY, text="wrong")
        commit()
    return str(error.value)


def test_an_entry_that_balances_is_kept(books):
    correct(books, [(Kind.RECEIVABLE, 119), (Kind.REVENUE, -100), (Kind.TAX, -19)], on=DAY, text="right")
    commit()

    assert [move.amount for move in selectors.statement(books.tenant, "EUR")] == [119]


@pytest.mark.parametrize(
    "moves", [[(Kind.RECEIVABLE, 119), (Kind.REVENUE, -100)], [(Kind.RECEIVABLE, 1)], [(Kind.RECEIVABLE, 1)] * 2]
)
def test_an_entry_that_does_not_balance_is_refused_at_commit(books, moves):
    assert "does not balance" in refused(moves, books)


def test_an_entry_without_postings_is_refused(books):
    with pytest.raises(IntegrityError, match="does not balance"), transaction.atomic():
        Entry.objects.create(
            msp=books.entity.msp, tenant=books.tenant, entity=books.entity, kind="correction", currency="EUR",
            booked_on=DAY, text="empty",
        )  # fmt: skip
        commit()


def test_an_entry_has_one_currency(books):
    dollars = Books(books.entity, books.tenant, "USD").account(Kind.REVENUE)
    with pytest.raises(IntegrityError, match="mixes"), transaction.atomic():
        entry = Entry.objects.create(
            msp=books.entity.msp, tenant=books.tenant, entity=books.entity, kind="correction", currency="EUR",
            booked_on=DAY, text="mixed",
        )  # fmt: skip
        for account, debit, credit in ((books.account(Kind.RECEIVABLE), 5, 0), (dollars, 0, 5)):
            Posting.objects.create(
                msp=books.entity.msp, tenant=books.tenant, entry=entry, account=account, debit=debit, credit=credit
            )
        commit()


@pytest.mark.parametrize("table", ["entry", "posting", "payment", "allocation", "account", "invoicefile"])
def test_what_is_booked_stays_whoever_asks(billed, table):
    make.issued(billed, 10_000_000)
    record_payment(make.payment(billed, 1_000_000), by=make.BY)
    commit()
    name = f"receivables_{table}"
    with connection.cursor() as cursor:
        for statement in ("UPDATE {} SET msp_id = msp_id", "DELETE FROM {}"):
            with pytest.raises(ProgrammingError, match="denied"), transaction.atomic():
                cursor.execute(statement.format(name))
        with contexts.owner():
            # The owner sees no row to change; what the erasure may take away, its triggers refuse it otherwise.
            with pytest.raises(IntegrityError, match="written once"), transaction.atomic():
                cursor.execute(f"TRUNCATE {name} CASCADE")
            cursor.execute(
                "SELECT tgenabled, tgtype, tgqual IS NULL FROM pg_trigger WHERE tgrelid = %s::regclass"
                " AND tgname IN ('once', 'once_gone') ORDER BY tgname", [name]
            )  # fmt: skip
            found = cursor.fetchall()
            if table == "account":
                assert found == [("O", ROW | BEFORE | UPDATE | DELETE, True)]
                return
            # Only of deletions does the trigger know an exception: the erasure.
            assert found == [("O", ROW | BEFORE | UPDATE, True), ("O", ROW | BEFORE | DELETE, False)]
            if table != "invoicefile":
                with pytest.raises(IntegrityError, match="written once"), transaction.atomic():
                    cursor.execute(f"DELETE FROM {name}")


def test_customers_read_their_own_account_and_nothing_else(billed, globex, initech):
    make.issued(billed, 10_000_000)
    commit()

    def seen():
        return Entry.objects.count(), sum(row.debit - row.credit for row in Posting.objects.all())

    with contexts.customer(billed.tenant):
        assert seen() == (1, 11_900_000)
        assert set(Account.objects.values_list("kind", flat=True)) == {"receivable"}
        with pytest.raises(ProgrammingError), transaction.atomic():
            Entry.objects.create(
                msp_id=billed.msp_id, tenant=billed.tenant, entity=billed.entity, kind="correction", currency="EUR",
                booked_on=DAY, text="mine",
            )  # fmt: skip
    with contexts.customer(globex):
        assert seen() == (0, 0)
    with contexts.msp(initech.msp):
        assert seen() == (0, 0)
    with contexts.ingest(), pytest.raises(ProgrammingError), transaction.atomic():
        seen()
