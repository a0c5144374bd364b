"""Follows the record files that Kamailio's workers write, and spools each call once all of its lines are there."""

import logging
import os
import threading
import time
import uuid
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from sbc.node import sound
from sbc.node.records import (
    Answered,
    CallLines,
    Line,
    Orphan,
    attempts,
    merge,
    orphan_record,
    parse,
    running_record,
)
from sbc.node.rtpengine import Over
from sbc.node.spool import OpenCall, Position, Spool

log = logging.getLogger("strowger.node")

CHUNK = 4_000_000  # bytes of one file in one pass
HEAD = 48
REMEMBERED = 20_000  # calls
LOOK_EVERY = 1_000  # ms between two looks for calls that no line will end
STRAY_END = 60_000  # ms after which an end without its answer is reported as an orphan
STRAY_LEG = 900_000  # ms after which legs without an outcome are given up: Kamailio died while it rang


@dataclass
class Call:
    """A call that has no record yet: its lines as they were read, and what they say."""

    raw: list[str] = field(default_factory=list)
    said: CallLines = field(default_factory=CallLines)
    touched: int = 0
    lost_at: int | None = None

    @property
    def is_over(self) -> bool:
        return self.said.is_complete or (self.said.orphan is not None and self.said.answered is None)


class Metered(NamedTuple):
    """An answered call that is over, as far as its price is concerned."""

    tenant: int
    number: int  # of its record
    called: str
    direction: str
    seconds: int


