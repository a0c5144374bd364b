"""One installation for the package; the tests leave it as they found it."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.conftest import CHROMIUM, FLAGS, WIDE
from tests.system.installation import PASSWORD, Installation


@pytest.fixture(scope="package")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    running = Installation(tmp_path_factory.mktemp("installation"))
    try:
        running.start()
        yield running
    finally:
        running.stop()


@pytest.fixture
def alice(installation: Installation) -> Iterator[Page]:
    """Alice's browser, logged in at Acme."""
    with _logged_in(installation, "acme.northwind", "alice@acme.example") as page:
        yield page


@pytest.fixture
def operator(installation: Installation) -> Iterator[Page]:
    """The operator's browser, logged in at the console."""
    with _logged_in(installation, "console", "operator@strowger.example") as page:
        yield page


@contextmanager
def _logged_in(installation: Installation, place: str, email: str) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser: Browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_context(viewport=WIDE).new_page()
        page.goto(installation.url(place, "/account/login/"))
        page.fill("[name=login]", email)
        page.fill("[name=password]", PASSWORD)
        page.click("form button.btn-primary")
        page.wait_for_url(installation.url(place))
        yield page
        browser.close()
