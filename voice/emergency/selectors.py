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
    chosen = choices().values_list("trunk_id", flat=True)
    lines = carriers.emergency_trunks(customer.msp_id, customer.country)
    theirs = carriers.trunks_for(customer) if trunks is None else trunks
    return [trunk for trunk in listed_in_order(chosen, theirs, (line.trunk for line in lines)) if trunk.enabled]


def listed_in_order(chosen: Iterable[int], theirs: Iterable[Trunk], shared: Iterable[Trunk]) -> list[Trunk]:
    """Return the trunks that the customer may use and chose, and those of the MSP's list, whether in use or not.

    An SBC passes over one that is out of use: switched on again, it carries emergency calls at once and everywhere.
    """
    usable = {trunk.pk: trunk for trunk in theirs if trunk.approved}
    own = [usable[pk] for pk in chosen if pk in usable]
    return list(dict.fromkeys([*own, *(trunk for trunk in shared if not trunk.closed_at)]))


def emergency_for(customer: Customer, trunks: Iterable[Trunk] | None = None) -> list[EmergencyRoute]:
    """Return every emergency number of the customer's country with the trunks that carry it."""
    return emergency_over(customer.country, emergency_trunks(customer, trunks))


def emergency_over(country: str, trunks: Iterable[Trunk]) -> list[EmergencyRoute]:
    """Return every emergency number of the country, carried by these trunks."""
    tried = tuple(trunks)
    return [EmergencyRoute(each.dial, each.service, each.test, tried) for each in emergency_numbers(country)]


def choices() -> QuerySet[EmergencyTrunkChoice]:
    """Return the customer's own list in order."""
    return EmergencyTrunkChoice.objects.in_order()
