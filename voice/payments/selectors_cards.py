"""What a customer can pay, and with what."""

from dataclasses import dataclass

from portal.db import contexts
from tenants.models import Customer
from voice.payments import selectors
from voice.payments.matching import OpenInvoice
from voice.payments.models import CardAccount, CardMethod
from voice.receivables import selectors as books
from voice.receivables.models import LegalEntity
from voice.receivables.selectors_books import books_of


@dataclass(frozen=True, slots=True)
class Payable:
    """What is open of a customer in the books of one company, in one currency, and whether cards are taken for it."""

    entity: int
    currency: str
    balance: int
    invoices: list[OpenInvoice]
    by_card: bool
    is_lab: bool
    iban: str
    bank: str
    payee: str

    @property
    def key(self) -> str:
        """Return how the page names it."""
        return f"{self.entity}-{self.currency}"

    @property
    def ahead(self) -> int:
        """Return what was paid or credited and is not settled with a bill yet."""
        return max(sum(each.left for each in self.invoices) - self.balance, 0)


def payable(customer: Customer) -> Payable | None:
    """Return what a customer can pay where it is billed now, or None where it is not billed yet."""
    with contexts.msp(customer.msp):
        found = books_of(customer.pk)
        return _payable(customer, *found[0]) if found else None


def payables(customer: Customer) -> list[Payable]:
    """Return what a customer can pay, first where it is billed now; where it was billed before, if that is open."""
    with contexts.msp(customer.msp):
        found = [_payable(customer, *each) for each in books_of(customer.pk)]
    return [*found[:1], *(each for each in found[1:] if each.balance > 0)]


def _payable(customer: Customer, entity: LegalEntity, currency: str) -> Payable:
    account = CardAccount.objects.filter(entity=entity, is_on=True).first()
    invoices = [each for each in selectors.open_invoices(entity.pk, customer.pk) if each.currency == currency]
    return Payable(
        entity.pk, currency, books.balance(customer.pk, entity.pk, currency), invoices, account is not None,
        account is not None and account.kind == CardAccount.Kind.LAB, entity.iban, entity.bank, entity.name,
    )  # fmt: skip


def saved_cards(customer: Customer, entity: int) -> list[CardMethod]:
    """Return the cards that a customer saved with a company, the one that is charged by itself first."""
    with contexts.msp(customer.msp):
        own = CardMethod.objects.filter(tenant=customer, account__entity=entity)
        return list(own.order_by("-is_default", "pk"))
