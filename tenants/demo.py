"""The demo's people and places: an operator, two MSPs under their own brands, three customers, and their staff."""

import math
import struct
import zlib
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import transaction

from portal.core.audit import Actor
from portal.db import contexts
from tenants import png, services
from tenants.models import BaseDomain, Brand, Customer, Membership, Msp, OwnHost, Region, User

PASSWORD = "strowger-demo"  # noqa: S105 (printed at every start of the demo)
BY = Actor.system("demo")

MSPS = {
    "northwind": ("Northwind Voice", "#0f766e", "help@northwind.example", "+49301110100"),
    "fabrikam": ("Fabrikam Telecom", "#b45309", "support@fabrikam.example", "+442071110100"),
}
CUSTOMERS = {
    "acme": ("northwind", "Acme GmbH", "DE", "Europe/Berlin"),
    "globex": ("northwind", "Globex Corporation", "US", "America/New_York"),
    "initech": ("fabrikam", "Initech Ltd", "GB", "Europe/London"),
}
PEOPLE = {
    "nadia@northwind.example": ("Nadia Novak", "northwind", "owner", "Europe/Berlin"),
    "erik@northwind.example": ("Erik Engel", "northwind", "engineer", "Europe/Berlin"),
    "bea@northwind.example": ("Bea Brandt", "northwind", "billing", "Europe/Berlin"),
    "sami@northwind.example": ("Sami Sand", "northwind", "support", "Europe/Berlin"),
    "fiona@fabrikam.example": ("Fiona Frost", "fabrikam", "owner", "Europe/London"),
    "alice@acme.example": ("Alice Adler", "acme", "admin", "Europe/Berlin"),
    "victor@acme.example": ("Victor Voss", "acme", "viewer", "Europe/Berlin"),
    "mallory@globex.example": ("Mallory Moss", "globex", "admin", "America/New_York"),
    "ines@initech.example": ("Ines Irwin", "initech", "admin", "Europe/London"),
}


@dataclass
class Cast:
    """Who is in the demo, for the other apps to give things to."""

    region: Region
    msps: list[Msp]
    customers: list[Customer]
    # Where the node and the lab of the demo find what they need; None where nothing is written.
    directory: Path | None = None
    # How far calls go back: what lists and charts of months need, and most tests do not.
    weeks: int = 0

    def msp(self, slug: str) -> Msp:
        return next(msp for msp in self.msps if msp.slug == slug)

    def customer(self, label: str) -> Customer:
        return next(customer for customer in self.customers if customer.label == label)

    def as_msp(self, msp: Msp, customer: Customer | None = None) -> AbstractContextManager[None]:
        return contexts.msp(msp, customer)

    def as_customer(self, customer: Customer) -> AbstractContextManager[None]:
        return contexts.customer(customer)


def cast() -> Cast:
    """Make the demo's people and places where they are missing, and return them."""
    with contexts.public(), transaction.atomic():
        _operator()
        region = _region()
        msps = [_msp(slug, region) for slug in MSPS]
    by_slug = {msp.slug: msp for msp in msps}
    customers = [_customer(label, by_slug[facts[0]]) for label, facts in CUSTOMERS.items()]
    by_label = {customer.label: customer for customer in customers}
    for email, (name, place, role, zone) in PEOPLE.items():
        _person(email, name, zone, by_label.get(place) or by_slug[place], role)
    return Cast(region, msps, customers)


def _operator() -> None:
    if not User.objects.filter(email="operator@strowger.example").exists():
        User.objects.create_user("operator@strowger.example", PASSWORD, name="Olga Operator", is_operator=True)


def _region() -> Region:
    found = Region.objects.filter(slug="lab").first()
    if found:
        return found
    names = [
        {"fqdn": f"{name}.pstnhub.microsoft.com", "address": f"{settings.LAB_NETWORK}.8.{number}", "port": 5061}
        for number, name in enumerate(("sip", "sip2", "sip3"), 1)
    ]
    lab = Region(
        name="Lab",
        slug="lab",
        allowed_networks=[f"{settings.LAB_NETWORK}.9.0/24"],
        microsoft_names=names,
        microsoft_networks=[f"{settings.LAB_NETWORK}.8.0/24"],
    )
    return services.save_region(lab, by=BY)


def _msp(slug: str, region: Region) -> Msp:
    found = Msp.objects.filter(slug=slug).first()
    if found:
        return found
    name, accent, email, phone = MSPS[slug]
    msp = services.create_msp(Msp(name=name, slug=slug, support_email=email, support_phone=phone), by=BY)
    services.add_base_domain(BaseDomain(msp=msp, region=region, fqdn=f"sbc.{slug}.example"), by=BY)
    with contexts.msp(msp):
        brand = Brand.objects.get(msp=msp)
        brand.accent = accent
        services.save_brand(brand, by=BY, logo=_logo(accent, spokes=4 if slug == "northwind" else 6))
        # Waits for DNS until somebody writes its record into var/dns.json.
        services.add_host(OwnHost(msp=msp, host=f"portal.{slug}.example"), by=BY)
    return msp


def _customer(label: str, msp: Msp) -> Customer:
    with contexts.msp(msp):
        found = Customer.objects.select_related("msp").filter(label=label).first()
        if found:
            return found
        _slug, name, country, zone = CUSTOMERS[label]
        return services.create_customer(
            Customer(msp=msp, name=name, label=label, country=country, time_zone=zone), by=BY
        )


def _person(email: str, name: str, zone: str, place: Msp | Customer, role: str) -> None:
    user = User.objects.filter(email=email).first()
    if user is None:
        user = User.objects.create_user(email, PASSWORD, name=name, time_zone=zone)
    if isinstance(place, Customer):
        with contexts.customer(place):
            Membership.objects.get_or_create(user=user, tenant=place, defaults={"role": role})
    else:
        with contexts.msp(place):
            Membership.objects.get_or_create(user=user, msp=place, defaults={"role": role})


def _logo(colour: str, *, spokes: int, size: int = 96) -> bytes:
    """Draw a compass rose in the brand's colour, so that the demo needs no picture of somebody else's."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    middle, rows = (size - 1) / 2, []
    for y in range(size):
        row = bytearray(b"\0")
        for x in range(size):
            distance, angle = math.hypot(x - middle, y - middle), math.atan2(y - middle, x - middle)
            reach = middle * (0.30 + 0.70 * abs(math.cos(angle * spokes / 2)) ** 3)
            cover = max(0.0, min(1.0, reach - distance + 0.5)) * max(0.0, min(1.0, distance - size * 0.09))
            row += bytes((red, green, blue, round(255 * cover)))
        rows.append(bytes(row))
    header = struct.pack(">IIBBBBB", size, size, 8, 6, 0, 0, 0)
    return png.assemble([(b"IHDR", header), (b"IDAT", zlib.compress(b"".join(rows))), (b"IEND", b"")])
