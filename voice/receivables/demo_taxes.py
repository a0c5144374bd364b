"""The demo's company in New York: what is asked there, in figures to look at and not to bill by, and a certificate."""

from datetime import date
from typing import Any

from portal.core.audit import Actor
from tenants.models import Customer, Msp
from voice.receivables import services
from voice.receivables.models import Exemption, LegalEntity, TaxRule, VatRegistration

COMPANY = {
    "name": "Northwind Voice Inc.", "street": "2 Demo Plaza", "postcode": "NY 10004", "city": "New York",
    "area": "NY", "country": "US", "email": "billing@northwind.example", "phone": "+1 212 555 0100",
    "tax_number": "EIN 00-0000000", "bank": "Demo Bank", "invoice_pattern": "US-{year}-{number:05}",
    "credit_note_pattern": "US-CN-{year}-{number:05}",
}  # fmt: skip
DEMO = ": a demo figure, not to bill by"
NYC = {"area": "NY", "city": "New York"}
RULES: list[dict[str, Any]] = [
    {"tax": "usf", "name": "Federal USF", "per_million": 370_000, "share_per_million": 649_000,
     "source": f"47 CFR § 54.709{DEMO}"},
    {"tax": "sales", "area": "NY", "name": "NY sales tax", "per_million": 40_000, "tax_class": "",
     "source": f"Tax Law § 1105 (b){DEMO}"},
    {"tax": "sales", **NYC, "name": "NYC sales tax", "per_million": 45_000, "tax_class": "",
     "source": f"Tax Law § 1107{DEMO}"},
    {"tax": "sales", **NYC, "name": "MCTD sales tax", "per_million": 3_750, "tax_class": "",
     "source": f"Tax Law § 1109{DEMO}"},
    {"tax": "telecom", "area": "NY", "name": "NY excise tax on telecommunications", "per_million": 25_000,
     "source": f"Tax Law § 186-e{DEMO}"},
    {"tax": "911", **NYC, "name": "NYC 911 surcharge", "fixed": 1_000_000, "currency": "USD",
     "source": f"County Law art. 6{DEMO}"},
]  # fmt: skip


def american_company(msp: Msp, since: date, *, by: Actor) -> LegalEntity:
    """Return the MSP's company in New York, with the rules of its place."""
    for facts in RULES:
        told = {"country": "US", "tax_class": "telecom", "begins": since} | facts
        services.add_rule(TaxRule(msp=msp, **told), by=by)
    return services.save_entity(LegalEntity(msp=msp, **COMPANY), by=by)


def certify(customer: Customer, since: date, *, by: Actor) -> None:
    """Let a customer be a reseller, who contributes to universal service itself."""
    ground = "Resold telecommunications: the buyer contributes to universal service itself (FCC Form 499 filer 899999)"
    services.save_exemption(
        Exemption(
            msp_id=customer.msp_id, tenant=customer, kind=Exemption.Kind.RESALE, tax="usf", ground=ground,
            certificate="499 filer id 899999", begins=since,
        ),
        by=by,
    )  # fmt: skip


def register_abroad(company: LegalEntity, since: date, *, by: Actor) -> None:
    """Let a German company be registered for VAT in Britain and in Switzerland."""
    for country, vat_id in (("GB", "GB999999981"), ("CH", "CHE999999996MWST")):
        services.save_registration(
            VatRegistration(msp_id=company.msp_id, entity=company, country=country, vat_id=vat_id, begins=since), by=by
        )
