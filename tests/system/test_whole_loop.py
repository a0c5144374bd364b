"""The loop that everything else stands on: the browser steers a real SBC, and its calls come back."""

from concurrent.futures import ThreadPoolExecutor

from playwright.sync_api import Page, expect

from tests.system.installation import Installation

CALLER, LONDON, SHOWN = "+493023125000", "+442079460123", "+44 20 7946 0123"


def taken_by(installation: Installation) -> str:
    with ThreadPoolExecutor(1) as other:
        # Playwright's loop runs in this thread; the call gets one of its own.
        outcome = other.submit(installation.place, [{"caller": CALLER, "called": LONDON, "seconds": 0.5}]).result()[0]
    assert outcome["code"] == 200, outcome
    return outcome["taken_by"][0]


def test_a_route_changed_in_the_browser_sends_the_next_call_over_the_other_trunk(
    installation: Installation, alice: Page
):
    before = taken_by(installation)
    after = {"Carrier A": "Carrier B", "Carrier B": "Carrier A"}[before]

    alice.goto(installation.url("acme.northwind", "/routing/"))
    alice.get_by_role("link", name="+44*").click()
    alice.get_by_label("First trunk").select_option(label=after)
    alice.get_by_label("If it fails").select_option(label=before)
    alice.get_by_role("button", name="Save").click()
    line = alice.get_by_role("row", name="+44*")
    expect(line).to_contain_text("Live", timeout=5_000)

    assert taken_by(installation) == after


def test_a_call_shows_live_on_the_dashboard_and_leaves_its_record(installation: Installation, alice: Page):
    alice.goto(installation.url("acme.northwind"))

    with ThreadPoolExecutor(1) as other:
        call = other.submit(installation.place, [{"caller": CALLER, "called": LONDON, "seconds": 4}])
        live = alice.locator("[data-rows=live]")
        expect(live).to_contain_text(SHOWN, timeout=5_000)
        assert call.result()[0]["code"] == 200
    expect(live).not_to_contain_text(SHOWN, timeout=10_000)

    alice.goto(installation.url("acme.northwind", "/calls/"))
    expect(alice.locator("tbody tr").first).to_contain_text(SHOWN, timeout=10_000)
    alice.locator("tbody tr").first.get_by_role("link").first.click()
    expect(alice.get_by_role("heading", level=1)).to_contain_text(SHOWN)
