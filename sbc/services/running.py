"""Long calls that go on: kept up to date as nodes tell of them, and given a record where a node never comes back."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from portal.db import contexts
from sbc import protocol
from sbc.ingest import make_days_for, store_kept, time_fault
from sbc.models import Alarm, Node
from sbc.scopes import served_by
from sbc.services.alarms import raise_alarm
from voice.calls.models import Cdr, RunningCall

# A node speaks of each long call four times an hour, and no call lasts longer than half a day: by then it is over.
LOST_AFTER = timedelta(hours=24)
REASON = "The SBC that carried it was not heard of again."


def take(node: Node, running: protocol.Running, at: datetime) -> int:
    """Note how long calls have lasted so far; return how many items made no sense."""
    items, misread = [], 0
    for said in running.items:
        try:
            item = protocol.check_running(said)
            UUID(item["id"])
        except (protocol.BadMessage, ValueError):
            misread += 1
            continue
        if time_fault(item, at) is None and item["answered"] <= item["seen"]:
            items.append(item)
        else:
            misread += 1
    with contexts.ingest():
        # What a node says of an MSP is not believed: the customer decides.
        msps = served_by(node, {item["tenant"] for item in items})
        rows = [_row(node, item, msps[item["tenant"]]) for item in items if item["tenant"] in msps]
        RunningCall.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["call"], update_fields=["seen", "record"]
        )
    return misread + len(items) - len(rows)


def settle(at: datetime) -> int:
    """Make the record of each long call of which nothing was heard for a day: no end, last seen then. Return how many.

    It waits as unrated until somebody decides, or the node comes back with the end.
    """
    with contexts.ingest():
        lost = list(RunningCall.objects.filter(seen__lt=at - LOST_AFTER).order_by("pk"))
        nodes = {node.name: node for node in Node.objects.filter(name__in={call.node_name for call in lost})}
    made = 0
    for call in lost:
        node = nodes.get(call.node_name)
        made += node is not None and _settled(node, call, at)
    return made


def _row(node: Node, item: protocol.RunningCall, msp: int) -> RunningCall:
    answered, seen = (datetime.fromtimestamp(item[name] / 1000, UTC) for name in ("answered", "seen"))  # type: ignore[literal-required]
    return RunningCall(
        call=item["id"], tenant_id=item["tenant"], msp_id=msp, node_name=node.name, direction=item["direction"],
        answered=answered, seen=seen, record=item,
    )  # fmt: skip


def _settled(node: Node, call: RunningCall, at: datetime) -> bool:
    record = _record(call)
    make_days_for(record)
    with contexts.ingest(), transaction.atomic():
        mine = RunningCall.objects.select_for_update(skip_locked=True).filter(pk=call.pk, seen=call.seen)
        if mine.first() is None:
            return False
        # A record that came while the last word of the call was still on its way.
        refused = None if _has_record(call) else store_kept(node, record, at=at)
        mine.delete()
        if refused is not None:
            return False
        words = _("A call of %(node)s has no end: it was last seen at %(seen)s. It waits as unrated.")
        text = words % {"node": node, "seen": f"{call.seen:%Y-%m-%d %H:%M} UTC"}
        raise_alarm(
            Alarm.Kind.CALL, text, at=at, node=node, subject="no end", tenant_id=call.tenant_id, msp_id=call.msp_id
        )
    return True


def _has_record(call: RunningCall) -> bool:
    with contexts.owner():
        return Cdr.objects.filter(tenant_id=call.tenant_id, id=call.call).exists()


def _record(call: RunningCall) -> dict[str, Any]:
    facts = dict(call.record)
    seen = facts.pop("seen")
    attempt = {"trunk": facts["egress"], "sent": facts["invited"], "ended": None, "code": 200, "reason": ""}
    # Nobody's sequence: the node may still bring the record that it has.
    return facts | {
        "seq": 0, "kind": "cdr", "ended": None, "end_unknown": True, "last_seen": seen, "code": 200, "cause": None,
        "reason": REASON, "released_by": "unknown", "attempts": [attempt], "limit": "", "media": None,
    }  # fmt: skip
