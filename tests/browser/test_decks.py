"""The pages of a deck in a real browser: the list, one deck and which rate takes a number, the way to a price list."""

from playwright.sync_api import expect

from tests.browser.conftest import PEOPLE, PHONE
from tests.browser.walk import access_of

OWNER = PEOPLE["owner"].host


def test_a_number_is_tried_against_a_deck(portal, browser_of):
    page = browser_of("owner").new_page()
    page.goto(portal.url(OWNER, "/decks/"))
    assert access_of(page) == []
    page.get_by_role("link", name="Office Europe", exact=True).click()
    page.get_by_label("Called number").fill("+44 7700 900123")
    page.get_by_role("button", name="Try").click()
    expect(page.locator("#tried")).to_contain_text("takes the call")
    assert access_of(page) == []

    page.set_viewport_size(PHONE)
    assert access_of(page) == []
    page.get_by_role("link", name="Read a price list in").click()
    expect(page.get_by_label("Price list")).to_be_visible()
    assert access_of(page) == []
