"""The line to the portal: dialled by the node, resumed from what the node holds, and never needed for a call."""

import asyncio
import json
import logging
import random
import ssl
import time
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import websockets
from websockets.asyncio.client import ClientConnection, connect

from sbc.node.applier import Applier
from sbc.node.spool import Spool
from sbc.protocol import (
    BAD_TOKEN,
    PATH,
    STOLEN_TOKEN,
    WINDOW,
    AckRecords,
    Apply,
    BadMessage,
    Certificate,
    CertificateState,
    Credit,
    Credits,
    Drop,
    Events,
    FromNode,
    FromPortal,
    Gauges,
    Hello,
    HourCount,
    Hours,
    Nack,
    Resend,
    Welcome,
    decode_from_portal,
    encode,
)

log = logging.getLogger("strowger.node")

BATCH = 2_000  # records in one message
ACK_TIMEOUT = 60.0  # seconds without an acknowledgement after which the line counts as dead
EVENTS_EVERY = 0.05
EVENTS_KEPT = 20_000
EVENTS_SENT = 300  # all of them as long as strangers can make them, they still fit into daphne's 1 MiB
GAUGES_EVERY = 2.0
HOURS_EVERY = 20.0
SHORTEST_WAIT, LONGEST_WAIT = 0.2, 30.0
SKEW = 5.0
REFUSED_WAIT = 10.0
LONGEST_FRAME = 64 * 1024 * 1024


@dataclass(frozen=True)
class LinkSettings:
    """Where the portal is, and who this node is to it."""

    portal: str  # ws://portal.example:8001 or wss://…, with or without the path
    token: str
    node: str
    software: str = "strowger"
    token_file: Path | None = None  # read at each attempt: a new token needs no restart
    addresses: tuple[str, ...] = ()  # its own, which the portal takes for no trunk's
    roots: Path | None = None  # what the portal's certificate ends in, where that is no public authority

    @property
    def address(self) -> str:
        """Give the whole address of the portal's endpoint."""
        return self.portal.rstrip("/").removesuffix(PATH.rstrip("/")) + PATH

    def trust(self) -> ssl.SSLContext | None:
        """Give what a portal that is dialled by wss has to prove itself to."""
        if not self.portal.startswith("wss:"):
            return None
        return ssl.create_default_context(cafile=str(self.roots) if self.roots else None)

    def bearer(self) -> str:
        """Give the token of now."""
        return self.token_file.read_text().strip() if self.token_file else self.token


