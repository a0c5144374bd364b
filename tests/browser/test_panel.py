"""A number is changed at the right of the list, without leaving it."""

from playwright.sync_api import expect

from tests.browser.conftest import PEOPLE, PHONE
from tests.browser.walk import access_of, form_of

ACME = PEOPLE["admin"].host
NUMBER = "+49 30 23125003"


def open_panel(page, portal):
    page.goto(portal.url(ACME, "/numbers/"))
    page.get_by_role("link", name=NUMBER).press("Enter")
    panel = page.get_by_role("dialog", name=NUMBER)
    expect(panel).to_be_visible()
    return panel


def test_a_number_is_changed_beside_its_list(portal, browser_of):
    page = browser_of("admin").new_page()
    said = []
    page.on("console", lambda message: said.append(message.text))
    panel = open_panel(page, portal)
    expect(panel.get_by_label("Label")).to_be_focused()
    assert access_of(page) == []

    panel.get_by_label("Label").fill("Front desk")
    panel.get_by_label("A trunk").check()
    panel.get_by_role("button", name="Save", exact=True).click()
    expect(panel.get_by_role("alert")).to_be_focused()
    panel.get_by_role("alert").get_by_role("link", name="Trunk").click()
    expect(panel.get_by_label("Trunk", exact=False).last).to_be_focused()
    expect(panel.locator("#id_inbound_trunk_error")).to_have_text("Choose the trunk that takes the calls.")
    assert panel.get_by_label("Label").input_value() == "Front desk"
    assert access_of(page) == []

    panel.get_by_label("Microsoft Teams").check()
    panel.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#list-panel")).to_be_hidden()
    expect(page.get_by_role("row", name=NUMBER)).to_contain_text("Front desk")
    expect(page.locator("#toasts")).to_contain_text("Number saved")
    expect(page.get_by_role("link", name=NUMBER)).to_be_focused()
    assert page.url.partition("#")[0] == portal.url(ACME, "/numbers/")
    assert said == []


def test_the_second_editor_is_told_in_the_panel(portal, browser_of):
    first, second = browser_of("admin").new_page(), browser_of("admin").new_page()
    panels = [open_panel(page, portal) for page in (first, second)]
    for panel, words in zip(panels, ("Mine", "Yours"), strict=True):
        panel.get_by_label("Label").fill(words)
        panel.get_by_role("button", name="Save", exact=True).click()
        if words == "Mine":
            expect(first.locator("#list-panel")).to_be_hidden()

    expect(panels[1].get_by_role("alert")).to_contain_text("Somebody else changed this while you were editing")
    assert panels[1].get_by_label("Label").input_value() == "Yours"


def test_a_panel_on_a_phone_is_as_wide_as_it_and_escape_closes_it(portal, browser_of):
    page = browser_of("admin", viewport=PHONE, color_scheme="dark").new_page()
    panel = open_panel(page, portal)
    assert panel.bounding_box()["width"] == PHONE["width"]
    assert form_of(page) + access_of(page) == []

    page.keyboard.press("Escape")

    expect(page.locator("#list-panel")).to_be_hidden()
    expect(page.get_by_role("link", name=NUMBER)).to_be_focused()


def test_focus_goes_to_the_next_row_when_a_saved_one_no_longer_fits_the_filter(portal, browser_of):
    page = browser_of("admin").new_page()
    page.goto(portal.url(ACME, "/numbers/?q=+49 30 2312501&state=active"))
    rows = page.locator("#list .row-link")
    gone, after = rows.nth(0).inner_text(), rows.nth(1).inner_text()
    rows.nth(0).press("Enter")
    panel = page.get_by_role("dialog", name=gone)
    expect(panel).to_be_visible()

    panel.get_by_role("button", name="Save and deactivate").click()

    expect(page.locator("#list-panel")).to_be_hidden()
    expect(page.get_by_role("link", name=gone)).to_have_count(0)
    expect(page.get_by_role("link", name=after)).to_be_focused()
    expect(page.locator("#toasts")).to_contain_text(f"{gone} no longer fits what this list is narrowed to.")
    # A list is dimmed while it is drawn anew.
    expect(page.locator("#list")).to_have_css("opacity", "1")
    assert access_of(page) == []


def test_a_number_is_changed_from_the_folded_list_which_stays_unfolded(portal, browser_of):
    page = browser_of("admin").new_page()
    page.goto(portal.url(ACME, "/numbers/ranges/"))
    fold = page.locator("details.fold").first
    fold.locator("summary").click()
    link = fold.locator(".row-link").nth(1)
    number = link.inner_text()
    link.press("Enter")
    panel = page.get_by_role("dialog", name=number)
    expect(panel).to_be_visible()
    assert access_of(page) == []

    panel.get_by_label("Label").fill("Parted")
    panel.get_by_role("button", name="Save", exact=True).click()

    expect(page.locator("#list-panel")).to_be_hidden()
    row = page.get_by_role("row").filter(has=page.get_by_role("link", name=number, exact=True))
    expect(row).to_contain_text("Parted")
    expect(page.get_by_role("link", name=number, exact=True)).to_be_focused()
    expect(page.locator("#toasts")).to_contain_text("Number saved")
    assert page.url == portal.url(ACME, "/numbers/ranges/")
    assert form_of(page) + access_of(page) == []


def test_without_javascript_the_link_leads_to_the_numbers_page(portal, browser_of):
    page = browser_of("admin", java_script_enabled=False).new_page()
    page.goto(portal.url(ACME, "/numbers/"))
    page.get_by_role("link", name=NUMBER).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(NUMBER)
