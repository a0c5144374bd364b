"""The node process with a real Kamailio: what it sets is in force, and no crash costs a call."""

import asyncio
import contextlib
import dataclasses
import json
import os
import signal
import ssl
import sys
import time

import pytest

from sbc.node import pulse, room
from sbc.node.daemons import DataPlane
from sbc.node.link import LinkSettings
from sbc.node.process import Files, NodeProcess
from sbc.node.supervisor import Supervisor
from sbc.pem import leaf_of
from sbc.protocol import Row
from sbc.tests.node_portal import FakePortal, eventually
from sbc.tests.sip.certificates import CLIENT, SERVER
from sbc.tests.sip.message import SDP
from sbc.tests.sip.stage import Stage

pytestmark = pytest.mark.sip


def by_scope(rows) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {"region:1": [], "msp:3": []}
    for table, key, value in rows:
        if table == "sr":
            continue
        scope = {"rg": "region:1", "bd": "msp:3", "gw": "msp:3", "bl": "msp:3", "fq": f"cust:{value}"}.get(table)
        customer = value[2:4] if table == "dn" else key[:2]
        found.setdefault(scope or f"cust:{customer}", []).append(Row(table, key, value))
    return found


@pytest.fixture
async def stage(tmp_path):
    stage = Stage(tmp_path)
    yield stage
    await stage.hang_up()
    await stage.plane.stop()


@contextlib.asynccontextmanager
async def running(stage: Stage, portal: FakePortal, **more):
    settings = LinkSettings(portal.address, portal.token, "sbc-1")
    files = Files(stage.settings.directory, stage.settings.records)
    node = NodeProcess(files, settings, stage.engine, Supervisor(stage.plane), **more)
    task = asyncio.create_task(node.run())
    try:
        await eventually(lambda: node.is_up or task.done(), 20)
        yield node
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def configured(portal: FakePortal, stage: Stage) -> None:
    for scope, rows in by_scope(stage.rows()).items():
        ack = await portal.apply(scope, 1, rows)
        assert type(ack).__name__ == "Ack", ack


async def calls(stage: Stage, count: int):
    """Place calls from Teams to carrier A, and give both ends of each."""
    microsoft, carrier = await stage.microsoft(), await stage.carrier(1)
    placed = []
    for number in range(count):
        invite = stage.invite_from_teams(microsoft, f"+4420000{number:04}")
        placed.append((await stage.answered(microsoft, invite, carrier, SDP))[:2])
    return microsoft, carrier, placed


async def hang_up(microsoft, carrier, dialog) -> None:
    dialog.request("BYE")
    bye = await carrier.expect("BYE")
    carrier.reply(bye, 200)
    await microsoft.expect("BYE", 200)


async def test_what_the_portal_sets_is_in_force_and_what_is_refused_is_not(stage, portal):
    async with running(stage, portal):
        await configured(portal, stage)
        microsoft, carrier, ((dialog, _),) = await calls(stage, 1)
        nack = await portal.apply("cust:17", 2, [Row("rt", "17.2.00:44", "r=9;b=1"), Row("fc", "17:49", "")], base=1)
        assert nack.row == {"table": "fc", "key": "17:49"}
        assert await stage.engine.get("rt", "17.2.00:44") is None
        await hang_up(microsoft, carrier, dialog)
        (record,) = await eventually(lambda: list(portal.records.values()))

    assert (record["tenant"], record["called"], record["route"], record["code"]) == (17, "+44200000000", 7, 200)
    assert {event["type"] for event in portal.events} >= {"start", "answered", "ended"}


async def test_networks_that_haproxy_refuses_are_named_and_leave_the_door_as_it_was(stage, portal):
    networks = stage.plane.haproxy.networks
    async with running(stage, portal):
        await configured(portal, stage)
        before = networks.read_text()
        for refused in ("127.0.0.1/99", f"{stage.net}.8/29,half"):
            nack = await portal.apply("region:1", 2, [Row("rg", "msnets", refused)], base=1)
            assert nack.row == {"table": "rg", "key": "msnets"}, nack
            assert networks.read_text() == before
        assert await stage.engine.get("rg", "msnets") == before.strip()
        await stage.microsoft()


