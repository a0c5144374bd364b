"""A real Chromium before a real portal, both for this package only: Playwright's loop would disturb other tests."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from tests.browser.stage import PASSWORD, Stage, stage

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or ""
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]
WIDE, PHONE = {"width": 1360, "height": 860}, {"width": 390, "height": 844}


@dataclass(frozen=True)
class Person:
    """Somebody of the demo, and where they log in."""

    host: str
    email: str


PEOPLE = {
    "operator": Person("console", "operator@strowger.example"),
    "owner": Person("northwind", "nadia@northwind.example"),
    "support": Person("northwind", "sami@northwind.example"),
    "admin": Person("acme.northwind", "alice@acme.example"),
    "viewer": Person("acme.northwind", "victor@acme.example"),
    "other": Person("initech.fabrikam", "ines@initech.example"),
}


# Who has a part in a journey and walks through no pages.
EVERYBODY = PEOPLE | {"billed": Person("globex.northwind", "mallory@globex.example")}


@pytest.fixture(scope="package")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage(tmp_path_factory.mktemp("portal")) as running:
        yield running


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    if not CHROMIUM and os.environ.get("CI") != "true":
        pytest.skip("no Chromium here")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def logged_in(portal: Stage, chromium: Browser) -> Callable[[str], dict]:
    """Return a maker of log-ins: each person goes through the log-in page once, the cookies are kept."""
    kept: dict[str, dict] = {}

    def log_in(who: str) -> dict:
        if who not in kept:
            context = chromium.new_context()
            page = context.new_page()
            person = EVERYBODY[who]
            page.goto(portal.url(person.host, "/account/login/"))
            page.fill("[name=login]", person.email)
            page.fill("[name=password]", PASSWORD)
            page.click("form button.btn-primary")
            page.wait_for_url(portal.url(person.host, "/"))
            kept[who] = context.storage_state()
            context.close()
        return kept[who]

    return log_in


@pytest.fixture
def browser_of(chromium: Browser, logged_in: Callable[[str], dict]) -> Iterator[Callable[..., BrowserContext]]:
    """Return a maker of browsers: `browser_of("admin", viewport=PHONE)` is logged in, `browser_of(None)` is not."""
    opened: list[BrowserContext] = []

    def browser(who: str | None, **options: object) -> BrowserContext:
        options = {"viewport": WIDE, "locale": "en-GB", "reduced_motion": "reduce", **options}
        state = logged_in(who) if who else None
        opened.append(chromium.new_context(storage_state=state, **options))
        return opened[-1]

    yield browser
    for context in opened:
        context.close()
