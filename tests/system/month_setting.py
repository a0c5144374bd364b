"""The month's MSP with its five customers, set up by the product's own services, and what its clock does.

`make` runs under a clock of weeks before the month: numbers, users and contracts are as old as the bills need them.
"""

from datetime import UTC, date, timedelta
from typing import Any

from django.utils import timezone

from portal.core.audit import Actor
from portal.db import contexts
from sbc.models import Node
from sbc.services import add_node, disable_node, reconciling
from tenants import services as places
from tenants.models import ApiToken, BaseDomain, Customer, Membership, Msp, Region, User
from tenants.permissions import CAPABILITIES
from tests.system.installation import PASSWORD
from tests.system.month_deals import DEALS, IBAN, NIGHT, WORLD, Deal, midnight
from voice.carriers import services as carriers
from voice.carriers.models import Carrier, Trunk
from voice.directory import services as directory
from voice.directory.models import CivicAddress, Person, Place
from voice.inventory import imports
from voice.inventory.models import StockImport, StockNumber
from voice.numbers import allocation
from voice.numbers import services as numbering
from voice.numbers.models import Number
from voice.payments.models import CardAccount
from voice.payments.services.accounts import save_account
from voice.plans import ordering
from voice.plans import services as plans
from voice.plans.models import Component, Contract, Plan
from voice.plans.proration import add_months
from voice.plans.tiers import Tier
from voice.rating import limits
from voice.rating import services as rating
from voice.rating.files.lines import Line, Terms
from voice.rating.models import RateDeck
from voice.receivables import tasks
from voice.receivables.models import BillingProfile, LegalEntity
from voice.receivables.services import runs, save_entity, save_profile

Told = dict[str, Any]
BY = Actor.system("month")
WINDOWS = [{"band": NIGHT, "days": [0, 1, 2, 3, 4, 5, 6, 7], "begin": "20:00", "until": "07:00"}]


def make(told: Told) -> Told:
    """Set up MSP, prices, plans, customers and a node; return what the test needs to know of them."""
    slug, month = told["slug"], date.fromisoformat(told["month"])
    with contexts.public():
        region = Region.objects.get(slug="lab")
        msp = places.create_msp(Msp(name=f"Month {slug}", slug=slug), by=BY)
        places.add_base_domain(BaseDomain(msp=msp, region=region, fqdn=f"sbc.{slug}.example"), by=BY)
        node, token = add_node(Node(region=region, name=f"{slug}-1"), by=BY)
        owner = User.objects.create_user(f"owner@{slug}.example", PASSWORD, name="Olive Owner")
    with contexts.msp(msp):
        Membership.objects.create(user=owner, msp=msp, role="owner")
        trunk, decks = _prices(msp, told["network"], month)
        entity, account = _company(msp)
        _stock(msp, told["first"])
    customers = {label: _customer(msp, deal, decks, entity, month) for label, deal in DEALS.items()}
    return {
        "msp": msp.pk, "node": node.pk, "node_name": node.name, "node_token": token, "gateway": trunk.gateway,
        "token": _token(owner, msp=msp), "customers": customers, "entity": entity.pk,
        "hook": account.hook, "secret": account.webhook_secret,
    }  # fmt: skip


