"""The live dashboard draws what frames say, and no text in a frame ever becomes markup."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PEOPLE
from tests.browser.walk import access_of

EVIL = '<img src=x onerror="document.title=1"><script>alert(1)</script>'
AT = 1_790_000_000_000
CALL = {"direction": "out", "caller": "+4930231250", "called": "+442079460018", "trunk": "A", "since": AT - 65_000}
SNAPSHOT = {
    "type": "snapshot",
    "at": AT,
    "now": {"calls": 2, "per_minute": 7, "answered_share": 0.934, "cost_today": None},
    "series": [[AT - 60_000 * minute, minute % 5, minute % 7] for minute in range(59, -1, -1)],
    "live": [
        CALL | {"id": "a", "state": "answered"},
        CALL | {"id": "b", "state": "ringing", "called": EVIL, "trunk": EVIL},
    ],
    "trunks": [{"name": EVIL, "calls": 2, "answered_share": None, "health": "down"}],
    "failures": [{"code": 486, "words": EVIL, "count": 3}],
}


@pytest.fixture
def home(portal, browser_of):
    page = browser_of("admin").new_page()
    # Its own frames stay out: this page shows ours alone.
    page.route_web_socket(lambda url: "/ws/" in url, lambda route: None)
    page.goto(portal.url(PEOPLE["admin"].host))

    def send(frame):
        page.evaluate("detail => document.body.dispatchEvent(new CustomEvent('frame', {detail}))", frame)

    page.send = send
    return page


def test_a_snapshot_is_drawn_and_deltas_change_what_they_name(home):
    home.send(SNAPSHOT)

    expect(home.locator("[data-now=calls]")).to_have_text("2")
    expect(home.locator("[data-now=answered_share]")).to_have_text("93 %")
    rows = home.locator("[data-rows=live] tr")
    expect(rows).to_have_count(2)
    expect(rows.filter(has_text="+442079460018")).to_contain_text("1 min")
    expect(home.locator("[data-none=live]")).to_be_hidden()
    expect(home.locator("[data-series] tr")).to_have_count(60)

    talking = [CALL | {"id": "b", "state": "answered"}]
    home.send({"type": "delta", "at": AT + 200, "now": {"calls": 1}, "removed": ["a"], "live": talking})

    expect(home.locator("[data-now=calls]")).to_have_text("1")
    expect(home.locator("[data-now=per_minute]")).to_have_text("7")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("Talking")


def test_a_point_of_the_same_minute_replaces_it_and_an_old_one_leaves(home):
    home.send(SNAPSHOT)
    home.send({"type": "delta", "at": AT, "point": [AT, 9, 9]})
    expect(home.locator("[data-series] tr").last).to_contain_text("9")
    home.send({"type": "delta", "at": AT, "point": [AT + 60_000, 8, 8]})

    expect(home.locator("[data-series] tr")).to_have_count(60)


def test_a_new_snapshot_takes_the_place_of_the_old_one(home):
    home.send(SNAPSHOT)
    home.send(SNAPSHOT | {"live": [], "failures": []})

    expect(home.locator("[data-rows=live] tr")).to_have_count(0)
    expect(home.locator("[data-none=live]")).to_be_visible()
    expect(home.locator("[data-none=failures]")).to_be_visible()


def test_no_text_of_a_call_becomes_markup(home):
    title = home.title()
    home.send(SNAPSHOT)

    assert home.locator("#dashboard img, #dashboard td script").count() == 0
    assert home.locator("#dashboard").inner_text().count("<img") == 4
    assert home.title() == title
    assert access_of(home) == []


def test_the_chart_is_there_and_follows_the_theme(home):
    home.send(SNAPSHOT)
    canvas = home.locator("[data-chart] canvas")
    expect(canvas).to_be_visible()
    light = canvas.evaluate("canvas => canvas.toDataURL()")

    home.emulate_media(color_scheme="dark")

    home.wait_for_function("light => document.querySelector('[data-chart] canvas').toDataURL() !== light", arg=light)
