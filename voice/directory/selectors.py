"""Reads of the directory."""

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
