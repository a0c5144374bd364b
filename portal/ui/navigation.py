"""What the side navigation offers in each place; an entry shows when its page exists and the reader may see it."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.template import loader
from django.urls import NoReverseMatch, get_urlconf, reverse
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

Words = str | Promise
# Stands for a row's key while its page's address is taken apart; nothing else in an address looks like it.
ANY_KEY = 918_273_645_546_372_819


@dataclass(frozen=True)
class Entry:
    label: Words
    icon: str
    url_name: str
    capability: str = ""
    group: Words = ""
    # Pages that are reached by tabs of this entry's page, where their addresses do not lie under its own.
    covers: tuple[str, ...] = ()
    # Other words by which the search finds the page.
    also: Words = ""
    # A page of the reader's own account, which is closed to who acts as somebody else.
    own: bool = False


@dataclass(frozen=True)
class Link:
    """An entry as it stands on one page."""

    label: Words
    icon: str
    url: str
    current: bool
    also: Words = ""


@dataclass(frozen=True)
class Group:
    label: Words
    links: list[Link]


NETWORK, BUSINESS, ACCOUNT = _("Network"), _("Business"), _("Account")

PLACES: dict[str, list[Entry]] = {
    "operator": [
        Entry(_("Home"), "home", "home"),
        Entry(_("MSPs"), "building-community", "msps:list", "msps.view"),
        Entry(_("Regions"), "world", "regions:list", "nodes.view", NETWORK),
        Entry(_("Nodes"), "server-2", "nodes:list", "nodes.view", NETWORK),
        Entry(_("Certificates"), "certificate", "certificates:list", "nodes.view", NETWORK),
        Entry(_("Rollout"), "versions", "rollout:list", "rollout.view", NETWORK),
        Entry(_("Health"), "heart", "health:list", "nodes.view", NETWORK),
        Entry(_("Reconciliation"), "checks", "counts:list", "counts.view", NETWORK),
        Entry(_("Taxes"), "receipt-tax", "taxes:list", "taxes.view", BUSINESS),
        Entry(_("API tokens"), "key", "tokens:list", "api.use", ACCOUNT),
        Entry(_("Retention"), "hourglass", "retention:list", "retention.view", ACCOUNT),
        Entry(_("Audit log"), "history", "audit:list", "audit.view", ACCOUNT),
    ],
    "msp": [
        Entry(_("Home"), "home", "home"),
        Entry(_("Customers"), "building", "customers:list", "customers.view"),
        Entry(_("Number stock"), "hash", "inventory:list", "stock.view"),
        Entry(_("Calls"), "phone", "calls:list", "calls.view"),
        Entry(_("Quality"), "chart-bar", "calls:quality", "calls.view"),
        Entry(_("Carriers"), "antenna", "carriers:list", "carriers.view", NETWORK),
        Entry(_("Rollout"), "versions", "rollout:list", "rollout.view", NETWORK),
        Entry(_("Rates"), "table", "decks:list", "rates.view", BUSINESS, ("unrated:list", "rerating:list")),
        Entry(_("Plans"), "packages", "plans:list", "plans.view", BUSINESS),
        Entry(_("Invoices"), "file-text", "invoices:list", "bills.view", BUSINESS),
        Entry(_("Payments"), "credit-card", "invoices:payments", "bills.view", BUSINESS),
        Entry(_("Margin"), "trending-up", "margin:overview", "margin.view", BUSINESS),
        Entry(_("Advisor"), "bulb", "advisor:list", "advice.view", BUSINESS),
        Entry(_("Brand"), "palette", "brand:edit", "brand.change", ACCOUNT),
        Entry(_("Domains"), "world", "domains:list", "domains.view", ACCOUNT),
        Entry(_("Team"), "users-group", "team:list", "team.view", ACCOUNT),
        Entry(_("API tokens"), "key", "tokens:list", "api.use", ACCOUNT),
        Entry(_("Integrations"), "plug-connected", "delivery:list", "integrations.view", ACCOUNT),
        Entry(_("Retention"), "hourglass", "retention:list", "retention.view", ACCOUNT),
        Entry(_("Audit log"), "history", "audit:list", "audit.view", ACCOUNT),
    ],
    "customer": [
        Entry(_("Home"), "home", "home"),
        Entry(_("Calls"), "phone", "calls:list", "calls.view"),
        Entry(_("Quality"), "chart-bar", "calls:quality", "calls.view"),
        Entry(_("Numbers"), "hash", "numbers:list", "numbers.view"),
        Entry(_("People and places"), "users", "directory:list", "people.view"),
        Entry(_("Routing"), "route", "routing:list", "routing.view", also=_("block a number, try a number, routes")),
        Entry(_("Trunks"), "plug-connected", "carriers:list", "carriers.view", also=_("carriers, lines")),
        Entry(_("Emergency"), "ambulance", "emergency:home", "emergency.view", also="110 112 911 999"),
        Entry(
            _("Bills and usage"),
            "file-text",
            "bills:list",
            "bills.view",
            ACCOUNT,
            ("usage:list", "account:home", "plan:home"),
            also=_("invoices"),
        ),
        Entry(_("Rollout"), "versions", "rollout:list", "rollout.view", ACCOUNT),
        Entry(_("Company"), "building", "settings:company", "settings.view", ACCOUNT, also=_("settings, support")),
        Entry(_("Team"), "users-group", "team:list", "team.view", ACCOUNT, also=_("users, roles, invitations")),
        Entry(_("API tokens"), "key", "tokens:list", "api.use", ACCOUNT),
        Entry(_("What we keep"), "hourglass", "retention:list", "retention.view", ACCOUNT),
        Entry(_("Audit log"), "history", "audit:list", "audit.view", ACCOUNT),
    ],
}

# Pages that stand as tabs on the page of an entry above: the search finds them all the same.
TABS: dict[str, list[Entry]] = {
    "msp": [
        Entry(_("Trunks"), "plug-connected", "carriers:trunks", "carriers.view"),
        Entry(_("Emergency trunks"), "ambulance", "carriers:emergency", "emergency.view"),
        Entry(_("Block list"), "ban", "carriers:blocked", "carriers.view"),
        Entry(_("Unrated calls"), "table", "unrated:list", "rates.view"),
        Entry(_("Rating again"), "refresh", "rerating:list", "rates.view"),
        Entry(_("Contracts"), "file-text", "plans:contracts", "plans.view"),
        Entry(_("Quotes"), "file-text", "plans:quotes", "plans.view"),
        Entry(_("Invoice runs"), "versions", "invoices:runs", "bills.view"),
        Entry(_("Questions about invoices"), "help-circle", "invoices:questions", "questions.view"),
        Entry(_("How customers are billed"), "building", "invoices:profiles", "bills.view"),
        Entry(_("Your companies"), "building", "invoices:entities", "bills.view"),
        Entry(_("Taxes"), "file-text", "invoices:taxes", "bills.view"),
        Entry(_("Exchange rates"), "arrows-exchange", "currencies:list", "bills.view"),
        Entry(_("Bank statements"), "credit-card", "payments:bank", "payments.view"),
        Entry(_("Reminders"), "credit-card", "payments:reminders", "payments.view"),
        Entry(_("Card payments"), "credit-card", "payments:cards", "payments.view"),
        Entry(_("Carrier invoices"), "antenna", "margin:carrier_invoices", "margin.view"),
    ],
    "customer": [
        Entry(_("Usage"), "chart-bar", "usage:list", "bills.view"),
        Entry(_("Balance and limits"), "wallet", "account:home", "bills.view"),
        Entry(_("Your plan"), "packages", "plan:home", "bills.view", also=_("contract, included minutes")),
        Entry(_("Pay"), "credit-card", "pay:pay", "payments.change", also=_("IBAN, bank transfer")),
        Entry(_("Top up"), "plus", "pay:top_up", "payments.change", also=_("prepaid")),
        Entry(_("Payments"), "credit-card", "pay:payments", "payments.view", also=_("receipts")),
        Entry(_("Statement of account"), "file-text", "pay:statement", "payments.view"),
        Entry(_("Your questions"), "help-circle", "bills:questions", "questions.view"),
        Entry(_("Caller ID"), "id", "numbers:caller_ids", "numbers.view"),
        Entry(_("Usage by person"), "chart-bar", "numbers:usage", "calls.view", also=_("minutes, talk time of people")),
        Entry(_("Hours"), "clock", "routing:schedules", "routing.view", also=_("opening hours, schedules")),
        Entry(_("Sites"), "building", "directory:sites", "people.view"),
        Entry(_("Addresses"), "map-pin", "directory:addresses", "people.view"),
        Entry(_("Places"), "map-pin", "directory:places", "people.view", also=_("emergency locations")),
        Entry(_("Invite somebody"), "user-plus", "team:invite", "team.change"),
        Entry(
            _("Profile"),
            "user-circle",
            "profile:edit",
            "dashboard.view",
            own=True,
            also=_("language, time zone, theme"),
        ),
        Entry(_("Password"), "key", "account_change_password", "dashboard.view", own=True),
        Entry(
            _("Two-step log-in"),
            "shield-lock",
            "mfa_index",
            "dashboard.view",
            own=True,
            also=_("2FA, authenticator app"),
        ),
    ],
}


def tabs(request: HttpRequest) -> list[Link]:
    """Return the pages of the request's place that stand as tabs on another, those that its reader may see."""
    entries = [entry for entry in TABS.get(getattr(request, "place", "") or "", []) if may_see(entry, request)]
    found = [(entry, page_url(entry.url_name, request)) for entry in entries]
    return [Link(entry.label, entry.icon, url, False, entry.also) for entry, url in found if url]


