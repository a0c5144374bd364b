"""What others write into a call: forged tokens, text that would be record lines, addresses that lead inside."""

import asyncio
import base64
import re
import socket
import struct
import uuid
from contextlib import closing

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from sbc.tests.sip.message import SDP
from sbc.tests.sip.stage import ACME, Stage, tenant

pytestmark = [pytest.mark.sip, pytest.mark.asyncio(loop_scope="module")]


async def test_a_token_opens_only_its_own_call(stage: Stage):
    teams, carrier = await stage.microsoft(), await stage.carrier(1)
    invite = stage.invite_from_teams(teams, "+442071234567")
    mine, _, _ = await stage.answered(teams, invite, carrier, SDP)
    good = mine.target
    token = re.search(r"xc=([\w-]+)\.(\w+)", good)
    assert token is not None

    for call_id, target, code in (
        ("another-call", good, 403),
        (mine.call_id, good.replace(token[2], "0" * 32), 403),
        (mine.call_id, good.replace(token[1], token[1][:-4] + "AAAA"), 403),
        (mine.call_id, f"sip:{ACME}:5061;transport=tls", 481),
    ):
        teams.send(teams.request("BYE", target, sender=mine.local, to=mine.remote, call_id=call_id, cseq=50).build())
        await teams.expect("BYE", code)

    assert not [each for each in carrier.inbox if each.method == "BYE"]
    mine.request("BYE")
    carrier.reply(await carrier.expect("BYE"), 200)


async def test_a_carrier_that_nobody_knows_may_end_a_call_that_it_was_given(stage: Stage):
    """A trunk for outbound calls only has no row in `ip`; its BYE carries our token."""
    teams, carrier = await stage.microsoft(), await stage.carrier(3)
    await stage.change(("gw", "g1", stage.trunk(3)))
    await stage.engine.delete_rows([("sr", carrier.address)])
    invite = stage.invite_from_teams(teams, "+442071234567")
    _, theirs, _ = await stage.answered(teams, invite, carrier, SDP)

    theirs.request("BYE")

    teams.reply(await teams.expect("BYE"), 200)
    await carrier.expect("BYE", 200)


async def test_a_carrier_that_nobody_knows_may_end_many_calls_at_once(stage: Stage):
    """More than a stranger may send before he is banned: its customers would pay until the silence is noticed."""
    teams, carrier = await stage.microsoft(), await stage.carrier(3)
    await stage.change(
        ("gw", "g1", stage.trunk(3)), ("tn", "17", tenant(fq=ACME, default="4930111", cps=1000, channels=1000))
    )
    await stage.engine.delete_rows([("sr", carrier.address)])
    dialogs = []
    for _ in range(80):
        _, theirs, _ = await stage.answered(teams, stage.invite_from_teams(teams, "+442071234567"), carrier, SDP)
        dialogs.append(theirs)

    for each in dialogs:
        each.request("BYE")

    for _ in dialogs:
        teams.reply(await teams.expect("BYE", patience=1), 200)
    # The second of so many calls of this customer has to pass: its limit is an ordinary one again in the next test.
    await asyncio.sleep(1.1)


@pytest.mark.parametrize(
    "header",
    [
        "Call-ID: a|b|c%7C&z=1",
        "User-Agent: <script>alert(1)</script>|&k=a&z=1",
        'From: "x|y&k=e" <sip:+4930111@x>;tag=a|b',
    ],
)
async def test_hostile_text_cannot_write_records(stage: Stage, header: str):
    teams, carrier = await stage.microsoft(), await stage.carrier(1)
    name, _, value = header.partition(": ")
    invite = stage.invite_from_teams(teams, "+442071234567", send=False)
    invite.headers = [(each, value if each == name else text) for each, text in invite.headers]

    teams.send(invite.build())
    got = await carrier.expect("INVITE")
    carrier.reply(got, 486, 'Busy|&k=a&id=1"', headers=(("Reason", "Q.850;cause=17|&k=a;text=x"),))
    await teams.expect("INVITE", 486)

    call_id = invite.get("Call-ID")
    record = await stage.record(call_id)
    assert record["call_id"] == call_id and record["reason"] == 'Busy|&k=a&id=1"'
    if name == "User-Agent":
        assert record["user_agent"] == value


@pytest.mark.parametrize("header", ["Contact", "Record-Route"])
async def test_nobody_adds_a_part_of_his_own_to_a_token(stage: Stage, header: str):
    """The first part is the id under which an end that comes too late is recorded, and would be a line of his."""
    caller, called = await stage.carrier(1), await stage.carrier(3)
    forged = f"<sip:{caller.address}:5060;lr;x=||{caller.address}:5060|1&k=f&t=18&co=200&z=1|{caller.address}:5060>"
    contact = forged if header == "Contact" else caller.contact

    stage.invite_from_carrier(
        caller, "4930115", contact=contact, headers=(() if contact == forged else ((header, forged),))
    )

    token = re.search(r";xc=([\w-]+)[.]", (await called.expect("INVITE")).contact_uri)[1]
    parts = unveiled(stage, token).split("|")
    source = f"{caller.address}:5060;transport=udp"
    assert (len(parts), parts[1], parts[2], parts[4]) == (5, f"sip:{source}", "", source)
    assert str(uuid.UUID(parts[0])) == parts[0]


