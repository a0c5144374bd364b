"""Compares what Kamailio holds with what it should hold, and puts it right."""

import logging
import time
import zlib
from collections.abc import Iterable, Mapping
from typing import Protocol

from sbc.node.applier import Applier
from sbc.node.engines.base import Engine
from sbc.node.haproxy import HaproxyRefused, clean
from sbc.node.rows import SET_ORDER, Kind
from sbc.protocol import Drift, Row, RowKey

log = logging.getLogger("strowger.node")

EVERY = 20.0  # seconds; what somebody changed by hand must be found within a minute
# To dump thousands of rows keeps Kamailio's events waiting, to read them one by one only costs a little more: so each
# sweep reads a part of such a table, and two of them all of it.
LARGE = frozenset({"lc"})
PARTS = 2
AT_ONCE = 100  # rows read before others have their turn: some 5 ms
REPORTED = 200  # rows of one sweep that are named one by one
NETWORKS = RowKey("rg", "msnets")


class Door(Protocol):
    """Lets Microsoft's networks in and shows them a certificate."""

    async def networks_held(self) -> set[str]:
        """Return the networks that are let in now."""
        ...

    async def set_networks(self, networks: Iterable[str]) -> None:
        """Let these networks in, and no others."""
        ...

    async def put_certificates_right(self) -> Mapping[str, Kind]:
        """Show again what should be shown and nothing else; say by name what was otherwise."""
        ...


async def sweep(engine: Engine, applier: Applier, *, part: int | None = None) -> list[Drift]:
    """Find and heal every row that is missing, different or nobody's; give what was found.

    With `part`, large tables are read, this one of PARTS, and dumped only where their number of rows is wrong: with the
    right number and all that there should be, nothing is too much.
    """
    counts = {} if part is None else await engine.counts()
    found: list[Drift] = []
    wanted_by_table: dict[str, dict[str, str]] = {table: {} for table in SET_ORDER}
    for row in applier.rows_in_force():
        wanted_by_table[row.table][row.key] = row.value
    for table, wanted in wanted_by_table.items():
        if part is not None and table in LARGE and counts.get(table) == len(wanted):
            suspects = await _read(engine, table, wanted, part)
        else:
            held = await engine.dump(table)
            differing = (key for key in held.keys() | wanted.keys() if held.get(key) != wanted.get(key))
            suspects = [RowKey(table, key) for key in differing] if held != wanted else []
        if suspects:
            found += await _heal(engine, applier, suspects)
    if found:
        log.warning("drift: %d rows put right, the first: %s", len(found), {**found[0]})
    return found[:REPORTED]


async def _read(engine: Engine, table: str, wanted: Mapping[str, str], part: int) -> list[RowKey]:
    """Return what is otherwise than wanted in one part of a table; a row is always in the same one."""
    mine = [RowKey(table, key) for key in wanted if zlib.crc32(key.encode()) % PARTS == part]
    suspects: list[RowKey] = []
    for first in range(0, len(mine), AT_ONCE):
        keys = mine[first : first + AT_ONCE]
        values = await engine.get_rows(keys)
        suspects += [key for key, value in zip(keys, values, strict=True) if value != wanted[key.key]]
    return suspects


async def _heal(engine: Engine, applier: Applier, suspects: list[RowKey]) -> list[Drift]:
    # An apply may have run between the dump and now: look again while none can.
    async with applier.lock:
        found: list[Drift] = []
        sets: list[Row] = []
        deletes: list[RowKey] = []
        at = int(time.time() * 1000)
        for key, value in zip(suspects, await engine.get_rows(suspects), strict=True):
            wanted = applier.expected(key)
            if value == wanted:
                continue
            if wanted is None:
                deletes.append(key)
            else:
                sets.append(Row(*key, wanted))
            owner = applier.state.owner(key)
            kind: Kind = "foreign" if wanted is None else "missing" if value is None else "different"
            found.append(Drift(table=key.table, key=key.key, scope=owner, found=kind, healed=True, at=at))
        await engine.set_rows(sets)
        await engine.delete_rows(deletes)
        return found


async def sweep_door(door: Door, applier: Applier) -> list[Drift]:
    """Find and heal what HAProxy lets in or shows otherwise than it should; give what was found."""
    found: list[Drift] = []
    try:
        if await door.networks_held() != _networks(applier):
            # An apply may have run meanwhile: look again while none can.
            async with applier.lock:
                found += await _heal_networks(door, applier)
        found += [_of_door(f"certificate {name}", kind) for name, kind in (await door.put_certificates_right()).items()]
    except HaproxyRefused as trouble:
        log.warning("what HAProxy does could not be compared: %s", trouble)
    return found


async def _heal_networks(door: Door, applier: Applier) -> list[Drift]:
    wanted, held = _networks(applier), await door.networks_held()
    try:
        await door.set_networks(wanted)
        healed = True
    except HaproxyRefused as trouble:
        log.error("HAProxy lets in other networks than it should: %s", trouble)
        healed = False
    kinds: dict[str, Kind] = dict.fromkeys(sorted(wanted - held), "missing")
    kinds |= dict.fromkeys(sorted(held - wanted), "foreign")
    owner = applier.state.owner(NETWORKS)
    return [_of_door(f"network {each}", kind, owner, healed) for each, kind in kinds.items()]


def _networks(applier: Applier) -> set[str]:
    return clean((applier.expected(NETWORKS) or "").split(","))


def _of_door(what: str, kind: Kind, owner: str = "", healed: bool = True) -> Drift:
    log.warning("drift: HAProxy's %s was %s", what, kind)
    return Drift(table="haproxy", key=what, scope=owner, found=kind, healed=healed, at=int(time.time() * 1000))
