"""Calls in progress: what nodes tell, kept in a table for snapshots and published for dashboards."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from voice.calls.feed import Step, feed

STATES = {"start": "start", "ringing": "ringing", "answered": "answered"}

_UPSERT = """
INSERT INTO calls_livecall AS c
    (call, tenant_id, msp_id, node_name, direction, caller, called, trunk, route_id, state, started, answered, updated)
SELECT call, t, m, %s, d, f, o, k, nullif(r, 0), s, to_timestamp(a / 1000.0),
       to_timestamp(y / 1000.0), now()
FROM unnest(%s::uuid[], %s::int[], %s::int[], %s::text[], %s::text[], %s::text[], %s::text[], %s::bigint[], %s::text[],
            %s::bigint[], %s::bigint[]) AS x(call, t, m, d, f, o, k, r, s, a, y)
ORDER BY t, call
ON CONFLICT (tenant_id, call) DO UPDATE SET
    node_name = excluded.node_name, updated = now(),
    trunk = CASE WHEN excluded.trunk = '' THEN c.trunk ELSE excluded.trunk END,
    route_id = coalesce(excluded.route_id, c.route_id),
    state = CASE WHEN c.state = 'answered' OR excluded.state = 'start' THEN c.state ELSE excluded.state END,
    started = least(c.started, excluded.started), answered = coalesce(c.answered, excluded.answered)
"""
_GONE = "DELETE FROM calls_livecall WHERE call = ANY(%s)"


@transaction.atomic
def take_steps(steps: Sequence[Step], *, node_name: str) -> None:
    """Bring the table of live calls up to the nodes' newest events and tell the dashboards on commit.

    A step is a call event of one customer: `tenant` and `msp` are known to be right.
    """
    newest: dict[tuple[int, str], list[Step]] = {}
    for step in sorted(steps, key=lambda each: each["at"]):
        newest.setdefault((step["tenant"], step["call"]), []).append(step)
    rows, gone = [], set()
    for (tenant, call), story in newest.items():
        going = [step for step in story if step["type"] in STATES]
        if any(step["type"] in ("ended", "refused") for step in story):
            gone.add(UUID(call))
        elif going:
            last, first = going[-1], going[0]
            trunk = next((step["trunk"] for step in reversed(going) if step["trunk"]), "")
            answered = next((step["at"] for step in going if step["type"] == "answered"), None)
            rows.append((UUID(call), tenant, last["msp"], last["direction"], last["caller"], last["called"], trunk,
                         last["route"], STATES[last["type"]], first["at"], answered))  # fmt: skip
    with connection.cursor() as cursor:
        if rows:
            cursor.execute(_UPSERT, [node_name, *(list(column) for column in zip(*rows, strict=True))])
        if gone:
            cursor.execute(_GONE, [list(gone)])
    told = list(steps)
    transaction.on_commit(lambda: feed().publish(told))


@transaction.atomic
def forget_calls(calls: Iterable[str], *, at: datetime) -> None:
    """Take calls off the live table that are known to be over, and off the dashboards."""
    _forget("call = ANY(%s::uuid[])", [list(calls)], at)


@transaction.atomic
def forget_node(node_name: str, *, at: datetime, older_than: timedelta = timedelta(0)) -> None:
    """Take a node's live calls off the table: it is dead, or says that it carries none."""
    # Made in the same second as the gauge that says zero, a call is newer than the gauge.
    _forget("node_name = %s AND updated <= %s", [node_name, at - older_than], at)


def _forget(condition: str, values: list[Any], at: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM calls_livecall WHERE {condition} RETURNING call, tenant_id, msp_id", values)  # noqa: S608
        ms = int(at.timestamp() * 1000)
        gone = [
            {"type": "gone", "call": str(call), "tenant": tenant, "msp": msp, "at": ms} for call, tenant, msp in cursor
        ]
    if gone:
        transaction.on_commit(lambda: feed().publish(gone))
