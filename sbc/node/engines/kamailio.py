"""The engine that carries calls: Kamailio's hash tables, over JSON-RPC on a datagram socket and on loopback HTTP."""

import asyncio
import contextlib
import itertools
import json
import os
import socket
import time
from collections import deque
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qsl

from sbc.node.engines.base import DERIVED_TABLES, TABLES, EngineDown, Row, RowKey, RowRefused
from sbc.node.engines.memory import check_row
from sbc.node.haproxy import HaproxyRefused, write_private
from sbc.node.settings import NodeSettings

# The kernel queues ten datagrams for a socket; beyond that Kamailio drops its answer and the asker waits for ever.
OUTSTANDING = 8
PATIENCE = 3.0
A_LOOK = 0.1
_serial = itertools.count(1)

Call = tuple[str, list[Any]]


class NetworkGate(Protocol):
    """Whoever else must know which networks are Microsoft's."""

    async def set_networks(self, networks: Iterable[str]) -> None: ...


class DatagramRpc:
    """Asks Kamailio over its datagram socket, a few questions at a time."""

    def __init__(self, server: Path, directory: Path) -> None:
        self.server = str(server)
        self.path = directory / f"rpc-{os.getpid()}-{next(_serial)}.sock"
        self._socket: socket.socket | None = None
        self._server_born = (0, 0)
        self._turn = asyncio.Lock()
        self._ids = itertools.count(1)

    async def call_many(self, calls: Sequence[Call]) -> list[dict[str, Any]]:
        """Return Kamailio's answers, each with "result" or "error", in the order of the questions."""
        async with self._turn:
            try:
                return await self._exchange(self._open(), calls)
            except (OSError, TimeoutError) as error:
                self.close()
                raise EngineDown(f"Kamailio does not answer: {error or 'timeout'}") from error

    async def _exchange(self, link: socket.socket, calls: Sequence[Call]) -> list[dict[str, Any]]:
        answers: list[dict[str, Any]] = [{} for _ in calls]
        waiting: dict[int, int] = {}
        todo = deque(enumerate(calls))
        while todo or waiting:
            while todo and len(waiting) < OUTSTANDING:
                place, (method, params) = todo.popleft()
                mark = next(self._ids)
                waiting[mark] = place
                question = {"jsonrpc": "2.0", "method": method, "params": params, "id": mark}
                link.send(json.dumps(question, ensure_ascii=False).encode())
            answer = json.loads(await self._receive(link))
            mark = answer.get("id")
            # An answer to a question that was given up earlier is nobody's.
            if isinstance(mark, int) and mark in waiting:
                answers[waiting.pop(mark)] = answer
        return answers

    async def _receive(self, link: socket.socket) -> bytes:
        """Return the next answer; a Kamailio that was started anew will not answer what its predecessor was asked."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + PATIENCE
        while True:
            # Waiting and reading are two steps: a wait that is given up must not take an answer with it.
            with contextlib.suppress(BlockingIOError):
                return link.recv(1 << 18)
            readable = asyncio.Event()
            loop.add_reader(link, readable.set)
            try:
                async with asyncio.timeout(A_LOOK):
                    await readable.wait()
            except TimeoutError:
                if loop.time() > deadline or _born(self.server) != self._server_born:
                    raise
            finally:
                loop.remove_reader(link)

    def _open(self) -> socket.socket:
        if self._socket is None:
            link = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            link.setblocking(False)
            self.path.unlink(missing_ok=True)
            link.bind(str(self.path))
            self.path.chmod(0o600)
            try:
                link.connect(self.server)
            except OSError:
                link.close()
                raise
            self._socket, self._server_born = link, _born(self.server)
        return self._socket

    def close(self) -> None:
        """Let go of the socket; the next question opens a new one."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        self.path.unlink(missing_ok=True)


def _born(path: str) -> tuple[int, int]:
    """Tell one socket from its successor under the same name."""
    found = os.stat(path)
    return found.st_ino, found.st_ctime_ns


