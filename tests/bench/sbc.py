"""A whole SBC for a figure: the node process and its daemons, a portal that takes its records, SIPp on both sides."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sbc.node.daemons import Daemon
from sbc.tests.node_portal import FakePortal
from sbc.tests.sip.stage import ACME, GLOBEX, Stage, tenant

HERE = Path(__file__).parent
TOKEN = "bench"
CLIENT = """
global
    maxconn 4000
    nbthread 1
defaults
    mode tcp
    timeout connect 3s
    timeout client 600s
    timeout server 600s
frontend teams
    bind {address}:5060
    default_backend node
backend node
    server node {node}:{port} ssl crt {pem} verify none source {address}
"""


def new_stage(directory: Path, **changes: Any) -> Stage:
    """Return a stage with a real node's numbers of workers, not yet running."""
    real = {"udp_workers": 4, "proxied_workers": 4, "shared_memory_mb": 512, "table_bits": 16}
    return Stage(directory, **{**real, **changes})


@asynccontextmanager
async def node_process(stage: Stage, *, globex_cps: int = 10_000) -> AsyncIterator[FakePortal]:
    """Run `python -m sbc.node` until the block ends, with the rows of the stage in force."""
    portal = await FakePortal(TOKEN).start()
    said = {name: str(value) if isinstance(value, Path) else value for name, value in asdict(stage.settings).items()}
    settings = stage.settings.directory.parent / "node.json"
    settings.write_text(json.dumps({**said, "portal": portal.address, "node": "bench", "token": TOKEN}))
    log = (stage.settings.directory.parent / "node.log").open("wb")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sbc.node", "--settings", str(settings), stdout=log, stderr=log
    )
    try:
        rows = {(table, key): value for table, key, value in stage.rows() if table != "sr"}
        rows["tn", "17"] = tenant(fq=ACME, default="4930111", cps=10_000, channels=10_000, longest=_longest(rows, "17"))
        rows["tn", "18"] = tenant(
            fq=GLOBEX, default="4989222", cps=globex_cps, channels=10_000, longest=_longest(rows, "18")
        )
        await _apply(portal, rows)
        async with asyncio.timeout(20):
            while not (portal.gauges and portal.gauges[-1].kamailio):
                await asyncio.sleep(0.1)
        yield portal
    finally:
        process.terminate()
        await process.wait()
        await portal.stop()
        await stage.plane.stop()
        log.close()


def _longest(rows: dict[tuple[str, str], str], customer: str) -> int:
    """Return the length of a customer's longest prefix, as the compiler writes it into the customer's row."""
    keys = [key for table, key in rows if table == "rt" and key.startswith(f"{customer}.")]
    return max(len(key.split(":")[1]) for key in keys)


async def _apply(portal: FakePortal, rows: dict[tuple[str, str], str]) -> None:
    """Send each scope its rows, outer scopes first."""
    scopes: dict[str, list[tuple[str, str, str]]] = {"region:1": [], "msp:3": [], "cust:17": [], "cust:18": []}
    for (table, key), value in rows.items():
        if table == "rg":
            scope = "region:1"
        elif table in ("bd", "bl", "gw"):
            scope = "msp:3"
        else:
            globex = key.startswith("18") or value == "18" or value.startswith("t=18;")
            scope = "cust:18" if globex else "cust:17"
        scopes[scope].append((table, key, value))
    for scope, some in scopes.items():
        receipt = await portal.apply(scope, 1, some)
        assert type(receipt).__name__ == "Ack", receipt


@asynccontextmanager
async def tls_client(stage: Stage, number: int) -> AsyncIterator[str]:
    """Run what does TLS for a SIPp that plays Microsoft's proxy `number`; give the address to call."""
    address = f"{stage.net}.{8 + number}"
    config = stage.settings.run / f"teams{number}.cfg"
    text = CLIENT.format(
        address=address, node=stage.settings.address, port=stage.settings.microsoft_port, pem=stage.microsoft_pem
    )
    config.write_text(text)
    daemon = Daemon(f"teams{number}", [stage.settings.haproxy, "-db", "-f", str(config)], stage.settings.run)
    daemon.start()
    try:
        await asyncio.sleep(0.5)
        yield address
    finally:
        await daemon.stop()


