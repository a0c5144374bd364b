"""Every page that links lead to answers, has its frame, and can be used by everybody, in both themes and by phone."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PEOPLE, PHONE, WIDE
from tests.browser.walk import OF_COLOURS, OF_WIDTH, RULES, access_of, form_of, shape, walk

SHOTS = os.environ.get("SCREENSHOTS", "")
LOOKS = {"light": ("light", WIDE), "dark": ("dark", WIDE), "phone": ("light", PHONE)}
RULES_OF = {"light": RULES, "dark": OF_COLOURS, "phone": OF_WIDTH}
# Who sees mostly the same pages: what one has looked at the next need not.
looked_at: set[tuple[str, str]] = set()


def shoot(page, who, name):
    if SHOTS:
        Path(SHOTS).mkdir(parents=True, exist_ok=True)
        file = f"{who}{shape(page.url).replace('/', '_').replace('*', 'x')}{name}.png"
        page.screenshot(path=Path(SHOTS) / file, full_page=True)


@pytest.mark.parametrize("who", PEOPLE)
def test_every_page_answers_and_can_be_used_by_everybody(portal, browser_of, who):
    page = browser_of(who).new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    faults, count = [], 0
    for url, response in walk(page, portal.url(PEOPLE[who].host)):
        count += 1
        where = f"{shape(url)} "
        if response.status != 200:
            faults.append(f"{where}answers {response.status} (linked from a page of {who})")
            said.clear()
            continue
        new = (PEOPLE[who].host.count("."), shape(url)) not in looked_at
        looked_at.add((PEOPLE[who].host.count("."), shape(url)))
        for name, (scheme, size) in LOOKS.items() if new else ():
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size(size)
            faults += [f"{where}{name}: {fault}" for fault in form_of(page) + access_of(page, RULES_OF[name])]
            shoot(page, who, name)
        page.emulate_media(color_scheme="light")
        page.set_viewport_size(WIDE)
        faults += [f"{where}says: {text}" for text in said]
        said.clear()

    assert not faults, f"{len(faults)} faults on {count} pages of {who}:\n" + "\n".join(dict.fromkeys(faults))
    assert count > 5


def test_the_pages_before_log_in_can_be_used_by_everybody(portal, browser_of):
    faults = []
    for name, (scheme, size) in LOOKS.items():
        page = browser_of(None, color_scheme=scheme, viewport=size).new_page()
        for url, response in walk(page, portal.url("northwind", "/account/login/")):
            found = form_of(page) + access_of(page) + ([f"answers {response.status}"] if response.status != 200 else [])
            faults += [f"{shape(url)} {name}: {fault}" for fault in found]
            shoot(page, "stranger", name)

    assert not faults, "\n".join(dict.fromkeys(faults))


def test_a_page_that_is_not_there_says_so_in_the_same_frame(portal, browser_of):
    page = browser_of("admin").new_page()

    response = page.goto(portal.url("acme.northwind", "/no/such/page/"))

    assert response.status == 404
    assert form_of(page) + access_of(page) == []
    assert page.locator(".error-id").count() == 1


@pytest.mark.parametrize("look", LOOKS)
def test_pages_of_trouble_can_be_used_by_everybody(portal, browser_of, look):
    scheme, size = LOOKS[look]
    page = browser_of("viewer", color_scheme=scheme, viewport=size).new_page()
    faults = []

    def look_at(name):
        faults.extend(f"{name} {look}: {fault}" for fault in form_of(page) + access_of(page))
        shoot(page, name, look)

    assert page.goto(portal.url(PEOPLE["viewer"].host, "/routing/new/")).status == 403
    look_at("forbidden")
    page = browser_of(None, color_scheme=scheme, viewport=size).new_page()
    page.goto(portal.url("northwind", "/account/login/"))
    page.fill("[name=login]", "nobody@northwind.example")
    page.fill("[name=password]", "wrong")
    page.click("form button.btn-primary")
    expect(page.get_by_role("alert")).to_contain_text("You are not logged in")
    look_at("wrong")
    assert page.goto(portal.url("northwind", "/no/such/page/")).status == 404
    expect(page.get_by_role("link", name="Go to the log-in")).to_be_visible()
    look_at("stranger")
    page = browser_of("operator", color_scheme=scheme, viewport=size).new_page()
    page.goto(portal.url("console", "/certificates/new/"))
    page.select_option("[name=region]", index=1)
    page.fill("[name=chain]", "nothing")
    page.fill("[name=key]", "nothing")
    page.click("main form button.btn-primary")
    expect(page.get_by_role("alert")).to_contain_text("This is no certificate")
    look_at("certificate")

    assert faults == []
