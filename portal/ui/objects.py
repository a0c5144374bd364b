"""The objects that have a page of their own and an address in the API: what their tabs *History* and *API* lead to."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from portal.core import api_object
from portal.ui import values
from portal.ui.navigation import page_url
from portal.ui.parts import Tab


@dataclass(frozen=True)
class Kind:
    """A kind of object: its page, what that page demands beyond reading, and the list that it stands in."""

    page: str
    list_page: str
    list_label: str | Promise
    page_needs: str = ""
    changes: bool = True
    history_page: str = ""
    name: Callable[[Any], str] = str
    # Further pages of the object: words, URL name and the capability that each demands.
    more: tuple[tuple[str | Promise, str, str], ...] = ()


def _number(row: Any) -> str:
    return values.phone(row.e164)


def _deployment(row: Any) -> str:
    return _("Version %(version)s on %(node)s") % {"version": row.wanted, "node": row.node}


# By place and by the resource's name in the API; `tests/test_objects.py` opens each of them.
KINDS: dict[str, dict[str, Kind]] = {
    "operator": {
        "msps": Kind("msps:detail", "msps:list", _("MSPs")),
        "regions": Kind("regions:edit", "regions:list", _("Regions"), "regions.change"),
        "retention-rules": Kind("retention:rule", "retention:list", _("Retention"), "retention.change"),
        "nodes": Kind("nodes:detail", "nodes:list", _("Nodes")),
        "certificates": Kind("certificates:detail", "certificates:list", _("Certificates")),
        "quarantined-records": Kind("quarantine:detail", "quarantine:list", _("Records kept aside")),
        "deployments": Kind("rollout:detail", "rollout:list", _("Rollout"), changes=False, name=_deployment),
        "tax-rules": Kind("taxes:rule", "taxes:list", _("Taxes")),
    },
    "msp": {
        "customers": Kind(
            "customers:detail",
            "customers:list",
            _("Customers"),
            history_page="customers:history",
            more=(
                (_("Account"), "accounts:detail", "bills.view"),
                (_("Contract"), "plans:of_customer", "plans.view"),
                (_("Billing"), "invoices:profile", "bills.view"),
            ),
        ),
        "stock-numbers": Kind("inventory:number", "inventory:list", _("Number stock"), name=_number),
        "carriers": Kind("carriers:carrier", "carriers:list", _("Carriers"), "carriers.change"),
        "trunks": Kind("carriers:trunk", "carriers:trunks", _("Trunks")),
        "decks": Kind("decks:detail", "decks:list", _("Decks")),
        "proposals": Kind("rerating:detail", "rerating:list", _("Rating again")),
        "hosts": Kind("domains:host", "domains:list", _("Domains")),
        "calls": Kind("calls:detail", "calls:list", _("Calls"), changes=False),
        "plans": Kind("plans:detail", "plans:list", _("Plans")),
        "contracts": Kind("plans:contract", "plans:contracts", _("Contracts")),
        "quotes": Kind("plans:quote", "plans:quotes", _("Quotes")),
        "invoices": Kind("invoices:detail", "invoices:list", _("Invoices")),
        "webhooks": Kind("delivery:endpoint", "delivery:list", _("Integrations")),
        "file-stores": Kind("delivery:store", "delivery:stores", _("Places for files")),
        "assessments": Kind("advisor:detail", "advisor:list", _("Connectivity advisor")),
        "carrier-invoices": Kind("margin:carrier_invoice", "margin:carrier_invoices", _("Carrier invoices")),
        "card-payments": Kind("payments:card", "payments:cards", _("Card payments")),
        "reminders": Kind("payments:reminder", "payments:reminders", _("Reminders")),
        "bank-entries": Kind("payments:entry", "payments:bank", _("Bank statements")),
        "invoice-runs": Kind("invoices:run", "invoices:runs", _("Invoice runs")),
        "questions": Kind("invoices:question", "invoices:questions", _("Questions")),
        "legal-entities": Kind("invoices:entity", "invoices:entities", _("Your companies"), "bills.change"),
        "deployments": Kind("rollout:detail", "rollout:list", _("Rollout"), changes=False, name=_deployment),
    },
    "customer": {
        "numbers": Kind("numbers:number", "numbers:list", _("Numbers"), name=_number),
        "caller-ids": Kind("numbers:caller_id", "numbers:caller_ids", _("Caller ID"), "numbers.change", name=_number),
        "people": Kind("directory:person", "directory:list", _("People and places"), "people.change"),
        "sites": Kind("directory:site", "directory:sites", _("Sites"), "people.change"),
        "addresses": Kind("directory:address", "directory:addresses", _("Addresses")),
        "places": Kind("directory:place", "directory:places", _("Places"), "people.change"),
        "routes": Kind("routing:edit", "routing:list", _("Routing"), "routing.change"),
        "schedules": Kind("routing:schedule_edit", "routing:schedules", _("Hours"), "routing.change"),
        "trunks": Kind("carriers:trunk", "carriers:list", _("Trunks")),
        "calls": Kind("calls:detail", "calls:list", _("Calls"), changes=False),
        "bill-questions": Kind("bills:question", "bills:questions", _("Questions")),
        "bills": Kind("bills:detail", "bills:list", _("Bills"), changes=False),
        "deployments": Kind("rollout:detail", "rollout:list", _("Rollout"), changes=False, name=_deployment),
    },
}


def kind_of(request: HttpRequest, resource: str) -> Kind | None:
    return KINDS.get(getattr(request, "place", "") or "", {}).get(resource)


def tabs(request: HttpRequest, resource: str, pk: Any, current: str = "page") -> list[Tab]:
    """Return the tabs of an object's pages, without those that the reader may not open."""
    kind, can = kind_of(request, resource), getattr(request, "can", None)
    if kind is None or can is None or pk is None:
        return []
    found = []
    if not kind.page_needs or can(kind.page_needs):
        found.append(Tab(_("Overview"), page_url(kind.page, request, pk), current == "page"))
    found += [
        Tab(label, page_url(page, request, pk), current == page) for label, page, needs in kind.more if can(needs)
    ]
    if can(api_object.viewing(request, resource)):
        if kind.changes:
            found.append(Tab(_("History"), history_url(request, kind, resource, pk), current == "history"))
        if can("api.use"):
            found.append(Tab(_("API"), page_url("objects:api", request, resource, pk), current == "api"))
    return found


def history_url(request: HttpRequest, kind: Kind, resource: str, pk: Any) -> str:
    """Return where an object's history stands; some have a page of their own for it."""
    if kind.history_page:
        return page_url(kind.history_page, request, pk)
    return page_url("objects:history", request, resource, pk)
