"""What the frame of every page does: themes without a flash, search by keyboard, and the same without JavaScript."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PASSWORD, PEOPLE, PHONE
from tests.browser.walk import access_of, form_of

DARK = "rgb(19, 22, 25)"
ACME = PEOPLE["admin"].host
ground = "getComputedStyle(document.body).backgroundColor"


def test_the_chosen_theme_is_kept_and_drawn_at_once(portal, browser_of):
    page = browser_of("admin", color_scheme="light").new_page()
    page.goto(portal.url(ACME))
    page.get_by_role("button", name="Account").click()
    page.get_by_role("button", name="Dark").click()

    assert page.evaluate(ground) == DARK
    page.goto(portal.url(ACME, "/numbers/"), wait_until="commit")
    page.wait_for_selector("body")
    assert page.locator("html").get_attribute("data-theme") == "dark"
    assert page.evaluate(ground) == DARK


def test_without_javascript_the_theme_follows_the_system_and_can_be_chosen(portal, browser_of):
    page = browser_of("admin", color_scheme="dark", java_script_enabled=False).new_page()
    page.goto(portal.url(ACME))
    expect(page.locator("body")).to_have_css("background-color", DARK)

    page.get_by_role("button", name="Account").click()
    page.get_by_role("button", name="Light").click()

    expect(page.locator("body")).to_have_css("background-color", "rgb(245, 246, 247)")


def test_without_javascript_a_list_can_be_searched_sorted_and_paged(portal, browser_of):
    page = browser_of("admin", java_script_enabled=False).new_page()
    page.goto(portal.url(ACME, "/numbers/"))
    first = page.locator("tbody .row-link").first.inner_text()

    page.get_by_role("link", name="Next").click()
    assert page.locator("tbody .row-link").first.inner_text() != first
    page.get_by_role("link", name="Previous").click()
    assert page.locator("tbody .row-link").first.inner_text() == first
    page.locator("#list-search").fill("Reception")
    page.get_by_role("button", name="Show").click()

    assert page.locator("tbody tr").count() == 1
    assert "q=Reception" in page.url


def test_a_list_is_searched_while_typing_and_the_address_follows(portal, browser_of):
    page = browser_of("admin").new_page()
    page.goto(portal.url(ACME, "/numbers/"))

    page.keyboard.press("/")
    page.keyboard.type("Reception")

    expect(page.locator("tbody tr")).to_have_count(1)
    assert "q=Reception" in page.url
    expect(page.locator("#list-search")).to_be_focused()


def test_the_search_opens_by_keyboard_finds_and_goes(portal, browser_of):
    page = browser_of("admin").new_page()
    page.goto(portal.url(ACME))

    page.keyboard.press("Control+k")
    expect(page.locator("#palette-text")).to_be_focused()
    page.keyboard.type("routi")
    expect(page.locator("#palette [role=option]").first).to_contain_text("Routing")
    assert access_of(page) == []
    page.keyboard.press("Enter")

    page.wait_for_url("**/routing/")


def test_question_mark_shows_the_keys_and_escape_closes_them(portal, browser_of):
    page = browser_of("admin").new_page()
    page.goto(portal.url(ACME))

    page.keyboard.press("?")
    expect(page.get_by_role("heading", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")

    expect(page.get_by_role("heading", name="Keys")).to_be_hidden()


def test_on_a_phone_the_navigation_is_a_drawer(portal, browser_of):
    page = browser_of("admin", viewport=PHONE).new_page()
    page.goto(portal.url(ACME))
    link = page.get_by_role("link", name="Numbers", exact=True)
    expect(link).to_be_hidden()

    page.get_by_role("button", name="Menu").click()
    expect(link).to_be_visible()
    assert access_of(page) == []
    page.keyboard.press("Escape")

    expect(link).to_be_hidden()


def test_on_a_phone_lines_are_moved_by_buttons_and_help_is_found(portal, browser_of):
    page = browser_of("admin", viewport=PHONE).new_page()
    page.goto(portal.url(ACME, "/routing/"))
    # Asked of the page, not of the list: what goes live meanwhile draws the list anew.
    page.wait_for_function("""() => {
        const buttons = [...document.querySelectorAll("#policy tr[data-line] button")].map(
            button => button.getBoundingClientRect())
        return buttons.length && buttons.every(box => box.left >= 0 && box.right <= innerWidth && box.width)
    }""")

    page.get_by_role("button", name="Account").click()
    page.get_by_role("button", name="Help").click()
    expect(page.locator("#help a[href^='tel:']")).to_be_visible()
    assert access_of(page) == []


@pytest.mark.parametrize("path", ["/", "/nodes/", "/health/"])
def test_on_a_phone_a_nodes_name_stays_on_one_line(portal, browser_of, path):
    page = browser_of("operator", viewport=PHONE).new_page()
    page.goto(portal.url("console", path))
    names = page.locator("table").get_by_text(re.compile(r"^\s*sbc-[a-z0-9-]+\s*$"))
    lines = """found => found.map(one => {
        const words = document.createRange()
        words.selectNodeContents(one.firstChild)
        return new Set([...words.getClientRects()].map(box => Math.round(box.top))).size
    })"""

    assert set(names.evaluate_all(lines)) == {1}


def test_the_navigation_stays_collapsed_on_the_next_page(portal, browser_of):
    page = browser_of("admin").new_page()
    page.goto(portal.url(ACME))
    page.get_by_role("button", name="Collapse").click()

    page.goto(portal.url(ACME, "/numbers/"))

    assert page.locator("nav.side").bounding_box()["width"] < 80
    expect(page.get_by_role("link", name="Calls", exact=True)).to_be_visible()
    assert access_of(page) == []


def test_the_first_tab_stop_skips_to_the_content(portal, browser_of):
    page = browser_of("admin").new_page()
    page.goto(portal.url(ACME))

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")

    expect(page.locator("main")).to_be_focused()


def test_ticked_rows_bring_up_the_bar_with_what_can_be_done(portal, browser_of):
    page = browser_of("admin").new_page()
    page.goto(portal.url(ACME, "/numbers/"))
    expect(page.locator(".selection-bar")).to_be_hidden()

    page.locator("input[name=pick]").nth(2).check()
    expect(page.locator("[data-pick-count]")).to_have_text("1 chosen")
    page.get_by_label("Select this page").check()

    expect(page.locator("[data-pick-count]")).to_have_text("25 chosen")
    assert access_of(page) == []


def test_a_lost_socket_is_shown_and_comes_back(portal, browser_of):
    context = browser_of("admin")
    page = context.new_page()
    routes = []
    page.route_web_socket(re.compile("/ws/"), lambda route: (routes.append(route), route.connect_to_server()))
    page.goto(portal.url(ACME))
    expect(page.locator("#live")).to_have_attribute("data-state", "live")

    routes[0].close()

    expect(page.locator("#live")).to_have_attribute("data-state", "lost")
    expect(page.locator("#live")).to_have_attribute("data-state", "live", timeout=15_000)


def test_what_somebody_else_changes_appears_by_itself(portal, browser_of):
    watching = browser_of("viewer").new_page()
    watching.goto(portal.url(ACME, "/routing/"))
    expect(watching.locator("#live")).to_have_attribute("data-state", "live")
    editing = browser_of("admin").new_page()
    editing.goto(portal.url(ACME, "/routing/new/"))

    editing.fill("[name=pattern]", "+358*")
    editing.check("[name=action][value=block]")
    editing.fill("[name=note]", "No calls to Finland")
    editing.click("main form button.btn-primary")

    expect(watching.locator("#policy")).to_contain_text("No calls to Finland")


def test_a_wrong_password_is_told_above_the_form_and_nothing_typed_is_lost(portal, browser_of):
    page = browser_of(None).new_page()
    page.goto(portal.url(ACME, "/account/login/"))
    page.fill("[name=login]", "alice@acme.example")
    page.fill("[name=password]", PASSWORD + "x")
    page.click("form button.btn-primary")

    expect(page.get_by_role("alert")).to_be_visible()
    assert page.input_value("[name=login]") == "alice@acme.example"
    assert access_of(page) == []


def test_no_page_loads_more_script_than_a_slow_line_bears(portal, browser_of):
    page = browser_of("admin").new_page()
    sizes = {}
    page.on("response", lambda r: sizes.__setitem__(r.url, r) if r.request.resource_type == "script" else None)
    page.goto(portal.url(ACME))
    page.wait_for_load_state("load")

    total = sum(response.request.sizes()["responseBodySize"] for response in sizes.values())
    assert 20_000 < total <= 120_000, {
        url: response.request.sizes()["responseBodySize"] for url, response in sizes.items()
    }


def test_a_customers_page_names_nobody_but_the_brand(portal, browser_of):
    page = browser_of("admin").new_page()
    page.goto(portal.url(ACME))

    assert "Northwind Voice" in page.title()
    assert "strowger" not in page.content().lower()


def test_guessing_passwords_is_stopped_with_words_and_a_way_back(portal, browser_of):
    page = browser_of(None).new_page()
    for _ in range(12):
        page.goto(portal.url("globex.northwind", "/account/login/"))
        page.fill("[name=login]", "mallory@globex.example")
        page.fill("[name=password]", PASSWORD + "x")
        with page.expect_navigation() as answer:
            page.click("form button.btn-primary")
        if answer.value.status == 429 or "Too many" in page.content():
            break

    assert "Too many" in page.content()
    assert form_of(page) == []
    assert access_of(page) == []
