"""The pages and the API of decks, as an owner of the MSP uses them."""

import base64
import re
from datetime import UTC, datetime

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from portal.core.models import JobFile
from portal.db import contexts
from portal.ui import lists
from tests.test_walk import member
from voice.rating import pages_decks
from voice.rating.models import CustomerDeck, DeckImport, DeckRate, DeckVersion, RateDeck, TrunkDeck
from voice.rating.tests.make import give, stored_deck, stored_rate
from voice.rating.tests.test_files import workbook

DECK = "Code;Destination;Rate\n1;United States;0,0100\n1787;Puerto Rico;0,0350\n44;United Kingdom;0,0120\n"


@pytest.fixture
def browser(northwind, nadia, client_of):
    return client_of(nadia, northwind)


@pytest.fixture
def deck(northwind):
    with contexts.msp(northwind):
        deck = stored_deck(northwind, "Retail")
        stored_rate(deck, "44", 12_000, destination="United Kingdom")
        stored_rate(deck, "447", 180_000, destination="United Kingdom, mobile")
        stored_rate(deck, "881", 0, destination="Satellite", blocked=True)
        return deck


@pytest.fixture
def working(django_capture_on_commit_callbacks):
    def working(ask):
        with django_capture_on_commit_callbacks(execute=True):
            return ask()

    return working


def upload(browser, deck, text, name="rates.csv", **facts):
    content = text if isinstance(text, bytes) else text.encode()
    data = {"file": SimpleUploadedFile(name, content), "full": "full", "day": "2026-12-01"} | facts
    answer = browser.post(f"/decks/{deck.pk}/import/", data)
    assert answer.status_code == 302, answer.context["form"].errors
    return answer["Location"]


def test_a_deck_is_made_filled_and_used_from_the_pages(northwind, acme, browser, working):
    answer = browser.post(
        "/decks/new/",
        {"name": "Office", "kind": "sell", "currency": "eur", "zone": "Europe/Berlin", "free": ["internal", "in"]},
    )
    assert answer.status_code == 302, answer.context["form"].errors
    with contexts.msp(northwind):
        deck = RateDeck.objects.get(name="Office")
    page = working(lambda: upload(browser, deck, DECK + "oops;;1\n"))

    shown = browser.get(page).content.decode()
    assert "Rate (Price per minute)" in shown
    assert "decimal comma" in shown and "1 line cannot be read" in shown and "Activate" in shown
    assert "A code is made of digits" in browser.get(f"{page}errors/").content.decode()
    assert browser.get(f"{page}?change=new").context["list"].count == 3
    working(lambda: browser.post(f"{page}confirm/", {"accept": "1"}))

    with contexts.msp(northwind):
        assert DeckRate.objects.filter(deck=deck).count() == 3
        begins = DeckRate.objects.filter(deck=deck).first().begins
    assert begins == datetime(2026, 11, 30, 23, tzinfo=UTC)
    assert browser.post(f"/decks/{deck.pk}/assign/", {"who": acme.pk, "day": "2026-12-01"}).status_code == 302
    with contexts.msp(northwind):
        assert CustomerDeck.objects.get().tenant_id == acme.pk
    assert "Acme" in browser.get(f"/decks/{deck.pk}/").content.decode()
    assert browser.post(f"/decks/{deck.pk}/assign/{acme.pk}/end/", {"confirmed": "1"}).status_code == 302


def test_the_file_that_is_said_to_work_works(browser, deck, working, northwind):
    shown = browser.get(f"/decks/{deck.pk}/import/").content.decode()
    lines = re.findall("<code>(.*?)</code>", shown[shown.index('class="sample"') :])[:4]
    working(lambda: upload(browser, deck, "\n".join(lines), full="part"))

    with contexts.msp(northwind):
        file = DeckImport.objects.get()
    assert (file.state, file.bad, file.good) == ("checked", 0, 8)
    assert max(map(len, lines)) <= 38, "longer lines do not fit beside the form"


