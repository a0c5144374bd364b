"""What the tests of places begin with."""

from typing import Any

from voice.directory.models import CivicAddress, Place
from voice.directory.services import save_address, save_place, validate_address


def berlin(by: Any, *, validated: bool = True, **changes: Any) -> Place:
    """Return a place in Berlin, in the customer's context."""
    facts = {
        "company": "Acme", "street": "Invalidenstraße", "house_number": "116", "postal_code": "10115", "city": "Berlin",
        "country": "DE",
    } | changes  # fmt: skip
    address = save_address(CivicAddress(**facts), by=by)
    if validated:
        validate_address(address, by=by)
    return save_place(Place(address=address, description="2nd floor"), by=by)
