"""Scopes on a node that is dialled in: applied, refused, held back, dropped, kept over restarts."""

import os

import pytest

from sbc.node.engines.memory import MemoryEngine
from sbc.protocol import Drop, RowKey
from sbc.tests.node_portal import ROUTE, TN, eventually, running

pytestmark = pytest.mark.usefixtures("short_waits")


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


async def test_a_suspension_arrives_beside_a_trunk_at_the_nodes_own_address(portal, tmp_path):
    """Over a restart, too: what is left out is on disk."""
    engine = MemoryEngine()
    source, trunk = ("ip", "17:127.0.9.77", "g9"), ("gw", "g9", "h=127.0.9.77;m=3;o=17")
    async with running(portal, tmp_path, engine, is_own="127.0.9.77".__eq__):
        await portal.apply("cust:17", 1, [TN, ROUTE])
        ack = await portal.apply("cust:17", 2, [("tn", "17", "m=3;st=0;g=1"), trunk, source], base=1)

    assert engine.tables["tn"] == {"17": "m=3;st=0;g=1"} and not engine.tables["ip"]
    assert [(each["table"], each["key"]) for each in ack.left_out] == [("ip", "17:127.0.9.77")]
    async with running(portal, tmp_path, engine, is_own="127.0.9.77".__eq__):
        assert (await portal.apply("cust:17", 3, [("fc", "17:4930", "1")], base=2)).left_out == ack.left_out


async def test_an_account_that_kamailio_refuses_is_left_out(portal, tmp_path):
    engine = MemoryEngine()
    engine.refuse["au", "g9.p"] = "odd"
    trunk = [("gw", "g9", "h=127.0.9.1;m=3;o=17"), ("au", "g9.u", "user"), ("au", "g9.p", "odd")]
    async with running(portal, tmp_path, engine):
        ack = await portal.apply("cust:17", 1, [TN, ROUTE, *trunk])

    assert (ack.version, ack.left_out) == (1, [{"table": "au", "key": "g9.p", "reason": "odd"}])
    assert engine.tables["au"] == {"g9.u": "user"} and engine.tables["tn"]


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
        await portal.send(Drop(scope="cust:17", nonce="d", approved=False))
        await eventually(lambda: "cust:17" not in node.applier.state.versions)

        assert (await portal.receipt("d")).version == 0

    assert engine.tables["tn"] == {"18": "m=3;g=1"}
    assert engine.tables["dn"] == {"4930": "t=18"}
    assert engine.tables["rt"] == {}


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


async def test_what_was_acknowledged_is_forced_to_the_disk_soon(portal, tmp_path, monkeypatch):
    synced = []
    real = os.fsync
    monkeypatch.setattr(
        os, "fsync", lambda handle: (synced.append(os.readlink(f"/proc/self/fd/{handle}")), real(handle))
    )
    async with running(portal, tmp_path) as node:
        await eventually(lambda: str(tmp_path / "snapshot.sqlite") in synced)
        synced.clear()
        await portal.apply("cust:17", 1, [TN])
        await eventually(lambda: not node.snapshot.unsynced)
        await eventually(lambda: {str(tmp_path / "snapshot.sqlite-wal"), str(tmp_path)} <= set(synced))


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


async def test_a_drop_that_takes_much_waits_for_a_person(portal, tmp_path):
    engine = MemoryEngine()
    async with running(portal, tmp_path, engine):
        await portal.apply("cust:17", 1, [TN, *(("dn", f"4930{number:04}", "t=17") for number in range(300))])
        await portal.send(Drop(scope="cust:17", nonce="first", approved=False))
        held = await portal.receipt("first")
        assert (type(held).__name__, held.version) == ("Held", 0) and "301 of this node's 301 rows" in held.reason
        assert len(engine.tables["dn"]) == 300
        await portal.send(Drop(scope="cust:17", nonce="second", approved=True))
        ack = await portal.receipt("second")

    assert (type(ack).__name__, ack.version) == ("Ack", 0)
    assert engine.tables["dn"] == engine.tables["tn"] == {}
