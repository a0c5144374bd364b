"""What must not get in: forged certificates, unknown sources, smuggled headers, broken SIP."""

import asyncio
import random
import ssl
from pathlib import Path

import pytest

from sbc.tests.sip.certificates import CLIENT, MAIL, SERVER, Authority
from sbc.tests.sip.message import SDP, SRTP_SDP
from sbc.tests.sip.phone import StreamPhone, UdpPhone
from sbc.tests.sip.stage import ACME, Stage

pytestmark = [pytest.mark.sip, pytest.mark.asyncio(loop_scope="module")]

GENUINE = "sip.pstnhub.microsoft.com"


async def answers_options(
    stage: Stage, pem: Path | None, source: str = "", context: ssl.SSLContext | None = None
) -> bool:
    """Tell whether who comes with this certificate from this address gets to talk SIP."""
    s = stage.settings
    phone = StreamPhone(
        source or f"{stage.net}.9", 0, (s.address, s.microsoft_port), dial=context or stage.authority.dialling(pem)
    )
    try:
        await phone.connect()
        options = phone.request("OPTIONS", f"sip:{ACME}:5061", sender="<sip:x@y>;tag=1", to=f"<sip:{ACME}>")
        phone.send(options.build())
        await phone.expect("OPTIONS", 200, patience=1)
        return True
    except (OSError, AssertionError):
        return False
    finally:
        await phone.stop()


PEERS = {
    "chained, both purposes": ({"cn": GENUINE, "names": [GENUINE], "uses": [SERVER, CLIENT]}, True),
    "chained, server only": ({"cn": GENUINE, "names": [GENUINE], "uses": [SERVER]}, True),
    "chained, no purpose said": ({"cn": GENUINE, "names": [GENUINE], "uses": []}, True),
    "chained, only the common name": ({"cn": GENUINE, "names": [], "uses": [SERVER]}, True),
    "chained, in capitals": ({"cn": "x", "names": ["SIP.PSTNHUB.Microsoft.COM"], "uses": [SERVER]}, True),
    "chained, among other names": (
        {"cn": "x", "names": ["a.example", "sip3.pstnhub.microsoft.com"], "uses": [SERVER]},
        True,
    ),
    "self-signed": ({"cn": GENUINE, "names": [GENUINE], "uses": [SERVER], "self_signed": True}, False),
    "chained, another name": ({"cn": "sip.example.com", "names": ["sip.example.com"], "uses": [SERVER, CLIENT]}, False),
    "no label boundary": ({"cn": "x", "names": ["evilpstnhub.microsoft.com"], "uses": [SERVER]}, False),
    "name as a prefix": ({"cn": "x", "names": [f"{GENUINE}.evil.example"], "uses": [SERVER]}, False),
    "common name against its own names": ({"cn": GENUINE, "names": ["evil.example"], "uses": [SERVER]}, False),
    "for mail": ({"cn": GENUINE, "names": [GENUINE], "uses": [MAIL]}, False),
    "expired": ({"cn": GENUINE, "names": [GENUINE], "uses": [SERVER], "days": -1}, False),
}


@pytest.mark.parametrize("peer", PEERS)
async def test_only_microsofts_certificates_open_the_microsoft_listener(stage: Stage, peer: str):
    options, welcome = PEERS[peer]

    pem = stage.authority.issue("peer", **options)

    assert await answers_options(stage, pem) == welcome


async def test_certificates_of_nobody_and_of_another_authority(stage: Stage, tmp_path: Path):
    other = Authority(tmp_path, "Other CA")
    forged = other.issue("forged", GENUINE, [GENUINE], [SERVER])

    assert not await answers_options(stage, None)
    assert not await answers_options(stage, None, context=other_context(stage, forged))


def other_context(stage: Stage, pem: Path) -> ssl.SSLContext:
    return stage.authority.dialling(pem)


async def test_only_microsofts_networks_and_only_tls_1_2(stage: Stage):
    old = stage.authority.dialling(stage.microsoft_pem)
    old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_3

    assert not await answers_options(stage, stage.microsoft_pem, source=f"{stage.net}.99")
    assert not await answers_options(stage, None, context=old)
    await stage.change(("rg", "msnets", f"{stage.net}.99/32"))
    assert await answers_options(stage, stage.microsoft_pem, source=f"{stage.net}.99")
    assert not await answers_options(stage, stage.microsoft_pem)


