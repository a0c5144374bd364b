"""Time bands as rows of a form, and the week that they make."""

from datetime import time

from django.http import QueryDict

from portal.db import contexts
from tenants.tests.clients import client_of
from voice.rating.bands import HOLIDAY, BandWindow
from voice.rating.forms_bands import BandsField
from voice.rating.models import RateDeck
from voice.rating.week import week


def typed(*rows, holidays=""):
    text = QueryDict(mutable=True)
    text["bands-rows"], text["bands-holidays"] = str(len(rows)), holidays
    for place, (band, days, begin, until) in enumerate(rows):
        text[f"bands-{place}-band"], text[f"bands-{place}-begin"] = band, begin
        text[f"bands-{place}-until"] = until
        text.setlist(f"bands-{place}-days", [str(day) for day in days])
    return text


def read(text):
    field = BandsField(required=False)
    return field.clean(field.widget.value_from_datadict(text, {}, "bands"))


def refused(text):
    try:
        read(text)
    except Exception as error:
        return " ".join(error.messages)
    raise AssertionError("it was taken")


def test_rows_become_what_the_deck_keeps():
    text = typed(("evening", [0, 4], "18:00", "00:00"), ("", [], "", ""), holidays="2026-12-25\n2026-01-01, 2026-12-25")

    assert read(text) == {
        "windows": [{"band": "evening", "begin": "18:00", "until": "00:00", "days": [0, 4]}],
        "holidays": ["2026-01-01", "2026-12-25"],
    }
    assert read(typed()) is None


def test_what_is_wrong_is_said_row_by_row():
    assert "Row 2 lacks: days, until." in refused(typed(("a", [0], "08:00", "09:00"), ("b", [], "10:00", "")))
    assert "25.12.2026 is no date" in refused(typed(holidays="25.12.2026"))
    assert "overlap" in refused(typed(("a", [0], "08:00", "10:00"), ("b", [0], "09:00", "11:00")))


def test_the_week_shows_which_band_holds_in_each_hour():
    night = BandWindow("night", frozenset({0}), time(22), time(6, 30))
    days = week([night, BandWindow("off", frozenset({HOLIDAY}), time(), time())])

    assert [hour.bands for hour in days[0]][21:24] == [("",), ("night",), ("night",)]
    assert [hour.bands for hour in days[1]][5:8] == [("night",), ("night", ""), ("",)]
    assert {hour.bands for hour in days[7]} == {("off",)} and len(days) == 8


def test_the_page_keeps_what_was_typed_and_draws_what_is_stored(northwind, nadia):
    browser = client_of(nadia, northwind)
    facts = {"name": "Office", "kind": "sell", "currency": "EUR", "zone": "Europe/Berlin", "row_version": "0"}
    rows = dict(typed(("evening", [0, 4], "18:00", "00:00")).lists())

    bad = browser.post("/decks/new/", facts | dict(typed(("evening", [], "18:00", "00:00")).lists()))
    good = browser.post("/decks/new/", facts | rows)

    assert "Row 1 lacks: days." in bad.content.decode() and 'value="18:00"' in bad.content.decode()
    assert good.status_code == 302
    with contexts.msp(northwind):
        deck = RateDeck.objects.get(name="Office")
    assert deck.bands["windows"][0]["days"] == [0, 4]
    for page in (f"/decks/{deck.pk}/", f"/decks/{deck.pk}/edit/"):
        assert "Which band holds when" in browser.get(page).content.decode()
