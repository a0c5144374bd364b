"""The rows that an SBC node holds, as values: what customers wrote goes in as data and as nothing more."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_UNSAFE = re.compile(r"[;=\s\x00-\x1f\x7f]")


@dataclass(frozen=True, order=True)
class Row:
    """One entry of a table on the node."""

    table: str
    key: str
    value: str


class UnsafeValue(ValueError):
    """A value would break out of its parameter; the configuration is refused whole."""


def parameters(values: Mapping[str, object]) -> str:
    """Return `k=v;k=v`; raises UnsafeValue where a value holds a separator, white space or a control character."""
    for name, value in values.items():
        if _UNSAFE.search(str(value)):
            raise UnsafeValue(f"{name} holds a character that the SBC would misread: {value!r}")
    return ";".join(f"{name}={value}" for name, value in values.items())


def listed(items: Iterable[str]) -> str:
    """Return the items with commas between them; raises UnsafeValue where an item holds one."""
    items = list(items)
    if any("," in item for item in items):
        raise UnsafeValue(f"an item of a list holds a comma: {items!r}")
    return ",".join(items)


@dataclass(frozen=True)
class Delta:
    """What turns one set of rows into another."""

    set: tuple[Row, ...]
    delete: tuple[tuple[str, str], ...]

    @property
    def is_empty(self) -> bool:
        return not self.set and not self.delete


def difference(old: Iterable[Row], new: Iterable[Row]) -> Delta:
    """Return the rows to set and the keys to delete that lead from `old` to `new`."""
    before = {(row.table, row.key): row.value for row in old}
    after = {(row.table, row.key): row.value for row in new}
    return Delta(
        tuple(Row(*key, value) for key, value in after.items() if before.get(key) != value),
        tuple(key for key in before if key not in after),
    )