async def test_rows_changed_by_hand_are_put_right_and_reported(stage, portal):
    async with running(stage, portal, drift_every=0.2):
        await configured(portal, stage)
        await stage.engine.delete_rows([("rt", "17.1.00:44")])
        await stage.engine.set_rows([("dn", "4930111", "t=18;st=1;in=teams"), ("fq", "evil.example", "17")])
        await eventually(lambda: sum(len(gauges.drift) for gauges in portal.gauges) >= 3)
        values = await stage.engine.get_rows([("rt", "17.1.00:44"), ("dn", "4930111"), ("fq", "evil.example")])

    assert values == ["r=7;g=g1,g2", "t=17;st=1;in=teams", None]
    found = {(each["table"], each["found"]) for gauges in portal.gauges for each in gauges.drift}
    assert found == {("rt", "missing"), ("dn", "different"), ("fq", "foreign")}


async def test_what_haproxy_was_told_by_hand_is_put_right_and_reported(stage, portal):
    haproxy, names = stage.plane.haproxy, ["sbc.northwind.example"]
    async with running(stage, portal, drift_every=0.2):
        await configured(portal, stage)
        ours = portal.certificates[0].served
        await asyncio.sleep(0.5)
        assert not [each for gauges in portal.gauges for each in gauges.drift]
        await haproxy.command(f"add acl {haproxy.networks} 0.0.0.0/0")
        await haproxy.command(f"del acl {haproxy.networks} {stage.net}.8/29")
        other = stage.authority.issue("other", "sbc.northwind.example", names, [SERVER, CLIENT]).read_text()
        await haproxy.command(f"set ssl cert {haproxy.own} <<", *filter(None, other.splitlines()), "")
        assert "Success!" in await haproxy.command(f"commit ssl cert {haproxy.own}")
        more = stage.authority.issue("more", "evil.example", ["evil.example"], [SERVER])
        await haproxy.command(f"new ssl cert {more}")
        await haproxy.command(f"set ssl cert {more} <<", *filter(None, more.read_text().splitlines()), "")
        await haproxy.command(f"commit ssl cert {more}")
        assert "Success!" in await haproxy.command(f"add ssl crt-list {haproxy.crt_list} {more}")
        await eventually(lambda: sum(len(gauges.drift) for gauges in portal.gauges) >= 4)
        held = await haproxy.command(f"show acl {haproxy.networks}")
        listed = await haproxy.command(f"show ssl crt-list {haproxy.crt_list}")
        microsoft = await stage.microsoft()
        der = microsoft.writer.get_extra_info("ssl_object").getpeercert(binary_form=True)

    found = {(each["table"], each["key"], each["found"], each["healed"]) for g in portal.gauges for each in g.drift}
    assert found == {
        ("haproxy", "network 0.0.0.0/0", "foreign", True),
        ("haproxy", f"network {stage.net}.8/29", "missing", True),
        ("haproxy", "certificate node.pem", "different", True),
        ("haproxy", f"certificate {more.name}", "foreign", True),
    }
    assert {each["scope"] for g in portal.gauges for each in g.drift if "network" in each["key"]} == {"region:1"}
    assert held.endswith(f"{stage.net}.8/29") and "0.0.0.0/0" not in held and str(more) not in listed
    assert leaf_of(ssl.DER_cert_to_PEM_cert(der))[0] == ours


async def test_a_killed_kamailio_is_back_at_once_and_leaves_a_record_of_every_call(stage, portal):
    async with running(stage, portal, unknown_after=2.0) as node:
        await configured(portal, stage)
        microsoft, carrier, _ = await calls(stage, 12)
        await eventually(lambda: len(node.spool.open_calls()) == 12)
        stage.invite_from_teams(microsoft, "+442088888")
        carrier.reply(await carrier.expect("INVITE"), 180)
        await microsoft.expect("INVITE", 180)
        await eventually(lambda: len(node.begun) == 1)
        await asyncio.sleep(0.2)
        await portal.stop()  # none of this needs the portal
        kamailio = stage.plane.daemons["kamailio"]
        old, killed = kamailio.pid, time.monotonic()
        os.kill(old, signal.SIGKILL)
        await eventually(lambda: kamailio.pid not in (None, old))
        while True:
            with contextlib.suppress(Exception):
                if await stage.engine.get("rt", "17.1.00:44"):
                    break
            await asyncio.sleep(0.005)
        took = time.monotonic() - killed
        await microsoft.connect()
        after = stage.invite_from_teams(microsoft, "+442099999")
        dialog, _, _ = await stage.answered(microsoft, after, carrier, SDP)
        await hang_up(microsoft, carrier, dialog)
        await portal.start()
        await eventually(lambda: len(portal.records) == 14, 15)

    records = [each for each in portal.records.values() if each["kind"] == "cdr"]
    assert len({each["id"] for each in records}) == 14
    assert [each["called"] for each in records if not each["answered"]] == ["+442088888"]
    records = [each for each in records if each["answered"]]
    lost = [each for each in records if each["end_unknown"]]
    assert len(lost) == 12 and all(each["last_seen"] >= each["answered"] for each in lost)
    assert took < 3.0, took


