"""How fast call records get from a node's spool to the acknowledged commit, roll-ups included."""

import sys
import time
import uuid
from pathlib import Path

import psycopg

from tests.bench.figure import Figure, emit, note
from tests.bench.ground import Ground, a_node, ground
from tests.bench.processes import daphne, running, wait_for

CALLS = 60_000
SAVED = 1_000
BATCH = 500


def run() -> list[Figure]:
    """Print call records a second through the real node process and portal, beside saving row by row."""
    with ground() as on:
        node, token = a_node()
        directory = on.folder / "node"
        note(f"records: {CALLS} calls into the node's spool")
        _fill(directory)
        (directory / "token").write_text(token)
        rate = _drained(on, node.name, directory)
        note(f"records: baseline, {SAVED} rows saved one by one")
        return [
            emit(
                "call records from the node's spool to the acknowledged commit, with roll-ups",
                rate,
                "records/s",
                at_least=10_000,
                baseline=_row_by_row(),
            )
        ]


def _fill(directory: Path) -> None:
    from portal.db import contexts
    from sbc.node.spool import Spool
    from sbc.tests.fake_node import record
    from tenants.models import Customer

    with contexts.public():
        customers = list(Customer.objects.values_list("pk", flat=True))
    directory.mkdir(mode=0o700)
    spool = Spool(directory / "spool.sqlite")
    began = int(time.time() * 1000) - 2 * 3_600_000
    for first in range(0, CALLS, BATCH):
        # A busy hour, so that the roll-ups have minutes to fall into.
        calls = [
            record(0, customers[n % len(customers)], invited=began + n * 3_600_000 // CALLS)
            for n in range(first, first + BATCH)
        ]
        for call in calls:
            del call["seq"]  # the spool's own
        spool.store(calls)
    spool.close()


def _drained(on: Ground, name: str, directory: Path) -> float:
    """Return the records a second from the portal's welcome until the portal has acknowledged the last one."""
    with daphne("portal.asgi_nodes:application", on.environment) as port:
        command = [sys.executable, "-m", "sbc.node", "--engine", "memory", "--node", name]
        command += ["--portal", f"ws://127.0.0.1:{port}", "--directory", str(directory)]
        with psycopg.connect(on.admin(), autocommit=True) as database:
            with running([*command, "--token-file", str(directory / "token")]):
                wait_for(lambda: _taken(database) is not None, "the node's spool to be known", every=0.002)
                began = time.perf_counter()
                wait_for(lambda: _taken(database) == CALLS, "the last record", every=0.005)
                took = time.perf_counter() - began
            (kept,) = database.execute("SELECT count(*) FROM calls_cdr").fetchone() or (0,)
    assert kept == CALLS, kept
    return CALLS / took


def _taken(database: psycopg.Connection) -> int | None:
    row = database.execute("SELECT last_sequence FROM sbc_spool").fetchone()
    return int(row[0]) if row else None


def _row_by_row() -> float:
    """Return the rows a second of one save each, as an ordinary Django view would, without any roll-up."""
    from portal.db import contexts
    from tenants.models import Customer
    from voice.calls.models import Cdr

    with contexts.public():
        acme = Customer.objects.select_related("msp").get(label="acme")
    with contexts.customer(acme):
        cdr = Cdr.objects.order_by("-invited")[0]
    with contexts.ingest():
        began = time.perf_counter()
        for _ in range(SAVED):
            cdr.id = uuid.uuid4()
            cdr.save(force_insert=True)
        return SAVED / (time.perf_counter() - began)
