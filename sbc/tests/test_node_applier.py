"""An apply that is cut off anywhere: calls never meet half a change, and the next start finishes it."""

import asyncio
import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sbc.node.applier import Applier
from sbc.node.drift import AT_ONCE, EVERY, PARTS, sweep
from sbc.node.engines.base import EngineDown
from sbc.node.engines.memory import MemoryEngine
from sbc.node.snapshot import Snapshot
from sbc.protocol import Apply, Row, RowKey

ALWAYS = json.dumps(
    [{"zone": "UTC", "windows": [{"days": list(range(7)), "begin": "00:00", "until": "00:00"}], "closed": []}]
)


class Killed(BaseException):
    """The node process is gone."""


class Watched(MemoryEngine):
    """Looks after each row whether a call could meet half a change; fails at a chosen row."""

    def __init__(self):
        super().__init__()
        self.fail_at, self.error, self.steps = 0, Killed, 0

    async def set_rows(self, rows):
        for row in rows:
            self._step()
            await super().set_rows([row])
            self._look()

    async def delete_rows(self, rows):
        for key in rows:
            self._step()
            await super().delete_rows([key])
            self._look()

    async def get_rows(self, rows):
        self._step()
        return await super().get_rows(rows)

    def _step(self):
        self.steps += 1
        if self.steps == self.fail_at:
            raise self.error("here")

    def _look(self):
        """Every customer's generation in force is whole: its routes, its hours, and the trunks that they name."""
        for customer, value in self.tables["tn"].items():
            generation = f"{customer}.{dict(part.split('=') for part in value.split(';'))['g']}"
            routes = {key: text for key, text in self.tables["rt"].items() if key.startswith(f"{generation}.")}
            assert len(routes) == 3, (value, routes)
            for text in routes.values():
                assert text.rpartition("g=")[2] in self.tables["gw"]
            if generation in self.tables["sc"]:
                assert self.tables["ss"].get(generation) == "1"
        for source in self.tables["ip"]:
            assert source.partition(":")[2] in self.tables["sr"]


def apply(scope, version, *rows, **more) -> Apply:
    fields = {"needs": {}, "after": {}, "base": None, "delete": [], "closing": False, "approved": False} | more
    return Apply(scope=scope, version=version, nonce=f"{scope}-{version}", set=[Row(*row) for row in rows], **fields)


def policy(version: int, gateway: str, *more: tuple[str, str, str], **needs) -> Apply:
    routes = [("rt", f"17.{version}.01:{prefix}", f"r=1;g={gateway}") for prefix in ("", "44", "49")]
    hours = ("sc", f"17.{version}", ALWAYS)
    return apply("cust:17", version, *routes, hours, ("tn", "17", f"m=3;st=1;g={version}"), *more, **needs)


def gateway(name: str) -> tuple[str, str, str]:
    return ("gw", name, "h=127.0.9.1;m=3;o=0")


BASE = ("bd", "sbc.example", "3")
OLD = [apply("msp:3", 1, BASE, gateway("g1")), policy(1, "g1", ("ip", "17:127.0.9.1", "g1"), ("fc", "17:1", "1"))]
NEW = [
    apply("msp:3", 2, BASE, gateway("g2"), after={"cust:17": 2}),
    policy(2, "g2", ("ip", "17:127.0.9.2", "g2"), ("fc", "17:2", "1"), needs={"msp:3": 2}),
]


class Node:
    """A node process over an engine and a disk that outlive it."""

    def __init__(self, directory: Path):
        self.path, self.engine, self.receipts = directory / "snapshot.sqlite", Watched(), []
        self.start()

    def start(self):
        self.applier = Applier(self.engine, Snapshot(self.path), self.receipts.append)

    def restart(self):
        self.applier.snapshot.close()
        self.start()

    async def bring(self, messages):
        for message in messages:
            await self.applier.apply(message)

    def tables(self) -> dict:
        return {name: dict(table) for name, table in self.engine.tables.items()}


async def reference(directory: Path, *steps) -> dict:
    directory.mkdir()
    node = Node(directory)
    for messages in steps:
        await node.bring(messages)
    return node.tables()


async def test_killed_at_every_step_the_next_start_finishes_what_was_begun(tmp_path):
    wanted = await reference(tmp_path / "wanted", OLD, NEW)
    finished = False
    for step in range(1, 200):
        (tmp_path / str(step)).mkdir()
        node = Node(tmp_path / str(step))
        await node.bring(OLD)
        node.engine.steps, node.engine.fail_at = 0, step
        try:
            await node.bring(NEW)
            finished = True
        except Killed:
            node.restart()
            await node.applier.retry()
            await sweep(node.engine, node.applier)
            await node.bring(NEW)  # the portal sends again what nobody acknowledged
        assert node.tables() == wanted, step
        if finished:
            break
    assert finished and step > 20


