"""What carriers ask is for those of the MSP who may see costs; for everybody else there are selling decks alone."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils.timezone import now

from portal.core.audit import Actor
from portal.db import contexts
from tenants.models import ApiToken
from tenants.services import create_token
from tenants.tests.clients import visitor
from tests.test_walk import member
from voice.carriers.tests.make import shared_trunk
from voice.rating import imports, services
from voice.rating.files.lines import Line, Terms
from voice.rating.models import DeckImport, PriceTables, RateDeck, TrunkDeck
from voice.rating.tests.make import stored_deck, stored_rate

BY = Actor(email="nadia@northwind.example")
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
# A name that stands nowhere else, and a price in every way in which it is written.
SECRET = ("Zebra wholesale", "0.077123", "77123", "0,077123")


@pytest.fixture
def decks(northwind, acme):
    """A buying deck that a trunk costs by, dearer than the selling one, with a version, a file and its history."""
    with contexts.msp(northwind):
        trunk = shared_trunk(northwind, BY)
        buy = services.save_deck(RateDeck(msp=northwind, name=SECRET[0], kind="buy", currency="EUR"), by=BY)
        dear = Line(0, ("out", "44", ""), Terms("United Kingdom", 77_123, 0, 1, 1), None, None)
        services.put_rates(buy, [dear], at=BEGIN, by=BY)
        services.assign_trunk(trunk, buy, begins=BEGIN, by=BY)
        for deck in (sell := stored_deck(northwind, "Retail"), buy):
            file = imports.start_import(deck, "a.csv", b"Code;Rate\n44;0,0100\n", at=now(), full=True, by=BY)
            imports.check(file, lambda *_facts: None)
        stored_rate(sell, "44", 12_000)
        loss = {"prefix": "44", "seller": "Retail", "sell": 12_000, "buyer": SECRET[0], "buy": 77_123}
        PriceTables.objects.update_or_create(
            msp=northwind,
            defaults={"made_at": now(), "losses": {"count": 1, "currency": "EUR", "skipped": [], "worst": [loss]}},
        )
    return sell, buy


def pages(sell, buy):
    """Return where decks are told of: what everybody with *rates.view* may open, and what is of the buying deck."""
    with contexts.msp(sell.msp):
        files = {file.version.deck_id: file for file in DeckImport.objects.select_related("version")}
        kept = buy.versions.get(number=1)
    open_to_all = [
        "decks/", "decks/?export=csv", f"decks/versions/{files[sell.pk].version_id}/", "decks/losses/", "unrated/",
        "audit/", "search/?q=zebra", "rerating/new/", "api/v1/decks/", "api/v1/deck-versions/", "api/v1/deck-imports/",
        f"api/v1/deck-imports/{files[sell.pk].pk}/", "api/v1/audit/", f"api/v1/deck-versions/?deck={buy.pk}",
    ]  # fmt: skip
    of_buying = [
        f"decks/{buy.pk}/", f"decks/{buy.pk}/?export=csv", f"decks/{buy.pk}/versions/", f"decks/versions/{kept.pk}/",
        f"decks/versions/{files[buy.pk].version_id}/errors/", f"objects/decks/{buy.pk}/history/",
        f"objects/decks/{buy.pk}/api/", f"api/v1/decks/{buy.pk}/", f"api/v1/decks/{buy.pk}/rates/",
        f"api/v1/decks/{buy.pk}/lookup/?number=447700900123", f"api/v1/deck-versions/{kept.pk}/",
        f"api/v1/deck-versions/{kept.pk}/lines/", f"api/v1/deck-imports/{files[buy.pk].pk}/",
        f"api/v1/deck-imports/{files[buy.pk].pk}/errors/",
    ]  # fmt: skip
    return open_to_all, of_buying


@pytest.mark.parametrize("role", ["owner", "billing", "engineer", "support"])
def test_a_buying_deck_is_there_for_those_who_see_costs_and_for_nobody_else(decks, northwind, client_of, role):
    browser = client_of(member(northwind, role), northwind)
    open_to_all, of_buying = pages(*decks)
    told, seen = set(), role in ("owner", "billing")

    for page in open_to_all:
        answer = browser.get(f"/{page}")
        assert answer.status_code == (403 if page == "rerating/new/" and not seen else 200), page
        told |= {(page, word) for word in SECRET if word in answer.content.decode()}
    assert bool(told) == seen, told
    assert {browser.get(f"/{page}").status_code for page in of_buying} == ({200} if seen else {404})
    assert browser.get("/api/v1/trunk-decks/").status_code == (200 if seen else 403)
    with contexts.msp(northwind):
        trunk = TrunkDeck.objects.get().trunk
    assert ("Assigned" in browser.get(f"/objects/trunks/{trunk}/history/").content.decode()) == seen


def test_a_token_for_prices_alone_makes_and_uses_no_buying_deck(decks, northwind, acme, nadia):
    sell, buy = decks
    scopes = ["rates.view", "rates.change", "plans.change"]
    token = ApiToken(user=nadia, name="prices", expires_at=now() + timedelta(days=1), scopes=scopes, msp=northwind)
    with contexts.msp(northwind):
        secret = create_token(token, grantable=frozenset(scopes), by=None)
    program = visitor(northwind)
    program.defaults["HTTP_AUTHORIZATION"] = f"Bearer {secret}"

    def post(path, **data):
        answer = program.post(f"/api/v1/{path}/", data, content_type="application/json")
        return answer.status_code, answer.content.decode()

    when = "2026-06-01T00:00:00Z"
    period = {"begins": "2026-01-01T00:00:00Z", "ends": "2026-02-01T00:00:00Z"}
    refused = [
        post("decks", name="New", kind="buy", currency="EUR", zone="UTC"),
        post("customer-decks", customer=acme.pk, deck=buy.pk, begins=when),
        post("deck-imports", deck=buy.pk, name="a.csv", content="Code;Rate\n44;1\n", effective_from=when),
        post("proposals", sell_deck=buy.pk, sell=True, buy=False, customers=[], trunks=[], note="", **period),
    ]
    assert [code for code, _text in refused] == [400] * 4
    assert not [text for _code, text in refused[1:] if "no such" not in text], refused
    assert post("trunk-decks", trunk=1, deck=None, begins=when)[0] == 403
    assert post("decks", name="New", kind="sell", currency="EUR", zone="UTC")[0] == 201
    shown = program.get(f"/api/v1/deck-versions/?deck={sell.pk}").json()["results"]
    assert [set(each["summary"]) & {"losses", "not_compared"} for each in shown] == [set()] * len(shown)
