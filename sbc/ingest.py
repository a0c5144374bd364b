"""What nodes send: records for the money into call records, events for the eye into live calls, gauges into health."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.timezone import now
from django.utils.translation import gettext as _

from portal.db import contexts
from sbc import protocol, sorting
from sbc.models import Alarm, Drift, Node, OrphanEnd, QuarantinedRecord, Spool
from sbc.scopes import served_by
from sbc.services import needs, troubles
from sbc.services.alarms import raise_alarm
from sbc.sorting import GATEWAY, Sorted, is_uuid, time_fault
from voice.calls import live
from voice.calls.models import Cdr, RunningCall
from voice.calls.services import NotStored, complete_call, store_calls, take_place_of
from voice.calls.stored import Stored
from voice.carriers.models import Trunk
from voice.carriers.services import record_health
from voice.rating import live as rating

FAR = 4_102_444_800  # 2100: a clock that is wrong may say anything
# Milliseconds: a node speaks of no call before it has lasted this long.
LONG = 600_000
DRIFT_KEPT = timedelta(days=30)


def sort_records(node: Node, records: protocol.Records) -> Sorted:
    """Read a batch, say where each of its records belongs, and do all that need not wait for the one before it.

    The partitions that it needs are made here, and prices worked out that its transaction asks once more about.
    """
    at = now()
    with contexts.ingest():
        batch = sorting.sort(records.items, at, node)
        sorting.make_days(batch.days)
        sorting.complete(node, batch, at)
        batch.prices.price(at)
    return batch


def take_records(node: Node, spool_id: UUID, records: protocol.Records, batch: Sorted | None = None) -> int:
    """Store what is new of a batch and return the last sequence that is safe: the node may forget up to there.

    The same transaction moves the spool's last sequence, so that a batch counts once however often it comes.
    """
    batch = batch or sort_records(node, records)
    at = now()
    with contexts.ingest():
        with transaction.atomic():
            spool = Spool.objects.select_for_update().get(pk=spool_id)
            last = spool.last_sequence
            newest = records.first + len(records.items) - 1
            if newest <= last:
                return last
            if records.first > last + 1:
                _alarm_gap(node, last, records.first, at)
            if records.first <= last:
                batch = sorting.sort(records.items[last + 1 - records.first :], at, node)
                sorting.complete(node, batch, at)
            ended = _store(node, spool, batch, at)
            Spool.objects.filter(pk=spool.pk).update(last_sequence=newest)
        # Apart from the money: the events of the same calls may be on their way into the same rows.
        live.forget_calls(ended, at=at)
    return newest


def make_days_for(record: dict[str, Any]) -> None:
    """Make the partition that a record that was kept aside will need; outside of transactions."""
    sorting.make_days(sorting.sort([record], now()).days)


def store_kept(node: Node, record: dict[str, Any], *, at: datetime) -> str | None:
    """Store a record that was kept aside, in the caller's transaction; return what still keeps it out, or None."""
    batch = sorting.sort([record], at)
    if batch.odd:
        return batch.odd[0][1]
    if batch.orphans:
        known = complete_call(batch.orphans[0], node_name=node.name)
        _rate(node, rating.Ahead(), known, at)
        return None if known else _("The call that it ends is not known, or has its end.")
    try:
        store_calls(sorting.ready(node, batch.calls, sorting.trunk_names(batch.calls), at))
    except NotStored as error:
        return str(error)
    _rate(node, rating.Ahead(batch.calls), [], at)
    return None


def take_events(node: Node, events: protocol.Events) -> int:
    """Bring live calls up to date; return how many items made no sense."""
    steps: list[dict[str, Any]] = []
    misread = 0
    with contexts.ingest():
        items: list[protocol.CallEvent] = []
        for said in events.items:
            try:
                items.append(protocol.check_event(said))
            except protocol.BadMessage:
                misread += 1
        msps = served_by(node, {tenant for item in items for tenant in (item["tenant"], item["peer"]) if tenant})
        for item in items:
            if item["type"] == "alarm":
                troubles.note_call(node, item, msps, now())
                continue
            for tenant in {item["tenant"], item["peer"]} & msps.keys():
                # What a node says of an MSP is not believed: the customer decides.
                steps.append({**item, "tenant": tenant, "msp": msps[tenant]})
        steps = [step for step in steps if is_uuid(step["call"])]
        if steps:
            live.take_steps(steps, node_name=node.name)
    return misread