class HttpRpc:
    """Asks Kamailio over loopback HTTP, for answers that do not fit in a datagram."""

    def __init__(self, settings: NodeSettings) -> None:
        self.settings = settings
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._turn = asyncio.Lock()

    async def ask(self, path: str, body: bytes = b"") -> bytes:
        """Return the body of the answer."""
        async with self._turn:
            try:
                # A dump of 40,000 rows takes Kamailio 1.4 s, of more than its square says.
                async with asyncio.timeout(60 if body else 10):
                    return await self._ask(path, body)
            except (OSError, TimeoutError, EOFError, ValueError) as error:
                self.close()
                raise EngineDown(f"Kamailio's HTTP does not answer: {error!r}") from error

    async def _ask(self, path: str, body: bytes) -> bytes:
        s = self.settings
        if self._streams is None or self._streams[0].at_eof():
            self.close()
            self._streams = await asyncio.open_connection(s.inside, s.rpc_port, limit=1 << 26)
        reader, writer = self._streams
        key = (s.secrets / "rpc.key").read_text()
        method = "POST" if body else "GET"
        writer.write(
            f"{method} {path} HTTP/1.1\r\nHost: {s.inside}\r\nX-Node-Key: {key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        await writer.drain()
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = next(int(line[15:]) for line in head.split("\r\n") if line.startswith("content-length:"))
        said = await reader.readexactly(length)
        if " 200 " not in head.partition("\r\n")[0]:
            raise ValueError(head.partition("\r\n")[0])
        return said

    def close(self) -> None:
        """Let go of the connection."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


class KamailioEngine:
    """Puts rows into a running Kamailio, reads them back, and drains its events."""

    name = "kamailio"

    def __init__(self, settings: NodeSettings, gate: NetworkGate | None = None) -> None:
        self.settings = settings
        self.gate = gate
        self.rpc = DatagramRpc(settings.rpc_socket, settings.run)
        self.http = HttpRpc(settings)

    async def set_rows(self, rows: Iterable[Row]) -> None:
        rows = list(rows)
        for row in rows:
            check_row(*row)
        answers = await self.rpc.call_many([("htable.sets", [table, key, value]) for table, key, value in rows])
        for (table, key, _), answer in zip(rows, answers, strict=True):
            if "error" in answer:
                raise RowRefused((table, key), _said(answer))
        await self._forget_addresses(table for table, _, _ in rows)
        networks = [value for table, key, value in rows if (table, key) == ("rg", "msnets")]
        if networks and self.gate is not None:
            try:
                await self.gate.set_networks(networks[-1].split(","))
            except HaproxyRefused as refusal:
                raise RowRefused(("rg", "msnets"), str(refusal)) from refusal

    async def delete_rows(self, rows: Iterable[RowKey]) -> None:
        rows = list(rows)
        answers = await self.rpc.call_many([("htable.delete", [table, key]) for table, key in rows])
        for row, answer in zip(rows, answers, strict=True):
            if "error" in answer and "not found" not in _said(answer).lower():
                raise RowRefused(row, _said(answer))
        await self._forget_addresses(table for table, _ in rows)

    async def _forget_addresses(self, changed: Iterable[str]) -> None:
        """Let Kamailio look into the lists of networks anew where one has changed."""
        if "rg" in changed:
            await self.rpc.call_many([("htable.flush", ["ok"])])

    async def get(self, table: str, key: str) -> str | None:
        return (await self.get_rows([(table, key)]))[0]

    async def get_rows(self, rows: Iterable[RowKey]) -> list[str | None]:
        answers = await self.rpc.call_many([("htable.get", [table, key]) for table, key in rows])
        return [_value(answer) for answer in answers]

    async def counts(self) -> dict[str, int]:
        answer = (await self.rpc.call_many([("htable.stats", [])]))[0]
        held = {each["name"]: int(each["all"]) for each in answer["result"]}
        return {table: held.get(table, 0) for table in (*TABLES, *DERIVED_TABLES)}

    async def dump(self, table: str) -> dict[str, str]:
        body = json.dumps({"jsonrpc": "2.0", "method": "htable.dump", "params": [table], "id": 1}).encode()
        # Kamailio copies bytes as they are; what is no UTF-8 must not hide the rest of the table.
        answer = json.loads((await self.http.ask("/rpc", body)).decode("utf-8", "replace"))
        rows: dict[str, str] = {}
        for slot in answer.get("result", []):
            for item in slot["slot"]:
                rows[item["name"]] = str(item["value"])
        return rows

    async def set_deadlines(self, deadlines: Iterable[tuple[str, str, int, str]]) -> None:
        for dialog, call, seconds, why in deadlines:
            entry, _, number = dialog.partition(".")
            await self.http.ask(f"/until/{entry}/{number}/{seconds}/{call}/{why}")

    async def fetch_events(self) -> list[dict[str, Any]]:
        events: list[dict[str, Any]] = []
        while True:
            lines = (await self.http.ask("/events")).decode("ascii", "replace").splitlines()
            events.extend(event for line in lines if (event := event_of(line)) is not None)
            if len(lines) < EVENTS_AT_ONCE or len(events) > 5000:
                return events

    async def gauges(self) -> dict[str, Any]:
        active, uptime, memory, queue = await self.rpc.call_many(
            [("dlg.stats_active", []), ("core.uptime", []), ("core.shmmem", []), ("mqueue.get_size", ["ev"])]
        )
        trunks = {key: health_of(value) for key, value in (await self.dump("gh")).items()}
        # What is gone is not asked any more.
        trunks = _fresh(trunks, self.settings.trunk_options_every)
        seen = await self.dump("mh")
        microsoft = {key: health_of(value) for key, value in seen.items() if key.startswith("ms")}
        microsoft = _fresh(microsoft, self.settings.microsoft_options_every)
        bases = {key.partition(":")[2] for key in microsoft}
        microsoft |= {f"asks:{base}": _asked(seen[f"seen:{base}"]) for base in bases if f"seen:{base}" in seen}
        return {
            "up": True,
            "calls": int(active["result"].get("all", 0)),
            "answered": int(active["result"].get("connected", 0)),
            "uptime": int(uptime["result"].get("uptime", 0)),
            "memory_used": int(memory["result"].get("real_used", 0)),
            "events_waiting": int(queue["result"].get("size", 0)),
            "trunks": trunks,
            "microsoft": microsoft,
        }

    async def refuse_calls(self) -> None:
        """Let no new calls but emergency calls in for two seconds."""
        await self.rpc.call_many([("htable.sets", ["ok", "full", "1"])])

    async def take_media(self) -> None:
        """Let the media of calls that end within two seconds be ended by who reads the record lines."""
        await self.rpc.call_many([("htable.sets", ["ok", "media", "1"])])

    async def rotate_records(self) -> list[Path]:
        """Set the current record files aside and let Kamailio begin new ones; returns those set aside.

        The caller removes a file when its lines are safe: a worker may still hold one until its next line.
        """
        aside = []
        for path in sorted(self.settings.records.glob("calls_*.log")):
            target = path.with_name(f"{path.stem}.{next(_serial)}-{os.urandom(4).hex()}.old")
            path.rename(target)
            aside.append(target)
        await self.rpc.call_many([("flatstore.k_rotate", [])])
        return aside

    async def remember_names(self) -> None:
        """Keep on the disk where names of trunks lead: the next Kamailio may start while no name server answers."""
        found = {name: row for name, row in (await self.dump("ad")).items() if not row.startswith(";")}
        if found:
            await asyncio.to_thread(write_private, self.settings.names, json.dumps(found))

    async def prove(self) -> None:
        """Raise EngineDown unless both ways to ask Kamailio work."""
        await self.rpc.call_many([("core.uptime", [])])
        await self.http.ask("/events?prove")

    async def close(self) -> None:
        """Let go of the connections."""
        with contextlib.suppress(OSError):
            self.rpc.close()
        self.http.close()


EVENTS_AT_ONCE = 60
ASKS_WITHIN = 300  # seconds


def event_of(line: str) -> dict[str, Any] | None:
    """Return one line of Kamailio's event queue as the protocol spells events, or None if it is none."""
    kind, _, text = line.partition(" ")
    said = dict(parse_qsl(text, errors="replace"))
    seconds, _, micros = said.get("at", "").partition(".")
    if not seconds.isdigit():
        return None
    event: dict[str, Any] = {
        "at": int(seconds) * 1000 + int(micros.ljust(6, "0")[:6] or 0) // 1000,
        "call": said.get("id", ""),
        "type": kind,
        "tenant": _int(said.get("t")),
        "peer": _int(said.get("pe")),
        "msp": _int(said.get("m")),
        "direction": said.get("d", ""),
        "caller": said.get("cr", ""),
        "called": said.get("cd", ""),
        "trunk": said.get("eg") or said.get("in", ""),
        "route": _int(said.get("r")),
        "code": _int(said.get("co")),
        "reason": said.get("re", "") or said.get("li", ""),
    }
    if kind == "alarm":
        event |= {"kind": said.get("kind", ""), "source": said.get("src", ""), "host": said.get("host", "")}
    return event


def health_of(value: str) -> dict[str, Any]:
    """Return a health row of Kamailio as gauges tell it."""
    up, code, since, checked, _ = (value.split(";") + ["0"] * 5)[:5]
    return {"up": up == "1", "code": _int(code), "since": _int(since) * 1000, "checked": _int(checked) * 1000}


def _fresh(found: dict[str, dict[str, Any]], every: int) -> dict[str, dict[str, Any]]:
    oldest = (time.time() - 4 * every - 30) * 1000
    return {key: health for key, health in found.items() if health["checked"] > oldest}


def _asked(value: str) -> dict[str, Any]:
    """Return how long ago Microsoft asked for a base domain, as gauges tell health: it asks every minute."""
    at, now = _int(value), int(time.time())
    return {"up": at > now - ASKS_WITHIN, "code": 0, "since": at * 1000, "checked": now * 1000}


def _int(text: str | None) -> int:
    return int(text) if text and text.isdigit() else 0


def _said(answer: dict[str, Any]) -> str:
    return str(answer.get("error", {}).get("message", "no reason given"))


def _value(answer: dict[str, Any]) -> str | None:
    if "result" not in answer:
        return None
    item = answer["result"]["item"]
    return str(item["value"])
