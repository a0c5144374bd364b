"""Rows that the node writes itself: `sr` (addresses that carriers call from), and what the clock says.

`ss` is which hours are open, `ps` which prices hold.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from sbc.node import prices, rows, schedules
from sbc.node.state import Plan
from sbc.protocol import Row, RowKey

log = logging.getLogger("strowger.node")

# What is read at which clock: the table that the portal fills, the one that follows from it, and how.
CLOCKS: dict[str, tuple[str, Callable[[str, datetime], str]]] = {
    "sc": ("ss", lambda text, at: schedules.state(schedules.read(text), at)),
    "pt": ("ps", lambda text, at: prices.state(prices.read(text), at)),
}


class Derived:
    """Follows the `ip`, `sc` and `pt` rows in force."""

    def __init__(self, in_force: Iterable[Row] = ()):
        self._sources: Counter[str] = Counter()
        self._clocks: dict[RowKey, str] = {}
        self._states: dict[RowKey, str] = {}
        for row in in_force:
            self._add(row)

    def sets(self, plan: Plan, at: datetime) -> list[Row]:
        """Give the rows that must be there before the plan's own."""
        made = [
            Row(*_follower(row.table, row.key), CLOCKS[row.table][1](row.value, at))
            for row in plan.sets
            if row.table in CLOCKS
        ]
        addresses = {rows.source_address(RowKey(row.table, row.key)) for row in plan.sets if row.table == "ip"}
        return made + [Row("sr", address, "1") for address in sorted(addresses) if not self._sources[address]]

    def deletes(self, plan: Plan) -> list[RowKey]:
        """Give the rows that nothing needs any more after the plan's deletes."""
        lost = Counter(rows.source_address(key) for key in plan.deletes if key.table == "ip")
        new = Counter(
            rows.source_address(RowKey(row.table, row.key))
            for row in plan.sets
            if row.table == "ip" and plan.before[RowKey(row.table, row.key)] is None
        )
        gone = [RowKey("sr", address) for address in lost if self._sources[address] + new[address] <= lost[address]]
        return gone + [_follower(*key) for key in plan.deletes if key.table in CLOCKS]

    def commit(self, plan: Plan, at: datetime) -> None:
        """Take the plan over."""
        for row in plan.sets:
            if row.table == "ip" and plan.before[RowKey(row.table, row.key)] is not None:
                continue
            self._add(row)
            if row.table in CLOCKS:
                self._states[_follower(row.table, row.key)] = _digit(row.table, row.value, at)
        for key in plan.deletes:
            if key.table == "ip":
                self._sources[rows.source_address(key)] -= 1
            elif key.table in CLOCKS:
                self._clocks.pop(key, None)
                self._states.pop(_follower(*key), None)

    def flips(self, at: datetime) -> list[Row]:
        """Give the rows whose digit is another one now."""
        digits = ((_follower(*key), _digit(key.table, text, at)) for key, text in self._clocks.items())
        return [Row(*key, digit) for key, digit in digits if self._states.get(key) != digit]

    def flip(self, flipped: Iterable[Row]) -> None:
        """Take these states over."""
        self._states |= {RowKey(row.table, row.key): row.value for row in flipped}

    def in_force(self) -> Iterator[Row]:
        """Give every derived row that Kamailio should have."""
        for address, count in self._sources.items():
            if count > 0:
                yield Row("sr", address, "1")
        for key, digit in self._states.items():
            yield Row(*key, digit)

    def value(self, key: RowKey) -> str | None:
        """Give the value that a derived row should have."""
        if key.table == "sr":
            return "1" if self._sources[key.key] > 0 else None
        return self._states.get(key)

    def _add(self, row: Row) -> None:
        if row.table == "ip":
            self._sources[rows.source_address(RowKey(row.table, row.key))] += 1
        elif row.table in CLOCKS:
            self._clocks[RowKey(row.table, row.key)] = row.value


def _follower(table: str, key: str) -> RowKey:
    return RowKey(CLOCKS[table][0], key)


def _digit(table: str, text: str, at: datetime) -> str:
    try:
        return CLOCKS[table][1](text, at)
    except ValueError:
        # It was good when it was accepted: a time zone may have left this machine since.
        log.exception("opening hours that cannot be read count as closed")
        return "0"