def take_gauges(node: Node, gauges: protocol.Gauges) -> None:
    """Note how the node is, what it found changed by hand, and how its trunks answer."""
    at = now()
    with contexts.ingest(), transaction.atomic():
        shown = {
            "at": gauges.at, "calls": gauges.calls, "cps": gauges.cps, "kamailio": gauges.kamailio,
            "daemons": gauges.daemons, "spooled": gauges.spooled, "waiting": len(gauges.waiting),
            "microsoft": troubles.microsoft_of(gauges.microsoft),
        }  # fmt: skip
        Node.objects.filter(pk=node.pk).update(gauges=shown, engine=gauges.engine, last_seen=at)
        troubles.note_parts(node, gauges, at)
        troubles.note_clock(node, gauges, at)
        troubles.note_microsoft(node, gauges, at)
        _drift(node, gauges.drift, at)
        needs.note_waiting(node, gauges.waiting)
        if gauges.calls == 0 and gauges.kamailio:
            live.forget_node(node.name, at=at, older_than=timedelta(seconds=15))
    _trunk_health(node, gauges)


def _store(node: Node, spool: Spool, batch: Sorted, at: datetime) -> list[str]:
    calls, names, prices = batch.calls, batch.names, batch.prices
    ended: list[str] = []
    late: list[Cdr] = []
    stored = calls
    assert batch.ready is not None
    try:
        ended = store_calls(batch.ready)
    except NotStored:
        stored = []
        # One that the database refuses must not stop the others for ever: one by one, and the odd ones aside.
        for call in calls:
            try:
                ended += store_calls(sorting.ready(node, [call], names, at))
                stored.append(call)
            except NotStored as error:
                # A node that was given up is back, with the end of a call whose record was made without it.
                known = take_place_of(call.record, node_name=node.name)
                late += known
                if not known:
                    batch.odd.append((call.record, str(error)))
        prices = rating.Ahead(stored)
    if batch.odd:
        _quarantine(node, spool, batch.odd)
        words = _("%(count)s records of %(node)s are no calls of anybody and wait for a person. The last one: %(why)s")
        text = words % {"count": len(batch.odd), "node": node, "why": batch.odd[-1][1]}
        raise_alarm(Alarm.Kind.QUARANTINE, text, at=at, node=node, times=len(batch.odd))
    strays = []
    for each in batch.orphans:
        completed = [] if time_fault(each, at) else complete_call(each, node_name=node.name)
        late += completed
        strays += [] if completed else [each]
    _note_orphans(node, spool, batch.orphans, strays)
    _rate(node, prices, late, at)
    _forget_running(stored)
    troubles.note_full(node, stored, at)
    troubles.note_help(node, stored, at)
    troubles.note_refusals(node, stored, names, at)
    if strays:
        text = _("%(node)s saw a call end that it did not know (SIP Call-ID %(call)s).")
        last = strays[-1]["call_id"][:120]
        raise_alarm(Alarm.Kind.ORPHAN, text % {"node": node, "call": last}, at=at, node=node, times=len(strays))
    return ended


def _forget_running(calls: list[Stored]) -> None:
    """Forget long calls that have their record now; nearly all calls are none."""
    over = [call.record["id"] for call in calls if _lasted(call.record) >= LONG]
    if over:
        RunningCall.objects.filter(call__in=over).delete()


def _lasted(record: Mapping[str, Any]) -> int:
    end = record["ended"] or record["last_seen"]
    return int(end - record["answered"]) if end and record["answered"] else 0


