"""From a save in the service layer to the answer of a real Kamailio that runs it, with a thousand customers loaded."""

import asyncio
import json
import random
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from tests.bench.crowd import CUSTOMERS, ROUTES, crowd
from tests.bench.figure import Figure, emit, note, percentile
from tests.bench.ground import Ground, a_node, ground, speak_through
from tests.bench.processes import daphne, running, wait_for

if TYPE_CHECKING:
    from sbc.tests.sip.stage import Stage

SAVES = 300
RELOADS = 5
PATIENCE = 180.0
LIVE_IS_TOLD = """
    CREATE FUNCTION bench_live() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_notify('bench_live', NEW.id || ' ' || NEW.live_version); RETURN NULL; END $$;
    CREATE TRIGGER bench_live AFTER UPDATE OF live_version ON tenants_customer
        FOR EACH ROW EXECUTE FUNCTION bench_live();
"""


def run() -> list[Figure]:
    """Print p50 and p99 of a save until it is acknowledged, beside a reload of the whole table in Kamailio."""
    with ground() as on:
        from sbc.tests.sip.stage import Stage

        node, token = a_node()
        stage = Stage(on.folder / "node", table_bits=16, shared_memory_mb=512)
        _let_region_reach(stage)
        note(f"changes: making {CUSTOMERS} customers with {ROUTES} routes each")
        customers, trunks = crowd(stage.net)
        speak_through(on.redis)
        with _portal_and_node(on, stage, node.name, token):
            note("changes: compiling and loading")
            began = time.monotonic()
            wait_for(lambda: _behind(on) == 0, "every customer to run on the node", PATIENCE, every=0.5)
            note(f"changes: all on the node after {time.monotonic() - began:.0f} s; {SAVES} saves")
            took = _saves(on, customers, trunks)
            note("changes: baseline, the whole table again")
            reloads = asyncio.run(_reloads(stage))
        baseline = percentile(reloads, 0.5)
    figures = (("p50", 0.5, 40), ("p99", 0.99, 100))
    return [
        emit(
            f"save in the service layer to acknowledged by Kamailio, {CUSTOMERS} customers × {ROUTES} routes, {name}",
            percentile(took, share) * 1000,
            "ms",
            at_most=goal,
            baseline=baseline * 1000,
        )
        for name, share, goal in figures
    ]


def _let_region_reach(stage: "Stage") -> None:
    """Let the region's trunks be where this run's carriers are."""
    from portal.db import contexts
    from tenants.models import Region

    with contexts.owner():
        Region.objects.filter(slug="lab").update(allowed_networks=[f"{stage.net}.64/26"], denied_networks=[])


@contextmanager
def _portal_and_node(on: Ground, stage: "Stage", name: str, token: str) -> Iterator[None]:
    worker = [sys.executable, "manage.py", "runworker", "sbc", "--layer", "workers"]
    said: dict[str, Any] = {
        field: str(value) if isinstance(value, Path) else value for field, value in asdict(stage.settings).items()
    }
    settings = on.folder / "node.json"
    with (
        daphne("portal.asgi_nodes:application", on.environment) as port,
        running(worker, on.environment),
    ):
        settings.write_text(json.dumps({**said, "portal": f"ws://127.0.0.1:{port}", "node": name, "token": token}))
        try:
            with running([sys.executable, "-m", "sbc.node", "--settings", str(settings)]):
                _nudge()
                yield
        finally:
            asyncio.run(stage.plane.stop())


def _nudge() -> None:
    from portal.core import nudges

    nudges.nudge("sbc")


def _behind(on: Ground) -> int:
    with psycopg.connect(on.admin(), autocommit=True) as database:
        row = database.execute(
            "SELECT count(*) FROM tenants_customer WHERE live_version < config_version OR live_version = 0"
        ).fetchone()
    return int(row[0]) if row else 1


def _saves(on: Ground, customers: list[Any], trunks: list[int]) -> list[float]:
    chance = random.Random(1889)
    with psycopg.connect(on.admin(), autocommit=True) as database:
        database.execute(LIVE_IS_TOLD)
        database.execute("LISTEN bench_live")
        for customer in customers[:5]:
            _save(database, customer, trunks[::-1])
        took, steps = [], []
        for _ in range(SAVES):
            customer, began = chance.choice(customers[5:]), time.time()
            took.append(_save(database, customer, chance.choice((trunks[:1], trunks[::-1]))))
            steps.append(_steps(database, customer.pk, began))
    for place, name in enumerate(("compiled", "sent", "answer arrives", "of it on the node")):
        note(f"changes: {name}, p50 {percentile([each[place] for each in steps], 0.5):.1f} ms")
    return took


def _steps(database: psycopg.Connection, customer: int, began: float) -> list[float]:
    """Return the ms until a customer's newest version was compiled, sent and answered, and those that the node took."""
    row = database.execute(
        """SELECT extract(epoch FROM r.created_at), extract(epoch FROM d.sent_at), extract(epoch FROM d.since),
                  d.took_ms
             FROM sbc_deployment d JOIN sbc_revision r ON r.scope = d.scope AND r.version = d.running
            WHERE d.scope = %s""",
        [f"cust:{customer}"],
    ).fetchone()
    assert row is not None
    return [*((float(at) - began) * 1000 for at in row[:3]), float(row[3])]


def _save(database: psycopg.Connection, customer: Any, trunks: list[int]) -> float:
    """Return the seconds from the call of the service until the version that it made is live."""
    from portal.core.audit import Actor
    from portal.db import contexts
    from voice.routing.models import Route
    from voice.routing.services import save_route

    with contexts.customer(customer):
        route = Route.objects.filter(is_default=False).order_by("?")[0]
        began = time.perf_counter()
        save_route(route, trunks, customer=customer, by=Actor.system("bench"))
    wanted = (customer.pk, customer.config_version)
    told = database.notifies(timeout=PATIENCE)
    # It is told with the commit, as to everybody else who asks; asking all the time would take the portal's processor.
    assert any((int(pk), int(live)) == wanted for pk, live in (each.payload.split() for each in told)), "no answer"
    return time.perf_counter() - began


async def _reloads(stage: "Stage") -> list[float]:
    """Return the seconds that Kamailio takes to be given every route again: into its file, and from there at once."""
    from sbc.node.engines.base import TABLES

    engine = stage.plane.engine
    rows = [(table, *row) for table in TABLES for row in (await engine.dump(table)).items()]
    routes = sum(table == "rt" for table, _key, _value in rows)
    assert routes >= CUSTOMERS * ROUTES, routes
    took = []
    for _ in range(RELOADS):
        began = time.perf_counter()
        stage.plane._write_boot_database(rows)
        answer = (await engine.rpc.call_many([("htable.reload", ["rt"])]))[0]
        took.append(time.perf_counter() - began)
        assert "error" not in answer, answer
    await engine.close()
    return took
