"""What happens when somebody dials an emergency number: which numbers there are, and which trunks carry them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import F, QuerySet

from tenants.models import Customer
from voice.carriers import selectors as carriers
from voice.carriers.models import Trunk
from voice.directory.countries import countries
from voice.directory.models import Place
from voice.emergency.models import EmergencyTrunkChoice
from voice.numbers.models import Number


@dataclass(frozen=True)
class DialString:
    """A number that a country dials in an emergency, or to test; it stands alone and never masks another."""

    dial: str
    service: str
    test: bool


@dataclass(frozen=True)
class EmergencyRoute:
    """A dial string of a country with the trunks that carry it, in the order they are tried."""

    dial: str
    service: str
    test: bool
    country: str
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


def countries_of(customer: Customer) -> list[str]:
    """Return where the customer's people may call for help: its own country, then those of its numbers and places."""
    abroad = [row["country"] for read in (number_countries(), place_countries()) for row in read]
    return in_order(customer.country, abroad)


def number_countries() -> QuerySet[Number, Any]:
    """Return the countries of the customer's numbers."""
    return Number.objects.order_by().values("country").distinct()


def place_countries() -> QuerySet[Place, Any]:
    """Return the countries of the customer's emergency locations."""
    return Place.objects.order_by().values(country=F("address__country")).distinct()


def in_order(home: str, countries: Iterable[str]) -> list[str]:
    """Return the customer's own country first: what two countries dial means what it means at home."""
    return [home, *sorted(set(countries) - {home})]


def trunks_by_country(
    countries: Sequence[str], chosen: Iterable[int], theirs: Iterable[Trunk], shared: Iterable[tuple[str, Trunk]]
) -> dict[str, list[Trunk]]:
    """Return the trunks for emergency calls in each of the countries, the customer's own first, whether in use or not.

    At home the customer's own list is tried first, then the MSP's; abroad the MSP's list of that country, and what is
    tried at home behind it: a customer's own list names no country. An SBC passes over a trunk that is out of use:
    switched on again, it carries emergency calls at once and everywhere.
    """
    listed: dict[str, list[Trunk]] = {country: [] for country in countries}
    for country, trunk in shared:
        if country in listed and not trunk.closed_at:
            listed[country].append(trunk)
    usable = {trunk.pk: trunk for trunk in theirs if trunk.approved}
    home, *abroad = countries
    at_home = list(dict.fromkeys([*(usable[pk] for pk in chosen if pk in usable), *listed[home]]))
    return {home: at_home} | {country: list(dict.fromkeys([*listed[country], *at_home])) for country in abroad}


def emergency_trunks(customer: Customer, trunks: Iterable[Trunk] | None = None) -> dict[str, list[Trunk]]:
    """Return by country, the customer's own first, the trunks that its emergency calls try.

    Whoever has the customer's trunks at hand gives them along.
    """
    chosen = choices().values_list("trunk_id", flat=True)
    theirs = carriers.trunks_for(customer) if trunks is None else trunks
    lines = carriers.emergency_lists(customer.msp_id).select_related("trunk")
    found = trunks_by_country(countries_of(customer), chosen, theirs, ((line.country, line.trunk) for line in lines))
    return {country: [trunk for trunk in listed if trunk.enabled] for country, listed in found.items()}


def emergency_for(customer: Customer, trunks: Iterable[Trunk] | None = None) -> list[EmergencyRoute]:
    """Return every emergency number of the customer's countries with the trunks that carry it."""
    return emergency_over(emergency_trunks(customer, trunks))


def emergency_over(trunks: Mapping[str, Iterable[Trunk]]) -> list[EmergencyRoute]:
    """Return every emergency number of the countries once, carried by their trunks.

    The first country that dials it so decides, and a call for help goes before a test.
    """
    found: dict[str, EmergencyRoute] = {}
    said = [(each, country) for country in trunks for each in emergency_numbers(country)]
    for each, country in sorted(said, key=lambda one: one[0].test):
        route = EmergencyRoute(each.dial, each.service, each.test, country, tuple(trunks[country]))
        found.setdefault(each.dial, route)
    return list(found.values())


def choices() -> QuerySet[EmergencyTrunkChoice]:
    """Return the customer's own list in order."""
    return EmergencyTrunkChoice.objects.in_order()