def test_what_is_not_clear_is_asked_on_a_page_of_its_own(browser, deck, working, northwind):
    page = working(lambda: upload(browser, deck, "Code;Rate\n44;1.234\n49;2.500\n", full="part"))

    answer = browser.get(page)
    assert (answer.status_code, answer["Location"]) == (302, f"{page}read/")
    asked = browser.get(f"{page}read/")
    assert "1.234" in asked.content.decode() and asked.context["form"].fields["decimal"].required
    facts = {
        "decimal": ",", "increments": "60/1", "direction": "out", "header": "heading", "column_prefix": "0",
        "column_per_minute": "1",
    }  # fmt: skip
    assert browser.post(f"{page}read/", facts | {"decimal": ""}).status_code == 200
    assert working(lambda: browser.post(f"{page}read/", facts)).status_code == 302

    with contexts.msp(northwind):
        line = DeckVersion.objects.latest("pk").lines.get(prefix="44")
    assert (line.per_minute, line.minimum, line.increment) == (1_234_000_000, 60, 1)


def test_a_page_says_which_rate_would_take_a_number_and_why(browser, deck):
    shown = browser.get(f"/decks/{deck.pk}/?q=+44 7700 900123")

    assert [(each["rate"].prefix, each["takes"], each["why"]) for each in shown.context["tried"]] == [
        ("447", True, "takes the call"), ("44", False, "a longer code takes the call"),
    ]  # fmt: skip
    assert shown.context["list"].count == 2
    assert "unrated" in browser.get(f"/decks/{deck.pk}/?q=33140000000").content.decode()


def test_rates_are_searched_filtered_and_exported(browser, deck):
    def count(query):
        return browser.get(f"/decks/{deck.pk}/?{query}").context["list"].count

    assert [count(query) for query in ("", "q=44", "q=mobile", "kind=blocked", "when=now", "when=later")] == [
        3, 2, 1, 1, 3, 0,
    ]  # fmt: skip
    assert browser.get(f"/decks/{deck.pk}/?export=csv").content.decode().count("United Kingdom") == 2
    assert browser.get("/decks/").context["list"].count == 1
    assert browser.get("/decks/?state=closed").context["list"].count == 0


def test_a_long_deck_is_exported_in_the_background(browser, deck, working, northwind, monkeypatch):
    monkeypatch.setattr(pages_decks, "EXPORT_AT_ONCE", 1)
    monkeypatch.setattr(lists, "EXPORT_AT_ONCE", 1)
    answer = working(lambda: browser.get(f"/decks/{deck.pk}/?export=csv&q=44"))

    assert answer.status_code == 302 and "/jobs/" in answer["Location"]
    with contexts.msp(northwind):
        assert bytes(JobFile.objects.get().content).decode().count("United Kingdom") == 2


def test_one_rate_is_set_by_hand(browser, deck, northwind):
    facts = {
        "codes": "4420-4424", "destination": "UK cities", "per_minute": "0.0119", "fee": "0", "minimum": "1",
        "increment": "1", "day": "2026-12-01",
    }  # fmt: skip
    assert browser.post(f"/decks/{deck.pk}/rate/", facts).status_code == 302

    with contexts.msp(northwind):
        assert DeckRate.objects.filter(deck=deck, prefix__startswith="442", per_minute=11_900).count() == 5
    for wrong in ({"codes": "0044"}, {"per_minute": ""}, {"per_minute": "-1"}, {"increment": "0"}, {"day": "soon"}):
        assert browser.post(f"/decks/{deck.pk}/rate/", facts | wrong).status_code == 200


def test_a_deck_in_use_is_not_closed_and_a_draft_is_dropped(browser, deck, acme, northwind, working):
    with contexts.msp(northwind):
        give(deck, acme)
    browser.post(f"/decks/{deck.pk}/close/", {"confirmed": "1"})
    page = working(lambda: upload(browser, deck, DECK))
    browser.post(f"{page}discard/")

    with contexts.msp(northwind):
        assert RateDeck.objects.get(pk=deck.pk).closed_at is None
        assert DeckVersion.objects.latest("pk").state == "discarded"
    assert browser.get(page).status_code == browser.get(f"/decks/{deck.pk}/versions/").status_code == 200


def test_who_may_only_look_changes_nothing(northwind, client_of, deck):
    engineer = client_of(member(northwind, "engineer"), northwind)

    assert engineer.get(f"/decks/{deck.pk}/").status_code == 200
    assert engineer.post(f"/decks/{deck.pk}/close/", {"confirmed": "1"}).status_code == 403
    assert engineer.get(f"/decks/{deck.pk}/import/").status_code == 403


