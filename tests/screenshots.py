"""The README's pictures, from the demo that runs (`make run` in another terminal): `make screenshots`."""

import os
import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.conftest import CHROMIUM, FLAGS

PORT = os.environ.get("PORTAL_PORT", "8000")
PICTURES = Path(__file__).resolve().parent.parent / "docs" / "pictures"
PASSWORD = "strowger-demo"
SIZE = {"width": 1280, "height": 860}
PAGES = {
    ("acme.northwind", "alice@acme.example"): {
        "customer-home": "/",
        "routing": "/routing/try/?number=%2B44+20+7946+0123",
        "numbers": "/numbers/",
        "emergency": "/emergency/",
        "call-story": "first call",
        "bill": "/bills/3/",
    },
    ("northwind", "nadia@northwind.example"): {"msp-home": "/", "customers": "/customers/", "margin": "/margin/"},
    ("console", "operator@strowger.example"): {"rollout": "/rollout/"},
}


def main() -> int:
    """Take every picture; returns the exit status."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for (place, email), pages in PAGES.items():
            page = _log_in(browser, place, email)
            for name, path in pages.items():
                _take(page, place, name, path)
        browser.close()
    return 0


def _log_in(browser: Browser, place: str, email: str) -> Page:
    page = browser.new_context(viewport=SIZE, device_scale_factor=1).new_page()
    page.goto(_url(place, "/account/login/"))
    page.fill("[name=login]", email)
    page.fill("[name=password]", PASSWORD)
    page.click("form button.btn-primary")
    page.wait_for_url(_url(place, "/"))
    return page


def _take(page: Page, place: str, name: str, path: str) -> None:
    if path == "first call":
        page.goto(_url(place, "/calls/?result=answered"))
        page.locator("tbody tr").first.get_by_role("link").first.click()
    else:
        page.goto(_url(place, path))
    # The live dashboard draws itself with its first frame.
    page.wait_for_timeout(1500)
    target = PICTURES / f"{name}.png"
    page.screenshot(path=target)
    print(f"{target.relative_to(PICTURES.parent.parent)}: {page.title()}")


def _url(place: str, path: str) -> str:
    return f"http://{place}.localhost:{PORT}{path}"


if __name__ == "__main__":
    sys.exit(main())
