"""Nodes count what they spool, hour by hour; here it is held against what the portal has of it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils.translation import gettext as _

from portal.db import contexts
from sbc import protocol
from sbc.models import Alarm, HourCount, Node, OrphanEnd, QuarantinedRecord, Spool
from sbc.services.alarms import close_alarms, raise_alarm

HOUR = timedelta(hours=1)
PATIENCE = timedelta(minutes=15)
# After this an hour that does not add up stays as it is, open, for a person.
TRIED = timedelta(days=8)
# Calls are stored by the day on which they began, which lies this far back at most unless a node was away.
LONGEST = timedelta(days=2)
SHOWN = 50
FAR, MOST = 4_102_444_800_000, 2**31  # 2100; what no node carries in an hour

_ADD = """
INSERT INTO sbc_hourcount AS h
    (node_id, spool, at, customer, records, orphans, first, last, stored, aside, ended)
SELECT %s, %s, to_timestamp(a / 1000), t, n, o, f, l, 0, 0, 0
  FROM unnest(%s::bigint[], %s::bigint[], %s::int[], %s::int[], %s::bigint[], %s::bigint[]) AS x(a, t, n, o, f, l)
 ORDER BY a, t
ON CONFLICT (spool, at, customer) DO UPDATE SET
    records = excluded.records, orphans = excluded.orphans, first = excluded.first, last = excluded.last,
    settled = CASE WHEN excluded.last > h.last THEN NULL ELSE h.settled END
 WHERE excluded.last >= h.last
"""
_CALLS = """
SELECT tenant_id, count(*) FROM calls_cdr
 WHERE node_name = %s AND sequence BETWEEN %s AND %s AND side <> 'called'
   AND received >= %s AND received < %s AND invited >= %s AND invited < %s
 GROUP BY tenant_id
"""
_MISSING = """
SELECT number FROM generate_series(%s::bigint, %s::bigint) AS g(number)
 WHERE NOT EXISTS (SELECT FROM calls_cdr c WHERE c.node_name = %s AND c.sequence = number AND c.received >= %s
                      AND c.received < %s)
   AND NOT EXISTS (SELECT FROM sbc_quarantinedrecord q WHERE q.spool = %s AND q.sequence = number)
   AND NOT EXISTS (SELECT FROM sbc_orphanend o WHERE o.spool = %s AND o.sequence = number)
 ORDER BY number LIMIT %s
"""


@dataclass(frozen=True)
class Found:
    """What the portal has of one hour of one spool, by customer."""

    stored: dict[int, int]
    aside: dict[int, int]
    ended: int

    def of(self, customer: int) -> tuple[int, int, int]:
        return self.stored.get(customer, 0), self.aside.get(customer, 0), self.ended if customer == 0 else 0

    @property
    def customers(self) -> set[int]:
        return self.stored.keys() | self.aside.keys()


def take_hours(node: Node, spool: UUID, hours: protocol.Hours) -> None:
    """Store a node's own counts; what has grown is held against the records anew."""
    items = [
        each
        for each in hours.items
        if 0 < each["first"] <= each["last"] and 0 <= each["at"] < FAR and max(each["records"], each["orphans"]) < MOST
    ]
    if not items:
        return
    columns: list[list[Any]] = [[each[name] for each in items] for name in  # type: ignore[literal-required]
                                ("at", "tenant", "records", "orphans", "first", "last")]  # fmt: skip
    with contexts.ingest(), connection.cursor() as cursor:
        cursor.execute(_ADD, [node.pk, spool, *columns])


def reconcile(at: datetime) -> int:
    """Hold every open hour that is over against the records; return how many do not add up for too long."""
    with contexts.owner():
        over = HourCount.objects.open().filter(at__lte=at - HOUR, at__gt=at - TRIED)
        hours = list(over.order_by("at").values_list("node_id", "spool", "at").distinct())
        nodes = {node.pk: node for node in Node.objects.filter(pk__in={pk for pk, _spool, _at in hours})}
    late = 0
    for pk, spool, hour in hours:
        settled = _settle(nodes[pk], spool, hour, at)
        late += _tell(nodes[pk], spool, hour, at, settled)
    return late


