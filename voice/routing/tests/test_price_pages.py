"""Lines that go by price, for a customer who sees an order and no prices, and for its MSP who sees both."""

import json
import re

import pytest

from portal.db import contexts
from voice.rating.models import LossPolicy
from voice.rating.ranking import set_loss_policy
from voice.rating.tests.make import ask, give, stored_deck, stored_rate
from voice.routing.models import Route
from voice.routing.tests.test_services import BY, save, trunks  # noqa: F401

pytestmark = pytest.mark.django_db
NUMBER = "+44 20 7123 4567"
# No amount of a buying deck, however it is written.
PRICES = ("77123", "0.077", "0,077", "66321", "0.066", "0,066", "231369", "0.231", "198963", "0.198")


@pytest.fixture
def decks(northwind, acme, trunks):  # noqa: F811
    """Carrier B is cheaper to 44 than carrier A, and Acme pays less than either asks for 447."""
    with contexts.msp(northwind):
        for trunk, price in zip(trunks, (77_123, 66_321), strict=True):
            buy = stored_deck(northwind, f"Buy {trunk}", "buy", free=["internal", "emergency"])
            stored_rate(buy, "44", price)
            stored_rate(buy, "447", price * 2)
            ask(buy, trunk)
        sell = stored_deck(northwind, free=["internal", "emergency"])
        stored_rate(sell, "44", 100_000)
        give(sell, acme)
    contexts.use_customer(acme)


def words(page: str) -> str:
    """Return what is read on a page, without its tags."""
    return " ".join(re.sub("<[^>]*>", "", page).split())


@pytest.fixture
def browser(client_of, alice, acme):
    return client_of(alice, acme)


def test_a_line_goes_by_price_from_the_form_and_stays_so_when_nobody_says_otherwise(browser, acme, trunks, decks):  # noqa: F811
    body = {"pattern": "+44*", "action": "route", "trunk_0": trunks[0], "trunk_1": trunks[1], "enabled": "on"}
    assert browser.post("/routing/new/", body | {"trunk_order": "cheapest"}).status_code == 302
    route = Route.objects.get()
    assert route.trunk_order == "cheapest"
    assert "Cheapest first of" in browser.get("/routing/").content.decode()

    assert browser.post(f"/routing/{route.pk}/", body).status_code == 302
    assert Route.objects.get().trunk_order == "cheapest"
    refused = browser.post(f"/routing/{route.pk}/", body | {"trunk_order": "dearest"})
    assert "trunk_order" in refused.context["form"].errors


def test_a_customer_reads_the_order_and_no_price(browser, acme, trunks, decks):  # noqa: F811
    save(acme, "+44*", trunks, trunk_order="priced")

    page = browser.get("/routing/try/", {"number": NUMBER})
    program = browser.get("/api/v1/routes/try/", {"number": NUMBER})

    assert page.context["answer"].sentence == f"A call to {NUMBER} leaves over Carrier B, then Carrier A."
    text = page.content.decode()
    assert "The cheapest is tried first: the trunk over which a call of 3 minutes to this number" in text
    # What it pays itself is no secret: to who may see bills.
    assert "By your prices a call of 3 minutes to it costs €0.30 now" in words(text)
    assert (program.json()["typical_seconds"], program.json()["pays_micros"]) == (180, 300_000)
    assert program.json()["trunks"] == [f"g{trunk}" for trunk in trunks[::-1]]
    assert not [price for price in PRICES if price in page.content.decode() + program.content.decode()]


def test_what_is_below_cost_is_just_not_offered_to_the_customer(browser, northwind, acme, trunks, decks):  # noqa: F811
    save(acme, "+44*", trunks)
    with contexts.msp(northwind):
        set_loss_policy(northwind, None, "refuse", by=BY)

    page = browser.get("/routing/try/", {"number": "+447700900123"}).content.decode()
    program = browser.get("/api/v1/routes/try/", {"number": "+447700900123"}).json()

    assert "is not offered over the trunks of this line" in page and "cost" not in page.lower()
    assert program["outcome"] == "not_offered" and "cost" not in json.dumps(program)


def test_the_api_sets_and_says_the_order(browser, acme, trunks):  # noqa: F811
    made = browser.post(
        "/api/v1/routes/",
        {"pattern": "+33*", "action": "route", "trunks": trunks, "trunk_order": "priced"},
        content_type="application/json",
    )

    assert (made.status_code, made.json()["trunk_order"]) == (201, "priced")