def _rate(node: Node, prices: rating.Ahead, late: list[Cdr], at: datetime) -> None:
    """Price what was stored; what nobody could price waits as unrated, and is alarmed."""
    failed = rating.rate(prices, late, at=at)
    if failed:
        text = _("%(count)s calls of %(node)s could not be priced and wait as unrated.")
        words = text % {"count": failed, "node": node}
        raise_alarm(Alarm.Kind.CALL, words, at=at, node=node, subject="rating", times=failed)


def _quarantine(node: Node, spool: Spool, odd: Iterable[tuple[dict[str, Any], str]]) -> None:
    rows = [
        QuarantinedRecord(node=node, spool=spool.pk, sequence=record["seq"], reason=reason, record=record)
        for record, reason in odd
    ]
    QuarantinedRecord.objects.bulk_create(rows, ignore_conflicts=True)


def _note_orphans(node: Node, spool: Spool, orphans: list[dict[str, Any]], strays: list[dict[str, Any]]) -> None:
    rows = [
        OrphanEnd(
            node=node, spool=spool.pk, sequence=each["seq"], call_id=each["call_id"][:200],
            at=datetime.fromtimestamp(min(max(each["ended"], 0) / 1000, FAR), UTC), completed=each not in strays,
        )
        for each in orphans
    ]  # fmt: skip
    OrphanEnd.objects.bulk_create(rows, ignore_conflicts=True)


def _alarm_gap(node: Node, last: int, first: int, at: datetime) -> None:
    words = _("Records %(first)s to %(last)s of %(node)s never arrived.")
    text = words % {"first": last + 1, "last": first - 1, "node": node}
    raise_alarm(Alarm.Kind.GAP, text, at=at, node=node, subject=str(last + 1))


def _drift(node: Node, found: list[protocol.Drift], at: datetime) -> None:
    if not found:
        return
    rows = [
        Drift(
            node=node, scope=each["scope"], table=each["table"], key=each["key"], found=each["found"],
            healed=each["healed"], at=datetime.fromtimestamp(each["at"] / 1000, UTC),
        )
        for each in found
    ]  # fmt: skip
    Drift.objects.bulk_create(rows)
    Drift.objects.filter(node=node, at__lt=at - DRIFT_KEPT).delete()
    healed = all(each["healed"] for each in found)
    words = (
        _("Somebody changed %(node)s by hand: %(count)s rows, healed.")
        if healed
        else _("Somebody changed %(node)s by hand: %(count)s rows, not healed yet.")
    )
    text = words % {"node": node, "count": len(found)}
    raise_alarm(Alarm.Kind.DRIFT, text, at=at, node=node, times=len(found))


def _trunk_health(node: Node, gauges: protocol.Gauges) -> None:
    news: dict[int, protocol.TrunkHealth] = {}
    for gateway, health in gauges.trunks.items():
        if not GATEWAY.fullmatch(gateway):
            continue
        seen = _seen.setdefault(gateway, {})
        before, seen[node.pk] = seen.get(node.pk), health
        # Most gauges say what the last ones said; that is worth a write once a minute.
        same = before is not None and all(before[name] == health[name] for name in ("up", "code", "since"))
        if same and before is not None and health["checked"] // 60_000 == before["checked"] // 60_000:
            continue
        # One node that cannot reach a trunk does not make it dead.
        recent = [each for each in seen.values() if each["checked"] > health["checked"] - 120_000]
        news[int(gateway[1:])] = next((each for each in recent if each["up"]), health)
    if not news:
        return
    with contexts.ingest():
        # What a node says of trunks that its region has nothing to do with is not believed.
        mine = Trunk.objects.filter(pk__in=news, msp__base_domains__region=node.region_id).values_list("pk", flat=True)
        for pk in mine.distinct():
            best = news[pk]
            record_health(
                pk, up=best["up"], code=best["code"] or None,
                since=datetime.fromtimestamp(best["since"] / 1000, UTC),
                checked=datetime.fromtimestamp(best["checked"] / 1000, UTC),
            )  # fmt: skip


_seen: dict[str, dict[int, protocol.TrunkHealth]] = {}
