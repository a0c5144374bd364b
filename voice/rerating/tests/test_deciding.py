"""Calls without a price: decided free, by the time last seen, or by hand; each stays decided."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError

from portal.core.audit import Actor
from portal.core.models import AuditEntry
from portal.db import contexts
from tenants.tests.clients import client_of
from voice.rating import asides
from voice.rating.models import Charge
from voice.rating.tests.make import give, stored_deck, stored_rate
from voice.rerating import deciding, views_decide
from voice.rerating.deciding import Verdict
from voice.rerating.models import Decision
from voice.rerating.tests.make import NOON, calls, proposed
from voice.rerating.tests.test_proposals import check_sums

BY = Actor(email="nadia@northwind.example")


@pytest.fixture
def deck(northwind, acme):
    with contexts.msp(northwind):
        deck = stored_deck(northwind)
        stored_rate(deck, "44", 60_000, destination="United Kingdom")
        give(deck, acme)
    return deck


def decide(msp, *verdict, **changes):
    with contexts.msp(msp):
        waiting = asides.charges_aside(msp).filter(**changes)
    return deciding.decide(msp, waiting, Verdict(*verdict), by=BY)


def charged(msp):
    with contexts.msp(msp):
        return list(Charge.objects.order_by("invited").values_list("outcome", "micros", "currency"))


def test_a_call_is_free_because_somebody_says_so(northwind, acme, globex, deck):
    (one,) = calls(acme, called="+33140000000")
    calls(acme, called="+33140000001", at=NOON + timedelta(days=1))
    calls(globex, at=NOON + timedelta(days=2))

    assert decide(northwind, "free", "A test by us", id=one.id) == {"calls": 1, "decided": 1}

    assert charged(northwind) == [("free", 0, "EUR"), ("unrated", 0, "EUR"), ("unrated", 0, "")]
    check_sums(northwind)
    with contexts.msp(northwind):
        kept = Decision.objects.get()
        assert (kept.call, kept.was, kept.reason, kept.made_by) == (one.id, "unrated", "A test by us", BY.email)
        entry = AuditEntry.objects.get(verb="charges.decided")
        assert (entry.reason, entry.facts["decided"]) == ("A test by us", 1)
        stored_rate(deck, "33", 40_000)
        type(deck).objects.filter(pk=deck.pk).update(row_version=5)
        asides.price_again(northwind, by=BY)
    assert charged(northwind)[:2] == [("free", 0, "EUR"), ("rated", 40_000, "EUR")]
    assert (proposed(northwind, BY).calls, decide(northwind, "free", "Again", id=one.id)["decided"]) == (2, 0)


def test_a_call_without_an_end_ends_when_it_was_last_seen(northwind, acme, deck):
    seen = {"end_unknown": True, "ended": None, "last_seen": NOON + timedelta(seconds=4 + 90)}
    (known,) = calls(acme, **seen)
    calls(acme, at=NOON + timedelta(days=1), **seen | {"last_seen": None})
    calls(acme, at=NOON + timedelta(days=2), called="+33140000000")

    assert decide(northwind, "last_seen", "The node lost power") == {"calls": 3, "decided": 1}

    assert charged(northwind) == [("rated", 90_000, "EUR"), ("no_end", 0, "EUR"), ("unrated", 0, "EUR")]
    with contexts.msp(northwind):
        charge = Charge.objects.get(id=known.id)
        assert (charge.seconds, charge.billed, charge.destination) == (90, 90, "United Kingdom")
    check_sums(northwind)


def test_a_price_is_set_by_hand_in_the_currency_that_was_said(northwind, globex):
    calls(globex)

    decide(northwind, "price", "As agreed", 1_500_000, "USD")

    assert charged(northwind) == [("rated", 1_500_000, "USD")]
    check_sums(northwind)


@pytest.mark.parametrize(
    ("verdict", "field"),
    [
        (("free", " "), "reason"),
        (("gift", "x"), "kind"),
        (("price", "x", -1, "EUR"), "price"),
        (("price", "x", 1, "EURO"), "currency"),
    ],
)
def test_what_cannot_be_meant_is_refused(northwind, acme, verdict, field):
    with pytest.raises(ValidationError) as refused:
        decide(northwind, *verdict)

    assert field in refused.value.message_dict


def test_all_that_the_list_shows_are_decided_by_the_page(northwind, acme, globex, deck, nadia):
    calls(acme, 2, called="+33140000000")
    calls(globex, called="+33140000000")
    browser, query = client_of(nadia, northwind), f"customer={acme.pk}"

    shown = browser.get("/unrated/").content.decode()
    asked = browser.post("/rerating/decide/", {"every": "1", "query": query}).content.decode()
    bare = browser.post("/rerating/decide/", {"every": "1", "query": query, "confirmed": "1", "kind": "price"})
    done = browser.post(
        "/rerating/decide/", {"every": "1", "query": query, "confirmed": "1", "kind": "free", "reason": "Ours"}
    )

    assert "Decide what they cost" in shown and "Rating again" in shown
    assert "2 calls without a price are chosen" in asked
    assert "Enter the price" in bare.content.decode() and done.status_code == 302
    with contexts.msp(northwind):
        assert views_decide.matching(northwind, query).count() == 2
        assert browser.get("/rerating/decide/").status_code == 302
