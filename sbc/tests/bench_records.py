"""How fast call records get from a node's spool to the acknowledged commit, against saving row by row."""

import json
import time
import uuid

from portal.db import contexts
from sbc import ingest, protocol
from sbc.models import Node, Spool
from sbc.tests.fake_node import record
from tenants.models import Customer
from voice.calls.models import Cdr

BATCH = 500


def measure(node: Node, customers: list[Customer], count: int = 20_000) -> dict[str, float]:
    """Return call records a second, with roll-ups, from JSON text to commit; and row by row, without roll-ups."""
    with contexts.ingest():
        spool = Spool.objects.create(id=uuid.uuid4(), node=node).pk
    frames = []
    for first in range(1, count + 1, BATCH):
        items = [record(seq, customers[seq % len(customers)].pk) for seq in range(first, first + BATCH)]
        frames.append(json.dumps({"type": "records", "first": first, "items": items}))
    ingest.take_records(node, spool, protocol.Records(first=1, items=[]))
    began = time.perf_counter()
    for frame in frames:
        message = protocol.decode_from_node(frame)
        assert isinstance(message, protocol.Records)
        ingest.take_records(node, spool, message)
    fast = count / (time.perf_counter() - began)
    return {"records a second": fast, "row by row": _row_by_row(customers[0])}


def _row_by_row(customer: Customer, count: int = 1000) -> float:
    with contexts.customer(customer):
        cdr = Cdr.objects.order_by("-invited")[0]
    with contexts.ingest():
        began = time.perf_counter()
        for _ in range(count):
            cdr.id = uuid.uuid4()
            cdr.save(force_insert=True)
        return count / (time.perf_counter() - began)
