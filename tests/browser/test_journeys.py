"""What people come for, from the first click to the last."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import EVERYBODY, PEOPLE
from tests.browser.walk import access_of, form_of

ACME, NORTHWIND = PEOPLE["admin"].host, PEOPLE["owner"].host


def test_staff_act_as_a_customer_with_a_reason_that_stands_on_every_page(portal, browser_of):
    page = browser_of("owner").new_page()
    page.goto(portal.url(NORTHWIND, "/customers/"))
    page.get_by_role("link", name="Acme GmbH").click()
    page.get_by_role("link", name="Act as this customer").click()

    page.get_by_label("Reason").fill("Ticket 4711: calls to London fail")
    page.locator("main form button.btn-primary").click()

    page.wait_for_url(portal.url(ACME, "/"))
    bar = page.locator(".acting")
    expect(bar).to_contain_text("You act for Acme GmbH: “Ticket 4711: calls to London fail”")
    assert access_of(page) == []
    page.goto(portal.url(ACME, "/routing/"))
    expect(bar).to_contain_text("Ticket 4711")
    page.get_by_role("button", name="Stop acting").click()
    page.wait_for_url(re.compile(re.escape(portal.url(NORTHWIND, "/customers/")) + r"\d+/"))
    expect(bar).to_be_hidden()


def test_a_new_customer_is_made_in_one_form_and_watched_coming_to_life(portal, browser_of):
    page = browser_of("owner").new_page()
    page.goto(portal.url(NORTHWIND, "/customers/new/"))
    page.get_by_label("Name", exact=True).fill("Umbrella Ltd")
    page.get_by_label("Label").fill("x',public")
    page.get_by_role("button", name="Create customer").click()
    expect(page.get_by_role("alert")).to_contain_text("Label")
    assert page.get_by_label("Name", exact=True).input_value() == "Umbrella Ltd"

    page.get_by_label("Label").fill("umbrella")
    page.get_by_role("button", name="Create customer").click()

    page.wait_for_url(re.compile(r"/customers/\d+/"))
    expect(page.locator(".step-done").first).to_be_visible()
    assert form_of(page) + access_of(page) == []


def test_a_line_is_removed_in_a_dialog_and_without_javascript_on_a_page(portal, browser_of):
    for scripts in (True, False):
        page = browser_of("admin", java_script_enabled=scripts).new_page()
        page.goto(portal.url(ACME, "/routing/new/"))
        page.fill("[name=pattern]", "+372*")
        page.check("[name=action][value=block]")
        page.click("main form button.btn-primary")
        page.get_by_role("link", name="+372*").click()

        page.locator(".danger-zone a.btn, a.btn-outline-danger").first.click()
        where = page.locator("#dialog" if scripts else "#confirm")
        expect(where).to_be_visible()
        where.locator("button.btn-danger, button.btn-primary").first.click()

        page.wait_for_url("**/routing/")
        assert page.get_by_role("link", name="+372*").count() == 0


def test_the_second_editor_of_a_line_is_told_and_nothing_is_lost(portal, browser_of):
    first, second = browser_of("admin").new_page(), browser_of("admin").new_page()
    for page in (first, second):
        page.goto(portal.url(ACME, "/routing/"))
        page.get_by_role("link", name="+44*").click()
    first.fill("[name=note]", "First")
    first.click("main form button.btn-primary")
    first.wait_for_url("**/routing/")

    second.fill("[name=note]", "Second")
    second.click("main form button.btn-primary")

    alert = second.get_by_role("alert")
    expect(alert).to_contain_text("Somebody else changed this while you were editing")
    expect(alert).to_contain_text("alice@acme.example")
    assert second.input_value("[name=note]") == "Second"


def test_a_number_is_tried_and_the_answer_is_a_sentence(portal, browser_of):
    page = browser_of("viewer").new_page()
    page.goto(portal.url(ACME, "/routing/"))

    page.get_by_label("Number to call").fill("020 7946 0018")
    page.get_by_label("Number to call").fill("+44 20 7946 0018")
    page.get_by_role("button", name="Try").click()

    expect(page.locator(".answer")).to_contain_text("Carrier B")
    assert access_of(page) == []


def patterns_of(page):
    return page.locator("#policy tr[data-line] .phone")


def lines_of(page):
    return patterns_of(page).all_inner_texts()


def at_rest(page):
    """Wait until the page listens and has looked again at what it shows."""
    expect(page.locator("#live")).to_have_attribute("data-state", "live")
    expect(page.locator(".htmx-request")).to_have_count(0)


def test_a_line_is_dragged_to_another_place_and_its_place_is_said(portal, browser_of):
    page = browser_of("admin").new_page()
    page.goto(portal.url(ACME, "/routing/"))
    at_rest(page)
    before = lines_of(page)
    grips, rows = page.locator("[data-grip]"), page.locator("#policy tr[data-line]")

    start, target = grips.first.bounding_box(), rows.nth(1).bounding_box()
    page.mouse.move(start["x"] + 5, start["y"] + 5)
    page.mouse.down()
    page.mouse.move(start["x"], target["y"] + target["height"] - 3, steps=6)
    page.mouse.up()

    expect(page.locator("#policy-said")).to_have_text(f"Line {before[0]} is number 2 of {len(before)} now.")
    page.reload()
    at_rest(page)
    expect(patterns_of(page)).to_have_text([before[1], before[0], *before[2:]])
    # The same by keyboard, and the reader stays at the button.
    page.locator("#policy tr[data-line]").nth(1).get_by_role("button", name="up").press("Enter")
    expect(page.locator("#policy-said")).to_have_text(f"Line {before[0]} is number 1 of {len(before)} now.")
    expect(patterns_of(page)).to_have_text(before)


def test_a_drag_ends_where_it_began_by_escape(portal, browser_of):
    page = browser_of("admin").new_page()
    page.goto(portal.url(ACME, "/routing/"))
    at_rest(page)
    before = lines_of(page)
    start, target = page.locator("[data-grip]").first.bounding_box(), page.locator("#policy tr[data-line]").last
    page.mouse.move(start["x"] + 5, start["y"] + 5)
    page.mouse.down()
    page.mouse.move(start["x"], target.bounding_box()["y"] + 30, steps=6)
    assert lines_of(page) != before

    page.keyboard.press("Escape")
    page.mouse.up()

    assert lines_of(page) == before


def test_a_month_is_billed_and_its_dearest_line_opens_to_the_price_of_one_call(portal, browser_of):
    """The clerk's month in the demo, from collecting to the numbers, and what the customer then sees of it."""
    desk = browser_of("owner").new_page()
    desk.goto(portal.url(NORTHWIND, "/invoices/runs/new/"))
    desk.get_by_role("button", name="Collect").click()
    desk.wait_for_url(re.compile(r"/invoices/runs/\d+/"))
    expect(desk.locator(".job-bar")).to_be_visible()
    portal.work("northwind", "invoices.collect")
    # The page has waited for the end of it.
    expect(desk.get_by_role("button", name="Approve all that may go out")).to_be_visible()
    assert access_of(desk) == []

    desk.get_by_role("link", name="Globex Corporation").click()
    expect(desk.locator(".finding")).to_contain_text("against")
    desk.get_by_role("button", name="Seen, bill it all the same").click()
    expect(desk.locator(".finding")).to_contain_text("Seen by nadia@northwind.example")
    desk.get_by_role("button", name="Approve").click()
    desk.get_by_role("link", name="Issue what is approved").click()
    desk.get_by_role("button", name="Issue them").click()
    portal.work("northwind", "invoices.issue")
    expect(desk.get_by_text("What every customer was billed.")).to_be_visible()

    page = browser_of("billed").new_page()
    page.goto(portal.url(EVERYBODY["billed"].host, "/bills/"))
    page.locator("tbody a").first.click()
    page.get_by_role("link", name=re.compile("^Calls to")).first.click()
    expect(page.get_by_role("link", name="Ask about this line")).to_be_visible()
    assert access_of(page) == []
    page.locator("tbody a").first.click()
    expect(page.locator("main")).to_contain_text("a minute")
    assert access_of(page) == []
