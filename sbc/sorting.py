"""Where each record of a node belongs, and what can be worked out before it is stored; as the role ingest."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any

from django.utils.translation import gettext as _

from portal.db.partitions import days_without, ensure_days
from sbc import protocol
from sbc.models import Node
from sbc.protocol_items import CAUSES
from sbc.scopes import served_by
from tenants.models import Customer
from voice.calls.services import Ready, make_ready
from voice.calls.stored import Stored, TrunkName
from voice.carriers.models import Trunk
from voice.rating.live import Ahead

# A clock this far off is not a clock, and would make a partition of its own.
OLDEST, NEWEST = timedelta(days=400), timedelta(days=2)
DAY = 86_400_000
_UUID = re.compile("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
GATEWAY = re.compile(r"g[1-9][0-9]{0,17}", re.ASCII)
# The tables with a partition for each day: what calls were, what they cost and what they earned.
BY_DAY = ("calls_cdr", "rating_charge", "rating_cost")


@dataclass
class Sorted:
    """A batch of records, each where it belongs."""

    calls: list[Stored] = field(default_factory=list)
    orphans: list[dict[str, Any]] = field(default_factory=list)
    odd: list[tuple[dict[str, Any], str]] = field(default_factory=list)
    days: set[date] = field(default_factory=set)
    names: dict[str, TrunkName] = field(default_factory=dict)
    ready: Ready | None = None
    prices: Ahead = field(default_factory=Ahead)


def sort(items: Iterable[dict[str, Any]], at: datetime, node: Node | None = None) -> Sorted:
    """Say where each record belongs; of a node only calls of customers that its region serves are believed."""
    batch = Sorted()
    days: set[int] = set()
    known: list[dict[str, Any]] = []
    for item in items:
        try:
            record: Any = protocol.check_record(item)
        except protocol.BadMessage as error:
            batch.odd.append((item, _("It cannot be read: %s") % error))
            continue
        if record["cause"] is not None and record["cause"] not in CAUSES:
            record["cause"] = None
        if record["kind"] == "orphan_end":
            batch.orphans.append(record)
        elif (fault := _fault(record, at)) is not None:
            batch.odd.append((record, fault))
        else:
            known.append(record)
    named = {pk for record in known for pk in (record["tenant"], record["peer"]) if pk}
    msps = served_by(node, named) if node else _msps(named)
    elsewhere = _msps(named - msps.keys())
    for record in known:
        tenant, peer = record["tenant"], record["peer"]
        if tenant not in msps or (peer and peer not in msps):
            stranger = tenant if tenant not in msps else peer
            why = _("The node's region does not serve the customer %s.") if stranger in elsewhere else None
            batch.odd.append((record, (why or _("No customer of ours has the id %s.")) % stranger))
            continue
        internal = record["direction"] == "internal"
        batch.calls.append(Stored(record, msps[tenant], msps[peer] if internal and peer else None))
        days.add(record["invited"] // DAY)
    batch.days = {datetime.fromtimestamp(day * DAY / 1000, UTC).date() for day in days}
    return batch


def _fault(record: dict[str, Any], at: datetime) -> str | None:
    if not is_uuid(record["id"]):
        return _("The id is not a UUID.")
    if not record["direction"]:
        return _("Nobody could be found whose call it was.")
    return time_fault(record, at)


def time_fault(record: Mapping[str, Any], at: datetime) -> str | None:
    """Say which time of a record cannot be right, or None."""
    oldest, newest = _believed(at)
    for name in ("invited", "ringing", "answered", "ended", "last_seen"):
        ms = record.get(name)
        if ms is not None and not oldest < ms < newest:
            return _("The time of “%s” cannot be right.") % name
    return None


@lru_cache(1)  # asked for each record of a batch
def _believed(at: datetime) -> tuple[float, float]:
    return (at - OLDEST).timestamp() * 1000, (at + NEWEST).timestamp() * 1000


def complete(node: Node, batch: Sorted, at: datetime) -> None:
    """Add to a batch how its calls will be stored, and what is to be priced."""
    batch.names = trunk_names(batch.calls)
    batch.ready, batch.prices = ready(node, batch.calls, batch.names, at), Ahead(batch.calls)


def ready(node: Node, calls: Sequence[Stored], names: Mapping[str, TrunkName], at: datetime) -> Ready:
    """Return calls of a node as they will be stored."""
    return make_ready(calls, node_name=node.name, trunk_names=names, received=at)


def make_days(days: set[date]) -> None:
    """Make the partitions of these days that there are not; outside of transactions."""
    # Asked each time: what was made may have been erased, and a transaction that made it undone.
    if days and (missing := days_without(BY_DAY, days)):
        for table in BY_DAY:
            ensure_days(table, sorted(missing))


def _msps(tenants: set[int]) -> dict[int, int]:
    """Return the MSP of each customer among these ids."""
    possible = [pk for pk in tenants if 0 < pk < 2**31]
    return dict(Customer.objects.filter(pk__in=possible).values_list("pk", "msp_id")) if possible else {}


def trunk_names(calls: Iterable[Stored]) -> dict[str, TrunkName]:
    """Return what the trunks of these calls are called, by the names that nodes give them."""
    gateways: set[str] = set()
    for call in calls:
        gateways.add(call.record["ingress"])
        gateways.add(call.record["egress"])
        for attempt in call.record["attempts"]:
            gateways.add(attempt["trunk"])
    ids = [int(name[1:]) for name in gateways if GATEWAY.fullmatch(name)]
    found = Trunk.objects.filter(pk__in=ids).values_list("pk", "name", "msp_id", "tenant_id")
    return {f"g{pk}": TrunkName(name, msp, tenant) for pk, name, msp, tenant in found}


def is_uuid(text: str) -> bool:
    """Tell whether a text is a UUID as nodes write them."""
    return _UUID.fullmatch(text) is not None
