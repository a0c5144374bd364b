"""The lab against a real SBC: Kamailio, rtpengine and HAProxy as the node runs them. Microsoft may refuse nothing."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from lab import ca, sip, transport
from lab.behaviour import Behaviour
from lab.exchange import Lab, Order
from lab.scenario import Scenario
from lab.settings import Clocks, LabSettings
from lab.tests.conftest import LOOPBACK, until
from sbc.node.daemons import DataPlane
from sbc.node.settings import NodeSettings

pytestmark = [pytest.mark.sip, pytest.mark.asyncio(loop_scope="module")]

NODE, MICROSOFT, CARRIERS = f"{LOOPBACK}.190.1", f"{LOOPBACK}.191", f"{LOOPBACK}.192"
BASE = "sbc.northwind.example"
ACME, GLOBEX = f"acme.{BASE}", f"globex.{BASE}"
ALICE, BOB, GINA = "+493023125001", "+493023125002", "+12125550101"
ABROAD = "+442079460123"


def rows() -> list[tuple[str, str, str]]:
    names = [
        ("rg", f"ms{index}", f"h={name};a={MICROSOFT}.{index};p=5061")
        for index, name in enumerate(ca.MICROSOFT_NAMES, 1)
    ]
    customers = [(17, ACME, (ALICE, BOB), "DE"), (18, GLOBEX, (GINA,), "US")]
    found = [("rg", "allow", f"{CARRIERS}.0/24"), ("rg", "msnets", f"{MICROSOFT}.0/24"), ("bd", BASE, "3"), *names]
    for number, host in ((12, 1), (13, 2)):
        gateway = f"h={CARRIERS}.{host};p=5060;t=udp;a=ip;cps=0;cc=0;m=3;o=0;fw=own;st=1"
        found += [("gw", f"g{number}", gateway), ("sr", f"{CARRIERS}.{host}", "1")]
    found.append(("gw", "g14", f"h={CARRIERS}.3;p=5060;t=udp;a=digest;cps=0;cc=0;m=3;o=0;fw=own;st=1"))
    found += [("au", "g14.u", "strowger"), ("au", "g14.p", "s;=, 'secret\""), ("au", "g14.r", "carrier.lab")]
    found.append(("gw", "g15", f"h={CARRIERS}.1;p=5070;t=tcp;a=ip;cps=0;cc=0;m=3;o=0;fw=orig;st=1"))
    for pk, fqdn, numbers, country in customers:
        found += [("rt", f"{pk}.43.00:81", "r=8;g=g14"), ("rt", f"{pk}.43.00:82", "r=9;g=g15")]
        found += [("ip", f"{pk}:{CARRIERS}.{host}", f"g{11 + host}") for host in (1, 2)]
        found += [("rt", f"{pk}.43.00:", "r=0;g=g12,g13"), ("rt", f"{pk}.43.00:44", "r=7;g=g13")]
        found += [("em", f"{pk}:112", "x=0;g=g12"), ("fq", fqdn, str(pk))]
        found += [("dn", number[1:], f"t={pk};st=1;in=teams") for number in numbers]
        limits = f"m=3;st=1;cps=50;cc=30;g=43;fq={fqdn};def={numbers[0][1:]};scr=refuse;fx=0;co={country}"
        found.append(("tn", str(pk), limits))
    return found


SCENARIO = {
    "bases": [BASE],
    "customers": [
        {"name": "acme", "fqdn": ACME, "numbers": [ALICE, BOB]},
        {"name": "globex", "fqdn": GLOBEX, "numbers": [GINA]},
    ],
    "carriers": [
        {"name": "A", "host": f"{CARRIERS}.1"},
        {"name": "B", "host": f"{CARRIERS}.2"},
        {"name": "tcp", "host": f"{CARRIERS}.1", "port": 5070, "transport": "tcp"},
        {"name": "digest", "host": f"{CARRIERS}.3", "username": "strowger", "password": "s;=, 'secret\""},
    ],
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lab(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lab]:
    settings = LabSettings(
        folder=tmp_path_factory.mktemp("sbc"),
        microsoft=tuple((name, f"{MICROSOFT}.{index}") for index, name in enumerate(ca.MICROSOFT_NAMES, 1)),
        sbc=(NODE, 5061),
        sbc_carrier_side=(NODE, 5060),
        clocks=Clocks(2.0, 6.0, 0.5, 2.0, (0.05, 0.1), (1.0, 2.0), 20.0),
        seed=7,
    )
    ca.build(settings.certificates, [BASE])
    running = Lab(settings, Scenario.of(SCENARIO))
    await running.start()
    yield running
    await running.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module", autouse=True)
async def node(lab: Lab) -> AsyncIterator[DataPlane]:
    plane = DataPlane(node_settings(lab.settings.folder, lab.settings.certificates))
    try:
        await plane.start(rows())
        yield plane
    finally:
        await plane.stop()


def node_settings(folder: Path, certificates: Path) -> NodeSettings:
    return NodeSettings(
        directory=folder / "node",
        address=NODE,
        inside=NODE,
        certificate=certificates / "sbc.pem",
        microsoft_roots=certificates / "microsoft-root.pem",
        microsoft_options_every=2,
        trunk_options_every=2,
        shared_memory_mb=64,
        table_bits=10,
    )


@pytest_asyncio.fixture(autouse=True, loop_scope="module")
async def no_refusals(lab: Lab) -> AsyncIterator[None]:
    lab.microsoft.refusals.clear()
    yield
    assert [str(refusal) for refusal in lab.microsoft.refusals] == []


async def test_options_go_to_all_names_and_come_back_from_all(lab: Lab):
    await until(lambda: {(BASE, name) for name in ca.MICROSOFT_NAMES} <= lab.microsoft.answers.keys(), 10)

    assert set(lab.microsoft.answers.values()) == {200}
    await asyncio.sleep(7)
    assert all(beat.flow is not None and not beat.late for beat in lab.microsoft.heartbeats.beats.values())


async def greet(certificates: Path, pem: Path | None) -> bytes:
    """Send OPTIONS as a client with this certificate; return the first line of what comes back before it is cut off."""
    tls = transport.client_tls(pem, certificates / "sbc-root.pem")
    try:
        reader, writer = await asyncio.open_connection(
            NODE, 5061, ssl=tls, server_hostname=BASE, local_addr=(f"{MICROSOFT}.1", 0)
        )
    except ssl.SSLError:
        return b""
    request = f"OPTIONS sip:{BASE} SIP/2.0\r\nVia: SIP/2.0/TLS {MICROSOFT}.1;branch={sip.new_branch()}\r\n"
    request += f"From: <sip:a@{BASE}>;tag=1\r\nTo: <sip:{BASE}>\r\nCall-ID: {sip.new_tag()}\r\nCSeq: 1 OPTIONS\r\n"
    writer.write(f"{request}Max-Forwards: 9\r\nContent-Length: 0\r\n\r\n".encode())
    try:
        async with asyncio.timeout(5):
            return await reader.readline()
    except ConnectionError:
        return b""
    finally:
        writer.close()


@pytest.mark.parametrize("forgery", [*ca.FORGERIES, None])
async def test_who_forges_microsofts_certificate_is_cut_off(lab: Lab, forgery: str | None):
    certificates = lab.settings.certificates

    said = await greet(certificates, certificates / "forgeries" / f"{forgery}.pem" if forgery else None)

    assert said == b""


async def test_microsofts_server_certificate_is_accepted_from_a_client(lab: Lab):
    certificates = lab.settings.certificates

    assert await greet(certificates, certificates / "sip2.pem") == b"SIP/2.0 200 OK\r\n"


async def test_a_teams_user_calls_out_with_sound_both_ways(lab: Lab):
    call = await lab.microsoft.place_call(ACME, ALICE, "+33199004000")
    assert call.code == 200
    far = lab.carriers["A"].newest("+33199004000")
    await until(lambda: call.media.received > 10 and far.media.received > 10)

    assert await call.hang_up() == 200

    await until(far.ended.is_set)
    assert (call.media.refused, far.media.refused) == (0, 0)
    assert far.remote.uri.number == ALICE


async def test_both_ends_hear_the_reports_of_the_other(lab: Lab):
    call = await lab.microsoft.place_call(ACME, ALICE, "+33199004010")
    far = lab.carriers["A"].newest("+33199004010")

    await until(lambda: call.media.reports > 1 and far.media.reports > 1, 8)

    await call.hang_up()


async def test_the_number_decides_which_carrier_takes_the_call(lab: Lab):
    outcome = await lab.place(Order(ALICE, ABROAD, seconds=0.2))

    assert (outcome.code, outcome.taken_by) == (200, ["B"])


async def test_a_teams_user_holds_and_resumes(lab: Lab):
    call = await lab.microsoft.place_call(ACME, ALICE, "+33199004001")
    far = lab.carriers["A"].newest("+33199004001")

    assert await call.hold() == 200
    assert far.remote_sdp.direction == "inactive"
    assert await call.resume() == 200
    assert far.remote_sdp.direction == "sendrecv"
    before = call.media.received
    await until(lambda: call.media.received > before + 10)
    assert await call.hang_up() == 200


async def test_the_called_party_hangs_up_first(lab: Lab):
    call = await lab.microsoft.place_call(ACME, ALICE, "+33199009200")

    await asyncio.wait_for(call.ended.wait(), 3)
    assert call.ended_by == "other end"


@pytest.mark.parametrize("carrier", ["A", "B"])
async def test_a_call_from_the_world_reaches_a_teams_user(lab: Lab, carrier: str):
    call = await lab.carriers[carrier].place_call(ABROAD, BOB)
    assert call.code == 200
    user = lab.microsoft.newest(BOB)
    assert user.remote.uri.number == ABROAD
    assert user.target.host == ACME
    await until(lambda: user.media.received > 10)

    assert await user.hold() == 200
    assert await user.resume() == 200
    assert await call.hang_up() == 200
    await until(user.ended.is_set)


async def test_a_teams_user_hangs_up_on_a_caller_by_another_connection(lab: Lab):
    call = await lab.carriers["A"].place_call(ABROAD, BOB)

    assert await lab.microsoft.newest(BOB).hang_up() == 200
    await until(call.ended.is_set)


async def test_a_carrier_may_call_by_tcp(lab: Lab):
    call = await lab.carriers["tcp"].place_call(ABROAD, BOB)

    assert call.code == 200
    assert await call.hang_up() == 200


async def test_a_hidden_caller_stays_hidden(lab: Lab):
    call = await lab.carriers["A"].place_call(ABROAD, BOB, anonymous=True)
    user = lab.microsoft.newest(BOB)

    assert user.remote.uri.user == "anonymous"
    await call.hang_up()

    out = await lab.microsoft.place_call(ACME, ALICE, "+33199004002", anonymous=True)
    assert lab.carriers["A"].newest("+33199004002").remote.uri.user == "anonymous"
    await out.hang_up()


async def test_an_emergency_call_passes_with_its_location(lab: Lab):
    call, headers, body = lab.microsoft.call(ACME, ALICE, "112", emergency=True)
    assert await call.place(*headers, body=body) == 200
    await until(lambda: call.media.received > 5)
    await call.hang_up()

    invite = [request for request in lab.carriers["A"].received if request.method == "INVITE"][-1]
    assert invite.uri.user == "112"
    assert b"pidf" in invite.body


async def test_a_forwarded_call_presents_a_number_of_the_customer(lab: Lab):
    call = await lab.microsoft.place_call(ACME, ABROAD, "+33199004003", diverted_by=ALICE)

    assert call.code == 200
    assert lab.carriers["A"].newest("+33199004003").remote.uri.number == ALICE
    await call.hang_up()


async def test_a_foreign_caller_is_refused(lab: Lab):
    assert (await lab.microsoft.place_call(ACME, GINA, "+33199004004")).code == 403


async def test_customers_call_each_other_inside(lab: Lab):
    call = await lab.microsoft.place_call(ACME, ALICE, GINA)
    assert call.code == 200
    gina = lab.microsoft.newest(GINA)
    assert gina.target.host == GLOBEX
    await until(lambda: gina.media.received > 5 and call.media.received > 5)

    assert await call.hang_up() == 200
    await until(gina.ended.is_set)


@pytest.mark.parametrize("code", [404, 480, 486, 603])
async def test_an_answer_that_says_no_comes_back_unchanged(lab: Lab, code: int):
    assert (await lab.microsoft.place_call(ACME, ALICE, f"+33199009{code}")).code == code


async def test_a_carrier_in_trouble_is_passed_over(lab: Lab):
    lab.carriers["A"].mood = "overloaded"
    try:
        outcome = await lab.place(Order(ALICE, "+33199004005", seconds=0.1))
    finally:
        lab.carriers["A"].mood = "well"

    assert (outcome.code, outcome.taken_by) == (200, ["A", "B"])


async def test_a_caller_gives_up(lab: Lab):
    call, headers, _ = lab.microsoft.call(ACME, ALICE, "+33199009180")
    calling = asyncio.create_task(call.place(*headers))
    await asyncio.wait_for(call.ringing.wait(), 3)
    far = lab.carriers["A"].newest("+33199009180")

    await call.cancel()

    assert await asyncio.wait_for(calling, 3) == 487
    await until(far.ended.is_set)


async def test_two_ringing_devices_and_early_media_end_in_an_answer(lab: Lab):
    for ending in ("9182", "9183"):
        call = await lab.microsoft.place_call(ACME, ALICE, f"+3319900{ending}")
        assert call.code == 200
        await call.hang_up()


async def test_microsoft_in_two_devices_rings_and_answers(lab: Lab, monkeypatch: pytest.MonkeyPatch):
    for kind in ("fork", "early"):
        monkeypatch.setitem(lab.microsoft.rules, BOB, Behaviour(kind))
        call = await lab.carriers["A"].place_call(ABROAD, BOB)
        assert call.code == 200
        await call.hang_up()


async def test_a_carrier_that_wants_a_password_gets_it(lab: Lab):
    outcome = await lab.place(Order(ALICE, "+819012345678", seconds=0.2))

    assert (outcome.code, outcome.taken_by) == (200, ["digest"])


async def test_a_trunk_over_tcp_carries_a_call_to_its_end(lab: Lab):
    call = await lab.microsoft.place_call(ACME, ABROAD, "+82212345678", diverted_by=ALICE)
    far = lab.carriers["tcp"].newest("+82212345678")
    assert call.code == 200
    assert far.invite.flow.protocol == "TCP"
    # This trunk takes a forwarded call's original caller.
    assert far.remote.uri.number == ABROAD
    await until(lambda: call.media.received > 5)

    assert await far.hang_up() == 200
    await until(call.ended.is_set)


async def test_a_held_call_of_a_carrier_resumes(lab: Lab):
    call = await lab.carriers["A"].place_call(ABROAD, BOB)
    user = lab.microsoft.newest(BOB)

    assert await call.hold() == 200
    assert user.remote_sdp.direction == "inactive"
    assert await call.resume() == 200
    assert await call.hang_up() == 200
    await until(user.ended.is_set)


async def test_many_calls_at_once_keep_apart(lab: Lab):
    called = [f"+3319900{number}" for number in range(5100, 5120)]

    calls = await asyncio.gather(*(lab.microsoft.place_call(ACME, ALICE, number) for number in called))
    assert [call.code for call in calls] == [200] * 20
    await until(lambda: all(call.media.received > 5 for call in calls))
    assert [await call.hang_up() for call in calls] == [200] * 20
    assert sum(call.media.refused for call in calls) == 0


@pytest.mark.parametrize("overloaded", [ca.MICROSOFT_NAMES[:1], ca.MICROSOFT_NAMES[:2]])
async def test_an_overloaded_name_of_microsoft_is_passed_over(lab: Lab, overloaded: tuple[str, ...]):
    lab.microsoft.overloaded.update(overloaded)
    try:
        call = await lab.carriers["A"].place_call(ABROAD, BOB)
    finally:
        lab.microsoft.overloaded.clear()

    assert call.code == 200
    assert lab.microsoft.newest(BOB).invite.request.uri.host == ca.MICROSOFT_NAMES[len(overloaded)]
    await call.hang_up()


async def test_a_persons_no_is_never_tried_elsewhere(lab: Lab, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(lab.microsoft.rules, BOB, Behaviour("refuse", 603))
    lab.microsoft.received.clear()

    assert (await lab.carriers["A"].place_call(ABROAD, BOB)).code == 603
    assert [request.method for request in lab.microsoft.received].count("INVITE") == 1


async def test_a_silent_carrier_is_passed_over_but_not_for_emergencies(lab: Lab):
    lab.carriers["A"].mood = "deaf"
    try:
        outcome = await lab.place(Order(ALICE, "+33199004006", seconds=0.1))
        assert (outcome.code, outcome.taken_by) == (200, ["B"])
    finally:
        lab.carriers["A"].mood = "well"

    # It is marked down now; an emergency call whose only trunk it is goes there all the same.
    outcome = await lab.place(Order(ALICE, "112", seconds=0.1))
    assert (outcome.code, outcome.taken_by) == (200, ["A"])


async def test_calls_survive_a_planned_restart_and_nothing_slips_past_it(lab: Lab, node: DataPlane):
    running = await lab.microsoft.place_call(ACME, ALICE, "+33199004007")
    far = lab.carriers["B"].newest("+33199004007") or lab.carriers["A"].newest("+33199004007")
    ringing, headers, _ = lab.microsoft.call(ACME, BOB, "+442079460001")
    lab.carriers["B"].rules["+442079460001"] = Behaviour("ring")
    calling = asyncio.create_task(ringing.place(*headers))
    await asyncio.wait_for(ringing.ringing.wait(), 3)
    slow = lab.carriers["B"].newest("+442079460001")

    await node.restart_kamailio(rows())
    # Whoever was ringing answers into a void; no_refusals sees whether the carrier's own Contact comes through.
    await slow._answer(slow.invite)
    await asyncio.sleep(1)
    calling.cancel()

    assert await running.hang_up() == 200
    await until(far.ended.is_set)
