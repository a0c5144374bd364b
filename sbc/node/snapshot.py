"""What the node holds, on disk: enough to start again without the portal."""

import json
import logging
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from sbc.node.haproxy import sync_directory
from sbc.node.spool import transaction
from sbc.node.state import Plan, State
from sbc.protocol import Apply, Row, RowKey, decode, encode

log = logging.getLogger("strowger.node")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS held (scope TEXT PRIMARY KEY, version INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS claim (
    number INTEGER PRIMARY KEY AUTOINCREMENT, scope TEXT NOT NULL, tbl TEXT NOT NULL, key TEXT NOT NULL,
    value TEXT NOT NULL, leaving TEXT, UNIQUE (scope, tbl, key));
CREATE TABLE IF NOT EXISTS left_out (scope TEXT NOT NULL, tbl TEXT NOT NULL, key TEXT NOT NULL, reason TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS intent (scope TEXT PRIMARY KEY, apply TEXT NOT NULL);
"""
_LEAVE_OUT = "INSERT INTO left_out VALUES (?, ?, ?, ?)"


class Snapshot:
    """An intent is written before an apply begins and becomes the state when Kamailio runs it.

    After a crash in between, the apply is carried out again: the state alone would turn Kamailio back.
    """

    def __init__(self, path: Path):
        # The rows include the trunks' passwords.
        handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
        os.fchmod(handle, 0o600)
        os.fsync(handle)
        os.close(handle)
        sync_directory(path.parent)
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode = WAL")
        # Nobody waits for the disk to acknowledge an apply: `sync` follows at once, beside it.
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(_SCHEMA)
        self._log = path.with_name(path.name + "-wal")
        self.unsynced = False

    def load(self, state: State) -> list[Apply]:
        """Fill the state; give the applies that were begun and not finished."""
        versions = dict(self._db.execute("SELECT scope, version FROM held"))
        state.restore(versions, self._claims(), self._left_out())
        applies = [decode(text) for (text,) in self._db.execute("SELECT apply FROM intent")]
        return [apply for apply in applies if isinstance(apply, Apply)]

    def intend(self, apply: Apply) -> None:
        """Write down what is about to be applied."""
        self._db.execute("INSERT OR REPLACE INTO intent VALUES (?, ?)", (apply.scope, encode(apply)))

    def forget(self, scope: str) -> None:
        """Cross out an apply that was refused."""
        self._db.execute("DELETE FROM intent WHERE scope = ?", (scope,))

    def sync(self) -> None:
        """Wait until what was written is on the disk; any thread may."""
        self.unsynced = False
        try:
            # SQLite holds no lock on this file that closing it here could lose.
            with self._log.open("rb") as log:
                os.fsync(log.fileno())
            sync_directory(self._log.parent)
        except OSError:
            self.unsynced = True
            raise

    def commit(self, plan: Plan) -> None:
        """Write down that the plan is carried out."""
        scope, run = plan.scope, self._db.executemany
        with transaction(self._db):
            removed = [key for key in plan.wanted if key in plan.claims] + list(plan.gone)
            run("DELETE FROM claim WHERE scope = ? AND tbl = ? AND key = ?", [(scope, *key) for key in removed])
            run(
                "INSERT INTO claim (scope, tbl, key, value) VALUES (?, ?, ?, ?) "
                "ON CONFLICT (scope, tbl, key) DO UPDATE SET value = excluded.value",
                [(scope, *key, value) for key, value in plan.wanted.items()],
            )
            run(
                "UPDATE claim SET leaving = ? WHERE scope = ? AND tbl = ? AND key = ?",
                [(json.dumps(after), scope, *key) for key, after in plan.leaving.items()],
            )
            self._db.execute("DELETE FROM left_out WHERE scope = ?", (scope,))
            if plan.version is None:
                self._db.execute("DELETE FROM held WHERE scope = ?", (scope,))
            else:
                self._db.execute("INSERT OR REPLACE INTO held VALUES (?, ?)", (scope, plan.version))
                run(_LEAVE_OUT, [(scope, *key, reason) for key, reason in plan.left_out.items()])
            self.forget(scope)
        self.unsynced = True

    def rewrite(self, state: State) -> None:
        """Write everything anew, after a commit that failed."""
        with transaction(self._db):
            self._db.execute("DELETE FROM claim")
            self._db.execute("DELETE FROM held")
            self._db.execute("DELETE FROM left_out")
            for scope, holding in state.scopes.items():
                left_out = [(scope, *key, reason) for key, reason in holding.left_out.items()]
                self._db.executemany(_LEAVE_OUT, left_out)
            self._db.executemany("INSERT INTO held VALUES (?, ?)", list(state.versions.items()))
            self._db.executemany(
                "INSERT INTO claim (scope, tbl, key, value, leaving) VALUES (?, ?, ?, ?, ?)",
                (
                    (scope, *row, None if leaving is None else json.dumps(leaving))
                    for scope, row, leaving in state.claims()
                ),
            )
            self._db.executemany("DELETE FROM intent WHERE scope = ?", [(scope,) for scope in state.versions])
        self.unsynced = True

    def close(self) -> None:
        """Leave the file whole for the next start."""
        self._db.close()

    def _left_out(self) -> Iterator[tuple[str, RowKey, str]]:
        for scope, table, key, reason in self._db.execute("SELECT * FROM left_out ORDER BY rowid"):
            yield scope, RowKey(table, key), reason

    def _claims(self) -> Iterator[tuple[str, Row, dict[str, int] | None]]:
        for scope, table, key, value, leaving in self._db.execute(
            "SELECT scope, tbl, key, value, leaving FROM claim ORDER BY number"
        ):
            yield scope, Row(table, key, value), json.loads(leaving) if leaving else None


def secret_free(key: RowKey, value: str) -> str:
    """Give the value as people may see it."""
    return "********" if key.table == "au" else value


def opened(path: Path) -> Snapshot:
    """Open a snapshot; one that cannot be read is put aside, and an empty one begun."""
    try:
        return Snapshot(path)
    except sqlite3.DatabaseError:
        # The portal has it all and sends it again: better to start empty than not at all.
        log.exception("the snapshot cannot be read; it is put aside")
        path.rename(path.with_suffix(".broken"))
        return Snapshot(path)