async def test_the_name_in_the_request_counts_on_the_microsoft_listener_only(stage: Stage):
    teams, carrier = await stage.microsoft(), await stage.carrier(1)

    stage.invite_from_teams(teams, "+442071234567", host="nobody.sbc.northwind.example")
    await teams.expect("INVITE", 404)
    invite = carrier.request(
        "INVITE",
        f"sip:+442071234567@{ACME}:5061;transport=tls",
        sender="<sip:+4930111@x>;tag=1",
        to=f"<sip:+44@{ACME}>",
        body=SDP.format(address=carrier.address, port=1),
    )
    carrier.send(invite.build())

    carrier.ack(invite, await carrier.expect("INVITE", 404))
    kinds = [event["kind"] for event in await stage.engine.fetch_events() if event["type"] == "alarm"]
    assert sorted(kinds) == ["unknown_name", "unknown_number"]


async def test_a_forged_proxy_header_stays_outside(stage: Stage):
    """Carriers' TCP goes through HAProxy, so a PROXY header from outside is not SIP and nothing else."""
    reader, writer = await asyncio.open_connection(
        stage.settings.address, stage.settings.carrier_port, local_addr=(f"{stage.net}.99", 0)
    )
    options = "\r\n".join(
        (
            "OPTIONS sip:x SIP/2.0",
            f"Via: SIP/2.0/TCP {stage.net}.65;branch=z9hG4bKp",
            "From: <sip:a@b>;tag=1",
            "To: <sip:a@b>",
            "Call-ID: p",
            "CSeq: 1 OPTIONS",
            "Content-Length: 0\r\n\r\n",
        )
    )
    writer.write(f"PROXY TCP4 {stage.net}.65 {stage.net}.5 5060 5060\r\n{options}".encode())
    try:
        async with asyncio.timeout(0.7):
            said = await reader.read(4000)
    except TimeoutError:
        said = b""
    writer.close()

    assert b"SIP/2.0 200" not in said


async def test_an_unknown_source_is_refused_and_a_flooder_is_not_answered(stage: Stage):
    s = stage.settings
    stranger = UdpPhone(f"{stage.net}.99", 5060, (s.address, s.carrier_port))
    await stranger.start()
    stage.phones.append(stranger)
    invite = stage.invite_from_carrier(stranger, "4930112")
    await stranger.expect("INVITE", 403)

    for _ in range(150):
        stranger.send(stranger.request("OPTIONS", invite.uri, sender="<sip:a@b>;tag=1", to="<sip:a@b>").build())
        await asyncio.sleep(0.001)
    await asyncio.sleep(0.2)

    assert len([each for each in stranger.seen if each.code == 403]) < 60
    carrier = await stage.carrier(1)
    carrier.send(carrier.request("OPTIONS", f"sip:{s.address}", sender="<sip:a@b>;tag=1", to="<sip:a@b>").build())
    await carrier.expect("OPTIONS", 200)


async def test_the_connections_of_one_stranger_are_counted(stage: Stage):
    s = stage.settings
    opened, refused = [], 0
    for _ in range(120):
        try:
            opened.append(await asyncio.open_connection(s.address, s.carrier_port, local_addr=(f"{stage.net}.200", 0)))
        except ConnectionResetError:  # before we had seen that it was open
            refused += 1
    done, held = await asyncio.wait([asyncio.ensure_future(reader.read(1)) for reader, _ in opened], timeout=0.5)
    _, other = await asyncio.open_connection(s.address, s.carrier_port, local_addr=(f"{stage.net}.201", 0))
    for task in held:
        task.cancel()
    for writer in (other, *(writer for _, writer in opened)):
        writer.close()

    assert (len(done) + refused, len(held)) == (20, 100)
    await stage.microsoft()


async def test_who_calls_nobodys_numbers_without_end_is_answered_and_fills_no_disk(stage: Stage):
    carrier = await stage.carrier(1)
    before = len(stage.lines())
    await stage.new_second()
    for number in range(50):
        stage.invite_from_carrier(carrier, f"49999{number:04}")

    for _ in range(50):
        await carrier.expect("INVITE", 404)
    await asyncio.sleep(0.2)

    # The fifty may fall into two seconds.
    assert 20 <= len(stage.lines()) - before <= 40


