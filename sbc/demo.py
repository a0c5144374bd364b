"""The demo's node, with its token in a file that the node process reads, and a day of calls to look at."""

import random
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.timezone import now

from portal.core.audit import Actor
from portal.db import contexts
from sbc import ingest, protocol, services
from sbc.models import Node, Spool
from sbc.services import nodes, pricing, reconciling
from tenants.models import Customer
from voice.calls import rollups
from voice.calls.models import Cdr
from voice.carriers.selectors import trunks_for
from voice.margin import demo as margin
from voice.numbers.models import Number
from voice.receivables import demo_run
from voice.rerating import demo as rerating

NODE = "sbc-lab-1"
BY = Actor.system("demo")
CALLS = 140
# The last has no price in any deck, so that there is something to see among the unrated calls; but not in a month that
# is over, whose invoices it would keep back.
ABROAD = (
    "+442079460018", "+13125550142", "+493055512345", "+4989123400", "+33144556677", "+41443001122", "+551130001234",
    "+448081570123",
)  # fmt: skip
# Free for who calls it: of a block that nobody has, and which calls nobody back.
FREE = ABROAD[-1]
OFTEN, OFTEN_BILLED = (6, 6, 6, 6, 6, 6, 1, 2), (6, 6, 6, 6, 6, 6, 0, 2)
# What calls end like in an ordinary office: code, cause and how often.
ENDS = ((200, 16, 70), (486, 17, 9), (480, 19, 9), (487, None, 7), (404, 1, 3), (503, 41, 2))


def seed(cast: Any) -> None:
    """Add the node once, with its token file, and give each customer yesterday's calls."""
    directory = getattr(cast, "directory", None) or Path(settings.VAR_DIR) / "demo"
    with contexts.public():
        node = _node(cast, directory)
    services.compile_revisions()
    if pricing.make_price_tables():
        services.compile_revisions()
    with contexts.ingest():
        spool, new = Spool.objects.get_or_create(id=uuid.uuid5(uuid.NAMESPACE_DNS, "demo.strowger"), node=node)
    if new:
        _seed_calls(node, spool.pk, cast)


def _node(cast: Any, directory: Path) -> Node:
    node, file = Node.objects.filter(name=NODE).first(), directory / "node.token"
    if node is None:
        node, token = services.add_node(Node(region=cast.region, name=NODE), by=BY)
    elif file.exists() and nodes.node_of_token(file.read_text().strip()):
        return node
    else:
        token = services.rotate_token(node, by=BY)
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "node.name").write_text(NODE + "\n")
    file.touch(mode=0o600)
    file.write_text(token + "\n")
    return node


def _seed_calls(node: Node, spool: uuid.UUID, cast: Any) -> None:
    chance, items = random.Random(1889), []  # noqa: S311 the year of the first automatic exchange
    weeks: list[dict[str, Any]] = []
    for customer in cast.customers:
        with cast.as_customer(customer):
            numbers = list(Number.objects.order_by("e164").values_list("e164", flat=True)[:12])
            trunks = [trunk.gateway for trunk in trunks_for(customer).order_by("pk")]
            known = Cdr.objects.exclude(node_name=demo_run.NODE).exists()
        if numbers and trunks and not known:
            items += list(_calls(customer, numbers, trunks, chance, now()))
            weeks += list(_weeks(customer, numbers, trunks, chance, getattr(cast, "weeks", 0)))
    items.sort(key=lambda item: int(item["invited"]))
    told = [*sorted(weeks, key=lambda item: int(item["invited"])), *items]
    for seq, item in enumerate(told, 1):
        item["seq"] = seq
    for first in range(0, len(told), 500):
        batch = told[first : first + 500]
        ingest.take_records(node, spool, protocol.Records(first=batch[0]["seq"], items=batch))
    with contexts.ingest():
        rollups.raise_peaks(_peaks(items))
    _count_hours(node, spool, told)
    margin.carrier_invoice(cast)
    margin.carrier_totals(cast)
    margin.expect(cast)
    rerating.seed(cast)


def _weeks(
    customer: Customer, numbers: list[str], trunks: list[str], chance: random.Random, weeks: int
) -> Iterator[dict[str, Any]]:
    """Yield an office's calls of the weeks before: many on weekdays, few at the weekend."""
    today = now().replace(hour=17, minute=0, second=0, microsecond=0)
    for back in range(2, 7 * weeks):
        day = today - timedelta(days=back)
        count = chance.randint(1, 3) if day.weekday() > 4 else chance.randint(12, 18)
        yield from _calls(customer, numbers, trunks, chance, day, count, hours=9)


