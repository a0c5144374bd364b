"""Rows that the node writes itself: `sr` (addresses that carriers call from) and `ss` (which hours are open)."""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime

from sbc.node import rows, schedules
from sbc.node.state import Plan
from sbc.protocol import Row, RowKey

log = logging.getLogger("strowger.node")


class Derived:
    """Follows the `ip` and `sc` rows in force."""

    def __init__(self, in_force: Iterable[Row] = ()):
        self._sources: Counter[str] = Counter()
        self._schedules: dict[str, str] = {}
        self._states: dict[str, str] = {}
        for row in in_force:
            self._add(row)

    def sets(self, plan: Plan, at: datetime) -> list[Row]:
        """Give the rows that must be there before the plan's own."""
        made = [
            Row("ss", row.key, schedules.state(schedules.read(row.value), at)) for row in plan.sets if row.table == "sc"
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
        return gone + [RowKey("ss", key.key) for key in plan.deletes if key.table == "sc"]

    def commit(self, plan: Plan, at: datetime) -> None:
        """Take the plan over."""
        for row in plan.sets:
            if row.table == "ip" and plan.before[RowKey(row.table, row.key)] is not None:
                continue
            self._add(row)
            if row.table == "sc":
                self._states[row.key] = _digit(row.value, at)
        for key in plan.deletes:
            if key.table == "ip":
                self._sources[rows.source_address(key)] -= 1
            elif key.table == "sc":
                self._schedules.pop(key.key, None)
                self._states.pop(key.key, None)

    def flips(self, at: datetime) -> list[Row]:
        """Give the `ss` rows whose digit is another one now."""
        digits = ((key, _digit(text, at)) for key, text in self._schedules.items())
        return [Row("ss", key, digit) for key, digit in digits if self._states.get(key) != digit]

    def flip(self, flipped: Iterable[Row]) -> None:
        """Take these states over."""
        self._states |= {row.key: row.value for row in flipped}

    def in_force(self) -> Iterator[Row]:
        """Give every derived row that Kamailio should have."""
        for address, count in self._sources.items():
            if count > 0:
                yield Row("sr", address, "1")
        for key, digit in self._states.items():
            yield Row("ss", key, digit)

    def value(self, key: RowKey) -> str | None:
        """Give the value that a derived row should have."""
        if key.table == "sr":
            return "1" if self._sources[key.key] > 0 else None
        return self._states.get(key.key)

    def _add(self, row: Row) -> None:
        if row.table == "ip":
            self._sources[rows.source_address(RowKey(row.table, row.key))] += 1
        elif row.table == "sc":
            self._schedules[row.key] = row.value


def _digit(text: str, at: datetime) -> str:
    try:
        return schedules.state(schedules.read(text), at)
    except ValueError:
        # It was good when it was accepted: a time zone may have left this machine since.
        log.exception("opening hours that cannot be read count as closed")
        return "0"
