"""An engine without a switch: it holds rows and carries no calls. For unit tests and machines without Kamailio."""

import re
import time
from collections.abc import Iterable
from typing import Any

from sbc.node.engines.base import DERIVED_TABLES, TABLES, EngineDown, Row, RowKey, RowRefused

LONGEST_VALUE = 60_000
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def check_row(table: str, key: str, value: str) -> None:
    """Raise RowRefused for a row that no engine could hold as it is."""
    if table not in TABLES and table not in DERIVED_TABLES:
        raise RowRefused((table, key), "there is no such table")
    if not key or _CONTROL.search(key) or len(key) > 255:
        raise RowRefused((table, key), "the key must be 1 to 255 printable characters")
    if not value or _CONTROL.search(value) or len(value) > LONGEST_VALUE:
        raise RowRefused((table, key), "the value must be printable text, not empty, of at most 60,000 characters")


class MemoryEngine:
    """Keeps rows in a dictionary; `down`, `refuse` and `events` let a test play a switch in trouble."""

    name = "memory"

    def __init__(self) -> None:
        self.tables: dict[str, dict[str, str]] = {table: {} for table in (*TABLES, *DERIVED_TABLES)}
        self.events: list[dict[str, Any]] = []
        self.refuse: dict[RowKey, str] = {}
        self.down = False
        self.started = time.time()
        self.health: dict[str, dict[str, Any]] = {}
        self.deadlines: dict[str, tuple[int, str]] = {}

    async def set_rows(self, rows: Iterable[Row]) -> None:
        self._answer()
        for table, key, value in rows:
            check_row(table, key, value)
            if (table, key) in self.refuse:
                raise RowRefused((table, key), self.refuse[table, key])
            self.tables[table][key] = value

    async def delete_rows(self, rows: Iterable[RowKey]) -> None:
        self._answer()
        for table, key in rows:
            self.tables[table].pop(key, None)

    async def get(self, table: str, key: str) -> str | None:
        self._answer()
        return self.tables[table].get(key)

    async def get_rows(self, rows: Iterable[RowKey]) -> list[str | None]:
        self._answer()
        return [self.tables[table].get(key) for table, key in rows]

    async def counts(self) -> dict[str, int]:
        self._answer()
        return {table: len(rows) for table, rows in self.tables.items()}

    async def dump(self, table: str) -> dict[str, str]:
        self._answer()
        return dict(self.tables[table])

    async def set_deadlines(self, deadlines: Iterable[tuple[str, str, int, str]]) -> None:
        self._answer()
        self.deadlines |= {call: (seconds, why) for _dialog, call, seconds, why in deadlines}

    async def fetch_events(self) -> list[dict[str, Any]]:
        self._answer()
        events, self.events = self.events, []
        return events

    async def gauges(self) -> dict[str, Any]:
        self._answer()
        return {
            "up": True,
            "calls": 0,
            "uptime": int(time.time() - self.started),
            "trunks": dict(self.health),
            "microsoft": {},
        }

    def _answer(self) -> None:
        if self.down:
            raise EngineDown("the engine is switched off")