def groups(request: HttpRequest) -> list[Group]:
    """Return the navigation of the request's place, without what its reader may not see."""
    return _grouped(_shown(request))


def side(request: HttpRequest) -> SafeString:
    """Return the navigation as it stands at the side of the request's page."""
    return _side(_shown(request), get_language())


@dataclass(frozen=True)
class Shown:
    """Everything that the navigation of a page depends on, apart from the language."""

    place: str
    urlconf: str | None
    names: tuple[str, ...]
    current: str


def _shown(request: HttpRequest) -> Shown:
    place, urlconf = getattr(request, "place", "") or "", getattr(request, "urlconf", None)
    entries = [entry for entry in PLACES.get(place, []) if may_see(entry, request)]
    names = tuple(entry.url_name for entry in entries)
    return Shown(place, urlconf, names, _current(entries, urlconf, request.path))


def _current(entries: list[Entry], urlconf: str | None, path: str) -> str:
    """Return the address of the entry whose page, or one that it covers, the path lies under."""
    covered = {
        url: address(entry.url_name, urlconf)
        for entry in entries
        for name in (entry.url_name, *entry.covers)
        if (url := address(name, urlconf))
    }
    return covered.get(current_url(list(covered), path), "")


def _grouped(shown: Shown) -> list[Group]:
    found: dict[str, Group] = {}
    for entry in PLACES.get(shown.place, []):
        url = address(entry.url_name, shown.urlconf) if entry.url_name in shown.names else ""
        if url:
            group = found.setdefault(str(entry.group), Group(entry.group, []))
            group.links.append(Link(entry.label, entry.icon, url, url == shown.current, entry.also))
    return list(found.values())


