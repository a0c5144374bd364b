"""The side navigation shows what its reader may see, also where another reader's was drawn a moment before."""

import re

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.cache import caches
from django.template import loader
from django.test import RequestFactory
from django.urls import resolve, set_urlconf

from portal.ui import navigation, search
from tenants.permissions import CAPABILITIES, may


def asking(place, roles, path="/"):
    request = RequestFactory().get(path)
    request.place, request.urlconf = place, f"portal.urls_{place}"
    request.can = lambda capability: may(frozenset(roles), capability)
    return request


def drawn(place, roles, path="/"):
    return navigation.side(asking(place, roles, path))


def allowed(place, roles):
    return {
        navigation.address(entry.url_name, f"portal.urls_{place}")
        for entry in navigation.PLACES[place]
        if not entry.capability or CAPABILITIES.get(entry.capability, frozenset()) & set(roles)
    } - {""}


@pytest.mark.parametrize("place", navigation.PLACES)
def test_nobody_gets_the_navigation_of_another_role(place):
    every = sorted(set().union(*CAPABILITIES.values()))

    for _twice in range(2):
        for role in [*every, "none"]:
            text = drawn(place, {role})
            offered = {
                navigation.address(entry.url_name, f"portal.urls_{place}") for entry in navigation.PLACES[place]
            } - {""}
            assert {url for url in offered if f'href="{url}"' in text} == allowed(place, {role})


def test_the_entry_of_the_page_is_marked_and_no_other():
    for path, current in [("/numbers/7/", "/numbers/"), ("/", "/"), ("/calls/", "/calls/"), ("/nowhere/", "")]:
        text = drawn("customer", {"admin"}, path)

        assert text.count("aria-current") == (1 if current else 0)
        assert not current or f'href="{current}" aria-current="page"' in text


@pytest.mark.parametrize(
    ("place", "role", "path", "current"),
    [
        ("msp", "owner", "/unrated/", "/decks/"),
        ("msp", "owner", "/invoices/companies/", "/invoices/"),
        ("msp", "owner", "/carriers/block-list/", "/carriers/"),
        ("msp", "owner", "/invoices/rates/", "/invoices/"),
        ("msp", "owner", "/invoices/payments/bank/", "/invoices/payments/"),
        ("customer", "admin", "/usage/", "/bills/"),
        ("customer", "admin", "/balance/", "/bills/"),
        ("customer", "admin", "/plan/", "/bills/"),
    ],
)
def test_a_page_behind_a_tab_marks_the_entry_that_leads_to_it(place, role, path, current):
    text = drawn(place, {role}, path)

    assert re.findall(r'href="([^"]*)" aria-current="page"', text) == [current]


@pytest.mark.parametrize("place", navigation.TABS)
def test_the_search_finds_the_pages_behind_tabs_that_the_reader_may_open(place):
    for entry in navigation.TABS[place]:
        url = navigation.address(entry.url_name, f"portal.urls_{place}")
        # Whoever has logged in opens the pages of their own account.
        assert entry.own or resolve(url, f"portal.urls_{place}").func.capability == entry.capability

    request = asking(place, {"owner" if place == "msp" else "admin"})
    assert [link.url for link in navigation.tabs(request)] and not navigation.tabs(asking(place, {"none"}))
    for link in navigation.tabs(request):
        assert link.url in (hit.url for hit in search.find(request, str(link.label)))


def test_the_same_page_name_leads_to_each_place_s_own_page():
    assert navigation.address("calls:list", "portal.urls_customer") == "/calls/"
    assert navigation.address("customers:list", "portal.urls_msp") == "/customers/"
    assert navigation.address("customers:list", "portal.urls_customer") == ""


def test_an_error_before_the_place_is_known_leaves_no_address_on_later_pages(monkeypatch):
    monkeypatch.setattr(navigation, "address", lambda name, urlconf, *args: f"/{urlconf}/{name}/")

    def links(urlconf):
        request = RequestFactory().get("/")
        request.place, request.user, request.brand = "customer", AnonymousUser(), None
        set_urlconf(urlconf)
        try:
            text = loader.render_to_string("errors/page.html", {"title": "Page not found"}, request)
        finally:
            set_urlconf(None)
        return sorted(re.findall(r'(?:href|action|hx-get)="([^"]*)"', text))

    caches["template_fragments"].clear()
    wanted = links("portal.urls_customer")
    caches["template_fragments"].clear()
    assert links(None) != wanted
    assert links("portal.urls_customer") == links("portal.urls_customer") == wanted


def test_a_page_is_found_by_other_words_and_ones_own_only_by_who_is_nobody_else():
    request = asking("customer", ["admin"])
    request.acting = None
    for text, name in (("invoice", "bills:list"), ("2fa", "mfa_index"), ("IBAN", "pay:pay"), ("roles", "team:list")):
        assert next(iter(search.find(request, text))).url == navigation.address(name, "portal.urls_customer")

    request.acting = object()
    own = {str(entry.label) for entry in navigation.TABS["customer"] if entry.own}
    assert own and not own & {str(link.label) for link in navigation.tabs(request)}
