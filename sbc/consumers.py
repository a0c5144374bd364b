"""The two ends of Channels: the worker that compiles, and the line to each node."""

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

from channels.consumer import SyncConsumer, get_handler_name
from channels.db import DatabaseSyncToAsync
from channels.generic.websocket import AsyncWebsocketConsumer
from django.utils.timezone import now

from sbc import ingest, protocol, services
from sbc.models import Node
from sbc.services import certificates, credits, drops, nodes, reconciling, running
from sbc.services.sending import LineLost
from sbc.sorting import Sorted

logger = logging.getLogger(__name__)
P = ParamSpec("P")
R = TypeVar("R")

# The time in which a connection that is alive proves it, before another with the same token takes over.
PROOF_SECONDS = 1.0
# A peer that has said nothing for so long does not answer for its node any more.
SILENT_SECONDS = 20.0
SWEEP_SECONDS = 2.0
IN_FLIGHT = 25
# With so many records a transaction is worth its while: for one or for a thousand it asks the same questions.
TOGETHER = 2_000
# Receipts are what people wait for; storing records must not stand in their way, nor one node in another's.
_threads = ThreadPoolExecutor(6, thread_name_prefix="node")


async def _db(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    run: Any = DatabaseSyncToAsync(function, thread_sensitive=False, executor=_threads)
    result: R = await run(*args, **kwargs)
    return result


class SbcWorker(SyncConsumer):
    """Compiles what is wanted (`manage.py runworker sbc --layer workers`)."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def say(message: Any) -> None:
            # The worker's own `send` gives an awaitable without being marked as async, which asgiref warns of.
            await send(message)

        await super().__call__(scope, receive, say)

    def nudge(self, message: dict[str, Any]) -> None:
        services.compile_revisions(first=message.get("first", ""))


class NodeConsumer(AsyncWebsocketConsumer):
    """Holds the line to one SBC node: what it should run goes out, what it runs and carries comes in."""

    groups: list[str] = []
    node: Node | None = None

    async def connect(self) -> None:
        self.tasks: list[asyncio.Task[None]] = []
        self.mine = self.greeted = False
        self.waiting_hello: protocol.Hello | None = None
        self.spool: UUID | None = None
        self.in_flight = 0
        self.more = False
        self.credits: dict[int, credits.Told] | None = None
        self.credits_held: dict[str, int] = {}
        self.sending, self.telling = asyncio.Lock(), asyncio.Lock()
        self.credits_moved = asyncio.Event()
        self.records: asyncio.Queue[protocol.Records] = asyncio.Queue(protocol.WINDOW)
        self.sorted: asyncio.Queue[tuple[protocol.Records, Sorted]] = asyncio.Queue(1)
        self.events: asyncio.Queue[protocol.Events] = asyncio.Queue(200)
        self.heard = time.monotonic()
        await self.accept()
        self.node = await _db(nodes.node_of_token, _bearer(self.scope["headers"]))
        if self.node is None:
            await self.close(protocol.BAD_TOKEN)
            return
        await self.channel_layer.group_add(f"node.{self.node.pk}", self.channel_name)
        await self.channel_layer.group_add(credits.GROUP, self.channel_name)
        self.before = await _db(nodes.current_channel, self.node)
        if self.before:
            # Is the one that spoke for this node still there? Only an answer counts: a crash leaves its name behind.
            await self.channel_layer.send(self.before, {"type": "prove", "to": self.channel_name})
            self._start(self._take_over())
        else:
            await self._take_line()

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Hand a message to its method; Channels' own way would pass by another thread first to close connections."""
        await getattr(self, get_handler_name(message))(message)

    async def disconnect(self, code: int) -> None:
        for task in getattr(self, "tasks", []):
            task.cancel()
        if self.node is not None:
            await self.channel_layer.group_discard(f"node.{self.node.pk}", self.channel_name)
            await self.channel_layer.group_discard(credits.GROUP, self.channel_name)
            if self.mine:
                await _db(nodes.leave_line, self.node, self.channel_name)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        self.heard = time.monotonic()
        if self.node is None:
            return
        try:
            message = protocol.decode_from_node(text_data if text_data is not None else bytes_data or b"")
        except protocol.BadMessage as error:
            logger.warning("%s says what nobody understands: %s", self.node, error)
            await _db(nodes.misunderstood, self.node, str(error))
            return
        if isinstance(message, protocol.Hello):
            self.waiting_hello = message
            if self.mine:
                await self._greet()
        elif self.greeted:
            await self._hear(message)

    async def nudge(self, message: dict[str, Any]) -> None:
        """Look at the database: there is something to send, or the token is no longer good."""
        if self.node is None or not self.mine:
            return
        await self._send_revisions()
        # Apart from this: what the node answers is not heard before a nudge is over.
        self.credits_moved.set()

    async def prove(self, message: dict[str, Any]) -> None:
        """Answer another connection that claims to be this node, if the node itself still speaks to this one."""
        if self.mine and time.monotonic() - self.heard < SILENT_SECONDS:
            await self.channel_layer.send(message["to"], {"type": "proved"})

    async def proved(self, message: dict[str, Any]) -> None:
        """Go away: the node's first connection is alive, so this one is somebody else with its token."""
        if self.node is None or self.mine:
            return
        await _db(nodes.token_used_twice, self.node, _address(self.scope))
        await self.close(protocol.STOLEN_TOKEN)
        self.node = None

    # The line

    async def _take_over(self) -> None:
        await asyncio.sleep(PROOF_SECONDS)
        if self.node is not None:
            await self._take_line()

    async def _take_line(self) -> None:
        assert self.node is not None
        if not await _db(nodes.take_line, self.node, self.channel_name, instead_of=self.before):
            await _db(nodes.token_used_twice, self.node, _address(self.scope))
            await self.close(protocol.STOLEN_TOKEN)
            return
        self.mine = True
        self._start(self._sort_records())
        self._start(self._store_records())
        self._start(self._show_events())
        self._start(self._tell_credits())
        self._start(self._sweep())
        if self.waiting_hello is not None:
            await self._greet()

    async def _greet(self) -> None:
        assert self.node is not None and self.waiting_hello is not None
        hello, self.waiting_hello = self.waiting_hello, None
        try:
            self.spool = UUID(hello.spool)
        except ValueError:
            await _db(nodes.misunderstood, self.node, "the spool is not a UUID")
            await self.close()
            return
        welcome = await _db(nodes.welcome, self.node, hello)
        self.greeted = True
        await self._say(welcome)
        await self._send_drops()
        await self._send_revisions()

    async def _hear(self, message: protocol.FromNode) -> None:
        assert self.node is not None
        if isinstance(message, protocol.Records):
            # A full queue stops the reading: the node waits, and keeps what it has.
            await self.records.put(message)
        elif isinstance(message, protocol.Events):
            if self.events.full():
                self.events.get_nowait()
            self.events.put_nowait(message)
        elif isinstance(message, protocol.Gauges):
            await _db(ingest.take_gauges, self.node, message)
        elif isinstance(message, protocol.Hours):
            if self.spool is not None:
                await _db(reconciling.take_hours, self.node, self.spool, message)
        elif isinstance(message, protocol.Running):
            await _db(running.take, self.node, message, now())
        elif isinstance(message, protocol.Credits):
            self.credits, self.credits_held = {}, message.held
            await self._send_credits()
        elif isinstance(message, protocol.Ack | protocol.Nack | protocol.Held) and message.scope.startswith("credit:"):
            await self._credit_receipt(message)
        elif isinstance(message, protocol.CertificateState):
            await _db(certificates.told, self.node, message)
            await self._send_certificate()
        elif isinstance(message, protocol.Ack | protocol.Nack | protocol.Held) and message.version == 0:
            await _db(drops.answered, self.node, message)
        else:
            await self._receipt(message)

    async def _receipt(self, message: protocol.FromNode) -> None:
        assert self.node is not None
        self.in_flight = max(0, self.in_flight - 1)
        if isinstance(message, protocol.Ack):
            await _db(services.acked, self.node, message)
        elif isinstance(message, protocol.Nack):
            await _db(services.refused, self.node, message)
        elif isinstance(message, protocol.Held):
            await _db(services.held_back, self.node, message)
        if self.more and self.in_flight < IN_FLIGHT // 2:
            await self._send_revisions()

    async def _send_revisions(self) -> None:
        assert self.node is not None
        async with self.sending:
            # Before the hello it is not known what the node holds, but a lost line is noticed all the same.
            room = IN_FLIGHT - self.in_flight if self.greeted else 0
            try:
                applies = await _db(services.revisions_for, self.node, channel=self.channel_name, limit=max(0, room))
            except LineLost:
                await self.close(protocol.BAD_TOKEN)
                return
            # What could not go for want of room goes with the receipts; for what comes anew there is a nudge.
            self.more = len(applies) >= room
            for apply in applies:
                self.in_flight += 1
                await self._say(apply)

    async def _send_credits(self) -> None:
        """Tell the node what its customers' money allows, where that is news to it."""
        assert self.node is not None
        if self.credits is None or self.spool is None:
            return  # it has never heard of credits
        async with self.telling:
            told, held = self.credits, self.credits_held
            for message, now_told in await _db(credits.credits_for, self.node, self.spool, told, held, now()):
                told[message.tenant] = now_told
                await self._say(message)

    async def _tell_credits(self) -> None:
        while True:
            await self.credits_moved.wait()
            self.credits_moved.clear()
            await self._send_credits()

    async def _credit_receipt(self, message: protocol.Ack | protocol.Nack | protocol.Held) -> None:
        assert self.node is not None
        if isinstance(message, protocol.Ack) or self.credits is None:
            return
        # It is told the whole again with the next sweep.
        self.credits.pop(int(message.scope.partition(":")[2]), None)
        await _db(credits.refused, self.node, message, now())

    async def _send_drops(self) -> None:
        assert self.node is not None
        for drop in await _db(drops.drops_for, self.node):
            await self._say(drop)

    async def _send_certificate(self) -> None:
        assert self.node is not None
        certificate = await _db(certificates.certificate_for, self.node, channel=self.channel_name)
        if certificate is not None:
            await self._say(certificate)

    async def _sort_records(self) -> None:
        """Read a batch while the one before it waits for the database; what waits meanwhile goes together."""
        following: protocol.Records | None = None
        while True:
            records, following = following or await self.records.get(), None
            while following is None and len(records.items) < TOGETHER and not self.records.empty():
                more = self.records.get_nowait()
                if more.first == records.first + len(records.items):
                    records = protocol.Records(first=records.first, items=records.items + more.items)
                else:
                    following = more
            assert self.node is not None
            await self.sorted.put((records, await _db(ingest.sort_records, self.node, records)))

    async def _store_records(self) -> None:
        while True:
            records, batch = await self.sorted.get()
            assert self.node is not None and self.spool is not None
            last = await _db(ingest.take_records, self.node, self.spool, records, batch)
            await self._say(protocol.AckRecords(last_sequence=last))

    async def _show_events(self) -> None:
        while True:
            first = await self.events.get()
            items = list(first.items)
            while not self.events.empty():
                items += self.events.get_nowait().items
            assert self.node is not None
            try:
                await _db(ingest.take_events, self.node, protocol.Events(items=items))
            except Exception:
                # For the eye only: the next batch, or the call record, puts it right.
                logger.exception("live events of %s were lost", self.node)

    async def _sweep(self) -> None:
        """Do what a lost nudge would have done, and notice a token that was rotated."""
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            self.in_flight = 0
            await self.nudge({})
            if self.greeted:
                await self._send_drops()
                await self._send_certificate()

    def _start(self, work: Any) -> None:
        task = asyncio.create_task(self._guarded(work))
        self.tasks.append(task)

    async def _guarded(self, work: Any) -> None:
        try:
            await work
        except asyncio.CancelledError:
            raise
        except Exception:
            # The database may be gone: the node keeps what it has and comes back.
            logger.exception("the line to %s broke", self.node)
            await self.close()

    async def _say(self, message: protocol.FromPortal) -> None:
        await self.send(text_data=protocol.encode(message))


def _bearer(headers: list[tuple[bytes, bytes]]) -> str:
    values = [value for name, value in headers if name.lower() == b"authorization"]
    scheme, _, token = values[0].decode("latin1").partition(" ") if len(values) == 1 else ("", "", "")
    return token.strip() if scheme.lower() == "bearer" else ""


def _address(scope: dict[str, Any]) -> str:
    client = scope.get("client") or ["?"]
    return str(client[0])
