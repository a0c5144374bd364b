import asyncio
import time
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from sbc.node import link as link_module
from sbc.node.engines.memory import MemoryEngine
from sbc.node.link import LinkSettings
from sbc.node.process import Files, NodeProcess
from sbc.protocol import Drop, Resend, RowKey
from sbc.tests.node_portal import FakePortal, eventually

TN = ("tn", "17", "m=3;st=1;g=1")
ROUTE = ("rt", "17.1.00:44", "r=7;g=g1")


@pytest.fixture(autouse=True)
def short_waits(monkeypatch):
    monkeypatch.setattr(link_module, "LONGEST_WAIT", 0.2)
    monkeypatch.setattr(link_module, "SHORTEST_WAIT", 0.02)
    monkeypatch.setattr(link_module, "REFUSED_WAIT", 0.3)


@pytest.fixture
async def portal():
    portal = await FakePortal().start()
    yield portal
    await portal.stop()


@asynccontextmanager
async def running(portal: FakePortal, directory: Path, engine: MemoryEngine | None = None, **more):
    (directory / "records").mkdir(exist_ok=True)
    settings = LinkSettings(portal.address, portal.token, "sbc-1")
    node = NodeProcess(Files(directory, directory / "records"), settings, engine or MemoryEngine(), **more)
    task = asyncio.create_task(node.run())
    try:
        yield node
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_an_apply_is_acknowledged_when_the_engine_holds_it(portal, tmp_path):
    engine = MemoryEngine()
    async with running(portal, tmp_path, engine):
        ack = await portal.apply("cust:17", 1, [TN, ROUTE])

    assert (type(ack).__name__, ack.version) == ("Ack", 1)
    assert engine.tables["rt"] == {"17.1.00:44": "r=7;g=g1"}


async def test_what_comes_twice_late_or_out_of_order_is_harmless(portal, tmp_path):
    engine = MemoryEngine()
    async with running(portal, tmp_path, engine):
        await portal.apply("cust:17", 5, [TN, ROUTE])
        again = await portal.apply("cust:17", 5, [TN, ROUTE])
        late = await portal.apply("cust:17", 4, [("tn", "17", "m=3;st=0;g=1")])

    assert (again.version, late.version) == (5, 5)
    assert engine.tables["tn"] == {"17": "m=3;st=1;g=1"}


async def test_a_refused_row_is_named_and_the_last_good_configuration_stays(portal, tmp_path):
    engine = MemoryEngine()
    async with running(portal, tmp_path, engine) as node:
        await portal.apply("cust:17", 1, [TN, ROUTE, ("fc", "17:4930", "1")])
        before = {name: dict(table) for name, table in engine.tables.items()}
        engine.refuse["rt", "17.2.00:44"] = "no room"
        rows = [("tn", "17", "m=3;st=1;g=2"), ("fc", "17:4931", "1"), ("rt", "17.2.00:44", "r=7;g=g1")]
        nack = await portal.apply("cust:17", 2, rows)
        other = await portal.apply("cust:18", 1, [("tn", "18", "m=3;st=1;g=1")])

        assert nack.row == {"table": "rt", "key": "17.2.00:44"} and "no room" in nack.reason
        assert other.version == 1
        del engine.tables["tn"]["18"]
        assert engine.tables == before
        assert node.applier.state.versions == {"cust:17": 1, "cust:18": 1}


async def test_a_malformed_apply_is_answered_and_the_line_stays(portal, tmp_path):
    async with running(portal, tmp_path):
        line = await portal.connected()
        await line.send('{"type":"apply","scope":"cust:17","version":3,"nonce":"x"}')
        nack = await portal.receipt("x")
        await line.send("gibberish")
        ack = await portal.apply("cust:17", 4, [TN])

    assert "missing" in nack.reason
    assert ack.version == 4


async def test_a_reconnect_tells_what_is_held_and_resumes(portal, tmp_path):
    async with running(portal, tmp_path):
        await portal.apply("cust:17", 1, [TN])
        await (await portal.connected()).close()
        await eventually(lambda: len(portal.hellos) == 2)

    assert portal.hellos[1].held == {"cust:17": 1}
    assert portal.hellos[1].boot == portal.hellos[0].boot


