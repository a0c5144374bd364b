"""What the search palette finds in the directory."""

from collections.abc import Iterator
from urllib.parse import urlencode

from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from portal.ui.search import Hit, provider
from voice.directory import selectors


@provider("people.view", places=["customer"])
def people(request: HttpRequest, text: str) -> Iterator[Hit]:
    """Find people by name or e-mail address."""
    found = selectors.people().filter(Q(name__icontains=text) | Q(email__icontains=text)).order_by("name")
    for person in found[:5]:
        yield Hit(person.name, _page(request, "person", "list", person.pk, text), _("Person"), "user", person.email)


@provider("people.view", places=["customer"])
def sites(request: HttpRequest, text: str) -> Iterator[Hit]:
    """Find sites by name."""
    for site in selectors.sites().filter(name__icontains=text).order_by("name")[:5]:
        yield Hit(site.name, _page(request, "site", "sites", site.pk, text), _("Site"), "building")


@provider("people.view", places=["customer"])
def addresses(request: HttpRequest, text: str) -> Iterator[Hit]:
    """Find addresses by street or town."""
    matching = Q(street__icontains=text) | Q(city__icontains=text)
    for address in selectors.addresses().filter(matching).order_by("street", "pk")[:5]:
        detail = address.get_validation_display()
        yield Hit(str(address), reverse("directory:address", args=[address.pk]), _("Address"), "map-pin", detail)


@provider("people.view", places=["customer"])
def places(request: HttpRequest, text: str) -> Iterator[Hit]:
    """Find places by floor, wing or room."""
    for place in selectors.places().filter(description__icontains=text).order_by("description")[:5]:
        url = _page(request, "place", "places", place.pk, text)
        yield Hit(place.description, url, _("Place"), "map-pin", str(place.address))


def _page(request: HttpRequest, page: str, listed: str, pk: int, text: str) -> str:
    """Return the row's own page, or the list narrowed to it for who changes nothing: only the former is a form."""
    if request.can("people.change"):  # type: ignore[attr-defined]
        return reverse(f"directory:{page}", args=[pk])
    return f"{reverse(f'directory:{listed}')}?{urlencode({'q': text})}"