async def test_kamailio_killed_at_every_step_is_loaded_and_brought_on(tmp_path):
    wanted = await reference(tmp_path / "wanted", OLD, NEW)
    for step in range(1, 40):
        (tmp_path / str(step)).mkdir()
        node = Node(tmp_path / str(step))
        await node.bring(OLD)
        node.engine.steps, node.engine.fail_at, node.engine.error = 0, step, EngineDown
        await node.bring(NEW)
        for table in node.engine.tables.values():
            table.clear()
        node.engine.fail_at = 0
        await node.applier.restore()
        await node.applier.retry()

        assert node.tables() == wanted, step
        assert node.applier.waiting == {}
        assert {receipt.nonce for receipt in node.receipts} == {"msp:3-1", "cust:17-1", "msp:3-2", "cust:17-2"}


@pytest.mark.parametrize(
    "row", [("rt", "17.2.01:49"), ("fc", "17:2"), ("sc", "17.2"), ("tn", "17"), ("ip", "17:127.0.9.2")]
)
async def test_a_refusal_at_any_row_leaves_everything_as_it_was(tmp_path, row):
    node = Node(tmp_path)
    await node.bring([*OLD, NEW[0]])
    before = node.tables()
    node.engine.refuse[row] = "no room"

    await node.applier.apply(NEW[1])

    assert node.tables() == before
    assert node.receipts[-1].row == {"table": row[0], "key": row[1]}
    node.restart()
    assert node.applier.waiting == {}, "a refused apply must not come back by itself"


async def test_a_row_that_reads_back_otherwise_is_refused(tmp_path):
    node = Node(tmp_path)
    await node.bring(OLD)

    async def forgets(rows):
        return [None if key == ("fc", "17:2") else await node.engine.get(*key) for key in rows]

    node.engine.get_rows = forgets
    await node.bring(NEW)

    assert node.receipts[-1].row == {"table": "fc", "key": "17:2"}
    assert node.engine.tables["tn"]["17"].endswith("g=1")


async def test_a_full_disk_refuses_what_is_new_and_forgets_nothing(tmp_path, monkeypatch):
    def full(*_):
        raise sqlite3.OperationalError("database or disk is full")

    node = Node(tmp_path)
    await node.bring(OLD)
    before = node.tables()
    with monkeypatch.context() as disk:
        for name in ("intend", "forget", "commit"):
            disk.setattr(node.applier.snapshot, name, full)
        await node.applier.apply(NEW[0])
        assert "disk is full" in node.receipts[-1].reason and node.tables() == before
    with monkeypatch.context() as disk:
        disk.setattr(node.applier.snapshot, "commit", full)
        await node.bring(NEW)
        assert node.receipts[-1].version == 2
        assert node.receipts[-1].nonce == "cust:17-2"
    await node.applier.apply(apply("cust:17", 3, ("fc", "17:3", "1"), base=2))
    after = node.tables()
    node.restart()

    assert after == {**node.tables()}
    assert node.applier.state.versions == {"msp:3": 2, "cust:17": 3}
    held = {RowKey(row.table, row.key): row.value for row in node.applier.rows_in_force()}
    assert held == {RowKey(table, key): text for table, rows in after.items() for key, text in rows.items()}


async def test_who_waits_has_the_answer_before_what_no_call_meets_any_more_goes(tmp_path, monkeypatch):
    node = Node(tmp_path)
    await node.bring([*OLD, NEW[0]])
    delete_rows, answered = node.engine.delete_rows, {}

    async def watched(keys):
        answered.update({key.table: any(each.nonce == "cust:17-2" for each in node.receipts) for key in keys})
        await delete_rows(keys)

    monkeypatch.setattr(node.engine, "delete_rows", watched)
    await node.applier.apply(NEW[1])

    # An address that may call no more has to be gone by then.
    assert answered == {"ip": False, "fc": False, "sr": False, "ss": False, "rt": True, "sc": True, "gw": True}


async def test_two_applies_at_once_take_turns(tmp_path):
    node = Node(tmp_path)
    await node.bring(OLD[:1])
    await asyncio.gather(*(node.applier.apply(policy(version, "g1")) for version in (1, 2, 3, 4)))

    assert node.engine.tables["tn"]["17"].endswith("g=4")
    assert len(node.engine.tables["rt"]) == 3


numbers = st.sets(st.sampled_from(["491", "492", "493"]))
steps = st.lists(st.tuples(st.sampled_from([17, 18]), numbers, st.integers(0, 12)), max_size=10)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=steps)
def test_engine_and_disk_agree_with_the_state_whatever_happens(tmp_path_factory, steps):
    async def run():
        node = Node(tmp_path_factory.mktemp("node"))
        await node.bring([apply("msp:3", 1, BASE, gateway("g1"))])
        for version, (customer, digits, fail_at) in enumerate(steps, 1):
            routes = [("rt", f"{customer}.{version}.00:{prefix}", "r=1;g=g1") for prefix in ("", "44", "49")]
            own = [("dn", each, f"t={customer}") for each in digits]
            message = apply(f"cust:{customer}", version, *routes, ("tn", str(customer), f"g={version}"), *own)
            node.engine.steps, node.engine.fail_at = 0, fail_at
            try:
                await node.applier.apply(message)
            except Killed:
                node.restart()
                await node.applier.retry()
                await sweep(node.engine, node.applier)
            held = {RowKey(table, key): text for table, rows in node.tables().items() for key, text in rows.items()}
            assert held == {RowKey(row.table, row.key): row.value for row in node.applier.rows_in_force()}
            before = {**held}
            node.restart()
            assert before == {RowKey(row.table, row.key): row.value for row in node.applier.rows_in_force()}
        node.applier.snapshot.close()

    asyncio.run(run())


