"""The demo's people and places."""

from typing import Any

from portal.core.audit import Actor
from voice.directory import services
from voice.directory.models import CivicAddress, Person, Place, Site

ADDRESSES = {
    "acme": {
        "company": "Acme GmbH", "street": "Invalidenstraße", "house_number": "116", "postal_code": "10115",
        "city": "Berlin", "country": "DE", "latitude": 52.5299, "longitude": 13.3816,
    },
    "globex": {
        "company": "Globex Corporation", "street": "Pine Street", "house_number": "1420", "postal_code": "98101",
        "city": "Seattle", "state_or_province": "WA", "country": "US", "latitude": 47.6117, "longitude": -122.3341,
    },
    "initech": {
        "company": "Initech Ltd", "street": "Cornhill", "house_number": "30", "postal_code": "EC3V 3ND",
        "city": "London", "country": "GB", "latitude": 51.5134, "longitude": -0.0866,
    },
}  # fmt: skip
PLACES = ("Ground floor, reception", "2nd floor, east wing")
PEOPLE = ("Dana Okafor", "Jonas Lindqvist", "Mei Tanaka", "Paul Roth", "Rosa Ferreira", "Tim Novak")


def seed(cast: Any) -> None:
    """Give each demo customer a site, two places and some people, once."""
    by = Actor.system("demo")
    for customer in cast.customers:
        with cast.as_customer(customer):
            if not Person.objects.exists():
                _seed(customer.label, by)


def _seed(label: str, by: Actor) -> None:
    address = services.save_address(CivicAddress(**ADDRESSES[label]), by=by)
    services.validate_address(address, by=by)
    site = services.save_site(Site(name="Head office", address=address), by=by)
    for description in PLACES:
        services.save_place(Place(address=address, description=description), by=by)
    for name in PEOPLE:
        email = f"{name.lower().replace(' ', '.')}@{label}.example"
        services.save_person(Person(name=name, email=email, site=site), by=by)
    # One draft, so that there is something to do.
    draft = ADDRESSES[label] | {"street": "Ring", "house_number": "", "latitude": None, "longitude": None}
    services.save_address(CivicAddress(**draft), by=by)