class Link:
    """Keeps one WebSocket open; what must arrive is in the spool or in `held`, everything else may be lost."""

    def __init__(self, settings: LinkSettings, spool: Spool, boot: str, gauges: Callable[[], Gauges]):
        self.settings, self.spool, self.boot, self._gauges = settings, spool, boot, gauges
        self.applier: Applier | None = None
        self.certificate_state: Callable[[], CertificateState | None] = lambda: None
        self.take_certificate: Callable[[Certificate], Awaitable[CertificateState | None]] | None = None
        self.welcomed: Callable[[], Awaitable[None]] = _nothing
        self.credit_changed: Callable[[], Awaitable[None]] = _nothing
        self.connected = False
        self._line: ClientConnection | None = None
        self._out: asyncio.Queue[FromNode] = asyncio.Queue()
        self._events: deque[dict[str, Any]] = deque(maxlen=EVENTS_KEPT)
        self._spooled, self._acked, self._has_events = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._trimmable = asyncio.Event()
        self._sent = self._confirmed = 0

    def send(self, message: FromNode) -> None:
        """Send a receipt if the portal is there; if not, the next hello says the same."""
        if self.connected:
            self._out.put_nowait(message)

    def tell_certificate(self) -> None:
        """Say which certificates are in force, where that is known."""
        if (state := self.certificate_state()) is not None:
            self.send(state)

    def add_events(self, events: list[dict[str, Any]]) -> None:
        """Take live events; the oldest are dropped when the portal cannot keep up."""
        if self.connected and events:
            self._events.extend(events)
            self._has_events.set()

    def records_spooled(self) -> None:
        """Wake the sender of records."""
        self._spooled.set()

    async def run(self) -> None:
        """Stay connected until cancelled."""
        failures = 0
        while True:
            began = time.monotonic()
            wait = 0.0
            try:
                await self._session()
                log.warning("the portal has ended the line")
            except websockets.ConnectionClosed as closed:
                code = closed.rcvd.code if closed.rcvd else 1006
                wait = REFUSED_WAIT if code in (BAD_TOKEN, STOLEN_TOKEN) else 0.0
                log.warning("the portal closed the line: %s %s", code, closed.rcvd.reason if closed.rcvd else "")
            except websockets.InvalidStatus as refusal:
                wait = REFUSED_WAIT if refusal.response.status_code in (401, 403) else 0.0
                log.warning("the portal refused the line: HTTP %s", refusal.response.status_code)
            except (OSError, TimeoutError, websockets.WebSocketException, BadMessage) as error:
                log.warning("no line to the portal: %s", error or type(error).__name__)
            except Exception:
                log.exception("the line to the portal broke")
            failures = 0 if time.monotonic() - began > LONGEST_WAIT else failures + 1
            # Full jitter: after an outage the nodes must not all come back in the same second.
            longest = wait or min(LONGEST_WAIT, SHORTEST_WAIT * 2 ** min(failures, 10))
            await asyncio.sleep(random.uniform(longest / 4, longest))  # noqa: S311

    async def _session(self) -> None:
        assert self.applier is not None
        async with connect(
            self.settings.address,
            ssl=self.settings.trust(),
            additional_headers={"Authorization": f"Bearer {self.settings.bearer()}"},
            user_agent_header=None,
            compression=None,
            max_size=LONGEST_FRAME,
            open_timeout=10,
            ping_interval=10,
            ping_timeout=20,
            close_timeout=2,
            proxy=None,
        ) as line:
            await line.send(encode(self._hello()))
            welcome = decode_from_portal(await asyncio.wait_for(line.recv(), 10))
            if not isinstance(welcome, Welcome):
                raise BadMessage("the portal's first word was not welcome")
            if abs(welcome.now / 1000 - time.time()) > SKEW:
                log.error("this machine's clock and the portal's differ by more than %s s", SKEW)
            await self._resume(welcome)
            self._line, self.connected = line, True
            log.info("the portal has welcomed %s", welcome.node)
            self.tell_certificate()
            self.send(Credits(held=self._held("credit")))
            await self.welcomed()
            try:
                await self._talk(line)
            finally:
                self._line, self.connected = None, False
                self._events.clear()
                self._out = asyncio.Queue()

    def _hello(self) -> Hello:
        assert self.applier is not None
        return Hello(
            node=self.settings.node,
            boot=self.boot,
            spool=self.spool.uuid,
            software=self.settings.software,
            held=self._held("region", "msp", "cust"),
            next_sequence=self.spool.last_sequence + 1,
            addresses=list(self.settings.addresses),
        )

    def _held(self, *kinds: str) -> dict[str, int]:
        assert self.applier is not None
        versions = self.applier.state.versions
        return {scope: version for scope, version in versions.items() if scope.partition(":")[0] in kinds}

    async def _resume(self, welcome: Welcome) -> None:
        if welcome.last_sequence > self.spool.last_sequence:
            log.error("the portal knows later records of this spool: it is an old copy and goes on as a new one")
            self.spool.renew()
            raise BadMessage("the spool was renewed")
        await asyncio.to_thread(self.spool.acknowledge, welcome.last_sequence)
        self._sent = self._confirmed = welcome.last_sequence
        self._spooled.set()

    async def _talk(self, line: ClientConnection) -> None:
        tasks = [
            asyncio.create_task(each)
            for each in (
                self._listen(line),
                self._send_receipts(line),
                self._send_records(line),
                self._trim(),
                self._send_events(line),
                self._send_gauges(line),
                self._send_hours(line),
            )
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            for task in tasks:
                with suppress(asyncio.CancelledError, Exception):
                    await task

    async def _listen(self, line: ClientConnection) -> None:
        assert self.applier is not None
        async for frame in line:
            try:
                message = decode_from_portal(frame)
            except BadMessage as error:
                log.error("the portal sent what is no message: %s", error)
                self._refuse(frame, str(error))
                continue
            await self._obey(self.applier, message)

    async def _obey(self, applier: Applier, message: FromPortal) -> None:
        match message:
            case Apply():
                await applier.apply(message)
            case Credit():
                await applier.apply(message.as_apply())
                await self.credit_changed()
            case AckRecords():
                self._confirmed = max(self._confirmed, min(message.last_sequence, self._sent))
                self._acked.set()
                self._trimmable.set()
            case Drop():
                await applier.drop(message)
                await applier.forget_credit(message.scope)
            case Resend():
                applier.resend(message.scope)
            case Certificate():
                if self.take_certificate and (state := await self.take_certificate(message)) is not None:
                    self.send(state)
            case Welcome():
                log.warning("a second welcome, ignored")

    def _refuse(self, frame: str | bytes, reason: str) -> None:
        """Answer an apply that cannot be read, as far as it can."""
        with suppress(ValueError, TypeError, KeyError, AttributeError):
            said = json.loads(frame)
            if said["type"] == "apply" and isinstance(said["scope"], str) and isinstance(said["version"], int):
                nonce = str(said.get("nonce", ""))
                self.send(Nack(scope=said["scope"], version=said["version"], nonce=nonce, row=None, reason=reason))

    async def _send_receipts(self, line: ClientConnection) -> None:
        while True:
            await line.send(encode(await self._out.get()))

    async def _send_records(self, line: ClientConnection) -> None:
        unconfirmed: deque[int] = deque()
        while True:
            while unconfirmed and unconfirmed[0] <= self._confirmed:
                unconfirmed.popleft()
            if len(unconfirmed) >= WINDOW:
                self._acked.clear()
                if unconfirmed[0] > self._confirmed:
                    await asyncio.wait_for(self._acked.wait(), ACK_TIMEOUT)
                continue
            self._spooled.clear()
            first, texts = await asyncio.to_thread(self.spool.after, self._sent, BATCH)
            if texts:
                self._sent = first + len(texts) - 1
                unconfirmed.append(self._sent)
                frame = f'{{"type":"records","first":{first},"items":[{",".join(texts)}]}}'
                # As bytes: nobody on the way makes letters of the longest frames, and of those bytes again.
                await line.send(frame.encode())
            else:
                await self._spooled.wait()

    async def _trim(self) -> None:
        while True:
            await self._trimmable.wait()
            self._trimmable.clear()
            await asyncio.to_thread(self.spool.acknowledge, self._confirmed)

    async def _send_events(self, line: ClientConnection) -> None:
        while True:
            await self._has_events.wait()
            self._has_events.clear()
            while self._events:
                count = min(len(self._events), EVENTS_SENT)
                items = [self._events.popleft() for _ in range(count)]
                await line.send(encode(Events(items=items)))
            # The first event goes at once; those of the next moment go together.
            await asyncio.sleep(EVENTS_EVERY)

    async def _send_gauges(self, line: ClientConnection) -> None:
        while True:
            await line.send(encode(self._gauges()))
            await asyncio.sleep(GAUGES_EVERY)

    async def _send_hours(self, line: ClientConnection) -> None:
        await asyncio.to_thread(self.spool.tell_hours_again, int(time.time() * 1000))
        while True:
            while hours := await asyncio.to_thread(self.spool.hours, BATCH):
                items = [HourCount(zip(HourCount.__annotations__, hour, strict=True)) for hour in hours]  # type: ignore[misc]
                await line.send(encode(Hours(items=items)))
                await asyncio.to_thread(self.spool.hours_told, hours)
            await asyncio.sleep(HOURS_EVERY)


async def _nothing() -> None:
    pass
