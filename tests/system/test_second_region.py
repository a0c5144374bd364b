"""A second region with a node of its own, set up in the operator's console as docs/deploy.md says."""

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Page, expect

from lab import ca
from portal.embedded import ROOT_HOME
from portal.run import ROOT
from tests.system import sipp
from tests.system.installation import Installation

CALLER = "+493023125000"
RECORD = "SELECT node_name FROM calls_cdr WHERE called = %s AND disposition = 'answered' AND invited > %s"
SHARES = "SELECT count(*) FROM sbc_deployment d JOIN sbc_node n ON n.id = d.node_id WHERE n.name = %s AND {}"


class South(NamedTuple):
    """A region, and the node that carries it."""

    region: str
    base: str
    node: str
    token: str


@pytest.fixture
def south(installation: Installation, operator: Page) -> Iterator[South]:
    """Add a region of its own for each try, and leave its node out of service: nobody else waits for it."""
    mark = uuid.uuid4().hex[:4]
    region, base, node = f"South {mark}", f"south-{mark}.northwind.example", f"sbc-south-{mark}"
    try:
        yield South(region, base, node, _set_up(installation, operator, region, base, node))
    finally:
        for (pk,) in installation.query("SELECT id FROM sbc_node WHERE name = %s AND state <> 'disabled'", node):
            installation.manage("tests.system.month_world", "leave", json.dumps({"node": pk}))


def _set_up(installation: Installation, operator: Page, region: str, base: str, node: str) -> str:
    """Add region, base domain, names, certificate and node; return the node's token."""
    network = installation.network
    page, at = operator, lambda path: installation.url("console", path)
    page.goto(at("/regions/new/"))
    page.fill("[name=name]", region)
    page.fill("[name=slug]", region.lower().replace(" ", "-"))
    page.fill("[name=allowed_networks]", f"{network}.9.0/24")
    names = (f"{name}:5061 {network}.8.{place}" for place, name in enumerate(ca.MICROSOFT_NAMES, 1))
    page.fill("[name=microsoft_names]", "\n".join(names))
    page.fill("[name=microsoft_networks]", f"{network}.8.0/24")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url(at("/regions/"))

    page.goto(at("/msps/"))
    page.get_by_role("link", name="Northwind").first.click()
    page.get_by_role("link", name="Add base domain").click()
    page.get_by_label("Region").select_option(label=region)
    page.fill("[name=fqdn]", base)
    page.get_by_role("button", name="Add").click()
    page.get_by_role("row", name=base).get_by_role("link").last.click()
    page.get_by_role("button", name="Give names").click()
    # A page that is left at once may never have sent its form.
    expect(page.get_by_text("a name there now")).to_be_visible()

    authority = ca.Authority.open(installation.var / "lab" / "ca", "sbc-root", ca.SBC_ROOT)
    key = ca.new_key()
    page.goto(at("/certificates/new/"))
    page.get_by_label("Region").select_option(label=region)
    page.fill("[name=chain]", ca.pem(authority.issue(ca.sbc_leaf([base]), key)).decode())
    page.fill("[name=key]", ca.pem_key(key).decode())
    page.get_by_role("button", name="Add certificate").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(base)

    page.goto(at("/nodes/new/"))
    page.get_by_label("Region").select_option(label=region)
    page.fill("[name=name]", node)
    page.get_by_role("button", name="Add node").click()
    return page.locator(".token [data-copy]").get_attribute("data-copy") or ""


@contextmanager
def running(south: South, installation: Installation, folder: Path) -> Iterator[None]:
    """Run the region's node, with a Kamailio of its own beside the first one."""
    directory = ROOT_HOME / "test" / f"{south.node}-{os.getpid()}" if os.geteuid() == 0 else folder / "south"
    settings = folder / "south.json"
    address = f"{installation.network}.6.1"
    said = {
        "portal": f"ws://127.0.0.1:{installation.nodes}/node/v1/", "node": south.node, "token": south.token,
        "directory": str(directory), "address": address, "inside": address,
        "microsoft_roots": str(installation.var / "lab" / "ca" / "microsoft-root.pem"),
    }  # fmt: skip
    settings.write_text(json.dumps(said))
    said_by_it = folder / "south.log"
    with said_by_it.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "sbc.node", "--settings", str(settings)], cwd=ROOT, stdout=log, stderr=log
        )
    try:
        yield
    except BaseException:
        print(said_by_it.read_text(errors="replace")[-8000:])
        raise
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def proven_name(installation: Installation, host: str) -> str:
    """Return the name by which the node proves to Microsoft that it is Acme's; its certificate came from the portal."""
    authorities = installation.var / "lab" / "ca"
    context = ssl.create_default_context(cafile=str(authorities / "sbc-root.pem"))
    context.load_cert_chain(authorities / "sip.pem")
    source = (f"{installation.network}.8.9", 0)
    with (
        socket.create_connection((f"{installation.network}.6.1", 5061), 5, source) as line,
        context.wrap_socket(line, server_hostname=host) as proven,
    ):
        names = dict(proven.getpeercert() or {})["subjectAltName"]
    return next(name for _kind, name in names if name.startswith("*"))


def test_a_second_region_carries_the_same_customers_under_names_of_its_own(
    installation: Installation, operator: Page, south: South, tmp_path: Path
):
    acme = f"acme.{south.base}"
    with running(south, installation, tmp_path):
        everything = SHARES.format("d.running > 0 AND d.running = d.wanted")
        installation.wait(
            lambda: installation.query(everything, south.node)[0][0] >= 3 and installation.is_live(), 60,
            "the second node to run everything",
        )  # fmt: skip
        assert proven_name(installation, acme) == f"*.{south.base}"
        began = datetime.now(UTC)
        sipp.call(installation, tmp_path, customer=acme, caller=CALLER, node=f"{installation.network}.6.1")
        records = installation.wait(lambda: installation.query(RECORD, sipp.CALLED, began), 10, "the call's record")
        assert [name for (name,) in records] == [south.node]

    # Nobody waits for a node that is out of service.
    operator.goto(installation.url("console", "/nodes/"))
    operator.get_by_role("link", name=south.node).click()
    operator.get_by_role("link", name="Disable").click()
    operator.get_by_role("textbox").last.fill(south.node)
    operator.get_by_role("button", name="Disable").click()
    expect(operator.get_by_text("The node is out of service.")).to_be_visible()
    installation.wait(installation.is_live, 30, "the first node alone to be enough")