# Kept by what the reader may see and not by who it is, so that nobody gets what was drawn for other rights.
@lru_cache(maxsize=1024)
def _side(shown: Shown, language: str | None) -> SafeString:
    return loader.render_to_string("components/side_navigation.html", {"navigation": _grouped(shown)})


def may_see(entry: Entry, request: HttpRequest) -> bool:
    """Tell whether the reader holds the entry's capability."""
    can = getattr(request, "can", None)
    if entry.own and getattr(request, "acting", None):
        return False
    return not entry.capability or (can is not None and bool(can(entry.capability)))


def page_url(name: str, request: HttpRequest, *args: Any) -> str:
    """Return the address of a page of this place, or nothing where the place has no such page."""
    return address(name, getattr(request, "urlconf", None), *args)


def address(name: str, urlconf: str | None, *args: Any) -> str:
    """Return the address that a URL configuration gives a page, or nothing where it has no such page."""
    if args:
        return _reverse(name, urlconf, args)
    return _plain_address(name, urlconf or settings.ROOT_URLCONF)


@lru_cache(maxsize=1024)
def _plain_address(name: str, urlconf: str) -> str:
    return _reverse(name, urlconf, ())


def row_url(name: str, key: int) -> str:
    """Return the address of the page of this name and key, at little cost for each of a list's rows."""
    before, after = _around_key(name, get_urlconf())
    return f"{before}{key}{after}"


@lru_cache(maxsize=256)
def _around_key(name: str, urlconf: str | None) -> tuple[str, str]:
    before, _key, after = reverse(name, urlconf=urlconf, args=[ANY_KEY]).partition(str(ANY_KEY))
    return before, after


def _reverse(name: str, urlconf: str | None, args: tuple[Any, ...]) -> str:
    try:
        return reverse(name, urlconf=urlconf, args=args)
    except NoReverseMatch:
        return ""


def current_url(urls: list[str], path: str) -> str:
    """Return the deepest of the addresses that the path lies under."""
    return max((url for url in urls if path == url or (url != "/" and path.startswith(url))), key=len, default="")
