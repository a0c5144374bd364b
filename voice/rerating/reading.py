"""The calls of a period with what was posted for them, as columns."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from voice.rating.models.charges import ASIDE
from voice.rerating import copying
from voice.rerating.flat import DIRECTIONS, UNKNOWN, Calls, Ints
from voice.rerating.models import Side

# A call rings for minutes before it is answered; with a clock that was set, for longer.
RINGS = timedelta(hours=6)
MINUS_INFINITY = -(2**63)
# `+` and fifteen digits are all that a deck looks at. Longer numbers are cut where they are numbers to their end.
CALLED = """CASE WHEN octet_length({n}) = length({n}) AND length({n}) <= 16 THEN rpad({n}, 16)
    WHEN {n} ~ '^[+][0-9]+$' AND length({n}) > 16 THEN left({n}, 16) ELSE rpad('?', 16) END"""
CALLER = """CASE WHEN octet_length({n}) = length({n}) AND length({n}) <= 16 THEN rpad({n}, 16)
    ELSE rpad(coalesce(substring({n} FROM '^[+][0-9]*'), ''), 16) END"""
SENT = "coalesce(nullif(c.caller_sent, ''), c.caller)"
_CASES = " ".join(f"WHEN '{name}' THEN {place}" for place, name in enumerate(DIRECTIONS))
DIRECTION = f"CASE c.direction {_CASES} END"
# On a trunk a call goes out or comes in, whatever it is to the customer.
ON_TRUNK = f"""CASE WHEN c.direction = 'emergency' THEN {DIRECTIONS.index("emergency")}
    WHEN c.ingress = 'g' || p.trunk THEN {DIRECTIONS.index("in")} ELSE {DIRECTIONS.index("out")} END"""
_ASIDE = ", ".join(f"'{outcome}'" for outcome in ASIDE)
# Few columns: what is small goes into one, and a rate says which deck it is of.
QUERY = f"""
SELECT p.tenant_id::int4 AS tenant_id, p.invited, p.id, {{owner}} AS owner,
       ((({DIRECTION}) * 4 + ({{asked}})) * 2 + (p.outcome IN ({_ASIDE}))::int)::int2 AS marks,
       {CALLED.format(n="c.called")} AS called, {CALLER.format(n=SENT)} AS caller, p.answered,
       CASE WHEN c.end_unknown THEN '-infinity' ELSE coalesce(c.ended, '-infinity') END AS ended,
       p.micros, p.seconds, p.billed, coalesce(p.rate_id, -p.deck_id, 0) AS rate
  FROM {{table}} p JOIN calls_cdr c ON c.tenant_id = p.tenant_id AND c.invited = p.invited AND c.id = p.id
 WHERE p.msp_id = %(msp)s AND p.invited >= %(first)s AND p.invited < %(last)s
   AND c.msp_id = %(msp)s AND c.invited >= %(first)s AND c.invited < %(last)s AND c.side <> 'called'
   AND p.answered >= %(begins)s AND p.answered < %(ends)s
   AND (%(all)s OR p.tenant_id = ANY(%(customers)s)) {{more}}
"""  # noqa: S608 constants
COLUMNS = {
    "tenant_id": "int4", "invited": "moment", "id": "uuid", "owner": "int4", "marks": "int2", "called": "number",
    "caller": "number", "answered": "moment", "ended": "moment", "micros": "int8", "seconds": "int4",
    "billed": "int4", "rate": "int8",
}  # fmt: skip
# What a person decided is not rated again. Decisions are rare, and to look for one beside each call is a tenth of the
# reading: whether there is any is asked once, of the same state of the database.
UNDECIDED = """AND (NOT (SELECT EXISTS (SELECT FROM rerating_decision WHERE msp_id = %(msp)s
                           AND invited >= %(first)s AND invited < %(last)s))
     OR NOT EXISTS (SELECT FROM rerating_decision d
                     WHERE d.tenant_id = p.tenant_id AND d.invited = p.invited AND d.call = p.id))"""
SIDES = {
    Side.SELL: QUERY.format(table="rating_charge", owner="0", asked=DIRECTION, more=UNDECIDED),
    Side.BUY: QUERY.format(
        table="rating_cost", owner="p.trunk::int4", asked=ON_TRUNK,
        more="AND (%(any_trunk)s OR p.trunk = ANY(%(trunks)s))",
    ),
}  # fmt: skip
# What a call came to by all that was applied, where anything was.
ADJUSTED = """
SELECT tenant_id, invited, call, {owner} AS owner, destination, currency, sum(calls), sum(seconds), sum(billed),
       sum(micros)
  FROM {table} WHERE msp_id = %(msp)s AND answered >= %(begins)s AND answered < %(ends)s
   AND invited >= %(first)s AND invited < %(last)s GROUP BY 1, 2, 3, 4, 5, 6
