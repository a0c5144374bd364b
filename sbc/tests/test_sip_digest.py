"""Trunks that ask for a password, whenever they like."""

import re

import pytest

from sbc.node.records import Ended, Orphan
from sbc.tests.sip.message import SDP, SRTP_SDP
from sbc.tests.sip.stage import Stage

pytestmark = [pytest.mark.sip, pytest.mark.asyncio(loop_scope="module")]

CREDENTIALS = (("au", "g1.u", "acme"), ("au", "g1.p", "secret"), ("au", "g1.r", "carrier.example"))


def challenge(nonce: str, realm: str = "carrier.example") -> tuple[tuple[str, str], ...]:
    return (("Proxy-Authenticate", f'Digest realm="{realm}", nonce="{nonce}", algorithm=MD5'),)


async def test_a_trunk_that_asks_again_within_the_call_gets_its_answer(stage: Stage):
    """Teams cannot give it: the hold would fail, and the end of a call would not reach the carrier, who charges on."""
    teams, carrier = await stage.microsoft(), await stage.carrier(1)
    await stage.change(("gw", "g1", stage.trunk(1, a="digest")), *CREDENTIALS)
    invite = stage.invite_from_teams(teams, "+442071234567")
    carrier.reply(await carrier.expect("INVITE"), 407, headers=challenge("1"))
    await carrier.expect("ACK")
    mine, _, _ = await stage.answered(teams, invite, carrier, SDP)

    mine.request("INVITE", body=SRTP_SDP.format(address=teams.address, port=40000))
    carrier.reply(await carrier.expect("INVITE"), 407, headers=challenge("2"))
    await carrier.expect("ACK")
    hold = await carrier.expect("INVITE")
    carrier.reply(hold, 200, body=SDP.format(address=carrier.address, port=41000))
    assert (await teams.expect("INVITE", 200)).get("From") == mine.local
    mine.request("ACK")
    await carrier.expect("ACK")
    mine.request("BYE")
    carrier.reply(await carrier.expect("BYE"), 407, headers=challenge("3"))
    bye = await carrier.expect("BYE")
    carrier.reply(bye, 200)
    await teams.expect("BYE", 200)

    nonces = [re.findall(r'nonce="(\d)"', each.get("Proxy-Authorization")) for each in (hold, bye)]
    assert nonces == [["2"], ["3"]] and hold.get("From") == bye.get("From")
    record = await stage.record(invite.get("Call-ID"))
    ends = [line for line in stage.lines() if isinstance(line, (Ended, Orphan)) and line.id == record["id"]]
    assert len(ends) == 1 and record["released_by"] == "caller"


@pytest.mark.parametrize("realm", ["carrier.example", "another.example"])
async def test_a_password_that_does_not_do_takes_the_next_trunk_and_is_no_question_to_teams(stage: Stage, realm: str):
    teams, first, second = await stage.microsoft(), await stage.carrier(1), await stage.carrier(2)
    await stage.change(("gw", "g1", stage.trunk(1, a="digest")), *CREDENTIALS)

    invite = stage.invite_from_teams(teams, "+442071234567")
    first.reply(await first.expect("INVITE"), 407, headers=challenge("1", realm))
    if realm == "carrier.example":
        await first.expect("ACK")
        first.reply(await first.expect("INVITE"), 407, headers=challenge("2"))
    second.reply(await second.expect("INVITE"), 401, headers=(("WWW-Authenticate", 'Digest realm="x", nonce="y"'),))

    answer = await teams.expect("INVITE", 480)
    teams.ack(invite, answer)
    assert not answer.get("WWW-Authenticate") and not answer.get("Proxy-Authenticate")
    record = await stage.record(invite.get("Call-ID"))
    assert [(leg["trunk"], leg["code"]) for leg in record["attempts"]] == [("g1", 407), ("g2", 401)]
