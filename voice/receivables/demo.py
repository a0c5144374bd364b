"""The demo's bills: each customer gets one invoice over last month's phone numbers, at the demo's own price."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from django.utils import timezone

from portal.core.audit import Actor
from tenants.demo import Cast
from tenants.models import Customer, Msp
from voice.numbers.demo import HELD
from voice.receivables import demo_run, demo_taxes, services
from voice.receivables.composer import Item, Taxed, monthly_fee
from voice.receivables.models import BillingProfile, Invoice, InvoiceRun, LegalEntity, Payment
from voice.receivables.tax import TaxClass

BY = Actor.system("demo")
# The VAT ids and accounts are invented; they have the right shape and belong to nobody that we know of.
COMPANIES = {
    "northwind": {
        "name": "Northwind Voice GmbH", "street": "Invalidenstraße 1", "postcode": "10115", "city": "Berlin",
        "country": "DE", "vat_id": "DE999999991", "email": "billing@northwind.example", "phone": "+49 30 1110100",
        "registration": "HRB 999991 B", "bank": "Demo Bank", "iban": "DE02120300000000202051", "bic": "BYLADEM1001",
    },
    "fabrikam": {
        "name": "Fabrikam Telecom Ltd", "street": "1 Demo Road", "postcode": "EC1A 1AA", "city": "London",
        "country": "GB", "vat_id": "GB999999973", "email": "billing@fabrikam.example", "phone": "+44 20 7111 0100",
        "registration": "99999973", "bank": "Demo Bank", "iban": "GB33BUKB20201555555555", "bic": "BUKBGB22",
    },
}  # fmt: skip
CUSTOMERS = {
    # In Germany, and reads English as the demo does.
    "acme": {
        "street": "Unter den Linden 1",
        "postcode": "10117",
        "city": "Berlin",
        "vat_id": "DE999999992",
        "language": "en",
    },
    "globex": {"street": "1 Broadway", "postcode": "NY 10004", "city": "New York", "area": "NY"},
    "initech": {"street": "2 Demo Road", "postcode": "EC1A 1AB", "city": "London", "vat_id": "GB999999974"},
}
# That of its plan and of its deck.
CURRENCIES = {"acme": "EUR", "globex": "USD", "initech": "GBP"}
# What who pays in advance has paid for its calls.
TOP_UPS = {"globex": (25_000_000, 15_000_000)}
PER_NUMBER, PLATFORM = 1_000_000, 49_000_000


@dataclass(frozen=True, slots=True)
class DemoFees:
    """A monthly fee for the platform and one for each number that the customer has."""

    numbers: int
    currency: str
    name: str = "demo"

    def items(self, begins: date, ends: date, taxed: Taxed) -> Iterable[Item]:
        """Yield the two fees."""
        treatment = taxed(TaxClass.TELECOM)
        yield from monthly_fee("Teams calling, platform", PLATFORM, begins, ends, treatment, self.currency)
        if self.numbers:
            yield from monthly_fee(
                "Phone numbers", PER_NUMBER, begins, ends, treatment, self.currency, quantity=self.numbers
            )


def seed(cast: Cast) -> None:
    """Issue an invoice for each customer; Acme and Globex have paid. A run bills the month: Globex waits in it."""
    ends = timezone.localdate().replace(day=1)
    begins = (ends - timedelta(days=1)).replace(day=1)
    for msp in cast.msps:
        with cast.as_msp(msp):
            company = _company(msp)
            for customer in (each for each in cast.customers if each.msp_id == msp.pk):
                if not Invoice.objects.filter(tenant=customer).exists():
                    # A month earlier for Globex: the run has something to hold its month against.
                    span = _month_before(begins) if customer.label == "globex" else (begins, ends)
                    _bill(_seller(company, customer, span[0]), customer, *span, on=ends)
        if not _has_run(cast, msp):
            demo_run.seed(cast, msp, begins, ends, by=BY)


def _has_run(cast: Cast, msp: Msp) -> bool:
    with cast.as_msp(msp):
        return InvoiceRun.objects.filter(msp=msp).exists()


def _company(msp: Msp) -> LegalEntity:
    found = LegalEntity.objects.filter(msp=msp).order_by("pk").first()
    return found or services.save_entity(LegalEntity(msp=msp, **COMPANIES[msp.slug]), by=BY)


def _seller(company: LegalEntity, customer: Customer, since: date) -> LegalEntity:
    """Return who bills a customer: for Globex, which resells in New York, a company of the MSP there."""
    if customer.label != "globex":
        return company
    year = since.replace(month=1, day=1)
    demo_taxes.register_abroad(company, year, by=BY)
    demo_taxes.certify(customer, year, by=BY)
    return demo_taxes.american_company(customer.msp, year, by=BY)


def _month_before(day: date) -> tuple[date, date]:
    return (day - timedelta(days=1)).replace(day=1), day


def _bill(company: LegalEntity, customer: Customer, begins: date, ends: date, on: date) -> None:
    currency = CURRENCIES[customer.label]
    profile = BillingProfile(
        msp_id=company.msp_id, tenant=customer, entity=company, name=customer.name, country=customer.country,
        currency=currency, email=f"accounts@{customer.label}.example", **CUSTOMERS[customer.label],
    )  # fmt: skip
    services.save_profile(profile, by=BY)
    # Those that the demo gives it later on.
    numbers = HELD[customer.label][1]
    invoice = services.draft(profile, DemoFees(numbers, currency), begins=begins, ends=ends, by=BY, numbers=numbers)
    # Dated as the month's run would date it.
    issued = services.issue(services.approve(invoice, by=BY), on=on, by=BY)
    services.store_files(issued)
    if customer.label in ("acme", "globex"):
        paid = _payment(profile, issued.total, f"{issued.number} {customer.name}", on + timedelta(days=1))
        services.record_payment(paid, by=BY)
    for number, micros in enumerate(TOP_UPS.get(customer.label, ()), 1):
        services.record_top_up(_payment(profile, micros, f"Top-up {number}", on), by=BY)


def _payment(profile: BillingProfile, micros: int, reference: str, on: date) -> Payment:
    return Payment(
        msp_id=profile.msp_id, tenant=profile.tenant, entity=profile.entity, currency=profile.currency, amount=micros,
        received_on=on, reference=reference,
    )  # fmt: skip