async def test_a_restart_without_the_portal_goes_on_with_what_was_accepted(portal, tmp_path):
    async with running(portal, tmp_path):
        await portal.apply("cust:17", 1, [TN, ROUTE, ("ip", "17:127.0.9.1", "g1")])
    await portal.stop()
    engine = MemoryEngine()

    async with running(portal, tmp_path, engine) as node:
        await eventually(lambda: engine.tables["tn"])
        assert engine.tables["rt"] == {"17.1.00:44": "r=7;g=g1"}
        assert engine.tables["sr"] == {"127.0.9.1": "1"}
        await portal.start()
        await eventually(lambda: node.link.connected)

    assert portal.hellos[-1].held == {"cust:17": 1}
    assert portal.hellos[-1].boot != portal.hellos[0].boot


async def test_needed_versions_are_waited_for(portal, tmp_path):
    async with running(portal, tmp_path) as node:
        early = portal.message("cust:17", 1, [TN], needs={"msp:3": 2})
        await portal.send(early)
        await portal.apply("msp:3", 1, [("bd", "sbc.example", "3")])
        assert node.applier.waiting == {"cust:17": "waits for msp:3 version 2"}
        await portal.apply("msp:3", 2, [("bd", "sbc.example", "3"), ("bl", "m3:4490", "1")])
        ack = await portal.receipt(early.nonce)

    assert ack.version == 1


async def test_deletes_wait_for_the_scopes_that_used_the_rows(portal, tmp_path):
    engine = MemoryEngine()
    gateway, base = ("gw", "g5", "h=127.0.9.1;m=3;o=0"), ("bd", "sbc.example", "3")
    async with running(portal, tmp_path, engine):
        await portal.apply("msp:3", 1, [gateway, base])
        await portal.apply("cust:17", 1, [TN])
        await portal.apply("msp:3", 2, [base], after={"cust:17": 2})
        assert "g5" in engine.tables["gw"]
    # The wait survives a restart of the node.
    async with running(portal, tmp_path, engine):
        await portal.apply("cust:17", 2, [TN])
        await eventually(lambda: "g5" not in engine.tables["gw"])


async def test_the_safety_stop_waits_for_a_person(portal, tmp_path):
    engine = MemoryEngine()
    async with running(portal, tmp_path, engine):
        await portal.apply("cust:17", 1, [TN, ROUTE])
        held = await portal.apply("cust:17", 2, [])
        assert type(held).__name__ == "Held" and "last row" in held.reason
        assert len(engine.tables["rt"]) == 1
        approved = await portal.apply("cust:17", 2, [], approved=True)

    assert approved.version == 2
    assert engine.tables["rt"] == {}


async def test_an_engine_that_is_away_is_waited_for(portal, tmp_path):
    engine = MemoryEngine()
    async with running(portal, tmp_path, engine) as node:
        await portal.connected()
        engine.down = True
        message = portal.message("cust:17", 1, [TN, ROUTE])
        await portal.send(message)
        await eventually(lambda: node.applier.waiting)
        engine.down = False
        ack = await portal.receipt(message.nonce)

    assert ack.version == 1
    assert engine.tables["tn"] == {"17": TN[2]}


async def test_a_dropped_scope_leaves_nothing_and_its_neighbour_everything(portal, tmp_path):
    engine = MemoryEngine()
    async with running(portal, tmp_path, engine) as node:
        await portal.apply("cust:17", 1, [TN, ROUTE, ("dn", "4930", "t=17")])
        await portal.apply("cust:18", 1, [("tn", "18", "m=3;g=1"), ("dn", "4930", "t=18")])
        await portal.send(Drop(scope="cust:17"))
        await eventually(lambda: "cust:17" not in node.applier.state.versions)

    assert engine.tables["tn"] == {"18": "m=3;g=1"}
    assert engine.tables["dn"] == {"4930": "t=18"}
    assert engine.tables["rt"] == {}


async def test_a_lost_receipt_is_repeated_on_request(portal, tmp_path):
    async with running(portal, tmp_path):
        ack = await portal.apply("cust:17", 1, [TN])
        portal.receipts.clear()
        await portal.send(Resend(scope="cust:17"))

        assert await portal.receipt(ack.nonce) == ack