def _prices(msp: Any, network: str, month: date) -> tuple[Any, dict[bool, Any]]:
    since = midnight(month) - timedelta(days=90)

    def deck(name: str, kind: str, step: int, share: int, bands: bool = False) -> Any:
        """Make a deck of all destinations; `share` says which of their two prices it has."""
        windows = {"windows": WINDOWS} if bands else None
        made = RateDeck(msp=msp, name=name, kind=kind, currency="EUR", zone="Europe/Berlin", bands=windows,
                        free=["in", "internal", "emergency"])  # fmt: skip
        rating.save_deck(made, by=BY)
        lines = [
            Line(0, ("out", facts[0], ""), Terms(name, facts[share], 0, step, step,
                 bands=((NIGHT, facts[share] // 2, 0),) if bands else ()), None, None)
            for name, facts in WORLD.items()
        ]  # fmt: skip
        rating.put_rates(made, lines, at=since, by=BY, full=True)
        return made

    carrier = carriers.save_carrier(Carrier(msp=msp, name="Carrier"), by=BY)
    trunk = carriers.save_trunk(Trunk(msp=msp, carrier=carrier, name="Carrier", host=f"{network}.9.1"), by=BY)
    rating.assign_trunk(trunk, deck("Carrier", "buy", 1, 3), begins=since, by=BY)
    return trunk, {False: deck("By the second", "sell", 1, 2, bands=True), True: deck("By the minute", "sell", 60, 2)}


def _company(msp: Any) -> tuple[Any, Any]:
    entity = LegalEntity(
        msp=msp, name="Month Voice GmbH", street="Hauptstr. 1", postcode="10115", city="Berlin", country="DE",
        vat_id="DE123456789", email="billing@month.example", phone="+49 30 1110100", iban=IBAN, bic="BYLADEM1001",
        bank="Demo Bank",
    )  # fmt: skip
    save_entity(entity, by=BY)
    return entity, save_account(CardAccount(msp=msp, entity=entity, kind=CardAccount.Kind.LAB), by=BY)


def _stock(msp: Any, first: str) -> None:
    count = sum(deal.numbers for deal in DEALS.values())
    draft = StockImport(
        msp=msp, name="Numbers", content=f"{first} x{count}".encode(), default_country="DE", created_by=BY.email
    )
    draft.save()
    imports.check_import(draft, lambda *_args: None)
    imports.store_import(draft, lambda *_args: None, by=BY)


def _customer(msp: Any, deal: Deal, decks: dict[bool, Any], entity: Any, month: date) -> Told:
    customer = Customer(
        msp=msp, name=f"{deal.label.title()} GmbH", label=deal.label, country="DE", channels=deal.channels
    )
    places.create_customer(customer, by=BY)
    with contexts.public():
        user = User.objects.create_user(f"admin@{deal.label}.{msp.slug}.example", PASSWORD, name="Ada Admin")
    with contexts.msp(msp):
        free = StockNumber.objects.free().filter(msp=msp).in_number_order()[: deal.numbers]
        numbers = {number.pk: number.e164 for number in free}
        profile = BillingProfile(
            msp=msp, tenant=customer, entity=entity, name=customer.name, street="Ring 1", postcode="10117",
            city="Berlin", country="DE", vat_id="DE987654321", language="en",
        )  # fmt: skip
        save_profile(profile, by=BY)
        account = limits.account_of(customer)
        account.currency, account.kind = "EUR", "prepaid" if deal.prepaid else "postpaid"
        limits.save_terms(account, by=BY)
        _contract(msp, customer, deal, decks[deal.by_minute], month)
    allocation.allocate(list(numbers), customer, by=BY)
    with contexts.customer(customer):
        Membership.objects.create(user=user, tenant=customer, role="admin")
        _use(customer, deal)
        token = _token(user, tenant=customer)
    return {"pk": customer.pk, "email": user.email, "token": token, "numbers": list(numbers.values())}


def _use(customer: Any, deal: Deal) -> None:
    """Put the customer's numbers to use, the first ones by its people."""
    address = CivicAddress(
        company=customer.name, street="Ring", house_number="1", postal_code="10117", city="Berlin", country="DE",
        latitude=52.52, longitude=13.38,
    )  # fmt: skip
    directory.validate_address(directory.save_address(address, by=BY), by=BY)
    place = directory.save_place(Place(address=address, description="Ground floor"), by=BY)
    numbers = list(Number.objects.in_number_order())
    ids = [number.pk for number in numbers]
    numbering.set_place(ids, place, customer=customer, by=BY)
    numbering.set_state(ids, Number.State.ACTIVE, customer=customer, by=BY)
    for place_of, number in enumerate(Number.objects.in_number_order()[: deal.people]):
        email = f"p{place_of}@{customer.label}.example"
        number.person = directory.save_person(Person(name=f"Person {place_of}", email=email), by=BY)
        numbering.save_number(number, customer=customer, by=BY)


def _contract(msp: Any, customer: Any, deal: Deal, deck: Any, month: date) -> None:
    plan = plans.save_plan(Plan(msp=msp, name=f"Plan {deal.label}", currency="EUR", zone="Europe/Berlin"), by=BY)
    starts, version = add_months(month, -deal.starts_before), plan.versions.get()
    version.effective_from, version.deck = starts, deck
    plans.save_version(version, by=BY)
    for part in deal.parts:
        tiers = [Tier(*each) for each in deal.tiers] if part["kind"] == "tiers" else ()
        plans.save_component(Component(version=version, **part), tiers=tiers, by=BY)
    version = plans.publish(version, by=BY)
    ordering.start_contract(Contract(msp_id=msp.pk, tenant=customer, starts=starts), version, by=BY)


def _token(user: Any, **place: Any) -> str:
    every = frozenset(CAPABILITIES)
    token = ApiToken(
        user=user, name="Month", scopes=sorted(every), expires_at=timezone.now() + timedelta(days=366), **place
    )
    with contexts.msp(place["msp"]) if "msp" in place else contexts.customer(place["tenant"]):
        return places.create_token(token, grantable=every, by=BY)


def later(told: Told) -> Told:
    """Do what the queue's clock does within the hour: hold counts against records, take up runs, make missing files."""
    at = timezone.now()
    hour = at.astimezone(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    wrong = reconciling.reconcile(hour)
    with contexts.public():
        msp = Msp.objects.get(pk=told["msp"])
    with contexts.msp(msp):
        taken = runs.take_up_runs(msp, at + 2 * runs.SILENT)
    with contexts.public():
        tasks.store_files.delay()
    return {"wrong": wrong, "taken": taken}


def leave(told: Told) -> Told:
    """Take the node out of service: nobody waits for it any more."""
    with contexts.public():
        disable_node(Node.objects.get(pk=told["node"]), by=BY)
    return {}
