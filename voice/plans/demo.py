"""The demo's plans and contracts: what each customer has ordered, one change that is to come, a quote to look at."""

from datetime import date
from typing import Any

from django.utils import timezone

from portal.core.audit import Actor
from tenants.demo import Cast
from tenants.models import Customer, Msp
from voice.plans import ordering, quoting, services
from voice.plans.models import AddOn, Component, Contract, Credit, Plan, PlanVersion, Quote
from voice.plans.proration import add_months, next_month
from voice.plans.quoting import Assumptions, Traffic
from voice.plans.tiers import Tier
from voice.rating.models import RateDeck

BY = Actor.system("demo")
ONE = 1_000_000
EUROPE = ["France", "Germany", "Netherlands", "United Kingdom"]
# Plan: currency, deck, customer, and what it is made of.
PLANS: dict[str, tuple[str, str, str, str, list[dict[str, Any]]]] = {
    "Office": (
        "northwind", "EUR", "Office Europe", "acme",
        [
            {"kind": "monthly", "name": "Teams calling, platform", "amount": 49 * ONE, "tax_class": "service"},
            {"kind": "monthly", "name": "User", "amount": 6 * ONE, "per": "seat"},
            {"kind": "monthly", "name": "Phone number", "amount": ONE, "per": "number"},
            {"kind": "minutes", "name": "Europe bundle", "minutes": 250, "pool": "seat", "destinations": EUROPE},
            {"kind": "minutes", "name": "Included minutes", "minutes": 200, "roll_over": 1},
            {"kind": "discount", "name": "First year", "per_million": 100_000, "scope": "fees", "months": 12},
            {"kind": "once", "name": "Set-up", "amount": 290 * ONE, "tax_class": "service"},
            {"kind": "once", "name": "Porting of a number", "amount": 8 * ONE, "optional": True},
            {"kind": "monthly", "name": "Call recording", "amount": 5 * ONE, "optional": True, "tax_class": "service"},
        ],
    ),
    "Office unlimited": (
        "northwind", "EUR", "Office Europe", "",
        [
            {"kind": "monthly", "name": "User, calls to Europe included", "amount": 14_500_000, "per": "seat"},
            {"kind": "minutes", "name": "Europe", "minutes": 3000, "pool": "seat", "destinations": EUROPE},
            {"kind": "monthly", "name": "Call recording", "amount": 4 * ONE, "optional": True, "tax_class": "service"},
        ],
    ),
    "Trunk": (
        "northwind", "USD", "Global per second", "globex",
        [
            {"kind": "monthly", "name": "Channel", "amount": 4 * ONE, "per": "channel"},
            {"kind": "emergency", "name": "911 surcharge", "amount": 750_000, "per": "number"},
            {"kind": "tiers", "name": "North America by volume", "destinations": ["North America"],
             "tiers": [Tier(5_000, 9_000), Tier(20_000, 7_500), Tier(None, 6_000)]},
            {"kind": "commitment", "name": "Minimum commitment", "amount": 150 * ONE},
        ],
    ),
    "British business": (
        "fabrikam", "GBP", "British business", "initech",
        [
            {"kind": "monthly", "name": "User", "amount": 7_500_000, "per": "seat"},
            {"kind": "monthly", "name": "Phone number", "amount": 800_000, "per": "number"},
            {"kind": "minutes", "name": "UK minutes", "minutes": 500, "destinations": ["United Kingdom"],
             "roll_over": 3},
            {"kind": "call", "name": "Connection", "amount": 20_000},
        ],
    ),
}  # fmt: skip


def seed(cast: Cast) -> None:
    """Sell each demo customer its plan, once."""
    today = timezone.localdate()
    starts = add_months(today.replace(day=1), -5)
    for msp in cast.msps:
        with cast.as_msp(msp):
            if Plan.objects.filter(msp=msp).exists():
                continue
            for name, (slug, currency, deck, label, parts) in PLANS.items():
                if slug == msp.slug:
                    version = _published(msp, name, currency, deck, parts, starts)
                    for customer in (each for each in cast.customers if each.label == label):
                        _contract(customer, version, starts)
            if msp.slug == "northwind":
                _more(msp, today)


def _published(msp: Msp, name: str, currency: str, deck: str, parts: list[dict[str, Any]], since: date) -> PlanVersion:
    plan = services.save_plan(Plan(msp=msp, name=name, currency=currency, zone="Europe/Berlin"), by=BY)
    draft = plan.versions.get()
    draft.deck, draft.effective_from = RateDeck.objects.filter(msp=msp, name=deck).first(), since
    services.save_version(draft, by=BY)
    for part in parts:
        facts = {key: value for key, value in part.items() if key != "tiers"}
        services.save_component(Component(version=draft, **facts), tiers=part.get("tiers", ()), by=BY)
    return services.publish(draft, by=BY)


def _contract(customer: Customer, version: PlanVersion, starts: date) -> None:
    ordering.start_contract(
        Contract(
            msp_id=customer.msp_id, tenant=customer, starts=starts, term_months=24, renewal_months=12, notice_days=90,
            reference=f"{customer.label.upper()}-{starts:%Y}",
        ),
        version,
        by=BY,
    )  # fmt: skip


def _more(msp: Msp, today: date) -> None:
    """Give Acme an add-on, a credit and a change that is to come; leave a draft and a quote."""
    contract = Contract.objects.filter(msp=msp, tenant__label="acme").first()
    unlimited = PlanVersion.objects.get(plan__msp=msp, plan__name="Office unlimited")
    office = PlanVersion.objects.get(plan__msp=msp, plan__name="Office")
    services.new_version(office.plan, by=BY)
    if contract is None:
        return
    month = today.replace(day=1)
    ordering.order_add_on(
        AddOn(contract=contract, name="Call recording", quantity=3, begins=add_months(month, -2)), by=BY
    )
    ordering.give_credit(
        Credit(contract=contract, month=month, amount=15 * ONE, reason="Service level missed: 4 hours last month"),
        by=BY,
    )
    ordering.change_plan(contract, unlimited, on=next_month(today), by=BY)
    quoting.save_quote(
        Quote(msp=msp, title="Contoso, 40 users"),
        Assumptions(
            add_months(month, -1), users=40, numbers=60, trunks=1, channels=20, cost=38 * ONE,
            traffic=(Traffic("Germany", 6_000, 1_500), Traffic("Germany, mobile", 900, 400)),
        ),
        [office, unlimited],
        by=Actor(email="nadia@northwind.example"),
    )  # fmt: skip
