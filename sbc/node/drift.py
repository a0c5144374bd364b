"""Compares what Kamailio holds with what it should hold, and puts it right."""

import logging
import time
from typing import Literal, TypeAlias

from sbc.node.applier import Applier
from sbc.node.engines.base import Engine
from sbc.node.rows import PRICES, SET_ORDER
from sbc.protocol import Drift, Row, RowKey

Kind: TypeAlias = Literal["missing", "different", "foreign"]

log = logging.getLogger("strowger.node")

EVERY = 20.0  # seconds; what somebody changed by hand must be found within a minute
PRICES_EVERY = 45  # sweeps; a rank that somebody changed by hand costs money, and keeps no call from its way
REPORTED = 200  # rows of one sweep that are named one by one


async def sweep(engine: Engine, applier: Applier, *, prices: bool = True) -> list[Drift]:
    """Find and heal every row that is missing, different or nobody's; give what was found.

    Without `prices`, tables of prices are only looked at where their number of rows is wrong: to dump thousands of rows
    keeps Kamailio's events waiting.
    """
    counts = {} if prices else await engine.counts()
    found: list[Drift] = []
    wanted_by_table: dict[str, dict[str, str]] = {table: {} for table in SET_ORDER}
    for row in applier.rows_in_force():
        wanted_by_table[row.table][row.key] = row.value
    for table, wanted in wanted_by_table.items():
        if table in PRICES and counts.get(table) == len(wanted):
            continue
        held = await engine.dump(table)
        if held == wanted:
            continue
        suspects = [RowKey(table, key) for key in held.keys() | wanted.keys() if held.get(key) != wanted.get(key)]
        found += await _heal(engine, applier, suspects)
    if found:
        log.warning("drift: %d rows put right, the first: %s", len(found), {**found[0]})
    return found[:REPORTED]


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
