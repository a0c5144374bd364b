"""What the called side learns of a caller: nothing of a hidden one, and never more later than at first."""

import base64
import re
from pathlib import Path

import pytest

from sbc.tests.sip.message import SDP, SRTP_SDP
from sbc.tests.sip.phone import Phone
from sbc.tests.sip.stage import ACME, Stage, running

pytestmark = [pytest.mark.sip, pytest.mark.asyncio(loop_scope="module")]

NUMBER = "2071234567"
TELLING = (
    "P-Asserted-Identity", "P-Preferred-Identity", "Remote-Party-ID", "P-Charge-Info", "Reply-To", "Call-Info",
    "History-Info", "Referred-By", "b", "Diversion", "Subject", "X-Caller",
)  # fmt: skip


def telling() -> tuple[tuple[str, str], ...]:
    """Return every header that may bear a caller's number, with one in it."""
    signed = f'{{"orig":{{"tn":"44{NUMBER}"}}}}'.encode()
    identity = f"e30.{base64.urlsafe_b64encode(signed).decode()}.c2ln;info=<https://x.example>"
    return (*((name, f"<sip:+44{NUMBER}@x>") for name in TELLING), ("Identity", identity))


def told(phone: Phone) -> str:
    """Return all that was sent to somebody, and what is behind it where it is only written in another way."""
    text = "".join(each.text() for each in phone.seen)
    behind = []
    for run in re.findall(r"[\w+/-]{12,}", text):
        for cut in range(4):
            piece = run[cut:].replace("-", "+").replace("_", "/")
            behind.append(base64.b64decode(piece[: len(piece) // 4 * 4]).decode("latin-1"))
    return text + "".join(behind)


async def test_a_hidden_caller_stays_hidden(stage: Stage):
    teams, carrier = await stage.microsoft(), await stage.carrier(1)

    invite = stage.invite_from_carrier(
        carrier, "4930112", sender='"Anonymous" <sip:anonymous@anonymous.invalid>', headers=(("Privacy", "id"),)
    )
    got = await teams.expect("INVITE")

    assert got.get("From").startswith(f'"Anonymous" <sip:anonymous@{ACME}>') and got.get("Privacy") == "id"
    for name in ("Contact", "Record-Route", "From", "To"):
        assert not re.search(r"127\.\d+\.\d+\.\d+", got.get(name)), got.text()
    teams.reply(got, 486)
    carrier.ack(invite, await carrier.expect("INVITE", 486))
    assert (await stage.record(invite.get("Call-ID")))["caller"] == ""


@pytest.mark.parametrize("called", ["4930112", "4930115"], ids=["to Teams", "to the customer's own exchange"])
async def test_nobody_who_is_called_learns_a_hidden_number(stage: Stage, called: str):
    carrier = await stage.carrier(1)
    callee = await (stage.microsoft() if called == "4930112" else stage.carrier(3))
    await stage.change(("gw", "g3", stage.trunk(3, o=17)))
    name = f'"Jane Roe" <sip:+44{NUMBER}@{carrier.address}>'
    contact = ("Contact", f"<sip:+44{NUMBER}@{carrier.address}:5060>")
    sdp = SRTP_SDP if called == "4930112" else SDP

    invite = stage.invite_from_carrier(
        carrier, called, sender=name, contact=contact[1], headers=(("Privacy", "id"), *telling())
    )
    mine, theirs, got = await stage.answered(carrier, invite, callee, sdp)
    theirs.request("INVITE", body=sdp.format(address=callee.address, port=41000))
    said = SDP.format(address=carrier.address, port=42000)
    carrier.reply(await carrier.expect("INVITE"), 200, body=said, headers=(contact, *telling()))
    again = await callee.expect("INVITE", 200)
    theirs.target = again.contact_uri
    theirs.request("ACK")
    await carrier.expect("ACK")
    mine.request("INVITE", body=said, headers=telling())
    callee.reply(await callee.expect("INVITE"), 488)
    await carrier.expect("INVITE", 488)
    mine.request("BYE", headers=(("Reason", "Q.850;cause=16"), *telling()))
    bye = await callee.expect("BYE")
    callee.reply(bye, 200)
    await carrier.expect("BYE", 200)

    assert got.get("From").startswith('"Anonymous" <sip:anonymous@') and bye.get("Reason") == "Q.850;cause=16"
    assert "Jane" not in told(callee) and NUMBER not in told(callee)
    assert (await stage.record(invite.get("Call-ID")))["caller"] == f"+44{NUMBER}"


@pytest.mark.parametrize("sdp_first", [True, False])
async def test_what_stands_beside_a_hidden_callers_sdp_stays_here(stage: Stage, sdp_first: bool):
    """A SIP-I carrier sends the old network's message along, and in that the number."""
    teams, carrier = await stage.microsoft(), await stage.carrier(1)
    sdp = f"Content-Type: application/sdp\r\n\r\n{SDP.format(address=carrier.address, port=42000)}"
    parts = [sdp, f"Content-Type: application/ISUP;version=itu-t92+\r\n\r\n\x01{NUMBER}"]
    body = "".join(f"--cut\r\n{part}\r\n" for part in (parts if sdp_first else parts[::-1])) + "--cut--\r\n"

    invite = stage.invite_from_carrier(
        carrier, "4930112", headers=(("Privacy", "id"),), body=body, content='multipart/mixed;boundary="cut"'
    )
    got = await teams.expect("INVITE")

    assert NUMBER not in told(teams)
    assert " RTP/SAVP " in got.body and f"c=IN IP4 {stage.settings.address}\r\n" in got.body
    assert len(got.body.encode()) == int(got.get("Content-Length")), got.text()
    assert got.get("Content-Type") == "application/sdp"
    teams.reply(got, 486)
    carrier.ack(invite, await carrier.expect("INVITE", 486))


async def test_an_end_of_ours_tells_no_hidden_number_either(tmp_path: Path):
    async with running(tmp_path, longest_call=1) as stage:
        carrier, exchange = await stage.carrier(1), await stage.carrier(3)
        await stage.change(("gw", "g3", stage.trunk(3, o=17)))
        name = f'"Jane Roe" <sip:+44{NUMBER}@{carrier.address}>'

        invite = stage.invite_from_carrier(carrier, "4930115", sender=name, headers=(("Privacy", "id"),))
        _, _, got = await stage.answered(carrier, invite, exchange, SDP)
        bye = await exchange.expect("BYE")
        exchange.reply(bye, 200)
        carrier.reply(await carrier.expect("BYE"), 200)

        assert bye.get("From").split(";tag")[0] in got.get("From")
        assert "Jane" not in told(exchange) and NUMBER not in told(exchange)


async def test_a_call_that_comes_to_nothing_tells_no_hidden_number(stage: Stage):
    carrier, exchange = await stage.carrier(1), await stage.carrier(3)
    await stage.change(("gw", "g3", stage.trunk(3, o=17)))
    name = f'"Jane Roe" <sip:+44{NUMBER}@{carrier.address}>'

    given_up = stage.invite_from_carrier(carrier, "4930115", sender=name, headers=(("Privacy", "id"),))
    ringing = await exchange.expect("INVITE")
    exchange.reply(ringing, 180)
    await carrier.expect("INVITE", 180)
    carrier.cancel(given_up)
    exchange.reply(await exchange.expect("CANCEL"), 200)
    exchange.reply(ringing, 487)
    await exchange.expect("ACK")
    carrier.ack(given_up, await carrier.expect("INVITE", 487))
    refused = stage.invite_from_carrier(carrier, "4930115", sender=name, headers=(("Privacy", "id"),))
    exchange.reply(await exchange.expect("INVITE"), 486)
    await exchange.expect("ACK")
    carrier.ack(refused, await carrier.expect("INVITE", 486))

    assert "Jane" not in told(exchange) and NUMBER not in told(exchange)


async def test_what_a_caller_shows_goes_along_where_he_hides_nothing(stage: Stage):
    teams, carrier = await stage.microsoft(), await stage.carrier(1)
    history = ("History-Info", "<sip:+4930119@x>;index=1")

    invite = stage.invite_from_carrier(carrier, "4930112", headers=(history, ("Identity", "a.b.c")))
    got = await teams.expect("INVITE")

    assert got.get("History-Info") == history[1] and got.get("Identity") == "a.b.c"
    teams.reply(got, 486)
    carrier.ack(invite, await carrier.expect("INVITE", 486))


async def test_a_token_says_nothing_to_whom_it_was_given(stage: Stage):
    teams, carrier = await stage.microsoft(), await stage.carrier(1)
    hops = ("Record-Route", f"<sip:{carrier.address};lr;proxy=inner>")

    invite = stage.invite_from_carrier(carrier, "4930112", headers=(hops,))
    mine, theirs, _ = await stage.answered(carrier, invite, teams, SRTP_SDP)
    theirs.request("INVITE", body=SRTP_SDP.format(address=teams.address, port=40000))
    carrier.reply(await carrier.expect("INVITE"), 200, body=SDP.format(address=carrier.address, port=42000))
    await teams.expect("INVITE", 200)
    theirs.request("ACK")
    await carrier.expect("ACK")
    mine.request("BYE")
    teams.reply(await teams.expect("BYE"), 200)
    await carrier.expect("BYE", 200)

    assert "proxy=inner" not in told(teams) and f"sip:{carrier.address}" not in told(teams)
    assert "pstnhub" not in told(carrier)


async def test_calls_of_one_caller_have_nothing_alike_in_their_tokens(stage: Stage):
    """Else who is called by a number that shows itself would know it again where it hides."""
    teams, carrier = await stage.microsoft(), await stage.carrier(1)
    blocks = []
    contact = f"<sip:+44{NUMBER}@{carrier.address}>"
    invites = [stage.invite_from_carrier(carrier, "4930112", contact=contact) for _ in range(30)]
    for invite in invites:
        got = await teams.expect("INVITE")
        teams.reply(got, 486)
        carrier.ack(invite, await carrier.expect("INVITE", 486))
        cipher = re.search(r"xc=([\w-]+)[.]", got.contact_uri)[1]
        opened = base64.urlsafe_b64decode(cipher + "=" * (-len(cipher) % 4))
        # The first is what module crypto calls random. Kamailio's workers draw the same, one after the other.
        blocks += [opened[i : i + 16] for i in range(16, len(opened), 16)]

    assert len(set(blocks)) == len(blocks)
