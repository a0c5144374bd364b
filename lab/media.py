"""The sound of a call: RTP or SRTP packets sent at a steady pace, counted on arrival, or echoed."""

import asyncio
import contextlib
import secrets
from typing import cast

from lab.sdp import SUITE, Crypto, Sdp, new_crypto
from lab.srtp import Srtp, SrtpError, header_length
from lab.transport import Address


class Media(asyncio.DatagramProtocol):
    """One end of a stream."""

    def __init__(self, *, secure: bool, echo: bool, packet_ms: int) -> None:
        self.secure, self.echo = secure, echo
        self.crypto: Crypto | None = new_crypto() if secure else None
        self.sent = self.received = self.refused = 0
        self.address: Address = ("", 0)
        self._packet_ms = packet_ms
        self._transport: asyncio.DatagramTransport
        self._remote: Address | None = None
        self._out = Srtp(self.crypto.key) if self.crypto else None
        self._in: Srtp | None = None
        self._sequence = secrets.randbelow(30_000)
        self._timestamp = secrets.randbelow(1 << 31)
        self._source = secrets.token_bytes(4)
        self._talking: asyncio.Task[None] | None = None
        self._silent = False

    @classmethod
    async def open(cls, host: str, *, secure: bool, echo: bool = False, packet_ms: int = 20) -> "Media":
        """Open a socket on a free port."""
        loop = asyncio.get_running_loop()
        transport, media = await loop.create_datagram_endpoint(
            lambda: cls(secure=secure, echo=echo, packet_ms=packet_ms), local_addr=(host, 0)
        )
        media.address = transport.get_extra_info("sockname")[:2]
        return media

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the socket."""
        self._transport = cast(asyncio.DatagramTransport, transport)

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
        if self._talking is None and not self.echo:
            self._talking = asyncio.create_task(self._talk())

    def hold(self, silent: bool) -> None:
        """Stop or resume sending."""
        self._silent = silent

    async def _talk(self) -> None:
        while True:
            if self._remote is not None and not self._silent:
                self._send(self._packet())
            await asyncio.sleep(self._packet_ms / 1000)

    def _packet(self) -> bytes:
        self._sequence = (self._sequence + 1) & 0xFFFF
        self._timestamp = (self._timestamp + 8 * self._packet_ms) & 0xFFFFFFFF
        head = b"\x80\x00" + self._sequence.to_bytes(2, "big") + self._timestamp.to_bytes(4, "big") + self._source
        return head + b"\xff" * (8 * self._packet_ms)  # µ-law silence

    def _send(self, packet: bytes) -> None:
        if self._remote is not None and not self._transport.is_closing():
            self._transport.sendto(self._out.protect(packet) if self._out else packet, self._remote)
            self.sent += 1

    def datagram_received(self, data: bytes, addr: Address) -> None:
        """Count a packet, and send it back if this end is an echo."""
        if len(data) > 1 and 192 <= data[1] <= 223:
            return  # RTCP on the same port
        if self.secure and self._in is None:
            return  # sound that overtook the answer with its key
        try:
            if self._in is not None:
                data = self._in.unprotect(data)
            header_length(data)
        except SrtpError:
            self.refused += 1
            return
        self.received += 1
        if self.echo and not self._silent:
            self._send(data)

    async def close(self) -> None:
        """Stop sending and close the socket."""
        if self._talking is not None:
            self._talking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._talking
        self._transport.close()
