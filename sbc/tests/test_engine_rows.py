"""Both engines keep rows alike; what only a real Kamailio can show is shown on a real one."""

from typing import Any

import pytest

from sbc.node.engines.base import Engine, EngineDown, RowRefused
from sbc.node.engines.kamailio import event_of, health_of
from sbc.node.engines.memory import MemoryEngine
from sbc.node.haproxy import HaproxyRefused
from sbc.tests.sip.certificates import SERVER
from sbc.tests.sip.stage import Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(params=["memory", pytest.param("kamailio", marks=pytest.mark.sip)])
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each engine in turn."""
    if request.param == "memory":
        return MemoryEngine()
    stage: Stage = request.getfixturevalue("stage")
    return stage.engine


VALUES = [
    "1",
    "17",
    "r=7;g=g1,g2",
    "a=;b=",
    'quote " back \\ slash',
    "grüße; 日本",
    "x" * 5000,
    "$var(x) @foo {s.len}",
    " padded ",
]


@pytest.mark.parametrize("value", VALUES, ids=range(len(VALUES)))
async def test_a_row_comes_back_as_it_went_in(engine: Engine, value: str):
    await engine.set_rows([("au", "g9.p", value), ("rt", "99.1.00:", "r=1;b=1")])

    assert await engine.get("au", "g9.p") == value
    assert (await engine.dump("au"))["g9.p"] == value
    assert await engine.get_rows([("rt", "99.1.00:"), ("rt", "99.1.00:4")]) == ["r=1;b=1", None]


async def test_delete_counts_and_missing_rows(engine: Engine):
    before = (await engine.counts())["fc"]
    await engine.set_rows([("fc", f"9:{i}", "1") for i in range(50)])
    assert (await engine.counts())["fc"] == before + 50

    await engine.delete_rows([("fc", f"9:{i}") for i in range(60)])

    assert (await engine.counts())["fc"] == before
    assert await engine.get("fc", "9:1") is None


@pytest.mark.parametrize(
    "row",
    [
        ("nope", "k", "v"),
        ("fc", "", "v"),
        ("fc", "k", ""),
        ("fc", "k\n", "v"),
        ("fc", "k", "a\r\nb"),
        ("fc", "k" * 300, "v"),
    ],
)
async def test_a_row_that_cannot_be_kept_is_refused_by_name(engine: Engine, row: tuple[str, str, str]):
    with pytest.raises(RowRefused) as refusal:
        await engine.set_rows([row])

    assert refusal.value.row == row[:2] and refusal.value.reason


async def test_a_memory_engine_plays_trouble():
    engine = MemoryEngine()
    engine.refuse["rt", "1"] = "no room"

    with pytest.raises(RowRefused, match="no room"):
        await engine.set_rows([("rt", "1", "x")])
    engine.down = True
    with pytest.raises(EngineDown):
        await engine.gauges()


@pytest.mark.sip
async def test_a_table_far_beyond_one_datagram(stage: Stage):
    rows = [("rt", f"99.1.00:{i}", f"r={i};g=g1,g2") for i in range(20_000)]

    await stage.engine.set_rows(rows)
    held = await stage.engine.dump("rt")

    assert all(held[key] == value for _, key, value in rows)
    assert await stage.engine.get_rows([row[:2] for row in rows[:500]]) == [row[2] for row in rows[:500]]


@pytest.mark.sip
async def test_http_wants_its_key(stage: Stage):
    key = stage.settings.secrets / "rpc.key"
    good = key.read_text()
    key.write_text("0" * 48)
    try:
        with pytest.raises(EngineDown):
            await stage.engine.http.ask("/events")
    finally:
        key.write_text(good)
    assert await stage.engine.fetch_events() == []


@pytest.mark.sip
async def test_certificates_come_change_and_go_while_haproxy_runs(stage: Stage):
    haproxy, authority = stage.plane.haproxy, stage.authority
    new = authority.issue(
        "fabrikam", "sbc.fabrikam.example", ["sbc.fabrikam.example", "*.sbc.fabrikam.example"], [SERVER]
    )
    other = authority.issue("other", "sbc.fabrikam.example", ["sbc.fabrikam.example"], [SERVER])

    async def shown(name: str) -> str:
        return await haproxy.command(f"show ssl cert {haproxy.directory / name}.pem")

    await haproxy.set_certificate("fabrikam", new.read_text())
    assert "sbc.fabrikam.example" in await shown("fabrikam")
    mixed = (
        new.read_text().split("-----BEGIN PRIVATE KEY")[0]
        + "-----BEGIN PRIVATE KEY"
        + other.read_text().split("-----BEGIN PRIVATE KEY")[1]
    )
    with pytest.raises(HaproxyRefused):
        await haproxy.set_certificate("fabrikam", mixed)
    with pytest.raises(HaproxyRefused):
        await haproxy.set_certificate("../fabrikam", new.read_text())
    await haproxy.set_certificate("fabrikam", other.read_text())
    assert (haproxy.directory / "fabrikam.pem").read_text() == other.read_text()
    await haproxy.remove_certificate("fabrikam")
    assert "fabrikam" not in haproxy.crt_list.read_text()
    assert "sbc.fabrikam.example" not in await shown("fabrikam")


async def test_lines_of_the_queue_become_events():
    line = "answered at=1700000000.123456&id=x&t=17&pe=0&m=3&d=out&in=teams&r=7&cr=%2B49&cd=%2B44&eg=g1&co=200"
    event: dict[str, Any] | None = event_of(line)

    assert event == {
        "at": 1700000000123,
        "call": "x",
        "type": "answered",
        "tenant": 17,
        "peer": 0,
        "msp": 3,
        "direction": "out",
        "caller": "+49",
        "called": "+44",
        "trunk": "g1",
        "route": 7,
        "code": 200,
        "reason": "",
    }
    assert event_of("rubbish") is None
    assert health_of("1;200;1700000000;1700000060;0") == {
        "up": True,
        "code": 200,
        "since": 1700000000000,
        "checked": 1700000060000,
    }
