"""What happens when somebody dials an emergency number: which numbers there are, and which trunks carry them."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import QuerySet

from tenants.models import Customer
from voice.carriers import selectors as carriers
from voice.carriers.models import Trunk
from voice.directory.countries import countries
from voice.emergency.models import EmergencyTrunkChoice


@dataclass(frozen=True)
class DialString:
    """A number that a country dials in an emergency, or to test; it stands alone and never masks another."""

    dial: str
    service: str
    test: bool


@dataclass(frozen=True)
class EmergencyRoute:
    """A dial string with the trunks that carry it, in the order they are tried."""

    dial: str
    service: str
    test: bool
    trunks: tuple[Trunk, ...]

    @property
    def gateways(self) -> list[str]:
        return [trunk.gateway for trunk in self.trunks]


def emergency_numbers(country: str) -> list[DialString]:
    """Return what the country dials; where the table has none, 112 and 911 are passed on rather than refused."""
    entry = countries().get(country)
    if entry is None:
        return [DialString("112", "all", False), DialString("911", "all", False)]
    return [DialString(each["dial"], each["service"], each["test"]) for each in entry["numbers"]]


def emergency_trunks(customer: Customer, trunks: Iterable[Trunk] | None = None) -> list[Trunk]:
    """Return the trunks for the customer's emergency calls: its own list first, then the MSP's, each trunk once.

    Whoever has the customer's trunks at hand gives them along.
    """
    chosen = list(choices().values_list("trunk_id", flat=True))
    theirs = carriers.trunks_for(customer) if trunks is None else trunks
    usable = {trunk.pk: trunk for trunk in theirs if trunk.enabled and trunk.approved}
    own = [usable[pk] for pk in chosen if pk in usable]
    lines = carriers.emergency_trunks(customer.msp_id, customer.country)
    shared = [line.trunk for line in lines if line.trunk.enabled and not line.trunk.closed_at]
    return list(dict.fromkeys([*own, *shared]))


def emergency_for(customer: Customer, trunks: Iterable[Trunk] | None = None) -> list[EmergencyRoute]:
    """Return every emergency number of the customer's country with the trunks that carry it."""
    tried = tuple(emergency_trunks(customer, trunks))
    return [EmergencyRoute(each.dial, each.service, each.test, tried) for each in emergency_numbers(customer.country)]


def choices() -> QuerySet[EmergencyTrunkChoice]:
    """Return the customer's own list in order."""
    return EmergencyTrunkChoice.objects.in_order()
