"""Companies, customers and invoices for the tests of the books."""

from datetime import UTC, date, datetime

from portal.core.audit import Actor
from voice.plans import services as plans
from voice.plans.models import Component, Contract, Plan
from voice.plans.ordering import start_contract
from voice.receivables.composer import Item
from voice.receivables.models import BillingProfile, LegalEntity, Payment
from voice.receivables.services import approve, draft, issue, save_entity, save_profile

BY = Actor(email="nadia@northwind.example")
OCTOBER = (date(2026, 10, 1), date(2026, 11, 1))
TODAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


class Fees:
    """A source that bills what it was told."""

    def __init__(self, *amounts: int, name: str = "fees") -> None:
        self.amounts, self.name = amounts, name

    def items(self, begins, ends, taxed):
        for number, micros in enumerate(self.amounts):
            yield Item("fee", "fees", f"Fee {number}", micros, taxed("telecom"))


def entity(msp, **facts) -> LegalEntity:
    told = {"name": "Northwind Voice GmbH", "street": "Hauptstr. 1", "postcode": "10115", "city": "Berlin",
            "country": "DE", "vat_id": "DE123456789", "email": "billing@northwind.example", "phone": "+49 30 1110100",
            "iban": "DE02120300000000202051", "bic": "BYLADEM1001", "bank": "Demo Bank"}  # fmt: skip
    return save_entity(LegalEntity(msp=msp, **(told | facts)), by=BY)


def profile(company, customer, **facts) -> BillingProfile:
    told = {"name": customer.name, "street": "Unter den Linden 1", "postcode": "10117", "city": "Berlin",
            "country": "DE", "vat_id": "DE987654321", "email": "ap@acme.example", "language": "en"}  # fmt: skip
    return save_profile(BillingProfile(msp_id=company.msp_id, tenant=customer, entity=company, **(told | facts)), by=BY)


def contract(customer, starts=date(2026, 1, 1), zone="UTC") -> Contract:
    """Give a customer a contract that asks for nothing by itself: its bills are its calls."""
    name = "Plain" if zone == "UTC" else f"Plain, {zone}"
    plan = Plan.objects.filter(msp=customer.msp_id, name=name).first()
    if plan is None:
        plan = plans.save_plan(Plan(msp_id=customer.msp_id, name=name, currency="EUR", zone=zone), by=BY)
        version = plan.versions.get()
        version.effective_from = starts
        plans.save_version(version, by=BY)
        port = Component(version=version, kind="once", name="Porting of a number", amount=8_000_000, optional=True)
        plans.save_component(port, by=BY)
        plans.publish(version, by=BY)
    row = Contract(msp_id=customer.msp_id, tenant=customer, starts=starts)
    return start_contract(row, plan.versions.get(), by=BY)


def served(company, customer, **facts) -> BillingProfile:
    """Return how a customer is billed that has a contract, too: nothing is missing to a run."""
    contract(customer)
    return profile(company, customer, **facts)


def drafted(billed, *amounts, name="fees", period=OCTOBER):
    return draft(billed, Fees(*amounts, name=name), begins=period[0], ends=period[1], by=BY)


def issued(billed, *amounts, on=TODAY, name="fees", period=OCTOBER):
    return issue(approve(drafted(billed, *amounts, name=name, period=period), by=BY), on=on, by=BY)


def payment(billed, amount, reference="4711", on=TODAY) -> Payment:
    return Payment(
        msp_id=billed.msp_id, tenant=billed.tenant, entity=billed.entity, currency=billed.currency, amount=amount,
        received_on=on, reference=reference,
    )  # fmt: skip