def test_the_msp_sees_each_trunks_price_and_margin(client_of, nadia, northwind, acme, trunks, decks):  # noqa: F811
    save(acme, "+44*", trunks, trunk_order="cheapest")

    answer = client_of(nadia, northwind).get("/decks/try/", {"customer": acme.pk, "number": NUMBER})

    trial = answer.context["trial"]
    ways = [(way.name, way.place, way.asks, way.margin) for way in trial.ways]
    assert ways == [("Carrier B", 1, 198_963, 101_037), ("Carrier A", 2, 231_369, 68_631)]
    text = words(answer.content.decode())
    assert "Compared is a call of 3 minutes: the customer pays €0.30 for it." in text
    assert "0.198963" in text and (trial.pays, trial.seconds) == (300_000, 180)


def test_a_program_asks_what_a_call_would_cost(client_of, nadia, alice, northwind, acme, initech, trunks, decks):  # noqa: F811
    save(acme, "+44*", trunks, trunk_order="cheapest")
    desk = client_of(nadia, northwind)

    told = desk.get("/api/v1/call-costs/", {"customer": acme.pk, "number": NUMBER}).json()

    assert (told["pays_micros"], told["refuses_losses"]) == (300_000, False)
    assert (told["typical_seconds"], told["currency"], told["converted"]) == (180, "EUR", [])
    ways = [(way["name"], way["place"], way["asks_micros"], way["margin_micros"]) for way in told["trunks"]]
    assert ways == [("Carrier B", 1, 198_963, 101_037), ("Carrier A", 2, 231_369, 68_631)]
    for wrong in (
        {"customer": initech.pk, "number": NUMBER},
        {"customer": acme.pk},
        {"customer": acme.pk, "number": "x"},
    ):
        assert desk.get("/api/v1/call-costs/", wrong).status_code == 400
    assert client_of(alice, acme).get("/api/v1/call-costs/", {"number": NUMBER}).status_code == 404


def test_the_msp_says_what_becomes_of_losses_for_everybody_and_for_one(
    client_of, nadia, northwind, acme, trunks, decks,  # noqa: F811
):  # fmt: skip
    save(acme, "+44*", trunks)
    desk = client_of(nadia, northwind)

    everybody = {"mode": "refuse", "typical_seconds": "90", "seen": "0"}
    refused = desk.post("/decks/losses/everybody/", everybody | {"typical_seconds": "7201"})
    assert "typical_seconds" in refused.context["form"].errors
    assert desk.post("/decks/losses/everybody/", everybody).status_code == 302
    tried = desk.get("/decks/try/", {"customer": acme.pk, "number": "+447700900123"})
    assert {way.why for way in tried.context["trial"].ways} == {"left out: costs more than the customer pays"}
    listed = desk.get("/decks/losses/").content.decode()
    assert "Do not use trunks that cost more" in listed and "(as for everybody)" in listed
    assert "what a call of 90 seconds costs" in listed and tried.context["trial"].length == "90 seconds"
    assert desk.post(f"/decks/losses/{acme.pk}/", {"mode": "report", "seen": "0"}).status_code == 302
    stale = desk.post(f"/decks/losses/{acme.pk}/", {"mode": "", "seen": "0"})
    assert stale.status_code == 200 and stale.context["form"].errors
    made = desk.post("/api/v1/loss-policies/", {"customer": acme.pk, "mode": ""}, content_type="application/json")
    assert (made.status_code, made.json()["mode"]) == (201, "")
    with contexts.msp(northwind):
        assert list(LossPolicy.objects.values_list("tenant", "mode", "typical_seconds")) == [(None, "refuse", 90)]
    length = {"mode": "report", "typical_seconds": 240}
    made = desk.post("/api/v1/loss-policies/", length, content_type="application/json")
    assert (made.status_code, made.json()["typical_seconds"]) == (201, 240)
    refused = desk.post("/api/v1/loss-policies/", length | {"customer": acme.pk}, content_type="application/json")
    assert refused.status_code == 400


def test_nobody_elses_customer_is_tried_or_ruled(client_of, nadia, northwind, initech):
    desk = client_of(nadia, northwind)

    assert desk.get(f"/decks/losses/{initech.pk}/").status_code == 404
    assert desk.get("/decks/try/", {"customer": initech.pk, "number": NUMBER}).context["form"].errors
    body = {"customer": initech.pk, "mode": "report"}
    assert desk.post("/api/v1/loss-policies/", body, content_type="application/json").status_code == 400