async def test_daemons_that_hang_are_told_and_started_again(stage, portal, monkeypatch, caplog):
    for name, seconds in (("LOOK_EVERY", 0.1), ("PATIENCE", 0.3), ("MISSED", 0.3), ("HUNG_AFTER", 0.8)):
        monkeypatch.setattr(pulse, name, seconds)
    # Its SIP port may be flooded, and answer nobody: what does not answer by RPC either is hung.
    monkeypatch.setattr(pulse, "is_answered", lambda _settings, _patience=0.5: False)
    async with running(stage, portal, unknown_after=0.5) as node:
        await configured(portal, stage)
        await calls(stage, 2)
        await eventually(lambda: len(node.spool.open_calls()) == 2)
        for name in ("rtpengine", "haproxy", "kamailio"):
            await eventually(lambda: node.daemons.proven)
            daemon, told = stage.plane.daemons[name], len(portal.gauges)
            hung = daemon.pid
            os.killpg(hung, signal.SIGSTOP)
            await eventually(lambda daemon=daemon, hung=hung: daemon.pid not in (None, hung))
            await eventually(lambda name=name, told=told: name in _down(portal, told))
        # Of the two calls nobody knows the end; new ones pass everything.
        await eventually(lambda: len(portal.records) == 2)
        await eventually(lambda: portal.gauges[-1].kamailio and all(portal.gauges[-1].daemons.values()))
        await stage.hang_up()
        microsoft, carrier, ((dialog, _),) = await calls(stage, 1)
        await hang_up(microsoft, carrier, dialog)
        await eventually(lambda: len(portal.records) == 3)

    assert caplog.text.count("answers nobody") == 3


def _down(portal: FakePortal, since: int) -> set[str]:
    return {name for gauges in portal.gauges[since:] for name, is_well in gauges.daemons.items() if not is_well}


async def test_a_disk_without_room_keeps_new_calls_out_and_calls_for_help_in(stage, portal, monkeypatch):
    monkeypatch.setattr(room, "LOOK_EVERY", 0.1)
    async with running(stage, portal) as node:
        await configured(portal, stage)
        microsoft, carrier = await stage.microsoft(), await stage.carrier(1)
        monkeypatch.setattr(room, "NONE", 10**18)
        await eventually(lambda: node.daemons.room.none)
        await asyncio.sleep(0.3)
        stage.invite_from_teams(microsoft, "+442071234567")
        assert (await microsoft.expect("INVITE", 503)).get("Retry-After") == "1"
        help_wanted = stage.invite_from_teams(microsoft, "112")
        dialog, _, _ = await stage.answered(microsoft, help_wanted, carrier, SDP)
        await hang_up(microsoft, carrier, dialog)
        monkeypatch.setattr(room, "NONE", 1)
        await asyncio.sleep(3)
        invite = stage.invite_from_teams(microsoft, "+442071234567")
        dialog, _, _ = await stage.answered(microsoft, invite, carrier, SDP)
        await hang_up(microsoft, carrier, dialog)
        await eventually(lambda: len(portal.records) == 3)

    assert [each["limit"] for each in portal.records.values()] == ["node", "", ""]


async def test_a_planned_restart_of_kamailio_keeps_the_calls(stage, portal, caplog):
    async with running(stage, portal, unknown_after=0.2) as node:
        await configured(portal, stage)
        microsoft, carrier, placed = await calls(stage, 3)
        await eventually(lambda: len(node.spool.open_calls()) == 3)
        ringing = stage.invite_from_teams(microsoft, "+442071234567")
        carrier.reply(await carrier.expect("INVITE"), 180)
        await microsoft.expect("INVITE", 180)
        await eventually(lambda: len(node.begun) == 1)
        renewed = stage.authority.issue("renewed", "renewed.example", ["sbc.northwind.example"], [SERVER, CLIENT])
        renewed.rename(stage.settings.certificate)
        await node.restart_kamailio()
        await asyncio.sleep(1.5)
        # Of what was ringing nothing is left but its record.
        await eventually(lambda: len(portal.records) == 1)
        (lost,) = portal.records.values()
        assert (lost["called"], lost["code"], lost["answered"]) == ("+442071234567", 503, None), ringing
        portal.records.clear()
        await microsoft.connect()
        assert b"renewed.example" in microsoft.writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        for dialog, _ in placed:
            dialog.request("BYE")
            carrier.reply(await carrier.expect("BYE"), 200)
        await eventually(lambda: len(portal.records) == 3)

    assert all(each["kind"] == "cdr" and not each["end_unknown"] for each in portal.records.values())
    assert "HAProxy keeps" not in caplog.text


