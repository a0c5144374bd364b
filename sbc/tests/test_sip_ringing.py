"""Calls that ring and that nobody answers."""

from pathlib import Path

import pytest

from sbc.tests.sip.stage import running
from voice.calls.dispositions import disposition

pytestmark = [pytest.mark.sip, pytest.mark.asyncio]


async def test_whom_one_trunk_has_rung_the_next_does_not_ring_again(tmp_path: Path):
    async with running(tmp_path, ring_for=1) as stage:
        teams, first, second = await stage.microsoft(), await stage.carrier(1), await stage.carrier(2)

        invite = stage.invite_from_teams(teams, "+442071234567")
        got = await first.expect("INVITE")
        first.reply(got, 180)
        answer = await teams.expect("INVITE", 480)
        teams.ack(invite, answer)
        first.reply(await first.expect("CANCEL"), 200)
        first.reply(got, 487)

        assert "cause=19" in answer.get("Reason")
        await second.silence("INVITE", 0.2)
        record = await stage.record(invite.get("Call-ID"))
        assert [(leg["trunk"], leg["code"]) for leg in record["attempts"]] == [("g1", 408)]
        assert (record["code"], record["cause"], record["released_by"]) == (480, 19, "sbc")
        assert disposition(record) == "no_answer"

        # A trunk that takes the call and says nothing more has rung nobody, and for help everything is tried.
        for called, said, code in (("+442071234567", 100, 486), ("112", 180, 503)):
            stage.invite_from_teams(teams, called)
            first.reply(await first.expect("INVITE"), said)
            second.reply(await second.expect("INVITE"), 486)
            await teams.expect("INVITE", code)


async def test_only_what_rings_on_this_trunk_keeps_a_call_from_the_next(tmp_path: Path):
    async with running(tmp_path, ring_for=1) as stage:
        teams = await stage.microsoft()
        first, second, third = [await stage.carrier(i) for i in (1, 2, 3)]
        await stage.change(("rt", "17.1.00:44", "r=7;g=g1,g2,g3"))

        # An announcement is nobody's telephone, and what rang before this trunk had the call is over.
        for said, final in ((183, 0), (183, 503), (180, 503)):
            invite = stage.invite_from_teams(teams, "+442071234567")
            got = await first.expect("INVITE")
            first.reply(got, said)
            if final:
                first.reply(got, final)
            second.reply(await second.expect("INVITE"), 100)
            third.reply(await third.expect("INVITE"), 486)
            teams.ack(invite, await teams.expect("INVITE", 486))
            assert (await stage.record(invite.get("Call-ID")))["ringing"] is not None

        # What is forwarded or waits in a queue has reached whom it was for.
        for said in (181, 182):
            invite = stage.invite_from_teams(teams, "+442071234567")
            first.reply(await first.expect("INVITE"), said)
            answer = await teams.expect("INVITE", 480)
            teams.ack(invite, answer)
            assert "cause=19" in answer.get("Reason")
            await second.silence("INVITE", 0.2)


async def test_a_carrier_learns_that_nobody_answered_and_rings_no_second_time(tmp_path: Path):
    async with running(tmp_path, ring_for=1) as stage:
        carrier, exchange = await stage.carrier(1), await stage.carrier(3)

        invite = stage.invite_from_carrier(carrier, "4930115")
        exchange.reply(await exchange.expect("INVITE"), 180)

        await carrier.expect("INVITE", 408)
        record = await stage.record(invite.get("Call-ID"))
        assert (record["code"], record["cause"], disposition(record)) == (408, 19, "no_answer")
