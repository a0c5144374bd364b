"""What a customer can pay, and with what."""

from dataclasses import dataclass

from portal.db import contexts
from tenants.models import Customer
from voice.payments import selectors
from voice.payments.matching import OpenInvoice
from voice.payments.models import CardAccount, CardMethod
from voice.receivables import selectors as books
from voice.receivables.models import BillingProfile


@dataclass(frozen=True, slots=True)
class Payable:
    """What is open of a customer, and whether cards are taken for it."""

    currency: str
    balance: int
    invoices: list[OpenInvoice]
    by_card: bool
    is_lab: bool
    iban: str
    bank: str
    payee: str

    @property
    def ahead(self) -> int:
        """Return what was paid or credited and is not settled with a bill yet."""
        return max(sum(each.left for each in self.invoices) - self.balance, 0)


def payable(customer: Customer) -> Payable | None:
    """Return what a customer can pay, or None where it is not billed yet."""
    with contexts.msp(customer.msp):
        profile = BillingProfile.objects.select_related("entity").filter(tenant=customer).first()
        if profile is None:
            return None
        entity, currency = profile.entity, profile.currency
        account = CardAccount.objects.filter(entity=entity, is_on=True).first()
        invoices = [each for each in selectors.open_invoices(entity.pk, customer.pk) if each.currency == currency]
        return Payable(
            currency, books.balance(customer.pk, entity.pk, currency), invoices, account is not None,
            account is not None and account.kind == CardAccount.Kind.LAB, entity.iban, entity.bank, entity.name,
        )  # fmt: skip


def saved_cards(customer: Customer) -> list[CardMethod]:
    """Return the cards that a customer saved, the one that is charged by itself first."""
    return list(CardMethod.objects.filter(tenant=customer).order_by("-is_default", "pk"))
