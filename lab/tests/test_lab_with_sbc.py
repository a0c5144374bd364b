"""Calls through the lab and a real SBC, both ways, and who is let in."""

import asyncio
import ssl
from pathlib import Path

import pytest

from lab import ca, sip, transport
from lab.behaviour import Behaviour
from lab.exchange import Lab, Order
from lab.tests.conftest import until
from lab.tests.whole import (
    ABROAD,
    ACME,
    ALICE,
    BASE,
    BOB,
    GINA,
    GLOBEX,
    MICROSOFT,
    NODE,
)

pytestmark = [
    pytest.mark.sip,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.usefixtures("node", "no_refusals"),
]


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


async def test_customers_call_each_other_inside(lab: Lab):
    call = await lab.microsoft.place_call(ACME, ALICE, GINA)
    assert call.code == 200
    gina = lab.microsoft.newest(GINA)
    assert gina.target.host == GLOBEX
    await until(lambda: gina.media.received > 5 and call.media.received > 5)

    assert await call.hang_up() == 200
    await until(gina.ended.is_set)


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