def _count_hours(node: Node, spool: uuid.UUID, items: list[dict[str, Any]]) -> None:
    """Tell the counts of a node that handed all of them over in the hour before this one."""
    hour = now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
    at = int(hour.timestamp() * 1000)
    sequences: dict[int, list[int]] = {}
    for item in items:
        sequences.setdefault(int(item["tenant"]), []).append(int(item["seq"]))
    told: list[protocol.HourCount] = [
        {"at": at, "tenant": tenant, "records": len(own), "orphans": 0, "first": own[0], "last": own[-1]}
        for tenant, own in sequences.items()
    ]
    reconciling.take_hours(node, spool, protocol.Hours(items=told))
    reconciling.reconcile(now())


def _peaks(items: list[dict[str, Any]]) -> dict[tuple[int, int, int], int]:
    """Return how many calls each customer had at most in each minute."""
    steps: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for item in items:
        own = steps.setdefault((item["tenant"], item["msp"]), [])
        own += [(item["invited"], 1), (item["ended"], -1)]
    peaks: dict[tuple[int, int, int], int] = {}
    for (tenant, msp), own in steps.items():
        calls, minute = 0, 0
        for at, step in sorted(own):
            # A call that goes on through quiet minutes is there in each of them.
            while minute and minute + 60_000 <= at:
                minute += 60_000
                peaks[tenant, msp, minute] = max(peaks.get((tenant, msp, minute), 0), calls)
            minute, calls = at - at % 60_000, calls + step
            peaks[tenant, msp, minute] = max(peaks.get((tenant, msp, minute), 0), calls)
    return peaks


def _calls(
    customer: Customer,
    numbers: list[str],
    trunks: list[str],
    chance: random.Random,
    at: datetime,
    count: int = CALLS,
    hours: int = 20,
) -> Iterator[dict[str, Any]]:
    codes, weights = [each[:2] for each in ENDS], [each[2] for each in ENDS]
    month = now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    for _ in range(count):
        # Half of the calls fall into the last hour, so that the chart has a line.
        back = timedelta(minutes=chance.uniform(1, 60 if chance.random() < 0.5 else 60 * hours))
        invited = int((at - back).timestamp() * 1000)
        (code, cause), mine = chance.choices(codes, weights)[0], chance.choice(numbers)
        [other] = chance.choices(ABROAD, OFTEN if at >= month else OFTEN_BILLED)
        outgoing, trunk = chance.random() < 0.6 or other == FREE, chance.choice(trunks)
        rang = None if code in (404, 503) else invited + chance.randint(300, 2500)
        answered = (rang or invited) + chance.randint(2_000, 15_000) if code == 200 else None
        ended = (answered or rang or invited) + int(chance.expovariate(1 / 120) * 1000) + 1500
        attempts = [{"trunk": trunk, "sent": invited + 4, "ended": None if code == 200 else ended, "code": code,
                     "reason": ""}] if outgoing else []  # fmt: skip
        if outgoing and len(trunks) > 1 and chance.random() < 0.06:
            first = next(each for each in trunks if each != trunk)
            attempts[0]["sent"] = invited + 62
            attempts.insert(0, {"trunk": first, "sent": invited + 2, "ended": invited + 60, "code": 503,
                                "reason": "Service Unavailable"})  # fmt: skip
        yield {
            "kind": "cdr", "id": str(uuid.UUID(int=chance.getrandbits(128), version=4)), "tenant": customer.pk,
            "peer": 0, "msp": customer.msp_id, "direction": "out" if outgoing else "in",
            "call_id": f"{chance.getrandbits(64):x}@demo", "caller": mine if outgoing else other,
            "caller_sent": mine if outgoing else other, "called": other if outgoing else mine,
            "called_sent": other if outgoing else mine, "invited": invited, "ringing": rang, "answered": answered,
            "ended": min(ended, int(at.timestamp() * 1000)), "end_unknown": False, "last_seen": None, "code": code,
            "cause": cause, "reason": "", "released_by": chance.choice(("caller", "called")),
            "ingress": "teams" if outgoing else trunk, "egress": trunk if outgoing else "teams", "route": 0,
            "generation": 0, "attempts": attempts, "limit": "", "screening": "own" if outgoing else "none",
            "attestation": "A" if outgoing else "", "user_agent": "", "media": None,
        }  # fmt: skip
