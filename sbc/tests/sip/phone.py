"""A telephone for tests: it sends what a test writes, by UDP, TCP or TLS, and shows what arrives as it arrived."""

import asyncio
import itertools
import re
import ssl
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from sbc.tests.sip.message import Message

PATIENCE = 6.0
_serial = itertools.count(1)


class Phone:
    """Receives from any number of connections; subclasses say how a first request leaves."""

    transport = "UDP"

    def __init__(self, address: str, port: int) -> None:
        self.address = address
        self.port = port
        self.inbox: list[Message] = []
        self.seen: list[Message] = []
        self._arrived = asyncio.Condition()
        self.answers_options = True
        self.options: list[Message] = []

    def send(self, data: bytes) -> None:
        raise NotImplementedError

    def received(self, data: bytes, answer: Callable[[bytes], None]) -> None:
        if not data.strip():
            return
        message = Message.parse(data)
        message.answer = answer
        self.seen.append(message)
        if message.method == "OPTIONS":
            self.options.append(message)
            if self.answers_options:
                self.reply(message, 200)
            return
        self.inbox.append(message)
        self._telling = asyncio.ensure_future(self._tell())

    async def _tell(self) -> None:
        async with self._arrived:
            self._arrived.notify_all()

    async def expect(self, method: str = "", code: int = 0, patience: float = PATIENCE) -> Message:
        """Return the next message of this kind; others before it stay in the inbox, except provisional answers."""

        def fits(message: Message) -> bool:
            if method and not code:
                return message.method == method
            return message.code == code and (not method or message.cseq_method == method)

        try:
            async with asyncio.timeout(patience):
                while True:
                    for message in self.inbox:
                        if fits(message):
                            self.inbox.remove(message)
                            return message
                    async with self._arrived:
                        await self._arrived.wait()
        except TimeoutError:
            got = "\n".join(message.start for message in self.seen)
            raise AssertionError(f"{self.address} waited for {method} {code or ''}; it got:\n{got}") from None

    async def silence(self, method: str, seconds: float = 0.3) -> None:
        """Fail if a request of this kind arrives."""
        await asyncio.sleep(seconds)
        assert not [message for message in self.inbox if message.method == method], self.inbox

    @property
    def contact(self) -> str:
        kind = "" if self.transport == "UDP" else f";transport={self.transport.lower()}"
        return f"<sip:{self.address}:{self.port}{kind}>"

    def request(
        self,
        method: str,
        uri: str,
        *,
        sender: str,
        to: str,
        headers: tuple[tuple[str, str], ...] = (),
        body: str = "",
        call_id: str = "",
        cseq: int = 1,
        contact: str | None = None,
        content: str = "application/sdp",
        branch: str = "",
    ) -> Message:
        """Build a request that starts something."""
        mark = branch or f"z9hG4bK{uuid.uuid4().hex}"
        lines = [
            ("Via", f"SIP/2.0/{self.transport} {self.address}:{self.port};rport;branch={mark}"),
            ("Max-Forwards", "70"),
            ("From", sender),
            ("To", to),
            ("Call-ID", call_id or uuid.uuid4().hex),
            ("CSeq", f"{cseq} {method}"),
            ("Contact", self.contact if contact is None else contact),
            *headers,
        ]
        if body:
            lines.append(("Content-Type", content))
        return Message(f"{method} {uri} SIP/2.0", [each for each in lines if each[1]], body)

    def reply(
        self,
        request: Message,
        code: int,
        reason: str = "",
        *,
        body: str = "",
        tag: str = "",
        headers: tuple[tuple[str, str], ...] = (),
        content: str = "application/sdp",
    ) -> Message:
        """Answer a request, echoing what an answer must echo."""
        copied = [
            each for each in request.headers if each[0].lower() in ("via", "record-route", "from", "call-id", "cseq")
        ]
        to = request.get("To")
        if code > 100 and ";tag=" not in to:
            to += f";tag={tag or 'tag' + request.get('Call-ID')[:8]}"
        lines = [*copied, ("To", to), *headers]
        if not any(name == "Contact" for name, _ in headers):
            lines.append(("Contact", self.contact))
        if body:
            lines.append(("Content-Type", content))
        answer = Message(f"SIP/2.0 {code} {reason or 'Whatever'}", lines, body)
        assert request.answer is not None
        request.answer(answer.build())
        return answer

    def ack(self, invite: Message, answer: Message) -> None:
        """Acknowledge a failure inside the transaction."""
        via = invite.all("Via")[0]
        lines = [
            ("Via", via),
            ("Max-Forwards", "70"),
            ("From", invite.get("From")),
            ("To", answer.get("To")),
            ("Call-ID", invite.get("Call-ID")),
            ("CSeq", invite.get("CSeq").split()[0] + " ACK"),
        ]
        self.send(Message(f"ACK {invite.uri} SIP/2.0", lines).build())

    def cancel(self, invite: Message) -> None:
        lines = [
            ("Via", invite.all("Via")[0]),
            ("Max-Forwards", "70"),
            ("From", invite.get("From")),
            ("To", invite.get("To")),
            ("Call-ID", invite.get("Call-ID")),
            ("CSeq", invite.get("CSeq").split()[0] + " CANCEL"),
        ]
        self.send(Message(f"CANCEL {invite.uri} SIP/2.0", lines).build())


