"""What the node process asks of an engine, whichever engine it is."""

from collections.abc import Iterable
from typing import Any, Protocol

Row = tuple[str, str, str]
RowKey = tuple[str, str]

#: Tables that the portal fills, in the order in which a full load writes them.
TABLES = ("rg", "bd", "bl", "gw", "au", "ip", "fc", "cl", "sc", "rt", "pt", "lc", "lt", "em", "cr", "tn", "dn", "fq")
#: Tables that the node process or the engine fills itself.
DERIVED_TABLES = ("sr", "ss", "ps", "dw", "cp")
#: Those of them that begin empty with each start of the engine.
FLEETING_TABLES = ("dw", "cp")


class EngineError(Exception):
    """Something that an engine could not do."""


class EngineDown(EngineError):
    """The engine does not answer; nothing is known about what it holds."""


class RowRefused(EngineError):
    """The engine answers and does not take this row."""

    def __init__(self, row: RowKey, reason: str) -> None:
        super().__init__(f"{row[0]}[{row[1]}]: {reason}")
        self.row = row
        self.reason = reason


class Engine(Protocol):
    """Holds rows, routes calls by them and reports what happens."""

    name: str  # "kamailio" or "memory": the portal shows a banner for the latter

    async def set_rows(self, rows: Iterable[Row]) -> None:
        """Store these rows; raise RowRefused for the first that is not taken, EngineDown if nobody answers."""
        ...

    async def delete_rows(self, rows: Iterable[RowKey]) -> None:
        """Remove these rows; a row that is not there counts as removed."""
        ...

    async def get(self, table: str, key: str) -> str | None:
        """Return the value that the engine itself holds now."""
        ...

    async def get_rows(self, rows: Iterable[RowKey]) -> list[str | None]:
        """Return the values of many rows, in order: the read-back after a change."""
        ...

    async def counts(self) -> dict[str, int]:
        """Return how many rows each table holds."""
        ...

    async def dump(self, table: str) -> dict[str, str]:
        """Return a whole table, also rows that nobody here wrote: the sweep compares it."""
        ...

    async def set_deadlines(self, deadlines: Iterable[tuple[str, str, int, str]]) -> None:
        """End calls so many seconds from now: (dialog, call id, seconds, which limit or "" for the longest call)."""
        ...

    async def fetch_events(self) -> list[dict[str, Any]]:
        """Return and forget the live events since the last call, as the protocol spells them."""
        ...

    async def gauges(self) -> dict[str, Any]:
        """Return {"up", "calls", "uptime", "trunks": {"g12": {...}}, "microsoft": {...}, …} for the portal."""
        ...