class Caller:
    """One SIPp that plays Teams: `rate` calls a second, `calls` in all."""

    def __init__(self, stage: Stage, number: int, *, rate: float, calls: int, customer: str, caller: str) -> None:
        self.folder = stage.settings.directory.parent / f"sipp{number}"
        self.folder.mkdir(exist_ok=True)
        self.stage, self.number, self.rate, self.calls = stage, number, rate, calls
        self.customer, self.caller = customer, caller
        self.address = f"{stage.net}.{8 + number}"

    def command(self, hold_ms: int) -> list[str]:
        return [
            "-sf", str(HERE / "teams.xml"), "-t", "t1", "-i", self.address, "-p", str(5070 + self.number),
            "-mp", "40000", "-m", str(self.calls), "-r", str(self.rate), "-l", "20000", "-d", str(hold_ms),
            "-key", "customer", self.customer, "-key", "caller", self.caller, "-trace_stat", "-fd", "1",
            "-trace_rtt", "-rtt_freq", "1", "-nd", f"{self.address}:5060",
        ]  # fmt: skip

    async def run(self, hold_ms: int = 1000) -> None:
        # SIPp does not always come to its end after calls that were refused; its figures are on disk each second.
        with suppress(TimeoutError):
            async with asyncio.timeout(self.calls / self.rate + hold_ms / 1000 + 8):
                async with sipp(self.folder, self.command(hold_ms)) as process:
                    await process.wait()

    def totals(self) -> dict[str, str]:
        """Return the last line of SIPp's statistics, by name."""
        names, *lines = _rows(next(self.folder.glob("teams_*_.csv")))
        return dict(zip(names, lines[-1], strict=False))

    @property
    def failed(self) -> int:
        return self.made - int(self.totals()["SuccessfulCall(C)"])

    @property
    def made(self) -> int:
        return int(self.totals()["TotalCallCreated"])

    def set_up_ms(self) -> list[float]:
        """Return the milliseconds from INVITE to ringing of every call."""
        return [float(row[1]) for row in _rows(next(self.folder.glob("*_rtt.csv")))[1:]]


@asynccontextmanager
async def answering(stage: Stage) -> AsyncIterator[None]:
    """Let carrier A answer every call."""
    scenario = str(HERE.parents[1] / "sbc" / "tests" / "sip" / "uas.xml")
    folder = stage.settings.directory.parent / "carrier"
    folder.mkdir(exist_ok=True)
    command = ["-sf", scenario, "-i", f"{stage.net}.65", "-p", "5060", "-mp", "20000", "-l", "20000"]
    async with sipp(folder, command):
        await asyncio.sleep(0.5)
        yield


@asynccontextmanager
async def sipp(folder: Path, arguments: Sequence[str]) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run SIPp until the block ends."""
    process = await asyncio.create_subprocess_exec(
        "sipp", *arguments, "-nostdin", cwd=folder, env={**os.environ, "TERM": "dumb"},
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@asynccontextmanager
async def everything(directory: Path, **changes: Any) -> AsyncIterator[tuple[Stage, FakePortal]]:
    """Give a running SBC with its carrier answering and two of Microsoft's proxies that can dial."""
    stage = new_stage(directory)
    async with AsyncExitStack() as stack:
        portal = await stack.enter_async_context(node_process(stage, **changes))
        await stack.enter_async_context(answering(stage))
        for number in (1, 2):
            await stack.enter_async_context(tls_client(stage, number))
        yield stage, portal


def _rows(path: Path) -> list[list[str]]:
    return [line.split(";") for line in path.read_text().splitlines() if line.strip()]