async def test_a_second_node_with_the_same_token_is_refused_and_the_first_goes_on(portal, tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    async with running(portal, tmp_path / "one") as first:
        await portal.connected()
        async with running(portal, tmp_path / "two") as second:
            await asyncio.sleep(0.3)
            assert first.link.connected and not second.link.connected
            assert len(portal.hellos) == 1


async def test_events_reach_the_portal_and_are_dropped_without_it(portal, tmp_path):
    engine = MemoryEngine()
    async with running(portal, tmp_path, engine) as node:
        await portal.connected()
        await eventually(lambda: node.link.connected)
        engine.events += [{"type": "start", "call": str(number)} for number in range(700)]
        await eventually(lambda: len(portal.events) == 700)
        await portal.stop()
        await eventually(lambda: not node.link.connected)
        engine.events.append({"type": "start", "call": "lost"})
        await eventually(lambda: not engine.events)
        await portal.start()
        await eventually(lambda: node.link.connected)

    assert [event["call"] for event in portal.events] == [str(number) for number in range(700)]


async def test_drift_is_found_healed_and_reported(portal, tmp_path):
    engine = MemoryEngine()
    async with running(portal, tmp_path, engine, drift_every=0.1):
        await portal.apply("cust:17", 1, [TN, ROUTE, ("ip", "17:127.0.9.1", "g1")])
        del engine.tables["rt"]["17.1.00:44"]
        engine.tables["tn"]["17"] = "m=3;st=0;g=1"
        engine.tables["dn"]["666"] = "t=17;in=g9"
        engine.tables["sr"].clear()
        await eventually(lambda: [each for gauges in portal.gauges for each in gauges.drift])

    found = {(each["table"], each["found"]) for gauges in portal.gauges for each in gauges.drift}
    assert found == {("rt", "missing"), ("tn", "different"), ("dn", "foreign"), ("sr", "missing")}
    assert engine.tables["rt"] == {"17.1.00:44": "r=7;g=g1"}
    assert engine.tables["tn"] == {"17": TN[2]}
    assert engine.tables["dn"] == {}
    assert engine.tables["sr"] == {"127.0.9.1": "1"}


async def test_trunk_health_travels_in_the_gauges(portal, tmp_path):
    engine = MemoryEngine()
    engine.health["g12"] = {"up": False, "code": 503, "since": 5, "checked": 9, "misses": 3}
    async with running(portal, tmp_path, engine):
        await eventually(lambda: any(gauges.trunks for gauges in portal.gauges))

    assert portal.gauges[-1].trunks == {"g12": {"up": False, "code": 503, "since": 5, "checked": 9}}
    assert portal.gauges[-1].engine == "memory"


async def test_a_snapshot_that_cannot_be_read_is_put_aside(portal, tmp_path):
    (tmp_path / "snapshot.sqlite").write_bytes(b"not a database at all" * 500)
    async with running(portal, tmp_path):
        ack = await portal.apply("cust:17", 1, [TN])

    assert ack.version == 1
    assert (tmp_path / "snapshot.broken").exists()


async def test_what_the_node_holds_is_for_nobody_elses_eyes(portal, tmp_path):
    async with running(portal, tmp_path):
        rows = [("gw", "g12", "h=127.0.9.1;m=3;o=0"), ("au", "g12.p", "hunter2"), ("bd", "sbc.example", "3")]
        await portal.apply("msp:3", 1, rows)

        for path in tmp_path.glob("snapshot.sqlite*"):
            assert path.stat().st_mode & 0o077 == 0, path


async def test_an_apply_begun_before_a_crash_is_finished_after_it(portal, tmp_path):
    engine = MemoryEngine()
    async with running(portal, tmp_path, engine) as node:
        await portal.apply("cust:17", 1, [TN, ROUTE])
        # The process dies between the intent and the first row.
        node.snapshot.intend(portal.message("cust:17", 2, [("tn", "17", "m=3;g=2")]))
    async with running(portal, tmp_path, engine) as node:
        await eventually(lambda: node.applier.state.versions == {"cust:17": 2})

    assert engine.tables["tn"] == {"17": "m=3;g=2"}
    assert node.applier.state.value(RowKey("tn", "17")) == "m=3;g=2"


def cdr(number: int) -> dict:
    return {
        "kind": "cdr",
        "id": f"c{number}",
        "tenant": 17,
        "call_id": "x" * 40,
        "user_agent": "y" * 60,
        "attempts": [],
    }


async def test_records_arrive_once_whatever_breaks_in_between(portal, tmp_path):
    async with running(portal, tmp_path) as node:
        await portal.connected()
        for number in range(40):
            node.spool.store([cdr(number)] * 1)
            node.link.records_spooled()
            if number % 10 == 3:
                portal.acknowledges = not portal.acknowledges  # stored, and nobody told
            if number % 10 == 7:
                await (await portal.connected()).close()
            if number % 20 == 15:
                await portal.stop()
                node.spool.store([cdr(1000 + number)])
                await portal.start()
            await asyncio.sleep(0.005)
    portal.acknowledges = True
    async with running(portal, tmp_path) as node:
        await eventually(lambda: len(portal.records) == 42)
        await eventually(lambda: len(node.spool) == 0)

    assert sorted(seq for _, seq in portal.records) == list(range(1, 43))
    assert len({record["id"] for record in portal.records.values()}) == 42


async def test_nothing_is_forgotten_before_it_is_acknowledged(portal, tmp_path):
    portal.acknowledges = False
    async with running(portal, tmp_path) as node:
        node.spool.store([cdr(number) for number in range(10_000)])
        node.link.records_spooled()
        # No more than the window is under way.
        await eventually(lambda: len(portal.records) == link_module.WINDOW * link_module.BATCH)
        await asyncio.sleep(0.1)

        assert len(portal.records) == link_module.WINDOW * link_module.BATCH
        assert len(node.spool) == 10_000


async def test_an_old_copy_of_the_spool_is_noticed(portal, tmp_path):
    async with running(portal, tmp_path) as node:
        spool = node.spool.uuid
        portal.spools[spool] = 500
        await (await portal.connected()).close()
        await eventually(lambda: node.spool.uuid != spool)
        await eventually(lambda: portal.hellos[-1].spool == node.spool.uuid)
        node.spool.store([cdr(1)])
        node.link.records_spooled()
        await eventually(lambda: portal.records)

    assert list(portal.records) == [(node.spool.uuid, 1)]


async def test_many_records_go_fast(portal, tmp_path):
    async with running(portal, tmp_path) as node:
        await portal.connected()
        node.spool.store([cdr(number) for number in range(40_000)])
        began = time.perf_counter()
        node.link.records_spooled()
        await eventually(lambda: len(portal.records) == 40_000, 30)
        await eventually(lambda: len(node.spool) == 0)
        rate = 40_000 / (time.perf_counter() - began)

    # One process plays both sides here; the point is that no batch waits for the one before it.
    assert rate > 5_000, rate


@pytest.mark.parametrize("said", ["ws://portal:8001", "ws://portal:8001/", "ws://portal:8001/node/v1/"])
def test_the_portals_address_may_be_said_with_or_without_the_path(said):
    assert LinkSettings(said, "token", "sbc-1").address == "ws://portal:8001/node/v1/"


async def test_a_rotated_token_is_read_without_a_restart(portal, tmp_path):
    token = tmp_path / "token"
    token.write_text("stale\n")
    node = NodeProcess(
        Files(tmp_path, tmp_path / "records"),
        LinkSettings(portal.address, "", "sbc-1", token_file=token),
        MemoryEngine(),
    )
    task = asyncio.create_task(node.run())
    try:
        await asyncio.sleep(0.2)
        assert portal.hellos == []
        token.write_text("secret\n")
        await portal.connected()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_an_event_is_shown_at_once_and_the_next_ones_together(portal, tmp_path):
    engine = MemoryEngine()
    async with running(portal, tmp_path, engine) as node:
        await eventually(lambda: node.link.connected)
        delays = []
        for number in range(20):
            engine.events.append({"type": "start", "call": str(number)})
            began = time.perf_counter()
            while len(portal.events) <= number:
                await asyncio.sleep(0.001)
            delays.append(time.perf_counter() - began)

    assert sorted(delays)[10] < 0.15, delays


class Daemons:
    """Stand-ins that note what is asked of them."""

    proven = True

    def __init__(self):
        self.stopped = False

    async def start(self, rows):
        return True

    async def watch(self, rows):
        return [], False

    async def restart_kamailio(self, rows):
        raise NotImplementedError

    async def stop(self):
        self.stopped = True

    def running(self):
        return {"kamailio": not self.stopped}


async def test_a_stop_takes_the_daemons_down_and_a_fault_of_ours_does_not(portal, tmp_path):
    async with running(portal, tmp_path, daemons=(asked := Daemons())):
        await eventually(lambda: portal.gauges)
    assert asked.stopped and portal.gauges[-1].daemons == {"kamailio": True}

    faulty = NodeProcess(
        Files(tmp_path, tmp_path / "records"), LinkSettings(portal.address, "secret", "sbc-1"), MemoryEngine(),
        spared := Daemons(),
    )  # fmt: skip

    async def breaks():
        raise RuntimeError("a fault of ours")

    faulty.link.run = breaks
    with pytest.raises(RuntimeError):
        await faulty.run()
    assert not spared.stopped