def missing(count: HourCount) -> list[int]:
    """Return the first numbers of a customer's hour of which the portal has no record of anybody."""
    with contexts.owner(), connection.cursor() as cursor:
        since, until = _life(count.node, count.spool)
        values: list[Any] = [count.first, count.last, count.node.name, since, until, count.spool, count.spool, SHOWN]
        cursor.execute(_MISSING, values)
        return [number for (number,) in cursor.fetchall()]


def _settle(node: Node, spool: UUID, hour: datetime, at: datetime) -> bool:
    with contexts.owner(), transaction.atomic():
        rows = list(HourCount.objects.select_for_update().filter(spool=spool, at=hour))
        first, last = min(row.first for row in rows), max(row.last for row in rows)
        # Of the sequence nothing is left out and nothing counted twice.
        whole = sum(row.said for row in rows) == last - first + 1
        found = _found(node, spool, first, last, since=hour - LONGEST, until=hour + 3 * HOUR)
        if not _adds_up(rows, found):
            # Calls that a node brought long after they began lie with the day on which they did.
            found = _found(node, spool, first, last, since=hour - timedelta(days=400), until=hour + timedelta(days=3))
        clean = whole and _adds_up(rows, found)
        for row in rows:
            row.stored, row.aside, row.ended = found.of(row.customer)
            row.checked, row.settled = at, at if clean else None
        HourCount.objects.bulk_update(rows, ["stored", "aside", "ended", "checked", "settled"])
    return clean


def _adds_up(rows: list[HourCount], found: Found) -> bool:
    said = {row.customer: row.said for row in rows}
    return all(sum(found.of(customer)) == said.get(customer, 0) for customer in said.keys() | found.customers)


def _found(node: Node, spool: UUID, first: int, last: int, *, since: datetime, until: datetime) -> Found:
    begun, over = _life(node, spool)
    with connection.cursor() as cursor:
        cursor.execute(_CALLS, [node.name, first, last, begun, over, since, until])
        stored = dict(cursor.fetchall())
    aside: dict[int, int] = {}
    # What became a call after all is counted as one.
    kept = QuarantinedRecord.objects.filter(spool=spool, sequence__range=(first, last)).exclude(outcome="stored")
    for record in kept.values_list("record", flat=True):
        customer = _customer(record)
        aside[customer] = aside.get(customer, 0) + 1
    return Found(stored, aside, OrphanEnd.objects.filter(spool=spool, sequence__range=(first, last)).count())


def _life(node: Node, spool: UUID) -> tuple[datetime, datetime]:
    """Return from when to when the records of a node were this spool's: each spool counts from 1."""
    begun = Spool.objects.filter(pk=spool).values_list("first_seen", flat=True).first()
    later = (
        Spool.objects.filter(node=node, first_seen__gt=begun).order_by("first_seen") if begun else Spool.objects.none()
    )
    over = later.values_list("first_seen", flat=True).first()
    return begun or datetime.min.replace(tzinfo=UTC), over or datetime.max.replace(tzinfo=UTC)


def _customer(record: Any) -> int:
    """Return the customer that a record names, as the node reads it."""
    tenant = record.get("tenant") if isinstance(record, dict) else None
    return tenant if type(tenant) is int and 0 < tenant < 2**31 else 0


def _tell(node: Node, spool: UUID, hour: datetime, at: datetime, settled: bool) -> int:
    """Raise the alarm for an hour that should add up by now, or close it; return 1 where it is raised."""
    subject = f"{spool.hex[:8]} {hour:%Y-%m-%dT%H}"
    with contexts.ingest(), transaction.atomic():
        if settled:
            close_alarms([Alarm.Kind.COUNTS], at=at, node=node, subject=subject)
            return 0
        if at < hour + HOUR + PATIENCE:
            return 0
        text = _("The records of %(node)s from %(hour)s (UTC) do not add up: it counted others than the portal has.")
        words = text % {"node": node, "hour": f"{hour:%Y-%m-%d %H}:00"}
        raise_alarm(Alarm.Kind.COUNTS, words, at=at, node=node, subject=subject)
    return 1
