"""Answers that come twice, or too late."""

import asyncio
import re
import socket

import pytest

from sbc.node.records import Answered, Ended, Orphan
from sbc.tests.sip.message import SDP
from sbc.tests.sip.phone import Dialog
from sbc.tests.sip.stage import Stage

pytestmark = [pytest.mark.sip, pytest.mark.asyncio(loop_scope="module")]


async def ends_once(stage: Stage, call_id: str) -> None:
    record = await stage.record(call_id)
    ends = [line for line in stage.lines() if isinstance(line, (Ended, Orphan)) and line.id == record["id"]]
    assert [type(line) for line in ends] == [Ended]


async def test_the_end_of_a_second_answer_does_not_end_the_call(stage: Stage):
    """Two telephones answer at once, and the caller hangs up on one of them: the other call goes on and costs money."""
    teams, carrier = await stage.microsoft(), await stage.carrier(1)
    invite = stage.invite_from_teams(teams, "+442071234567")
    mine, _, got = await stage.answered(teams, invite, carrier, SDP)

    carrier.reply(got, 200, body=SDP.format(address=carrier.address, port=41002), tag="another")
    second = Dialog.of_caller(teams, invite, await teams.expect("INVITE", 200))
    second.request("ACK")
    assert "tag=another" in (await carrier.expect("ACK")).get("To")
    second.request("BYE")
    carrier.reply(await carrier.expect("BYE"), 200)
    await teams.expect("BYE", 200)
    mine.request("BYE")
    carrier.reply(await carrier.expect("BYE"), 200)

    await ends_once(stage, invite.get("Call-ID"))


async def test_a_second_answer_takes_the_sound_from_nobody(stage: Stage):
    carrier, exchange = await stage.carrier(1), await stage.carrier(3)
    ears = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(3)]
    for ear, (phone, port) in zip(ears, ((carrier, 42000), (exchange, 41000), (exchange, 41002)), strict=True):
        ear.bind((phone.address, port))
        ear.setblocking(False)
    invite = stage.invite_from_carrier(carrier, "4930115")
    mine, _, got = await stage.answered(carrier, invite, exchange, SDP)
    assert mine.answered is not None
    port = int(re.findall(r"m=audio (\d+)", mine.answered.body)[0])

    exchange.reply(got, 200, body=SDP.format(address=exchange.address, port=41002), tag="another")
    await carrier.expect("INVITE", 200)
    rtp = b"\x80\x08" + bytes(10) + b"\xd5" * 160
    for _ in range(5):
        ears[0].sendto(rtp, (stage.settings.address, port))
        await asyncio.sleep(0.05)

    assert len(ears[1].recv(2000)) == len(rtp)
    with pytest.raises(BlockingIOError):
        ears[2].recv(2000)
    for ear in ears:
        ear.close()


@pytest.mark.parametrize("call_id", ["", "an-odd-call-\"'\\"])
async def test_a_trunk_that_answers_too_late_does_not_end_the_call_of_the_next(stage: Stage, call_id: str):
    teams, first, second = await stage.microsoft(), await stage.carrier(1), await stage.carrier(2)
    await stage.engine.delete_rows([("dw", "g1")])
    invite = stage.invite_from_teams(teams, "+442071234567", call_id=call_id)
    late = await first.expect("INVITE")
    mine, _, _ = await stage.answered(teams, invite, second, SDP)

    said = first.reply(late, 200, body=SDP.format(address=first.address, port=41000), tag="late")
    Dialog.of_callee(first, late, said).request("BYE")
    teams.reply(await teams.expect("BYE"), 481)
    await first.expect("BYE", 481)
    mine.request("BYE")
    second.reply(await second.expect("BYE"), 200)

    await ends_once(stage, invite.get("Call-ID"))


async def test_a_trunk_that_answers_a_call_that_is_over_makes_it_no_answered_one(stage: Stage):
    """It would be open for as long as any call may last, and take up its customer's money."""
    teams, first, second = await stage.microsoft(), await stage.carrier(1), await stage.carrier(2)
    await stage.engine.delete_rows([("dw", "g1")])
    invite = stage.invite_from_teams(teams, "+442071234567")
    late = await first.expect("INVITE")
    second.reply(await second.expect("INVITE"), 486)
    teams.ack(invite, await teams.expect("INVITE", 486))
    record = await stage.record(invite.get("Call-ID"))

    said = first.reply(late, 200, body=SDP.format(address=first.address, port=41000))
    await teams.expect("INVITE", 200)
    Dialog.of_callee(first, late, said).request("BYE")
    teams.reply(await teams.expect("BYE"), 481)
    await first.expect("BYE", 481)

    assert not [line for line in stage.lines() if isinstance(line, Answered) and line.id == record["id"]]
    assert await stage.record(invite.get("Call-ID")) == record and record["code"] == 486


@pytest.mark.parametrize("inbound", [True, False])
async def test_an_offer_of_nothing_is_refused_as_what_it_is(stage: Stage, inbound: bool):
    """Not as a full node: that raises an alarm, and has Teams try the customer's other SBC."""
    teams, carrier = await stage.microsoft(), await stage.carrier(1)
    nothing = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n"

    caller = carrier if inbound else teams
    if inbound:
        invite = stage.invite_from_carrier(carrier, "4930112", body=nothing)
    else:
        invite = stage.invite_from_teams(teams, "+442071234567", body=nothing)

    answer = await caller.expect("INVITE", 488)
    assert not answer.get("Retry-After")
    record = await stage.record(invite.get("Call-ID"))
    assert (record["code"], record["limit"], record["cause"]) == (488, "", 79)