class Follower:
    """Reads by inode and offset, so that rotation, restarts and crashes neither lose a line nor read it twice."""

    def __init__(self, directory: Path, spool: Spool, unknown_after: float = 30.0, longest_call: float = 12 * 3600):
        self.directory, self.spool = directory, spool
        self.unknown_after, self.longest_call = int(unknown_after * 1000), int(longest_call * 1000)
        self.started = int(time.time() * 1000)
        self.end_media: Callable[[list[Over]], dict[str, dict[str, str]]] | None = None
        self.bad_lines = 0
        self._next_look = 0
        self.caught_up = False
        self._turn = threading.RLock()
        self._positions = spool.positions()
        self._calls: dict[str, Call] = {}
        self._over: set[str] = set()
        self._done: dict[str, None] = {}  # the latest calls that have their record
        self._metered: Collection[int] = ()
        self._ended: list[Metered] = []  # calls of metered customers that were spooled
        self._read_open_calls()

    def run_pass(self, now: int) -> int:
        """Read what is new, spool the calls that are over; give the number of records.

        A call is spooled one pass after its last line was read: by then its earlier lines, which another worker may
        have written to a file that had been read already, have been read too.
        """
        with self._turn:
            return self._run_pass(now)

    def _run_pass(self, now: int) -> int:
        over_before = set(self._over)
        touched: set[str] = set()
        read: list[Position] = []
        stray: list[dict[str, Any]] = []
        caught_up = True
        for position, data, is_all in self._new_data():
            caught_up &= is_all
            for raw in data.split(b"\n"):
                self._take(raw, now, touched, stray)
            read.append(position)
        self.caught_up = caught_up
        done: dict[str, dict[str, Any] | None] = {}
        if caught_up:
            self._end_media(over_before)
            for each in over_before:
                done[each] = merge(_lines(self._calls[each].said))
            if now >= self._next_look:
                self._next_look = now + LOOK_EVERY
                done |= self._unknown_ends(now) | self._strays(now)
        records = [*stray, *(record for record in done.values() if record is not None)]
        records.sort(key=lambda record: record["ended"] or 0)
        opened = [self._open_call(each) for each in touched - done.keys()]
        if records or opened or done or read:
            last = self.spool.store(records, opened, done.keys(), read)
            self._ended += _metered(records, last, self._metered)
        # Only what is on disk may change what is remembered: after an error the same lines are read again.
        for position in read:
            self._positions[position.inode] = position
        for each in done:
            del self._calls[each]
            self._done[each] = None
        while len(self._done) > REMEMBERED:
            del self._done[next(iter(self._done))]
        self._over = {each for each in (self._over | touched) - done.keys() if self._calls[each].is_over}
        return len(records)

    def _end_media(self, over: Collection[str]) -> None:
        """End the media of calls for Kamailio, which waits for no answer; done twice, it does no harm."""
        if self.end_media is None:
            return
        asked: dict[str, CallLines] = {}
        for each in over:
            said = self._calls[each].said
            if said.answered and said.ended and said.ended.media_left:
                asked[said.answered.facts.call_id] = said
        if asked:
            calls = [Over(call_id, said.answered.tag if said.answered else "") for call_id, said in asked.items()]
            for call_id, figures in self.end_media(calls).items():
                if ended := asked[call_id].ended:
                    asked[call_id].ended = replace(ended, media=sound.heard(figures), media_left=False)

    def answered(self, now: int, at_least: int) -> list[Answered]:
        """Give the answered calls that go on and have lasted for so many milliseconds; not those of a dead Kamailio."""
        with self._turn:
            open_calls = [
                call.said.answered
                for each, call in self._calls.items()
                if each not in self._over and call.said.is_open and call.lost_at is None
            ]
        return [each for each in open_calls if each is not None and now - each.at >= at_least]

    def running(self, now: int, at_least: int) -> list[dict[str, Any]]:
        """Give what is told of such calls while they go on."""
        return [running_record(each, now) for each in self.answered(now, at_least)]

    def metered(self, customers: Collection[int]) -> tuple[list[Answered], list[Metered]]:
        """Give these customers' calls that run now, and those that ended since this was asked last."""
        with self._turn:
            ended, self._ended, self._metered = self._ended, [], customers
            said = (call.said for each, call in self._calls.items() if each not in self._over)
            running = [each.answered for each in said if each.answered is not None and each.is_open]
        return [each for each in running if each.facts.tenant in customers], ended

    def lose_open_calls(self, last_seen: int, died: int) -> int:
        """Note that Kamailio was killed: calls that it was carrying end at a time that nobody knows."""
        with self._turn:
            self._run_pass(died)
            while not self.caught_up:
                self._run_pass(died)
            lost = self.spool.lose_open_calls(last_seen, died)
            self._read_open_calls()
        return lost

    def spool_unanswered(self, records: list[dict[str, Any]]) -> int:
        """Spool calls that died before an answer, unless a line of theirs tells more; give their number."""
        with self._turn:
            new = [record for record in records if not self._tells_more(record["id"])]
            for record in new:
                call = self._calls.pop(record["id"], None)
                if call is not None:
                    record["attempts"] = attempts(call.said.legs)
            if new:
                self.spool.store(new, closed=[record["id"] for record in new])
            return len(new)

    def _tells_more(self, each: str) -> bool:
        call = self._calls.get(each)
        only_legs = call is not None and not (call.said.answered or call.said.failed or call.said.ended)
        return each in self._done or (call is not None and not only_legs)

    def remove_finished(self, now: int, keep: int = 600_000) -> list[Path]:
        """Delete files that were renamed out of the way (no longer `.log`), are read to the end and have rested."""
        with self._turn:
            return self._remove_finished(now, keep)

    def _remove_finished(self, now: int, keep: int) -> list[Path]:
        removed = []
        for path in self._files():
            status = path.stat()
            inode = f"{status.st_dev}:{status.st_ino}"
            position = self._positions.get(inode)
            rested = now - int(status.st_mtime * 1000) > keep
            if path.suffix != ".log" and rested and position is not None and position.offset >= status.st_size:
                path.unlink()
                self.spool.forget_files([inode])
                del self._positions[inode]
                removed.append(path)
        return removed

    def largest(self) -> int:
        """Give the size of the largest file that Kamailio writes to."""
        return max((path.stat().st_size for path in self._files() if path.suffix == ".log"), default=0)

    def _files(self) -> list[Path]:
        return [path for path in sorted(self.directory.glob("*")) if path.is_file()] if self.directory.is_dir() else []

    def _new_data(self) -> Iterator[tuple[Position, bytes, bool]]:
        """Give whole new lines of each file, the position after them, and whether the file is read to its end."""
        for path in self._files():
            try:
                handle = os.open(path, os.O_RDONLY)
            except FileNotFoundError:
                continue
            try:
                status = os.fstat(handle)
                inode = f"{status.st_dev}:{status.st_ino}"
                known = self._positions.get(inode)
                offset = known.offset if known else 0
                if known and status.st_size == offset:
                    continue
                head = os.pread(handle, HEAD, 0).hex()
                if known and (status.st_size < offset or not head.startswith(known.head)):
                    log.warning("%s is another file than before: reading it from its beginning", path.name)
                    offset = 0
                data = os.pread(handle, CHUNK, offset)
                consumed = data.rfind(b"\n") + 1
                if not consumed and len(data) == CHUNK:
                    log.error("%s: %d bytes without a line end, skipped", path.name, CHUNK)
                    consumed, data = CHUNK, b""
                if consumed:
                    position = Position(inode, head[: 2 * min(HEAD, offset + consumed)], offset + consumed)
                    yield position, data[:consumed], offset + CHUNK >= status.st_size
            finally:
                os.close(handle)

    def _take(self, raw: bytes, now: int, touched: set[str], stray: list[dict[str, Any]]) -> None:
        if not raw.strip():
            return
        try:
            line = parse(raw)
        except (ValueError, KeyError) as error:
            self.bad_lines += 1
            log.error("a record line that nobody understands: %s: %.300r", error, raw)
            return
        if not line.id:
            if isinstance(line, Orphan):
                # The same line makes the same id, should it ever be read twice.
                stray.append(orphan_record(line) | {"id": str(uuid.uuid5(uuid.NAMESPACE_OID, raw.decode("latin-1")))})
            return
        call = self._calls.setdefault(line.id, Call())
        text = raw.decode("ascii", "replace")
        if text not in call.raw:
            call.raw.append(text)
        call.said.add(line)
        call.touched = now
        touched.add(line.id)

    def _unknown_ends(self, now: int) -> dict[str, dict[str, Any] | None]:
        """Make records of answered calls whose end nobody can know any more."""
        found: dict[str, dict[str, Any] | None] = {}
        for each, call in self._calls.items():
            answered = call.said.answered
            if answered is None or each in self._over or not call.said.is_open:
                continue
            lost = call.lost_at is not None and now - max(call.lost_at, self.started) > self.unknown_after
            if lost or now - answered.at > self.longest_call + STRAY_LEG:
                last_seen = call.lost_at or max(answered.at, int(self.spool.noted("alive") or 0))
                found[each] = merge(_lines(call.said), end_unknown=True, last_seen=last_seen)
        return found

    def _strays(self, now: int) -> dict[str, dict[str, Any] | None]:
        found: dict[str, dict[str, Any] | None] = {}
        for each, call in self._calls.items():
            said, age = call.said, now - call.touched
            if said.answered or said.failed or said.orphan:
                continue
            if said.ended is not None and age > STRAY_END:
                end = said.ended
                found[each] = orphan_record(Orphan(end.id, end.at, "", end.cause, end.reason, end.released_by))
            elif said.ended is None and age > STRAY_LEG:
                log.warning("call %s: legs without an outcome, given up", each)
                found[each] = None
        return found

    def _open_call(self, each: str) -> OpenCall:
        call = self._calls[each]
        answered = call.said.answered.at if call.said.answered else None
        return OpenCall(each, "\n".join(call.raw), call.touched, answered, call.lost_at)

    def _read_open_calls(self) -> None:
        self._calls = {}
        for stored in self.spool.open_calls():
            call = Call(stored.lines.split("\n"), CallLines(), stored.touched, stored.lost_at)
            for raw in call.raw:
                call.said.add(parse(raw.encode()))
            self._calls[stored.id] = call
        self._over = {each for each, call in self._calls.items() if call.is_over}


def _metered(records: list[dict[str, Any]], last: int, customers: Collection[int]) -> list[Metered]:
    if not customers:
        return []
    return [
        Metered(each["tenant"], number, each["called"], each["direction"], (each["ended"] - each["answered"]) // 1000)
        for number, each in enumerate(records, last - len(records) + 1)
        if each.get("tenant") in customers and each.get("answered") and each.get("ended")
    ]


def _lines(said: CallLines) -> list[Line]:
    parts: list[Line | None] = [*said.legs, said.answered, said.failed, said.ended, said.orphan]
    return [part for part in parts if part is not None]
