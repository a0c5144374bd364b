"""A node as the portal sees it: one WebSocket, and a person in the test who decides what it answers."""

import time
import uuid
from typing import Any

from channels.db import database_sync_to_async as sync_to_async
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.db.models import F

from portal.db import contexts
from sbc import protocol
from sbc.models import Deployment
from sbc.services.nodes import node_of_token
from sbc.sockets import websocket_urlpatterns

application = URLRouter(websocket_urlpatterns)


class FakeNode:
    """Speaks the node's side of the protocol by hand."""

    def __init__(self, token: str, *, spool: str | None = None) -> None:
        headers = [(b"authorization", f"Bearer {token}".encode())]
        self.token = token
        self.line = WebsocketCommunicator(application, protocol.PATH, headers)
        self.spool = spool or str(uuid.uuid4())
        self.boot = uuid.uuid4().hex
        self.held: dict[str, int] = {}
        self.rows: dict[tuple[str, str], str] = {}
        self.addresses: list[str] = []

    async def dial(self) -> protocol.Welcome:
        await self.line.connect(timeout=5)
        await self.hello()
        welcome = await self.hear()
        assert isinstance(welcome, protocol.Welcome)
        return welcome

    async def hello(self, next_sequence: int = 1) -> None:
        await self.say(
            protocol.Hello(
                node="sbc-lab-1", boot=self.boot, spool=self.spool, software="test", held=self.held,
                next_sequence=next_sequence, addresses=self.addresses,
            )
        )  # fmt: skip

    async def say(self, message: Any) -> None:
        await self.line.send_to(text_data=protocol.encode(message))

    async def hear(self, timeout: float = 5) -> Any:
        frame = await self.line.receive_output(timeout)
        if frame["type"] == "websocket.close":
            return frame.get("code", 1000)
        return protocol.decode_from_portal(frame["text"])

    async def silent(self, seconds: float = 0.2) -> bool:
        return bool(await self.line.receive_nothing(seconds))

    async def ack(self, apply: protocol.Apply, **changed: Any) -> None:
        self.held[apply.scope] = apply.version
        self.rows |= {(row.table, row.key): row.value for row in apply.set}
        for key in apply.delete:
            self.rows.pop((key.table, key.key), None)
        facts = {"scope": apply.scope, "version": apply.version, "nonce": apply.nonce, "took_ms": 1.5}
        await self.say(protocol.Ack(**(facts | changed)))

    async def settle(self) -> list[protocol.Apply]:
        """Acknowledge whatever comes until the portal has nothing more to say, however slow the machine is."""
        applies = []
        while not await self.silent() or await sync_to_async(self._is_behind)():
            message = await self.hear()
            applies.append(message)
            await self.ack(message)
        return applies

    def _is_behind(self) -> bool:
        node = node_of_token(self.token)
        with contexts.ingest():
            due = Deployment.objects.filter(node=node, state__in=("pending", "sent"), wanted__gt=F("running"))
            return due.exists()

    async def hang_up(self) -> None:
        await self.line.disconnect(timeout=5)


def record(seq: int, tenant: int, **changed: Any) -> dict[str, Any]:
    """A finished call of a minute's talk, as a node would send it."""
    invited = changed.get("invited") or int(time.time() * 1000) - 120_000
    facts: dict[str, Any] = {
        "seq": seq, "kind": "cdr", "id": str(uuid.uuid4()), "tenant": tenant, "peer": 0, "msp": 0,
        "direction": "out", "call_id": f"call-{seq}@lab", "caller": "+49301000", "caller_sent": "+49301000",
        "called": "+4930555123", "called_sent": "+4930555123", "invited": invited, "ringing": invited + 800,
        "answered": invited + 3000, "ended": invited + 63_000, "end_unknown": False, "last_seen": None, "code": 200,
        "cause": 16, "reason": "", "released_by": "caller", "ingress": "teams", "egress": "g1", "route": 7,
        "generation": 3, "limit": "", "screening": "own", "attestation": "A", "user_agent": "Teams", "media": None,
        "attempts": [{"trunk": "g1", "sent": invited + 5, "ended": None, "code": 200, "reason": ""}],
    }  # fmt: skip
    return facts | changed


def event(call: str, step: str, tenant: int, **changed: Any) -> dict[str, Any]:
    """One step of a call, as a node would send it."""
    facts: dict[str, Any] = {
        "at": int(time.time() * 1000), "call": call, "type": step, "tenant": tenant, "peer": 0, "msp": 0,
        "direction": "out", "caller": "+49301000", "called": "+4930555123", "trunk": "g1", "route": 7, "code": 0,
        "reason": "",
    }  # fmt: skip
    return facts | changed