def test_programs_can_do_the_same(browser, northwind, acme, working, region):
    def post(path, data):
        return working(lambda: browser.post(f"/api/v1/{path}/", data, content_type="application/json"))

    made = post("decks", {"name": "Api", "kind": "sell", "currency": "EUR", "zone": "UTC"})
    assert made.status_code == 201, made.json()
    pk = made.json()["id"]
    file = post(
        "deck-imports",
        {"deck": pk, "name": "a.csv", "content": DECK, "effective_from": "2026-06-01T00:00:00Z", "full": True},
    )
    assert file.status_code == 201, file.json()
    here = f"deck-imports/{file.json()['id']}"
    assert browser.get(f"/api/v1/{here}/").json()["state"] == "checked"
    lines = browser.get(f"/api/v1/deck-versions/{file.json()['version']}/lines/?change=new").json()["results"]
    assert sorted(line["prefix"] for line in lines) == ["1", "1787", "44"]
    assert post(f"{here}/confirm", {}).status_code == 200
    assert browser.get(f"/api/v1/{here}/").json()["state"] == "done"
    found = browser.get(f"/api/v1/decks/{pk}/lookup/?number=17875550100").json()
    assert [(each["prefix"], each["miss"]) for each in found] == [("1787", None), ("1", "shorter")]
    assert len(browser.get(f"/api/v1/decks/{pk}/rates/?prefix=1").json()["results"]) == 2
    more = {"begins": "2026-07-01T00:00:00Z", "rates": [{"prefix": "49", "per_minute": 5000}]}
    assert post(f"decks/{pk}/set-rates", more).status_code == 201
    given = post("customer-decks", {"customer": acme.pk, "deck": pk, "begins": "2026-06-01T00:00:00Z"})
    assert given.status_code == 201, given.json()
    assert (
        post("customer-decks", {"customer": acme.pk + 99, "deck": pk, "begins": "2026-06-01T00:00:00Z"}).status_code
        == 400
    )
    assert post(f"decks/{pk}/close", {}).status_code == 400
    with contexts.msp(northwind):
        from portal.core.audit import Actor
        from voice.carriers.tests.make import shared_trunk

        trunk = shared_trunk(northwind, Actor.system("tests"))
        buying = stored_deck(northwind, "Buying", "buy")
    asked = post("trunk-decks", {"trunk": trunk.pk, "deck": buying.pk, "begins": "2026-06-01T00:00:00Z"})
    assert (asked.status_code, asked.json()["trunk"]) == (201, trunk.pk)
    ended = post("trunk-decks", {"trunk": trunk.pk, "deck": None, "begins": "2026-08-01T00:00:00Z"})
    assert ended.json()["ends"] == "2026-08-01T00:00:00Z"
    with contexts.msp(northwind):
        assert TrunkDeck.objects.count() == 1


def test_a_program_sends_a_workbook_and_is_asked(browser, deck, working, northwind):
    content = base64.b64encode(workbook(["Code", "Rate"], ["44", "1.234"])).decode()
    facts = {"deck": deck.pk, "name": "a.xlsx", "content_base64": content, "effective_from": "2026-06-01T00:00:00Z"}
    file = working(lambda: browser.post("/api/v1/deck-imports/", facts, content_type="application/json")).json()
    here = f"/api/v1/deck-imports/{file['id']}/"

    assert browser.get(here).json()["asked"] == ["decimal"]
    working(lambda: browser.post(f"{here}answer/", {"decimal": "."}, content_type="application/json"))

    assert (browser.get(here).json()["state"], browser.get(here).json()["good"]) == ("checked", 1)
    with contexts.msp(northwind):
        assert DeckImport.objects.get().version.lines.get().per_minute == 1_234_000


def test_a_file_that_lacks_a_column_of_the_earlier_one_says_which(browser, deck, working, northwind):
    rich = "Code,Rate,Connection fee\n49,0.0119,0.05\n"
    working(lambda: browser.post(working(lambda: upload(browser, deck, rich, full="part")) + "confirm/", {"accept": 1}))
    page = working(lambda: upload(browser, deck, "Code,Rate\n49,0.0130\n", full="part"))

    assert "columns that this one lacks: Connection fee." in browser.get(f"{page}read/").content.decode()
    newest = browser.get("/api/v1/deck-imports/").json()["results"][0]
    assert (newest["asked"], newest["lacking"]) == (["columns"], ["Connection fee"])
