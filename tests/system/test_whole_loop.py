"""The loop that everything else stands on: the browser steers a real SBC, and its calls come back."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.system import sipp
from tests.system.installation import Installation

ACME, CALLER = "acme.sbc.northwind.example", "+493023125000"
LONDON, SHOWN = "+442079460123", "+44 20 7946 0123"
RECORD = "SELECT egress_name FROM calls_cdr WHERE called = %s AND disposition = 'answered' AND invited > %s"


def trunk_taken(installation: Installation, folder: Path) -> str:
    """Place a call with SIPp and return the trunk that took it, by its record."""
    began = datetime.now(UTC)
    sipp.call(installation, folder, customer=ACME, caller=CALLER)
    records = installation.wait(lambda: installation.query(RECORD, sipp.CALLED, began), 10, "the call's record")
    assert len(records) == 1
    return str(records[0][0])


def test_a_route_changed_in_the_browser_sends_the_next_call_over_the_other_trunk(
    installation: Installation, alice: Page, tmp_path: Path
):
    before = trunk_taken(installation, tmp_path)
    after = {"Carrier A": "Carrier B", "Carrier B": "Carrier A"}[before]

    alice.goto(installation.url("acme.northwind", "/routing/"))
    alice.get_by_role("link", name="+44*").click()
    # The demo lets prices decide on this line.
    alice.locator("[name=trunk_order][value=listed]").check()
    alice.get_by_label("First trunk").select_option(label=after)
    alice.get_by_label("If it fails").select_option(label=before)
    alice.get_by_role("button", name="Save").click()
    line = alice.get_by_role("row", name="+44*")
    expect(line).to_contain_text("Live", timeout=5_000)

    assert trunk_taken(installation, tmp_path) == after


def test_a_call_shows_live_on_the_dashboard_and_leaves_its_record(installation: Installation, alice: Page):
    alice.goto(installation.url("acme.northwind"))
    began = datetime.now(UTC)

    with ThreadPoolExecutor(1) as other:
        # Playwright's loop runs in this thread; the call gets one of its own.
        call = other.submit(installation.place, [{"caller": CALLER, "called": LONDON, "seconds": 4}])
        live = alice.locator("[data-rows=live]")
        expect(live).to_contain_text(SHOWN, timeout=5_000)
        assert call.result()[0]["code"] == 200
    expect(live).not_to_contain_text(SHOWN, timeout=10_000)

    installation.wait(lambda: installation.query(RECORD, LONDON, began), 10, "the call's record")
    alice.goto(installation.url("acme.northwind", "/calls/"))
    expect(alice.locator("tbody tr").first).to_contain_text(SHOWN)
    alice.locator("tbody tr").first.get_by_role("link").first.click()
    expect(alice.get_by_role("heading", level=1)).to_contain_text(SHOWN)