async def test_nothing_is_so_long_that_the_end_of_a_call_gets_lost(stage: Stage):
    teams, carrier = await stage.microsoft(), await stage.carrier(1)
    endless = "%<" * 7500  # three times as long again once it is encoded
    carrier_contact = ("Contact", f"<sip:{carrier.address}:5060;x={'y' * 27_000}>")

    invite = stage.invite_from_teams(teams, "+442071234567")
    got = await carrier.expect("INVITE")
    carrier.reply(got, 200, body=SDP.format(address=carrier.address, port=41000), headers=(carrier_contact,))
    call = stage.caller(teams, invite, await teams.expect("INVITE", 200))
    call.request("ACK")
    await carrier.expect("ACK")
    call.request("BYE", headers=(("Reason", f'Q.850;cause=16;text="{endless}"'),))
    carrier.reply(await carrier.expect("BYE"), 200)
    record = await stage.record(invite.get("Call-ID"))
    assert record["ended"] and record["cause"] == 16 and len(record["reason"]) == 256

    refused = stage.invite_from_teams(teams, "+442071234567")
    carrier.reply(await carrier.expect("INVITE"), 486, endless)
    assert (await stage.record(refused.get("Call-ID")))["reason"] == endless[:256]

    stage.invite_from_carrier(carrier, "4930112", call_id="c" * 257)
    await carrier.expect("INVITE", 400)

    await stage.engine.fetch_events()
    strange = carrier.request(
        "INVITE", f"sip:4999999@{'h' * 20_000}", sender="<sip:1@x>;tag=1", to="<sip:1@x>", body=SDP
    )
    carrier.send(strange.build())
    await carrier.expect("INVITE", 404)
    told = [each for each in await stage.engine.fetch_events() if each["type"] == "alarm"]
    assert [each["host"] for each in told] == ["h" * 256]


@pytest.mark.parametrize("cause", ["128", "99999999999", "9" * 5000])
async def test_a_cause_that_is_none_takes_no_call_with_it(stage: Stage, cause: str):
    teams, carrier = await stage.microsoft(), await stage.carrier(1)
    odd = (("Reason", f"Q.850;cause={cause}"),)

    invite = stage.invite_from_teams(teams, "+442071234567")
    mine, _theirs, _got = await stage.answered(teams, invite, carrier, SDP)
    mine.request("BYE", headers=odd)
    carrier.reply(await carrier.expect("BYE"), 200)
    refused = stage.invite_from_teams(teams, "+442071234567")
    carrier.reply(await carrier.expect("INVITE"), 486, headers=odd)
    await teams.expect("INVITE", 486)

    ended, failed = [await stage.record(each.get("Call-ID")) for each in (invite, refused)]
    assert ended["ended"] and not ended["end_unknown"] and ended["cause"] in (None, 16)
    assert failed["ended"] and failed["cause"] is None


@pytest.mark.parametrize("where", ["contact", "route", "name"])
async def test_nobody_sends_a_request_into_the_node_or_its_network(stage: Stage, where: str):
    """An answer says where the rest of its call is to go; what leads inwards goes to where the answer came from."""
    teams, carrier = await stage.microsoft(), await stage.carrier(1)
    with closing(udp(stage.settings.inside, 0)) as door:
        inside = f"{stage.settings.inside}:{door.getsockname()[1]}"
        said = {
            "contact": (("Contact", f"<sip:x@{inside}>"),),
            "route": (("Contact", carrier.contact), ("Record-Route", f"<sip:{inside};lr>")),
            "name": (("Contact", f"<sip:localhost:{door.getsockname()[1]}>"),),
        }[where]
        invite = stage.invite_from_teams(teams, "+442071234567")
        body = SDP.format(address=carrier.address, port=41000)
        carrier.reply(await carrier.expect("INVITE"), 200, body=body, headers=said)
        call = stage.caller(teams, invite, await teams.expect("INVITE", 200))
        call.request("ACK")
        await carrier.expect("ACK")
        call.request("BYE")
        carrier.reply(await carrier.expect("BYE"), 200)
        await teams.expect("BYE", 200)
        assert not arrived(door)
    assert (await stage.record(invite.get("Call-ID")))["ended"]


@pytest.mark.parametrize("inwards", [False, True])
async def test_nobody_sends_his_sound_to_the_node_itself(stage: Stage, inwards: bool):
    """Behind such a door rtpengine takes orders: `d7:command4:pinge` would be answered, and worse ones with it."""
    caller, called = await stage.carrier(1), await stage.carrier(3)
    place = stage.settings.inside if inwards else called.address
    with closing(udp(place, 0)) as door, closing(udp(caller.address, 42000)) as sound:
        invite = stage.invite_from_carrier(caller, "4930115")
        body = SDP.format(address=place, port=door.getsockname()[1])
        called.reply(await called.expect("INVITE"), 200, body=body)
        answer = await caller.expect("INVITE", 200)
        stage.caller(caller, invite, answer).request("ACK")
        address, port = re.search(r"c=IN IP4 (\S+)", answer.body)[1], int(re.search(r"m=audio (\d+)", answer.body)[1])

        for turn in range(5):
            head = struct.pack(">BBHII", 0x80, 8, 1000 + turn, 0x01010101 + 160 * turn, 0x11111111)
            sound.sendto(head + b" d7:command4:pinge", (address, port))
            await asyncio.sleep(0.05)

        assert arrived(door) is not inwards


def unveiled(stage: Stage, token: str) -> str:
    """Return what is in a token, with the node's own key."""
    key = bytes.fromhex((stage.settings.secrets / "veil.key").read_text())
    told = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    opener = Cipher(algorithms.AES(key), modes.CBC(told[:16])).decryptor()
    plain = opener.update(told[16:]) + opener.finalize()
    return plain[: -plain[-1]].decode()


def udp(address: str, port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setblocking(False)
    made.bind((address, port))
    return made


def arrived(where: socket.socket) -> bool:
    try:
        return bool(where.recv(2000))
    except BlockingIOError:
        return False
