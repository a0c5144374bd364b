"""How messages travel: TLS and TCP connections, UDP sockets; all of them look like a Flow."""

import asyncio
import contextlib
import logging
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

from lab import sip
from lab.certificate import Certificate
from lab.uri import SipError

log = logging.getLogger(__name__)
Address = tuple[str, int]
CIPHERS = "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-SHA384:ECDHE-RSA-AES128-SHA256"


class Flow(Protocol):
    """A way to one peer."""

    protocol: str
    local: Address
    remote: Address
    certificate: Certificate | None

    def send(self, message: sip.Message) -> None:
        """Send one message."""

    @property
    def closed(self) -> bool:
        """Tell whether sending is over."""

    async def close(self) -> None:
        """Hang up."""


class Listener(Protocol):
    """Whoever takes the messages that arrive."""

    def received(self, message: sip.Request | sip.Response, flow: Flow) -> None:
        """Take a message."""

    def broken(self, error: SipError, flow: Flow) -> None:
        """Take note of input that is not SIP."""


class StreamFlow:
    """A TCP or TLS connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, listener: Listener) -> None:
        self._reader, self._writer, self._listener = reader, writer, listener
        secured = writer.get_extra_info("ssl_object")
        self.protocol = "TLS" if secured else "TCP"
        self.local: Address = writer.get_extra_info("sockname")[:2]
        self.remote: Address = writer.get_extra_info("peername")[:2]
        der = secured.getpeercert(binary_form=True) if secured else None
        self.certificate = Certificate.read(der) if der else None
        self._reading: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to read in the background."""
        self._reading = asyncio.create_task(self.read())

    async def read(self) -> None:
        """Hand every message to the listener until the peer hangs up or talks nonsense."""
        framer = sip.Framer()
        try:
            while data := await self._reader.read(65_536):
                if data.strip(b"\r\n") == b"" and b"\r\n\r\n" in data:
                    self._writer.write(b"\r\n")  # RFC 5626: the answer to a keep-alive
                for message in framer.feed(data):
                    self._listener.received(message, self)
        except SipError as error:
            self._listener.broken(error, self)
        except (OSError, asyncio.CancelledError) as error:
            log.debug("%s from %s ended: %r", self.protocol, self.remote, error)
        finally:
            self._writer.close()

    def send(self, message: sip.Message) -> None:
        """Send one message."""
        if not self.closed:
            self._writer.write(message.encode())

    @property
    def closed(self) -> bool:
        """Tell whether sending is over."""
        return self._writer.is_closing()

    async def close(self) -> None:
        """Hang up."""
        self._writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            await asyncio.wait_for(self._writer.wait_closed(), 1)
        if self._reading is not None and self._reading is not asyncio.current_task():
            self._reading.cancel()


class DatagramFlow:
    """One peer of a UDP socket."""

    def __init__(self, transport: asyncio.DatagramTransport, remote: Address) -> None:
        self.protocol = "UDP"
        self.certificate: Certificate | None = None
        self._transport = transport
        self.local: Address = transport.get_extra_info("sockname")[:2]
        self.remote = remote

    def send(self, message: sip.Message) -> None:
        """Send one message."""
        if not self._transport.is_closing():
            self._transport.sendto(message.encode(), self.remote)

    @property
    def closed(self) -> bool:
        """Tell whether sending is over."""
        return self._transport.is_closing()

    async def close(self) -> None:
        """Leave the socket to the others that use it."""


class DatagramPort(asyncio.DatagramProtocol):
    """A UDP socket."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self.transport: asyncio.DatagramTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the socket."""
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: Address) -> None:
        """Hand the message to the listener."""
        if not data.strip(b"\r\n\0"):
            return
        flow = self.to(addr)
        try:
            message = sip.parse(data)
        except SipError as error:
            self._listener.broken(error, flow)
        else:
            self._listener.received(message, flow)

    def to(self, remote: Address) -> DatagramFlow:
        """Return the way to a peer."""
        return DatagramFlow(self.transport, remote[:2])


@dataclass
class StreamPort:
    """A listening TCP or TLS socket with the connections that came in."""

    server: asyncio.Server
    flows: set[StreamFlow]

    @property
    def address(self) -> Address:
        """Return the address it listens on."""
        address: Address = self.server.sockets[0].getsockname()[:2]
        return address

    async def close(self) -> None:
        """Stop listening and hang up on everybody."""
        self.server.close()
        for flow in list(self.flows):
            await flow.close()


async def listen_stream(host: str, port: int, listener: Listener, tls: ssl.SSLContext | None = None) -> StreamPort:
    """Accept TCP or TLS connections."""
    flows: set[StreamFlow] = set()

    async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        flow = StreamFlow(reader, writer, listener)
        flows.add(flow)
        try:
            await flow.read()
        finally:
            flows.discard(flow)

    server = await asyncio.start_server(accepted, host, port, ssl=tls, reuse_address=True)
    return StreamPort(server, flows)


async def listen_datagram(host: str, port: int, listener: Listener) -> DatagramPort:
    """Open a UDP socket."""
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        opened.setblocking(False)
        opened.bind((host, port))
    except OSError:
        opened.close()
        raise
    loop = asyncio.get_running_loop()
    _, protocol = await loop.create_datagram_endpoint(lambda: DatagramPort(listener), sock=opened)
    return protocol


async def dial(
    remote: Address, listener: Listener, *, source: str, tls: ssl.SSLContext | None = None, name: str | None = None
) -> StreamFlow:
    """Open a connection; with TLS the peer must prove the name."""
    reader, writer = await asyncio.wait_for(
        asyncio.open_connection(*remote, ssl=tls, server_hostname=name if tls else None, local_addr=(source, 0)), 5
    )
    flow = StreamFlow(reader, writer, listener)
    flow.start()
    return flow


def server_tls(certificate: Path, peers: Path) -> ssl.SSLContext:
    """Make the context of a server that demands a certificate from the peers' authority, by TLS 1.2 as documented."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.verify_mode = ssl.CERT_REQUIRED
    return _prepare(context, certificate, peers)


def client_tls(certificate: Path | None, peers: Path) -> ssl.SSLContext:
    """Make the context of a client that shows a certificate and checks the server's name."""
    return _prepare(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), certificate, peers)


def _prepare(context: ssl.SSLContext, certificate: Path | None, peers: Path) -> ssl.SSLContext:
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    context.load_verify_locations(peers)
    if certificate is not None:
        context.load_cert_chain(certificate)
    return context
