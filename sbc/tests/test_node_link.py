"""The line from a node to the portal: dialled again, refused, and what it carries for the eye."""

import asyncio
import ssl
import time
from dataclasses import replace

import pytest

from sbc.node.engines.memory import MemoryEngine
from sbc.node.link import LinkSettings
from sbc.node.process import Files, NodeProcess
from sbc.protocol import CertificateState, Resend
from sbc.tests.node_portal import ROUTE, TN, FakePortal, eventually, running
from sbc.tests.sip.certificates import SERVER, Authority

pytestmark = pytest.mark.usefixtures("short_waits")


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


async def test_trunk_health_travels_in_the_gauges(portal, tmp_path):
    engine = MemoryEngine()
    engine.health["g12"] = {"up": False, "code": 503, "since": 5, "checked": 9, "misses": 3}
    async with running(portal, tmp_path, engine):
        await eventually(lambda: any(gauges.trunks for gauges in portal.gauges))

    assert portal.gauges[-1].trunks == {"g12": {"up": False, "code": 503, "since": 5, "checked": 9}}
    assert portal.gauges[-1].engine == "memory"


@pytest.mark.parametrize("said", ["ws://portal:8001", "ws://portal:8001/", "ws://portal:8001/node/v1/"])
def test_the_portals_address_may_be_said_with_or_without_the_path(said):
    assert LinkSettings(said, "token", "sbc-1").address == "ws://portal:8001/node/v1/"


async def test_a_portal_whose_certificate_is_of_an_own_authority_is_dialled_by_what_the_settings_name(tmp_path):
    authority = Authority(tmp_path / "ca")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.issue("portal", "localhost", ["localhost"], [SERVER]))
    portal = FakePortal()
    portal.context = context
    await portal.start()
    try:
        stranger = LinkSettings(f"wss://localhost:{portal.port}", portal.token, "sbc-1")
        async with running(portal, tmp_path, settings=stranger):
            await asyncio.sleep(0.2)
            assert portal.hellos == []
        async with running(portal, tmp_path, settings=replace(stranger, roots=authority.roots)):
            await portal.connected()
    finally:
        await portal.stop()


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

    def certificate_state(self, nonce="", reason=""):
        return CertificateState(served="", until=0, dialled="", nonce=nonce, reason=reason)

    async def take_certificate(self, asked, rows):
        raise NotImplementedError

    async def networks_held(self):
        return set()

    async def put_certificates_right(self):
        return {}

    async def carried(self, call_ids):
        return {}

    async def take_media(self, calls):
        pass

    def end_media(self, calls):
        return {}

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
