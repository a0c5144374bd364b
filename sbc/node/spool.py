"""The calls that the portal does not have yet, on disk: a record lost or doubled here is money lost or doubled."""

import json
import os
import re
import sqlite3
import threading
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS spool (
    one INTEGER PRIMARY KEY CHECK (one = 1), uuid TEXT NOT NULL, last_sequence INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS record (seq INTEGER PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS open_call (
    id TEXT PRIMARY KEY, lines TEXT NOT NULL, touched INTEGER NOT NULL, answered INTEGER, lost_at INTEGER);
CREATE TABLE IF NOT EXISTS file (inode TEXT PRIMARY KEY, head TEXT NOT NULL, offset INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS note (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS hour (
    at INTEGER, tenant INTEGER, records INTEGER NOT NULL, orphans INTEGER NOT NULL, first INTEGER NOT NULL,
    last INTEGER NOT NULL, told INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (at, tenant));
CREATE INDEX IF NOT EXISTS open_call_lost ON open_call (lost_at) WHERE lost_at IS NOT NULL;
"""
# daphne cuts a line that brings more than 1 MiB in one message, and would so for ever: the same records come again.
MOST_BYTES = 750_000
SPARE = 64_000_000  # bytes of free pages that stay in the file
HOUR = 3_600_000
HOURS_KEPT = 8 * 24
HOURS_AGAIN = 48  # told once more on each new line: the last of the old line may have got lost
_COUNT = """
INSERT INTO hour (at, tenant, records, orphans, first, last) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (at, tenant) DO UPDATE SET
    records = records + excluded.records, orphans = orphans + excluded.orphans, last = excluded.last
"""
_UNSTORABLE = re.compile(r"\\u(?:0000|d[89a-f][0-9a-f]{2})")


@dataclass(frozen=True)
class OpenCall:
    """The lines of a call that has no record yet; `lost_at` is when its Kamailio was last seen, if that died."""

    id: str
    lines: str
    touched: int
    answered: int | None = None
    lost_at: int | None = None


@dataclass(frozen=True)
class Position:
    """How far a record file has been read; `head` tells the file from a later one with the same inode."""

    inode: str
    head: str
    offset: int


class Spool:
    """An SQLite file; safe to use from several threads."""

    def __init__(self, path: Path):
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.executescript(_SCHEMA)
        self._db.execute("INSERT OR IGNORE INTO spool VALUES (1, ?, 0)", (str(uuid.uuid4()),))
        self.uuid: str = self._one("SELECT uuid FROM spool")

    @property
    def last_sequence(self) -> int:
        """Give the number of the newest record ever spooled."""
        return int(self._one("SELECT last_sequence FROM spool"))

    def __len__(self) -> int:
        # Without a gap from the oldest to the newest: counting a million rows would take too long.
        return int(self._one("SELECT coalesce(max(seq) - min(seq) + 1, 0) FROM record"))

    def store(
        self,
        records: Iterable[dict[str, Any]] = (),
        opened: Iterable[OpenCall] = (),
        closed: Iterable[str] = (),
        read: Iterable[Position] = (),
    ) -> int:
        """Keep all of this or none of it; give the last record's number."""
        with self._transaction():
            (sequence,) = self._db.execute("SELECT last_sequence FROM spool").fetchone()
            given = list(enumerate(records, sequence + 1))
            numbered = [(number, storable(record)) for number, record in given]
            self._db.executemany("INSERT INTO record VALUES (?, ?)", numbered)
            self._db.executemany(_COUNT, counted(given, int(time.time() * 1000)))
            self._db.execute("UPDATE spool SET last_sequence = last_sequence + ?", (len(numbered),))
            self._db.executemany("DELETE FROM open_call WHERE id = ?", [(each,) for each in closed])
            self._db.executemany(
                "INSERT OR REPLACE INTO open_call VALUES (?, ?, ?, ?, ?)",
                [(call.id, call.lines, call.touched, call.answered, call.lost_at) for call in opened],
            )
            self._db.executemany(
                "INSERT OR REPLACE INTO file VALUES (?, ?, ?)", [(each.inode, each.head, each.offset) for each in read]
            )
        return int(sequence) + len(numbered)

    def after(self, sequence: int, limit: int, most_bytes: int = MOST_BYTES) -> tuple[int, list[str]]:
        """Give the oldest records after this one as JSON texts with their numbers, and the first's number."""
        with self._lock:
            rows = self._db.execute(
                "SELECT seq, body FROM record WHERE seq > ? ORDER BY seq LIMIT ?", (sequence, limit)
            )
            texts, size, first = [], 0, 0
            for number, body in rows:
                first = first or number
                texts.append(f'{{"seq":{number},{body[1:]}')
                size += len(body)
                if size > most_bytes:
                    break
        return first, texts

    def acknowledge(self, sequence: int) -> int:
        """Forget what the portal has; give the number of records."""
        with self._transaction():
            gone = self._db.execute("DELETE FROM record WHERE seq <= ?", (sequence,)).rowcount
        self._give_back()
        return gone

    def _give_back(self) -> None:
        """Give the disk what a long time without the portal took, once nothing waits: SQLite keeps it otherwise."""
        with self._lock:
            free, size = (self._db.execute(f"PRAGMA {what}").fetchone()[0] for what in ("freelist_count", "page_size"))
            if free * size > SPARE and self._db.execute("SELECT 1 FROM record LIMIT 1").fetchone() is None:
                self._db.execute("VACUUM")
                self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def renew(self) -> None:
        """Become another spool: the portal knows later numbers of this one, so this file is an old copy."""
        with self._transaction():
            self.uuid = str(uuid.uuid4())
            bodies = self._db.execute("SELECT body FROM record ORDER BY seq").fetchall()
            self._db.execute("DELETE FROM record")
            self._db.executemany(
                "INSERT INTO record (seq, body) VALUES (?, ?)", [(n, b) for n, (b,) in enumerate(bodies, 1)]
            )
            self._db.execute("UPDATE spool SET uuid = ?, last_sequence = ?", (self.uuid, len(bodies)))
            # The new spool's counts are those of what is in it.
            self._db.execute("DELETE FROM hour")
            given = [(number, json.loads(body)) for number, (body,) in enumerate(bodies, 1)]
            self._db.executemany(_COUNT, counted(given, int(time.time() * 1000)))

    def hours(self, limit: int) -> list[tuple[int, ...]]:
        """Give counts that have grown since they were told: hour, customer, records, orphans, first and last number."""
        with self._lock:
            return self._db.execute(
                "SELECT at, tenant, records, orphans, first, last FROM hour WHERE last > told ORDER BY at LIMIT ?",
                (limit,),
            ).fetchall()

    def hours_told(self, hours: Iterable[tuple[int, ...]]) -> None:
        """Note that the portal was told these counts."""
        with self._transaction():
            told = [(last, at, tenant) for at, tenant, _records, _orphans, _first, last in hours]
            self._db.executemany("UPDATE hour SET told = ? WHERE at = ? AND tenant = ?", told)

    def tell_hours_again(self, now: int) -> None:
        """Tell the latest counts anew, and forget those that are long settled."""
        with self._transaction():
            self._db.execute("UPDATE hour SET told = 0 WHERE at > ?", (now - HOURS_AGAIN * HOUR,))
            self._db.execute("DELETE FROM hour WHERE at < ? AND told = last", (now - HOURS_KEPT * HOUR,))

    def open_calls(self) -> list[OpenCall]:
        """Give every call whose lines wait for others."""
        with self._lock:
            rows = self._db.execute("SELECT id, lines, touched, answered, lost_at FROM open_call").fetchall()
        return [OpenCall(*row) for row in rows]

    def lose_open_calls(self, last_seen: int, died: int) -> int:
        """Mark the calls that Kamailio was carrying when it was killed; give their number."""
        with self._transaction():
            return self._db.execute(
                "UPDATE open_call SET lost_at = max(?, answered) WHERE answered <= ? AND lost_at IS NULL",
                (last_seen, died),
            ).rowcount

    def positions(self) -> dict[str, Position]:
        """Give how far each file has been read, by inode."""
        with self._lock:
            return {row[0]: Position(*row) for row in self._db.execute("SELECT inode, head, offset FROM file")}

    def forget_files(self, inodes: Iterable[str]) -> None:
        """Forget files that are gone."""
        with self._transaction():
            self._db.executemany("DELETE FROM file WHERE inode = ?", [(each,) for each in inodes])

    def note(self, name: str, value: str) -> None:
        """Remember a fact over restarts."""
        with self._transaction():
            self._db.execute("INSERT OR REPLACE INTO note VALUES (?, ?)", (name, value))

    def noted(self, name: str) -> str | None:
        """Give a remembered fact."""
        with self._lock:
            row = self._db.execute("SELECT value FROM note WHERE name = ?", (name,)).fetchone()
        return row[0] if row else None

    def close(self) -> None:
        """Leave the file whole for the next start."""
        with self._lock:
            self._db.close()

    def _one(self, query: str) -> Any:
        with self._lock:
            return self._db.execute(query).fetchone()[0]

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock, transaction(self._db):
            yield


@contextmanager
def transaction(database: sqlite3.Connection) -> Iterator[None]:
    """Do all of it or nothing; a disk that is full, at whichever statement, leaves nothing open behind."""
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
        database.execute("COMMIT")
    except BaseException:
        # SQLite has taken some of these back by itself, and says so when asked to do it again.
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise


def counted(records: Iterable[tuple[int, dict[str, Any]]], now: int) -> list[tuple[int, ...]]:
    """Give the counts that numbered records add to this hour, one row a customer."""
    found: dict[int, list[int]] = {}
    for number, record in records:
        tenant = tenant_of(record)
        sums = found.setdefault(tenant, [0, 0, number, number])
        sums[record.get("kind") == "orphan_end"] += 1
        sums[3] = number
    return [(now - now % HOUR, tenant, *sums) for tenant, sums in found.items()]


def tenant_of(record: dict[str, Any]) -> int:
    """Give the customer that a record names, or 0."""
    tenant = record.get("tenant")
    return tenant if type(tenant) is int and 0 < tenant < 2**31 else 0


def storable(record: dict[str, Any]) -> str:
    """Write a record as JSON without letters that no database takes: a SIP header may hold anything."""
    text = json.dumps(record, separators=(",", ":"))
    return json.dumps(_clean(record), separators=(",", ":")) if _UNSTORABLE.search(text) else text


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {name: _clean(each) for name, each in value.items()}
    return [_clean(each) for each in value] if isinstance(value, list) else value
