"""The sound of a call: RTP or SRTP packets sent at a steady pace, or echoed, with RTCP beside them."""

import asyncio
import contextlib
import random
import secrets
import time

from lab import rtcp
from lab.sdp import SUITE, Crypto, Sdp, new_crypto
from lab.srtp import Srtp, SrtpError, header_length
from lab.transport import Address

PORTS = range(20_000, 28_000, 2)
REPORT_EVERY = 2.0


class Media:
    """One end of a stream. Secure ends carry RTCP on the same port, plain ones on the next."""

    def __init__(self, *, secure: bool, echo: bool, packet_ms: int) -> None:
        self.secure, self.echo = secure, echo
        self.crypto: Crypto | None = new_crypto() if secure else None
        self.sent = self.received = self.refused = self.reports = 0
        self.address: Address = ("", 0)
        self._packet_ms = packet_ms
        self._sockets: list[asyncio.DatagramTransport] = []
        self._remote: Address | None = None
        self._out = Srtp(self.crypto.key) if self.crypto else None
        self._in: Srtp | None = None
        self._sequence = secrets.randbelow(30_000)
        self._timestamp = secrets.randbelow(1 << 31)
        self._source = secrets.token_bytes(4)
        self._heard: rtcp.Reception | None = None
        self._talking: asyncio.Task[None] | None = None
        self._reported = 0.0
        self._silent = False

    @classmethod
    async def open(cls, host: str, *, secure: bool, echo: bool = False, packet_ms: int = 20) -> "Media":
        """Open a socket on a free port, and for plain sound another one beside it."""
        media = cls(secure=secure, echo=echo, packet_ms=packet_ms)
        for _ in range(50):
            port = random.choice(PORTS)
            try:
                for offset in range(1 if secure else 2):
                    media._sockets.append(await _socket(media, host, port + offset))
            except OSError:
                media._close_sockets()
            else:
                media.address = (host, port)
                return media
        raise OSError(f"no free ports for sound at {host}")

    def describe(self, direction: str = "sendrecv", version: int = 1) -> Sdp:
        """Return this end as an SDP."""
        return Sdp(
            *self.address,
            profile="RTP/SAVP" if self.secure else "RTP/AVP",
            cryptos=[self.crypto] if self.crypto else [],
            direction=direction,
            session_id=self.address[1],
            version=version,
            mux=self.secure,
        )

    def connect(self, remote: Sdp) -> None:
        """Learn where the other end is and which key it uses."""
        self._remote = (remote.address, remote.port)
        self._silent = remote.direction == "inactive"
        chosen = next((crypto for crypto in remote.cryptos if crypto.suite == SUITE), None)
        if self.secure and chosen is not None:
            self._in = Srtp(chosen.key)

    def talk(self) -> None:
        """Begin to send."""
        if self._talking is None:
            self._talking = asyncio.create_task(self._talk())

    def hold(self, silent: bool) -> None:
        """Stop or resume sending."""
        self._silent = silent

    async def _talk(self) -> None:
        while True:
            await asyncio.sleep(self._packet_ms / 1000)
            if self._silent:
                continue
            if not self.echo:
                self._timestamp = (self._timestamp + 8 * self._packet_ms) & 0xFFFFFFFF
                self._say(b"\xff" * (8 * self._packet_ms))  # µ-law silence
            if self.sent and time.monotonic() - self._reported > REPORT_EVERY:
                self._reported = time.monotonic()
                self._report()

    def _say(self, sound: bytes) -> None:
        self._sequence = (self._sequence + 1) & 0xFFFF
        head = b"\x80\x00" + self._sequence.to_bytes(2, "big") + self._timestamp.to_bytes(4, "big") + self._source
        if self._send(self._out.protect(head + sound) if self._out else head + sound, 0):
            self.sent += 1

    def _report(self) -> None:
        octets = self.sent * 8 * self._packet_ms
        plain = rtcp.report(self._source, self._timestamp, self.sent, octets, self._heard)
        self._send(self._out.protect_report(plain) if self._out else plain, 0 if self.secure else 1)

    def _send(self, packet: bytes, offset: int) -> bool:
        if self._remote is None or offset >= len(self._sockets) or self._sockets[offset].is_closing():
            return False
        self._sockets[offset].sendto(packet, (self._remote[0], self._remote[1] + offset))
        return True

    def arrived(self, data: bytes) -> None:
        """Count a packet, and send its sound back if this end is an echo."""
        if self.secure and self._in is None:
            return  # sound that overtook the answer with its key
        try:
            if rtcp.is_rtcp(data):
                self._listen(self._in.unprotect_report(data) if self._in else data)
                return
            data = self._in.unprotect(data) if self._in else data
            start = header_length(data)
        except SrtpError:
            self.refused += 1
            return
        self.received += 1
        if self._heard is None or self._heard.source != int.from_bytes(data[8:12], "big"):
            self._heard = rtcp.Reception.of(data)
        self._heard.heard(data)
        if self.echo and not self._silent:
            self._timestamp = int.from_bytes(data[4:8], "big")
            self._say(data[start:])

    def _listen(self, report: bytes) -> None:
        self.reports += 1
        if self._heard is not None:
            self._heard.take(report)

    async def close(self) -> None:
        """Stop sending and close the sockets."""
        if self._talking is not None:
            self._talking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._talking
        self._close_sockets()

    def _close_sockets(self) -> None:
        for opened in self._sockets:
            opened.close()
        self._sockets.clear()


class _Ear(asyncio.DatagramProtocol):
    def __init__(self, media: Media) -> None:
        self._media = media

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self._media.arrived(data)


async def _socket(media: Media, host: str, port: int) -> asyncio.DatagramTransport:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: _Ear(media), local_addr=(host, port))
    return transport
