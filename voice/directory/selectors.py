"""Reads of the directory."""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from django.db import connection
from django.db.models import Count, QuerySet
from django.db.models.functions import Lower

from voice.directory.models import CivicAddress, Person, Place, Site


def people() -> QuerySet[Person]:
    """Return everybody by name."""
    return Person.objects.select_related("site").order_by(Lower("name"), "pk")


def sites() -> QuerySet[Site]:
    """Return the sites by name with their address and how many people belong to them."""
    return Site.objects.select_related("address").annotate(people_count=Count("people")).order_by(Lower("name"), "pk")


def addresses() -> QuerySet[CivicAddress]:
    """Return the addresses by town and street with how many places lie at them."""
    return CivicAddress.objects.annotate(place_count=Count("places")).order_by("country", "city", "street", "pk")


def places() -> QuerySet[Place]:
    """Return the places with their address."""
    return Place.objects.select_related("address").order_by(
        "address__city", "address__street", Lower("description"), "pk"
    )


def place_choices(most: int = 200) -> list[tuple[int, str]]:
    """Return the key of each place with its description and town, in the order of `places`."""
    with connection.cursor() as cursor:
        cursor.execute(*place_choices_query(most))
        return named(cursor.fetchall())


@cache
def place_choices_query(most: int = 200) -> tuple[str, tuple[Any, ...]]:
    """Return the query behind `place_choices`, worded once: a list that filters by place asks it for every page."""
    return places().values_list("pk", "description", "address__city")[:most].query.sql_with_params()


def named(found: Iterable[Sequence[Any]]) -> list[tuple[int, str]]:
    """Return what the query of `place_choices` found as choices."""
    return [(key, f"{description}, {city}") for key, description, city in found]