async def test_headers_that_only_we_may_write_come_from_nobody_else(stage: Stage):
    teams, carrier = await stage.microsoft(), await stage.carrier(1)
    smuggled = (
        ("P-Preferred-Identity", "<sip:+4989222@x>"),
        ("Remote-Party-ID", "<sip:+4989222@x>"),
        ("Route", f"<sip:{carrier.address}:5099;lr>"),
        ("Diversion", "<sip:+4989222@x>"),
    )

    stage.invite_from_teams(teams, "+442071234567", headers=smuggled)
    got = await carrier.expect("INVITE")
    carrier.reply(got, 486, headers=(("P-Asserted-Identity", "<sip:+4989222@x>"),))
    answer = await teams.expect("INVITE", 486)

    for name, _ in smuggled:
        assert not got.all(name), name
    assert not answer.all("P-Asserted-Identity")


MALFORMED = {
    "bad CSeq method": ("CSeq: 1 INVITE", "CSeq: 1 BYE", 400),
    "no CSeq": ("CSeq: 1 INVITE\r\n", "", 0),
    "bad Content-Length": ("Content-Length: ", "Content-Length: 9", 0),
    "no From tag": (";tag=", ";tug=", 0),
    "delayed offer": ("Content-Type: application/sdp\r\n", "", 0),
    "replaces": ("Max-Forwards: 70\r\n", "Max-Forwards: 70\r\nReplaces: abc;to-tag=1;from-tag=2\r\n", 501),
    "used up": ("Max-Forwards: 70", "Max-Forwards: 0", 483),
}


@pytest.mark.parametrize("fault", MALFORMED)
async def test_malformed_requests_go_nowhere(stage: Stage, fault: str):
    carrier, teams = await stage.carrier(1), await stage.microsoft()
    old, new, code = MALFORMED[fault]
    invite = carrier.request(
        "INVITE",
        f"sip:4930112@{stage.settings.address}",
        sender="<sip:+44207@x>;tag=1",
        to="<sip:4930112@x>",
        body="" if fault == "delayed offer" else SDP.format(address=carrier.address, port=1),
    )

    carrier.send(invite.build().replace(old.encode(), new.encode()))

    if code:
        await carrier.expect("", code)
    if fault == "delayed offer":
        await carrier.expect("INVITE", 488)
    elif fault != "no From tag":
        await teams.silence("INVITE", 0.15)


async def test_thousands_of_mutations_do_not_stop_it(stage: Stage):
    carrier, chance = await stage.carrier(1), random.Random(17)
    whole = stage.invite_from_carrier(carrier, "4930112", body=SRTP_SDP.format(address=carrier.address, port=1)).build()

    for _ in range(3000):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 12)):
            at = chance.randrange(len(data))
            match chance.randrange(3):
                case 0:
                    data[at] = chance.randrange(256)
                case 1:
                    del data[at : at + chance.randrange(20)]
                case _:
                    data[at:at] = bytes(chance.choices(b'\r\n<>;:@,"|\0 %', k=chance.randrange(6)))
        carrier.send(bytes(data))
        await asyncio.sleep(0)
    await asyncio.sleep(0.3)

    carrier.send(
        carrier.request("OPTIONS", f"sip:{stage.settings.address}", sender="<sip:a@b>;tag=1", to="<sip:a@b>").build()
    )
    await carrier.expect("OPTIONS", 200)
    assert stage.plane.daemons["kamailio"].pid is not None
    assert stage.lines()


@pytest.mark.parametrize(("host", "code"), [("sbc.northwind.example", 200), (ACME, 200), ("other.example", 404)])
async def test_microsofts_options_are_answered_for_our_names(stage: Stage, host: str, code: int):
    teams = await stage.microsoft()

    teams.send(
        teams.request("OPTIONS", f"sip:{host}:5061;transport=tls", sender="<sip:a@b>;tag=1", to=f"<sip:{host}>").build()
    )

    answer = await teams.expect("OPTIONS", code)
    if code == 200:
        assert answer.contact_uri == f"sip:{host}:5061;transport=tls" and "REFER" not in answer.get("Allow")
