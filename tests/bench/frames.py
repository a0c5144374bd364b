"""How long a call event takes from the node to the browser's socket, with two hundred dashboards open."""

import asyncio
import json
import time
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any

import websockets

from tests.bench.figure import Figure, emit, note, percentile
from tests.bench.ground import a_node, ground, logged_in
from tests.bench.processes import daphne

DASHBOARDS = 200
PEOPLE = ("alice@acme.example", "victor@acme.example")  # one person may have a hundred pages open
CALLS = 150
GAP = 0.07
SETTLE = 3.0


class Dashboards:
    """Open sockets of one customer's people, and when each of them saw which call first."""

    def __init__(self, port: int, people: list[dict[str, str]]) -> None:
        self.port, self.people = port, people  # the headers of each
        self.sockets: list[Any] = []
        self.listeners: list[asyncio.Task[None]] = []
        self.sent: dict[str, float] = {}
        self.lags: list[float] = []

    async def open(self, count: int) -> None:
        for number in range(count):
            self.sockets.append(await self._dial(self.people[number % len(self.people)]))
        self.listeners = [asyncio.create_task(self._listen(each)) for each in self.sockets]

    async def close(self) -> None:
        for task in self.listeners:
            task.cancel()
        await asyncio.gather(*(each.close() for each in self.sockets), return_exceptions=True)

    async def _dial(self, headers: dict[str, str]) -> Any:
        host = headers["Host"]
        socket = await websockets.connect(
            f"ws://{host}:{self.port}/ws/",
            # The name stands in the address; the connection goes to this machine all the same.
            host="127.0.0.1",
            port=self.port,
            origin=f"http://{host}:{self.port}",  # type: ignore[arg-type]
            additional_headers={"Cookie": headers["Cookie"]},
            compression=None,
        )
        await socket.send(json.dumps({"want": "dashboard"}))
        return socket

    async def _listen(self, socket: Any) -> None:
        seen: set[str] = set()
        async for text in socket:
            now = time.perf_counter()
            for row in json.loads(text).get("live", []):
                if row["id"] in self.sent and row["id"] not in seen:
                    seen.add(row["id"])
                    self.lags.append(now - self.sent[row["id"]])


def run() -> list[Figure]:
    """Print the p99 over every dashboard and every call, coalescing on the node and in the portal included."""
    with ground() as on:
        node, token = a_node()
        people = [logged_in(email, "acme") for email in PEOPLE]
        with (
            daphne("portal.asgi:application", on.environment) as portal,
            daphne("portal.asgi_nodes:application", on.environment) as nodes,
        ):
            note(f"frames: {DASHBOARDS} dashboards, {CALLS} calls")
            lags = asyncio.run(_measure(Dashboards(portal, people), _node(on.folder, node.name, token, nodes)))
    assert len(lags) == DASHBOARDS * CALLS, f"{len(lags)} of {DASHBOARDS * CALLS} frames came"
    return [
        emit(
            f"call event on the node to frame in the socket, {DASHBOARDS} dashboards, p99",
            percentile(lags, 0.99) * 1000,
            "ms",
            at_most=400,
        ),
        emit(
            f"call event on the node to frame in the socket, {DASHBOARDS} dashboards, p50",
            percentile(lags, 0.5) * 1000,
            "ms",
        ),
    ]


def _node(folder: Path, name: str, token: str, port: int) -> Any:
    """Return a real node process whose engine says what we put into it."""
    from sbc.node.engines.memory import MemoryEngine
    from sbc.node.link import LinkSettings
    from sbc.node.process import Files, NodeProcess

    files = Files(folder / "node", folder / "node" / "records")
    return NodeProcess(files, LinkSettings(f"ws://127.0.0.1:{port}", token, name), MemoryEngine())


async def _measure(dashboards: Dashboards, node: Any) -> list[float]:
    tenant = await asyncio.to_thread(_acme)
    running = asyncio.create_task(node.run())
    try:
        async with asyncio.timeout(30):
            await dashboards.open(DASHBOARDS)
            while not node.link.connected:
                await asyncio.sleep(0.05)
        await asyncio.sleep(SETTLE)
        for _ in range(CALLS):
            call = str(uuid.uuid4())
            dashboards.sent[call] = time.perf_counter()
            node.engine.events.append(_event(call, tenant))
            await asyncio.sleep(GAP)
        await asyncio.sleep(SETTLE)
    finally:
        await dashboards.close()
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
    return dashboards.lags


def _acme() -> int:
    from portal.db import contexts
    from tenants.models import Customer

    with contexts.public():
        return Customer.objects.values_list("pk", flat=True).get(label="acme")


def _event(call: str, tenant: int) -> dict[str, Any]:
    return {
        "at": int(time.time() * 1000), "call": call, "type": "start", "tenant": tenant, "peer": 0, "msp": 0,
        "direction": "out", "caller": "+49301110001", "called": "+442079460018", "trunk": "g1", "route": 0, "code": 0,
        "reason": "",
    }  # fmt: skip
