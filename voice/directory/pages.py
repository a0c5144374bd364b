"""The lists of the directory."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from portal.ui.lists import Action, Choice, Column, Empty, ListPage
from portal.ui.parts import Tab
from portal.ui.status import status
from tenants.countries import country_name
from voice.directory import selectors
from voice.directory.models import CivicAddress, Person, Place, Site


class DirectoryList(ListPage):
    """A list of the directory, with its siblings as tabs."""

    here = ""

    def __init__(self, request: HttpRequest, **context: Any) -> None:
        super().__init__(request, tabs=_tabs(self.here), **context)


def _tabs(here: str) -> list[Tab]:
    found = [
        (_("People"), "directory:list"),
        (_("Sites"), "directory:sites"),
        (_("Addresses"), "directory:addresses"),
        (_("Places"), "directory:places"),
    ]
    return [Tab(label, reverse(name), current=name == here) for label, name in found]


def _link(name: str) -> Any:
    return lambda row: reverse(name, args=[row.pk])


class PeopleList(DirectoryList):
    title, lead = _("People"), _("Who works here and may have a number.")
    here = "directory:list"
    columns = [
        Column("name", _("Name"), sort=True, link=_link("directory:person"), link_needs="people.change"),
        Column("email", _("E-mail"), sort=True),
        Column("site__name", _("Site"), sort=True),
    ]
    search_fields = ["name", "email", "site__name"]
    default_sort = "name"
    export_name = "people"
    actions = [Action(_("New person"), "directory:person_new", "user-plus", "people.change")]
    empty = Empty(_("Nobody is here yet."), _("For example “Dana Okafor, dana@example.com”."), actions[0], "users")

    def queryset(self) -> QuerySet[Person]:
        return selectors.people()


class SiteList(DirectoryList):
    title, lead = _("Sites"), _("Your buildings and campuses.")
    here = "directory:sites"
    columns = [
        Column("name", _("Name"), sort=True, link=_link("directory:site"), link_needs="people.change"),
        Column("address", _("Address"), value=lambda row: str(row.address or "")),
        Column("people_count", _("People"), kind="count", sort=True),
    ]
    search_fields = ["name", "address__city", "address__street"]
    default_sort = "name"
    export_name = "sites"
    actions = [Action(_("New site"), "directory:site_new", "plus", "people.change")]
    empty = Empty(_("No sites yet."), _("For example “Head office”."), actions[0], "building")

    def queryset(self) -> QuerySet[Site]:
        return selectors.sites()


class AddressList(DirectoryList):
    title, lead = _("Addresses"), _("Street addresses that help can be sent to, once they are validated.")
    here = "directory:addresses"
    columns = [
        Column("validation", _("State"), kind="status", value=lambda row: status(row.validation), sort=True),
        Column("street", _("Address"), value=str, sort=True, link=_link("directory:address")),
        Column("country", _("Country"), value=lambda row: country_name(row.country), sort=True, card=False),
        Column("place_count", _("Places"), kind="count", sort=True),
    ]
    search_fields = ["company", "street", "city", "postal_code"]
    filters = [Choice("validation", _("State"), CivicAddress.Validation.choices)]
    default_sort = "street"
    export_name = "addresses"
    actions = [Action(_("New address"), "directory:address_new", "plus", "people.change")]
    empty = Empty(_("No addresses yet."), _("For example “Invalidenstraße 116, 10115 Berlin”."), actions[0], "map-pin")

    def queryset(self) -> QuerySet[CivicAddress]:
        return selectors.addresses()


class PlaceList(DirectoryList):
    title = _("Places")
    lead = _("Floors, wings and rooms: where exactly help is needed. Numbers have their emergency location here.")
    here = "directory:places"
    columns = [
        Column("state", _("State"), kind="status", value=lambda row: status(row.address.validation)),
        Column("description", _("Place"), sort=True, link=_link("directory:place"), link_needs="people.change"),
        Column("address", _("Address"), value=lambda row: str(row.address)),
    ]
    search_fields = ["description", "address__city", "address__street"]
    default_sort = "description"
    export_name = "places"
    actions = [Action(_("New place"), "directory:place_new", "plus", "people.change")]
    empty = Empty(_("No places yet."), _("For example “2nd floor, east wing”."), actions[0], "map-pin")

    def queryset(self) -> QuerySet[Place]:
        return selectors.places()