@dataclass
class Dialog:
    """One side's view of an answered call."""

    phone: Phone
    call_id: str
    local: str
    remote: str
    target: str
    routes: list[str]
    cseq: int = 1
    answered: Message | None = None

    @classmethod
    def of_caller(cls, phone: Phone, invite: Message, answer: Message) -> "Dialog":
        routes = [each.strip() for value in answer.all("Record-Route") for each in value.split(",")][::-1]
        return cls(
            phone,
            invite.get("Call-ID"),
            invite.get("From"),
            answer.get("To"),
            answer.contact_uri,
            routes,
            int(invite.get("CSeq").split()[0]),
            answer,
        )

    @classmethod
    def of_callee(cls, phone: Phone, invite: Message, answer: Message) -> "Dialog":
        routes = [each.strip() for value in invite.all("Record-Route") for each in value.split(",")]
        return cls(phone, invite.get("Call-ID"), answer.get("To"), invite.get("From"), invite.contact_uri, routes, 100)

    def request(
        self,
        method: str,
        *,
        body: str = "",
        headers: tuple[tuple[str, str], ...] = (),
        over: Phone | None = None,
        content: str = "application/sdp",
    ) -> Message:
        """Send a request inside the dialog, over another connection if asked."""
        if method != "ACK":
            self.cseq += 1
        phone = over or self.phone
        routes = tuple(("Route", each) for each in self.routes)
        message = phone.request(
            method,
            self.target,
            sender=self.local,
            to=self.remote,
            headers=routes + headers,
            body=body,
            call_id=self.call_id,
            cseq=self.cseq,
            contact=self.phone.contact,
            content=content,
        )
        phone.send(message.build())
        return message


class UdpPhone(Phone, asyncio.DatagramProtocol):
    """A carrier: one UDP socket, sending to one SBC."""

    def __init__(self, address: str, port: int, sbc: tuple[str, int]) -> None:
        super().__init__(address, port)
        self.sbc = sbc
        self.wire: asyncio.DatagramTransport | None = None

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(lambda: self, local_addr=(self.address, self.port))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.wire = transport  # type: ignore[assignment]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        assert self.wire is not None
        wire = self.wire
        self.received(data, lambda answer: wire.sendto(answer, addr))

    def send(self, data: bytes) -> None:
        assert self.wire is not None
        self.wire.sendto(data, self.sbc)

    async def stop(self) -> None:
        if self.wire is not None:
            self.wire.close()


class StreamPhone(Phone):
    """TCP or TLS: dials the SBC from its own address when it first sends, and listens if told to."""

    transport = "TLS"

    def __init__(
        self,
        address: str,
        port: int,
        sbc: tuple[str, int],
        *,
        dial: ssl.SSLContext | None = None,
        listen: ssl.SSLContext | None = None,
        name: str = "",
        transport: str = "TLS",
        sni: str = "",
    ) -> None:
        super().__init__(address, port)
        self.sbc = sbc
        self.dial = dial
        self.listening = listen
        self.name = name or address
        self.sni = sni or None
        self.transport = transport
        self.writer: asyncio.StreamWriter | None = None
        self.server: asyncio.Server | None = None
        self.tasks: set[asyncio.Task[None]] = set()
        self.connections = 0
        self.is_over = False

    @property
    def contact(self) -> str:
        return f"<sip:{self.name}:{self.port};transport={self.transport.lower()}>"

    async def start(self) -> None:
        if self.listening is not None or self.transport == "TCP":
            self.server = await asyncio.start_server(self._accepted, self.address, self.port, ssl=self.listening)

    async def connect(self) -> None:
        reader, self.writer = await asyncio.open_connection(
            *self.sbc, ssl=self.dial, server_hostname=self.sni if self.dial else None, local_addr=(self.address, 0)
        )
        self._keep(self._read(reader, self.writer))

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # As a network does: what Kamailio sends from the loopback address that it listens at leaves no host. And a
        # handshake may end when the test is over: whoever still listened would take what the next one's calls are sent.
        if writer.get_extra_info("peername")[0] != self.sbc[0] or self.is_over:
            writer.close()
            return
        self.connections += 1
        self._keep(self._read(reader, writer))

    def _keep(self, coroutine) -> None:  # type: ignore[no-untyped-def]
        task = asyncio.ensure_future(coroutine)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = re.search(rb"\r\n(?:content-length|l)[ \t]*:[ \t]*(\d+)", head, re.IGNORECASE)
                body = await reader.readexactly(int(length[1])) if length else b""
                self.received(head.lstrip(b"\r\n") + body, writer.write)
        except (asyncio.IncompleteReadError, OSError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    def send(self, data: bytes) -> None:
        assert self.writer is not None, "connect first"
        self.writer.write(data)

    async def stop(self) -> None:
        self.is_over = True
        if self.writer is not None:
            self.writer.close()
        if self.server is not None:
            self.server.close()
        for task in list(self.tasks):
            task.cancel()
        await asyncio.sleep(0)
