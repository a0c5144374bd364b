"""`python -m sbc.node.inspect --directory …`: what a node holds, for the engineer at night.

It only reads, and may be used while the node runs.

scopes              every scope with its version and number of rows, and applies that were begun and not finished
rows cust:17        the rows of a scope; `!` marks one that another scope's row overrules, `-` one that is leaving
find 4930123        every row whose key or value holds this text
spool               records that wait for the portal, open calls, how far each record file is read
record 42           one record
"""

import argparse
import json
import sqlite3
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from sbc.node.snapshot import secret_free
from sbc.protocol import RowKey

_OWNERS = "SELECT tbl, key, max(number) FROM claim GROUP BY tbl, key"


def scopes(snapshot: sqlite3.Connection) -> Iterator[str]:
    """Give a line for each scope."""
    counts = dict(snapshot.execute("SELECT scope, count(*) FROM claim GROUP BY scope"))
    yield f"{'scope':<16} {'version':>8} {'rows':>8}"
    for scope, version in snapshot.execute("SELECT scope, version FROM held ORDER BY scope"):
        yield f"{scope:<16} {version:>8} {counts.get(scope, 0):>8}"
    for scope, apply in snapshot.execute("SELECT scope, apply FROM intent"):
        yield f"{scope}: version {json.loads(apply)['version']} was begun and is not finished"


def rows(snapshot: sqlite3.Connection, scope: str) -> Iterator[str]:
    """Give a line for each row that the scope wants."""
    owners = {(table, key): number for table, key, number in snapshot.execute(_OWNERS)}
    query = "SELECT number, tbl, key, value, leaving FROM claim WHERE scope = ? ORDER BY tbl, key"
    for number, table, key, value, leaving in snapshot.execute(query, (scope,)):
        mark = "-" if leaving else " " if owners[table, key] == number else "!"
        after = f"  leaves after {leaving}" if leaving else ""
        yield f"{mark} {table} {key} = {secret_free(RowKey(table, key), value)}{after}"


def find(snapshot: sqlite3.Connection, text: str) -> Iterator[str]:
    """Give a line for each row with this text in it."""
    query = "SELECT scope, tbl, key, value FROM claim WHERE instr(key, ?) OR (instr(value, ?) AND tbl <> 'au')"
    for scope, table, key, value in snapshot.execute(query + " ORDER BY tbl, key", (text, text)):
        yield f"{scope:<12} {table} {key} = {secret_free(RowKey(table, key), value)}"


def spool(database: sqlite3.Connection) -> Iterator[str]:
    """Give the spool's state in a few lines."""
    uuid, last = database.execute("SELECT uuid, last_sequence FROM spool").fetchone()
    waiting, first, newest = database.execute("SELECT count(*), min(seq), max(seq) FROM record").fetchone()
    yield f"spool {uuid}, last record {last}"
    yield f"records that the portal has not acknowledged: {waiting}" + (f" ({first} to {newest})" if waiting else "")
    calls = database.execute("SELECT id, answered, lost_at FROM open_call ORDER BY touched").fetchall()
    yield f"calls without a record yet: {len(calls)}"
    for call, answered, lost_at in calls[:50]:
        state = f"answered {_time(answered)}" if answered else "not answered"
        yield f"  {call} {state}" + (f", its Kamailio was killed, last seen {_time(lost_at)}" if lost_at else "")
    for inode, offset in database.execute("SELECT inode, offset FROM file"):
        yield f"record file {inode}: read up to byte {offset}"
    for name, value in database.execute("SELECT name, value FROM note"):
        yield f"{name}: {_time(int(value)) if value.isdigit() else value}"


def record(database: sqlite3.Connection, number: str) -> Iterator[str]:
    """Give one record as indented JSON."""
    found = database.execute("SELECT body FROM record WHERE seq = ?", (int(number),)).fetchone()
    yield json.dumps(json.loads(found[0]), indent=2) if found else "acknowledged and forgotten, or not written yet"


def _time(millis: int) -> str:
    return datetime.fromtimestamp(millis / 1000, UTC).isoformat(sep=" ", timespec="milliseconds")


def _opened(path: Path) -> sqlite3.Connection:
    if not path.exists():
        sys.exit(f"{path} is not there: is this a node's directory?")
    return sqlite3.connect(f"file:{path}?mode=ro", uri=True)


def main(arguments: list[str]) -> Iterator[str]:
    """Answer one question."""
    parser = argparse.ArgumentParser(
        prog="python -m sbc.node.inspect", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--directory", type=Path, default=Path("/var/lib/strowger/node"))
    parser.add_argument("what", choices=("scopes", "rows", "find", "spool", "record"), nargs="?", default="scopes")
    parser.add_argument("which", nargs="?", default="")
    asked = parser.parse_args(arguments)
    if asked.what in ("rows", "find", "record") and not asked.which:
        parser.error(f"{asked.what} what?")
    if asked.what in ("spool", "record"):
        database = _opened(asked.directory / "spool.sqlite")
        return spool(database) if asked.what == "spool" else record(database, asked.which)
    database = _opened(asked.directory / "snapshot.sqlite")
    if asked.what == "scopes":
        return scopes(database)
    return rows(database, asked.which) if asked.what == "rows" else find(database, asked.which)


if __name__ == "__main__":
    for line in main(sys.argv[1:]):
        sys.stdout.write(line + "\n")
