"""How an event is booked: one entry, with postings that balance."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from tenants.models import Customer
from voice.receivables.entry_words import booked
from voice.receivables.models import Account, Entry, Invoice, LegalEntity, Payment, Posting, Reversal

Kind = Account.Kind
OF_CUSTOMER = {Kind.RECEIVABLE, Kind.REVENUE, Kind.WRITTEN_OFF}


@dataclass(frozen=True, slots=True)
class Books:
    """Whose books an entry is in: the company, the customer it deals with, and the currency."""

    entity: LegalEntity
    tenant: Customer
    currency: str

    def account(self, kind: str) -> Account:
        """Return the account of a kind, opened where it is not yet."""
        tenant = self.tenant if kind in OF_CUSTOMER else None
        account, _made = Account.objects.get_or_create(
            entity=self.entity, tenant=tenant, kind=kind, currency=self.currency, defaults={"msp": self.entity.msp}
        )
        return account


def book_document(invoice: Invoice) -> None:
    """Book an issued invoice or credit note; one over nothing moves nothing and is not booked."""
    assert invoice.issued_on is not None
    sign = -1 if invoice.is_credit_note else 1
    text = booked("credit_note" if invoice.is_credit_note else "invoice", number=invoice.number)
    entry = Entry(kind=invoice.kind, booked_on=invoice.issued_on, text=text, invoice=invoice)
    moves = ((Kind.RECEIVABLE, invoice.total), (Kind.REVENUE, -invoice.net), (Kind.TAX, -invoice.tax))
    books = Books(invoice.entity, invoice.tenant, invoice.currency)
    _book(books, entry, [(kind, sign * amount) for kind, amount in moves])


def book_payment(payment: Payment, text: str = "") -> None:
    """Book money that came in; without a text of its own it is told by its reference."""
    words = text or booked("payment", reference=payment.reference)
    entry = Entry(kind=Entry.Kind.PAYMENT, booked_on=payment.received_on, text=words, payment=payment)
    books = Books(payment.entity, payment.tenant, payment.currency)
    _book(books, entry, [(Kind.BANK, payment.amount), (Kind.RECEIVABLE, -payment.amount)])


def book_reversal(reversal: Reversal, text: str = "") -> None:
    """Book money of a payment that went back: the customer owes it again."""
    payment, words = reversal.payment, text or booked(reversal.kind, reference=reversal.reference)
    entry = Entry(kind=Entry.Kind.REVERSAL, booked_on=reversal.booked_on, text=words, reversal=reversal)
    books = Books(payment.entity, payment.tenant, payment.currency)
    _book(books, entry, [(Kind.RECEIVABLE, reversal.amount), (Kind.BANK, -reversal.amount)])


def book_fee(books: Books, micros: int, *, on: date, text: str) -> None:
    """Book what a reminder costs the customer; it is damages, so no tax is in it."""
    entry = Entry(kind=Entry.Kind.FEE, booked_on=on, text=text)
    _book(books, entry, [(Kind.RECEIVABLE, micros), (Kind.REVENUE, -micros)])


def book_write_off(invoice: Invoice, micros: int, *, on: date, reason: str) -> Entry:
    """Book that so much of an invoice will not be paid; the tax in it stays what was invoiced."""
    entry = Entry(
        kind=Entry.Kind.WRITE_OFF, booked_on=on, text=booked("written_off", number=invoice.number), invoice=invoice,
        reason=reason,
    )  # fmt: skip
    books = Books(invoice.entity, invoice.tenant, invoice.currency)
    _book(books, entry, [(Kind.RECEIVABLE, -micros), (Kind.WRITTEN_OFF, micros)])
    return entry


def book_correction(wrong: Entry, *, on: date, reason: str) -> Entry:
    """Book the mirror image of an entry: what was booked wrong stays where it is."""
    entry = Entry(
        kind=Entry.Kind.CORRECTION, booked_on=on, text=booked("corrected", what=wrong.text), corrects=wrong,
        invoice=wrong.invoice, reason=reason,
    )  # fmt: skip
    assert wrong.tenant is not None
    moves = [(each.account.kind, each.credit - each.debit) for each in wrong.postings.select_related("account")]
    _book(Books(wrong.entity, wrong.tenant, wrong.currency), entry, moves)
    return entry


def correct(books: Books, moves: Iterable[tuple[str, int]], *, on: date, text: str) -> None:
    """Book a correction of what no entry alone is wrong about."""
    _book(books, Entry(kind=Entry.Kind.CORRECTION, booked_on=on, text=text), list(moves))


def _book(books: Books, entry: Entry, moves: list[tuple[str, int]]) -> None:
    # Positive amounts are debits. The database refuses what does not balance when the transaction ends.
    moves = [(kind, amount) for kind, amount in moves if amount]
    if not moves:
        return
    entry.msp, entry.tenant, entry.entity, entry.currency = (
        books.entity.msp, books.tenant, books.entity, books.currency,
    )  # fmt: skip
    entry.save(force_insert=True)
    for kind, amount in moves:
        account = books.account(kind)
        Posting.objects.create(
            msp=books.entity.msp,
            tenant_id=account.tenant_id,
            entry=entry,
            account=account,
            debit=max(amount, 0),
            credit=max(-amount, 0),
        )
