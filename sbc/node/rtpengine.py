"""Asks rtpengine about calls, over its control protocol (ng: a cookie, then a bencoded dictionary, in one datagram)."""

import asyncio
import secrets
import socket
from collections.abc import Iterable

PATIENCE = 0.5  # seconds
UNKNOWN = b"Unknown call-id"


class Rtpengine:
    """One rtpengine, where it listens for commands."""

    def __init__(self, inside: str, port: int) -> None:
        self.inside, self.port = inside, port

    def is_alone(self) -> bool:
        """Tell whether nobody listens there: rtpengine itself would share the port, and take over the other's calls."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind((self.inside, self.port))
            except OSError:
                return False
        return True

    async def answers(self) -> bool:
        """Tell whether it answers at all."""
        return await asyncio.to_thread(self.pongs)

    async def carried(self, call_ids: Iterable[str]) -> dict[str, bool]:
        """Tell by Call-ID whether rtpengine knows the call; what it does not answer is left out."""
        return await asyncio.to_thread(self._carried, list(call_ids))

    def _carried(self, call_ids: list[str]) -> dict[str, bool]:
        found: dict[str, bool] = {}
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
            asker.settimeout(PATIENCE)
            asker.bind((self.inside, 0))
            asker.connect((self.inside, self.port))
            for call_id in call_ids:
                try:
                    answer = self._ask(asker, _query(call_id))
                except OSError:
                    break  # busy or down: the next look asks again
                if b"6:result2:ok" in answer:
                    found[call_id] = True
                elif UNKNOWN in answer:
                    found[call_id] = False
        return found

    def pongs(self) -> bool:
        """Tell the same, waiting here."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
            asker.settimeout(PATIENCE)
            asker.bind((self.inside, 0))
            try:
                asker.connect((self.inside, self.port))
                return b"pong" in self._ask(asker, b"d7:command4:pinge")
            except OSError:
                return False

    def _ask(self, asker: socket.socket, command: bytes) -> bytes:
        cookie = secrets.token_hex(8).encode()
        asker.send(cookie + b" " + command)
        while True:
            said, _, answer = asker.recv(65_535).partition(b" ")
            if said == cookie:
                return answer


def _query(call_id: str) -> bytes:
    name = call_id.encode(errors="surrogateescape")
    return b"d7:call-id%d:%b7:command5:querye" % (len(name), name)