async def test_kill_9_of_the_node_process_costs_no_call(stage, portal, tmp_path):
    """A call ends while nobody reads; the next node process adopts Kamailio and delivers the record once."""
    values = {name: str(value) if hasattr(value, "parts") else value for name, value in vars_of(stage).items()}
    settings = tmp_path / "node.json"
    settings.write_text(json.dumps(values | {"portal": portal.address, "node": "sbc-1", "token": portal.token}))
    first = await started(settings, tmp_path)
    await configured(portal, stage)
    microsoft, carrier, placed = await calls(stage, 4)
    await hang_up(microsoft, carrier, placed[0][0])
    await eventually(lambda: len(portal.records) == 1)

    first.kill()
    await first.wait()
    await eventually(lambda: portal.line is None)
    for dialog, _ in placed[1:3]:
        await hang_up(microsoft, carrier, dialog)
    kamailio = stage.plane.daemons["kamailio"].pid
    second = await started(settings, tmp_path)
    try:
        await eventually(lambda: len(portal.records) == 3, 15)
        assert stage.plane.daemons["kamailio"].pid == kamailio
        await hang_up(microsoft, carrier, placed[3][0])
        await eventually(lambda: len(portal.records) == 4)
    finally:
        second.terminate()
        await asyncio.wait_for(second.wait(), 30)

    assert len({each["id"] for each in portal.records.values()}) == 4
    assert not any(each["end_unknown"] for each in portal.records.values())
    assert portal.hellos[-1].held == {"region:1": 1, "msp:3": 1, "cust:17": 1, "cust:18": 1}
    assert stage.plane.daemons["kamailio"].pid is None


def vars_of(stage: Stage) -> dict:
    return {field.name: getattr(stage.settings, field.name) for field in dataclasses.fields(stage.settings)}


async def started(settings, tmp_path) -> asyncio.subprocess.Process:
    with (tmp_path / "node.log").open("ab") as log:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "sbc.node", "--settings", str(settings), stdout=log, stderr=log
        )


async def test_a_node_that_cannot_start_says_why_and_starts_when_it_can(stage, portal, caplog):
    certificate = stage.settings.certificate
    hidden = certificate.rename(certificate.with_suffix(".hidden"))
    settings = LinkSettings(portal.address, portal.token, "sbc-1")
    files = Files(stage.settings.directory, stage.settings.records)
    node = NodeProcess(files, settings, stage.engine, Supervisor(stage.plane))
    task = asyncio.create_task(node.run())
    try:
        await eventually(lambda: portal.gauges)  # the portal sees it all the same
        assert not portal.gauges[-1].kamailio
        message = portal.message("cust:17", 1, [Row("tn", "17", "m=3;st=1;g=1")])
        await portal.send(message)
        await eventually(lambda: node.applier.waiting)
        assert "the SBC is not ready: it has no certificate yet: add one in the console" in caplog.text
        assert certificate.name in caplog.text
        hidden.rename(certificate)
        assert (await portal.receipt(message.nonce)).version == 1
        await eventually(lambda: portal.gauges[-1].kamailio)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    assert caplog.text.count("the SBC is not ready") == 1


async def test_a_second_node_on_the_same_address_takes_nothing_and_says_why(stage, tmp_path, caplog):
    await stage.plane.start(stage.rows())
    second = Supervisor(DataPlane(stage.settings.but(directory=tmp_path / "second")))
    try:
        await second.start(stage.rows())
        assert second.running() == {"kamailio": False, "rtpengine": False, "haproxy": False, "disk": True}
        assert stage.plane.daemons["haproxy"].pid is not None
    finally:
        await second.stop()

    assert "is taken: does another node run on this machine?" in caplog.text
