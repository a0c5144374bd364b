"""Asks rtpengine about calls, over its control protocol (ng: a cookie, then a bencoded dictionary, in one datagram)."""

import asyncio
import re
import secrets
import socket
from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import islice
from typing import NamedTuple

PATIENCE = 0.5  # seconds
UNKNOWN = b"Unknown call-id"
# Answers to a delete have some kilobytes each: more than these at once might not fit into the socket's buffer.
AT_ONCE = 16
# Of an answer's two hundred items: which side's streams follow, a stream's source, and how a source was judged.
_SEEN = re.compile(
    rb"5:label1:([ct])7:created"
    rb"|4:SSRCi(\d{1,10})e"
    rb"|\d{1,2}:(\d{1,10})d(?:\d+:[a-z ]+i-?\d+e)*11:average MOSd((?:\d+:[A-Za-z -]+i-?\d{1,12}e)+)e"
)
_FIGURE = re.compile(rb"\d+:([A-Za-z -]+)i(-?\d+)e")
_MEASURES = {"jitter": b"jitter", "loss": b"packet loss"}
# Reports are with the side that made them: how Teams sounded is with the label of the trunk.
_SOUND_OF = {b"c": "t", b"t": "c"}


class Over(NamedTuple):
    """A call that is over, as rtpengine knows it."""

    call_id: str
    tag: str  # the caller's; empty where it is not known


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

    def end(self, calls: Iterable[Over]) -> dict[str, dict[str, str]]:
        """End the media of calls; give by Call-ID how they sounded, where anybody told: `figures_in`."""
        heard: dict[str, dict[str, str]] = {}
        left = iter(calls)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker, suppress(OSError):
            # Where it is down, or too busy to answer, the calls get their records all the same.
            asker.settimeout(PATIENCE)
            asker.bind((self.inside, 0))
            asker.connect((self.inside, self.port))
            while some := list(islice(left, AT_ONCE)):
                heard |= self._end(asker, some)
        return heard

    def _end(self, asker: socket.socket, calls: Sequence[Over]) -> dict[str, dict[str, str]]:
        asked = {secrets.token_hex(8).encode(): call for call in calls}
        for cookie, each in asked.items():
            asker.send(cookie + b" " + _delete(each))
        heard: dict[str, dict[str, str]] = {}
        unknown: list[Over] = []
        while asked:
            said, _, answer = asker.recv(65_535).partition(b" ")
            if (call := asked.pop(said, None)) is None:
                continue
            if figures := figures_in(answer):
                heard[call.call_id] = figures
            elif call.tag and b"7:warning" in answer:
                # Not under this tag: who writes one that no record line can hold must not keep the ports.
                unknown.append(Over(call.call_id, ""))
        return heard | (self._end(asker, unknown) if unknown else {})

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


def figures_in(answer: bytes) -> dict[str, str]:
    """Return how a call sounded, as Kamailio would write it into the line of its end; nothing where nobody reported."""
    judged: dict[bytes, dict[bytes, bytes]] = {}
    sources: dict[bytes, set[bytes]] = {}
    label = b""
    for side, stream, source, figures in _SEEN.findall(answer):
        label = side or label
        if stream and label:
            sources.setdefault(label, set()).add(stream)
        elif source:
            judged[source] = dict(_FIGURE.findall(figures))
    told: dict[str, str] = {}
    for label, streams in sources.items():
        found = [each for each in map(judged.get, streams) if each and int(each.get(b"MOS", 0)) > 0]
        if found:
            of = _SOUND_OF[label]
            told[f"{of}mos"] = f"{_mean(found, b'MOS') / 10:.1f}"
            told |= {of + name: f"{_mean(found, theirs):.0f}" for name, theirs in _MEASURES.items()}
            told["roundtrip"] = f"{_mean(found, b'round-trip time'):.0f}"
    return told


def _mean(streams: Sequence[dict[bytes, bytes]], name: bytes) -> float:
    return sum(int(each.get(name, 0)) for each in streams) / len(streams)


def _text(text: str) -> bytes:
    said = text.encode(errors="surrogateescape")
    return b"%d:%b" % (len(said), said)


def _query(call_id: str) -> bytes:
    return b"d7:call-id%b7:command5:querye" % _text(call_id)


def _delete(call: Over) -> bytes:
    # Without a tag it ends the call all the same, and does not say how it was.
    tag = b"8:from-tag" + _text(call.tag) if call.tag else b""
    return b"d7:call-id%b7:command6:delete%be" % (_text(call.call_id), tag)