async def test_the_node_opens_and_closes_by_itself(tmp_path):
    office = {"zone": "Europe/Berlin", "windows": [{"days": [4], "begin": "09:00", "until": "17:00"}], "closed": []}
    clock = [datetime(2026, 11, 20, 7, 59, tzinfo=UTC)]
    node = Node(tmp_path)
    node.applier.now = lambda: clock[0]
    await node.applier.apply(apply("cust:17", 1, ("sc", "17.1", json.dumps([office]))))
    assert node.engine.tables["ss"] == {"17.1": "0"}

    clock[0] = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
    await node.applier.flip_schedules()
    assert node.engine.tables["ss"] == {"17.1": "1"}

    # It closes while Kamailio is away: that is no drift, and what is loaded afterwards is of that time.
    clock[0] = datetime(2026, 11, 20, 16, 0, tzinfo=UTC)
    node.engine.down = True
    with pytest.raises(EngineDown):
        await node.applier.flip_schedules()
    node.engine.down = False
    assert await sweep(node.engine, node.applier) == []
    await node.applier.restore()
    assert node.engine.tables["ss"] == {"17.1": "0"}
    assert await sweep(node.engine, node.applier) == []

    await node.applier.apply(apply("cust:17", 2, closing=True))
    assert node.engine.tables["ss"] == {}


async def test_prices_change_at_their_moment_without_the_portal(tmp_path):
    clock = [datetime(2026, 11, 20, 16, 59, tzinfo=UTC)]
    six = round(datetime(2026, 11, 20, 17, 0, tzinfo=UTC).timestamp() * 1000)
    node = Node(tmp_path)
    node.applier.now = lambda: clock[0]
    table = [("lc", "m3.0.aaaaaa:44", "12.21"), ("pt", "m3.0.aaaaaa", f"[[{six - 600_000},0],[{six},1]]")]
    await node.applier.apply(apply("msp:3", 1, *table, ("lt", "m3.0", "l=aaaaaa;w=1")))
    assert node.engine.tables["ps"] == {"m3.0.aaaaaa": "0"}

    clock[0] = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)
    await node.applier.flip_schedules()
    assert node.engine.tables["ps"] == {"m3.0.aaaaaa": "1"}
    assert await sweep(node.engine, node.applier) == []

    node.restart()
    assert node.applier.expected(RowKey("ps", "m3.0.aaaaaa")) == "1"
    await node.applier.apply(apply("msp:3", 2, ("lc", "m3.0.bbbbbb:44", "12"), ("lt", "m3.0", "l=bbbbbb;w=1")))
    assert node.engine.tables["ps"] == {}


async def test_of_a_large_table_each_row_is_read_within_a_minute_and_none_is_dumped(tmp_path, monkeypatch):
    assert PARTS * EVERY < 60
    node, dumped, asked = Node(tmp_path), [], []
    rows = [("lc", f"m3.0.aaaaaa:{head}", "12") for head in range(1000, 1300)] + [("lt", "m3.0", "l=aaaaaa;w=1")]
    await node.applier.apply(apply("msp:3", 1, *rows))
    held, dump, get_rows = node.engine.tables["lc"], node.engine.dump, node.engine.get_rows
    monkeypatch.setattr(node.engine, "dump", lambda table: dumped.append(table) or dump(table))
    monkeypatch.setattr(node.engine, "get_rows", lambda keys: asked.append(len(keys)) or get_rows(keys))

    async def round_of_sweeps():
        found = [each for part in range(PARTS) for each in await sweep(node.engine, node.applier, part=part)]
        return {(each["key"].partition(":")[2], each["found"]) for each in found}

    assert await round_of_sweeps() == set()
    assert "lc" not in dumped and sum(asked) == 300 and max(asked) <= AT_ONCE
    held["m3.0.aaaaaa:1000"] = held["m3.0.aaaaaa:1299"] = "21"
    assert await round_of_sweeps() == {("1000", "different"), ("1299", "different")}
    # As many as there should be, and not those.
    del held["m3.0.aaaaaa:1100"]
    held["m3.0.aaaaaa:2000"] = "12"
    found = await round_of_sweeps() | await round_of_sweeps()
    assert found == {("1100", "missing"), ("2000", "foreign")} and len(held) == 300
    del held["m3.0.aaaaaa:1200"]
    assert [each["found"] for each in await sweep(node.engine, node.applier, part=0)] == ["missing"]
    node.engine.tables["lt"]["m3.0"] = "l=bbbbbb;w=1"
    assert [each["table"] for each in await sweep(node.engine, node.applier, part=0)] == ["lt"]
