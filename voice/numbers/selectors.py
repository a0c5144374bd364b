"""Reads of the customer's numbers."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet

from tenants.models import Customer
from voice.carriers.models import Trunk
from voice.carriers.selectors import trunks_for
from voice.directory.countries import countries_without_location, location_required
from voice.directory.models import CivicAddress
from voice.directory.selectors import named, place_choices_query
from voice.inventory.selectors import digits_pattern
from voice.numbers.models import ApprovedCallerId, Number, NumberQuerySet

# Stands on a page that is opened all day; the same as `without_location` beside the count of all.
TALLY = """
    SELECT count(*), count(*) FILTER (WHERE number.state <> 'suspended' AND number.country <> ALL(%s)
                                        AND address.validation IS DISTINCT FROM 'validated')
      FROM numbers_number number
      LEFT JOIN directory_place place ON place.id = number.place_id
      LEFT JOIN directory_civicaddress address ON address.id = place.address_id
"""
VALIDATED = Q(place__address__validation=CivicAddress.Validation.VALIDATED)


def numbers(text: str = "") -> NumberQuerySet:
    """Return the customer's numbers, or those that the text may mean."""
    return find_numbers(Number.objects.select_related("place__address", "person").in_number_order(), text)


def find_numbers(found: NumberQuerySet, text: str) -> NumberQuerySet:
    """Return the numbers that the text may mean: written in any format, a part of the digits, a label or a person."""
    text = text.replace("\0", "").strip()
    if not text:
        return found
    wanted = Q(label__icontains=text) | Q(person__name__icontains=text)
    if pattern := digits_pattern(text):
        wanted |= Q(e164__regex=pattern)
    return found.filter(wanted)


def needs_location(number: Number, customer: Customer) -> bool:
    """Return whether the country of the number, or of the people who call with it, demands a location."""
    return location_required(number.country) or location_required(customer.country)


def without_location(customer: Customer) -> NumberQuerySet:
    """Return the numbers in use that lack a validated emergency location."""
    found = Number.objects.exclude(VALIDATED).exclude(state=Number.State.SUSPENDED)
    if location_required(customer.country):
        return found
    codes = set(found.values_list("country", flat=True))
    return found.filter(country__in=[code for code in codes if location_required(code)])


@dataclass(frozen=True)
class Surroundings:
    """What stands around the list of numbers: how many, how many of those in use lack a location, and all places."""

    total: int
    missing: int
    places: list[tuple[int, str]]


def surroundings(customer: Customer) -> Surroundings:
    """Return what stands around the list of the customer's numbers."""
    exempt = [] if location_required(customer.country) else countries_without_location()
    query, parameters = _surroundings()
    with connection.cursor() as cursor:
        cursor.execute(query, [*parameters, exempt])
        total, missing, places = cursor.fetchone()
    return Surroundings(total, missing, named(places))


@cache
def _surroundings() -> tuple[str, tuple[Any, ...]]:
    query, parameters = place_choices_query()
    one = f"SELECT * FROM ({query}) AS one (key, description, city)"  # noqa: S608  Django's own words
    places = f"SELECT coalesce(json_agg(json_build_array(key, description, city)), '[]') FROM ({one}) AS each"  # noqa: S608
    return f"SELECT total, missing, ({places}) FROM ({TALLY}) AS tally (total, missing)", parameters  # noqa: S608


def trunk_names(customer: Customer) -> dict[int, str]:
    """Return the names of the trunks that may take calls to the customer's numbers."""
    return dict(trunks_for(customer).values_list("pk", "name"))


def inbound_trunk(number: Number) -> Trunk | None:
    """Return the trunk that takes the number's calls, if one does."""
    return Trunk.objects.filter(pk=number.inbound_trunk).first() if number.inbound_trunk else None


def caller_ids() -> QuerySet[ApprovedCallerId]:
    """Return the foreign numbers that the customer may show as caller."""
    return ApprovedCallerId.objects.order_by("e164")
