"""A portal that a test holds in its hands, and a node without daemons that dials it."""

import asyncio
import itertools
import ssl
import time
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from websockets.asyncio.server import Server, ServerConnection, serve

from sbc import protocol
from sbc.node import link as link_module
from sbc.node.engines.memory import MemoryEngine
from sbc.node.link import LinkSettings
from sbc.node.process import Files, NodeProcess
from sbc.protocol import (
    Ack,
    AckRecords,
    Apply,
    CertificateState,
    Events,
    Gauges,
    Held,
    Hello,
    Nack,
    Records,
    Row,
    RowKey,
    Running,
    Welcome,
)

TN = ("tn", "17", "m=3;st=1;g=1")
ROUTE = ("rt", "17.1.00:44", "r=7;g=g1")


class FakePortal:
    """Speaks the protocol, stores records as the real one does, and can go away."""

    def __init__(self, token: str = "secret"):
        self.token = token
        self.spools: dict[str, int] = {}
        self.records: dict[tuple[str, int], dict] = {}
        self.hellos: list[Hello] = []
        self.receipts: list[Ack | Nack | Held] = []
        self.gauges: list[Gauges] = []
        self.events: list[dict] = []
        self.certificates: list[CertificateState] = []
        self.running: list[dict] = []
        self.acknowledges = True
        self.line: ServerConnection | None = None
        self.port = 0
        self.context: ssl.SSLContext | None = None
        self._server: Server | None = None
        self._nonces = itertools.count(1)

    @property
    def address(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    async def start(self) -> "FakePortal":
        self._server = await serve(
            self._serve, "127.0.0.1", self.port, max_size=None, ping_interval=None, ssl=self.context
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def stop(self) -> None:
        if self._server:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    def message(self, scope: str, version: int, rows=(), **more) -> Apply:
        fields = {"needs": {}, "after": {}, "base": None, "delete": [], "closing": False, "approved": False} | more
        fields["delete"] = [RowKey(*each) for each in fields["delete"]]
        return Apply(
            scope=scope, version=version, nonce=f"n{next(self._nonces)}", set=[Row(*row) for row in rows], **fields
        )

    async def send(self, message) -> None:
        await (await self.connected()).send(protocol.encode(message))

    async def apply(self, scope: str, version: int, rows=(), **more) -> Ack | Nack | Held:
        message = self.message(scope, version, rows, **more)
        await self.send(message)
        return await self.receipt(message.nonce)

    async def receipt(self, nonce: str) -> Ack | Nack | Held:
        def found():
            return next((each for each in self.receipts if each.nonce == nonce), None)

        return await eventually(found)

    async def connected(self) -> ServerConnection:
        return await eventually(lambda: self.line)

    async def _serve(self, line: ServerConnection) -> None:
        if line.request.headers.get("Authorization") != f"Bearer {self.token}":
            return await line.close(protocol.BAD_TOKEN)
        if line.request.path != protocol.PATH:
            return await line.close(1008)
        if self.line is not None:
            return await line.close(protocol.STOLEN_TOKEN)
        hello = protocol.decode_from_node(await line.recv())
        assert isinstance(hello, Hello)
        self.hellos.append(hello)
        last = self.spools.setdefault(hello.spool, 0)
        await line.send(protocol.encode(Welcome(last_sequence=last, node=hello.node, now=int(time.time() * 1000))))
        self.line = line
        try:
            with suppress(Exception):
                async for frame in line:
                    await self._take(line, hello.spool, protocol.decode_from_node(frame))
        finally:
            self.line = None

    async def _take(self, line: ServerConnection, spool: str, message: protocol.FromNode) -> None:
        match message:
            case Records():
                for item in message.items:
                    if item["seq"] > self.spools[spool]:
                        assert item["seq"] == self.spools[spool] + 1, "a gap"
                        assert (spool, item["seq"]) not in self.records
                        self.records[spool, item["seq"]] = item
                        self.spools[spool] = item["seq"]
                if self.acknowledges:
                    await line.send(protocol.encode(AckRecords(last_sequence=self.spools[spool])))
            case Events():
                self.events += message.items
            case Gauges():
                self.gauges.append(message)
            case Running():
                self.running += message.items
            case CertificateState():
                self.certificates.append(message)
            case Ack() | Nack() | Held():
                self.receipts.append(message)


async def eventually(found, timeout: float = 20.0):
    """Wait until `found` gives something true, and give it."""
    until = time.monotonic() + timeout
    while True:
        result = found()
        if result:
            return result
        if time.monotonic() > until:
            raise AssertionError("it did not happen")
        await asyncio.sleep(0.01)


@pytest.fixture
async def portal():
    portal = await FakePortal().start()
    yield portal
    await portal.stop()


@pytest.fixture
def short_waits(monkeypatch):
    monkeypatch.setattr(link_module, "LONGEST_WAIT", 0.2)
    monkeypatch.setattr(link_module, "SHORTEST_WAIT", 0.02)
    monkeypatch.setattr(link_module, "REFUSED_WAIT", 0.3)


@asynccontextmanager
async def running(
    portal: FakePortal,
    directory: Path,
    engine: MemoryEngine | None = None,
    settings: LinkSettings | None = None,
    **more,
):
    (directory / "records").mkdir(exist_ok=True)
    settings = settings or LinkSettings(portal.address, portal.token, "sbc-1")
    node = NodeProcess(Files(directory, directory / "records"), settings, engine or MemoryEngine(), **more)
    task = asyncio.create_task(node.run())
    try:
        yield node
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