"""
ADJUSTMENTS = {
    Side.SELL: ADJUSTED.format(table="rerating_adjustment", owner="tenant_id::bigint"),
    Side.BUY: ADJUSTED.format(table="rerating_costadjustment", owner="trunk"),
}


@dataclass(frozen=True)
class Scope:
    """Whose calls, over which trunks, answered when; `customers` and `trunks` are all where empty."""

    msp: int
    begins: datetime
    ends: datetime
    customers: tuple[int, ...] = ()
    trunks: tuple[int, ...] = ()


@dataclass
class Posted:
    """Calls as pricing takes them, and what each came to so far; `owner` is the customer or the trunk."""

    tenant: NDArray[np.int32]
    invited: Ints
    id: NDArray[Any]
    owner: Ints
    direction: NDArray[np.int8]
    calls: Calls
    micros: Ints
    seconds: Ints
    billed: Ints
    aside: NDArray[np.bool_]
    # The id of the rate, or that of the deck with a minus, 0 for neither.
    rate: Ints

    def __len__(self) -> int:
        return len(self.tenant)


@dataclass(frozen=True)
class Standing:
    """Where a call stands in the sums after it was adjusted."""

    destination: str
    currency: str
    calls: int
    seconds: int
    billed: int
    micros: int


Key = tuple[int, bytes, int]


def posted(side: str, scope: Scope, first: datetime, last: datetime) -> Posted:
    """Return the scope's calls whose records began from `first` up to `last`."""
    rows = copying.read(SIDES[Side(side)], _params(scope, first, last), COLUMNS)

    def column(name: str, kind: Any = np.int64) -> Any:
        return rows[name].astype(kind)

    ended = copying.milliseconds(rows["ended"])
    ended[rows["ended"] == MINUS_INFINITY] = UNKNOWN
    marks, tenant = column("marks", np.int8), column("tenant_id", np.int32)
    asked = (marks // 2 % 4).astype(np.int8)
    answered = copying.milliseconds(rows["answered"])
    calls = Calls(asked, _letters(rows["called"]), _letters(rows["caller"]), answered, ended)
    return Posted(
        tenant, column("invited"), rows["id"], tenant.astype(np.int64) if side == Side.SELL else column("owner"),
        (marks // 8).astype(np.int8), calls, column("micros"), column("seconds"), column("billed"),
        marks % 2 == 1, column("rate"),
    )  # fmt: skip


def adjusted(side: str, scope: Scope, first: datetime, last: datetime) -> dict[Key, list[Standing]]:
    """Return what adjustments moved, by call: customer, id and owner."""
    found: dict[Key, list[Standing]] = {}
    with connection.cursor() as cursor:
        cursor.execute(ADJUSTMENTS[Side(side)], _params(scope, first, last))
        for tenant, _invited, call, owner, destination, currency, *figures in cursor.fetchall():
            standing = Standing(destination, currency, *(int(figure) for figure in figures))
            found.setdefault((tenant, call.bytes, owner), []).append(standing)
    return found


def spans_of(scope: Scope, most: int) -> list[tuple[datetime, datetime, int]]:
    """Return spans of the records' beginnings of about so many calls, with how many, by the sums of usage."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT at, sum(answered)::bigint FROM rating_usage WHERE msp_id = %(msp)s AND grain = 'hour'
               AND at >= date_trunc('hour', %(first)s::timestamptz) AND at < %(ends)s
               AND (%(all)s OR tenant_id = ANY(%(customers)s)) GROUP BY at ORDER BY at""",
            _params(scope, scope.begins - RINGS, scope.ends),
        )
        hours: Sequence[tuple[datetime, int]] = cursor.fetchall()
    spans: list[tuple[datetime, datetime, int]] = []
    first, count = scope.begins - RINGS, 0
    for at, calls in hours:
        if count and count + calls > most and at > first:
            spans.append((first, at, count))
            first, count = at, 0
        count += calls
    return [*spans, (first, scope.ends, count)]


def _params(scope: Scope, first: datetime, last: datetime) -> dict[str, Any]:
    return {
        "msp": scope.msp, "begins": scope.begins, "ends": scope.ends, "first": first, "last": last,
        "all": not scope.customers, "customers": list(scope.customers), "any_trunk": not scope.trunks,
        "trunks": list(scope.trunks),
    }  # fmt: skip


def _letters(texts: NDArray[Any]) -> NDArray[np.uint8]:
    return np.frombuffer(texts.tobytes(), dtype=np.uint8).reshape(-1, 16)
