"""Calls for help: what is tried before nobody comes."""

import asyncio
import time
from pathlib import Path

import pytest

from sbc.tests.sip.message import SDP
from sbc.tests.sip.stage import Stage, running

pytestmark = [pytest.mark.sip, pytest.mark.asyncio(loop_scope="module")]


@pytest.mark.parametrize("code", [302, 401, 403, 404, 486, 603])
async def test_for_help_no_answer_of_a_trunk_is_the_last(stage: Stage, code: int):
    """An account that was blocked, a carrier that does not know the number, channels that are all taken."""
    teams, first, second = await stage.microsoft(), await stage.carrier(1), await stage.carrier(2)

    invite = stage.invite_from_teams(teams, "112")
    first.reply(await first.expect("INVITE"), code)
    second.reply(await second.expect("INVITE", patience=0.5), code)

    teams.ack(invite, await teams.expect("INVITE", 503))
    record = await stage.record(invite.get("Call-ID"))
    assert [(leg["trunk"], leg["code"]) for leg in record["attempts"]] == [("g1", code), ("g2", code)]


async def test_a_trunk_that_looked_down_has_its_turn_though_it_is_up_by_then(stage: Stage):
    teams, first, second = await stage.microsoft(), await stage.carrier(1), await stage.carrier(2)
    await stage.change(("dw", "g1", "1"))

    stage.invite_from_teams(teams, "112")
    got = await second.expect("INVITE")
    await stage.engine.delete_rows([("dw", "g1")])
    second.reply(got, 503)

    first.reply(await first.expect("INVITE", patience=0.5), 486)
    await teams.expect("INVITE", 503)


async def test_help_does_not_wait_minutes_for_a_trunk_that_gets_nowhere(stage: Stage):
    """`help_rings_in` is a second here; who has rung, or is the last, has the time of every call."""
    teams, first, second = await stage.microsoft(), await stage.carrier(1), await stage.carrier(2)

    invite = stage.invite_from_teams(teams, "112")
    stuck = await first.expect("INVITE")
    first.reply(stuck, 100)
    got = await second.expect("INVITE", patience=2)
    first.reply(await first.expect("CANCEL"), 200)
    first.reply(stuck, 487)
    second.reply(got, 100)
    await asyncio.sleep(1.5)
    assert not [each for each in second.seen if each.method == "CANCEL"]
    teams.cancel(invite)
    second.reply(await second.expect("CANCEL"), 200)
    second.reply(got, 487)
    await teams.expect("INVITE", 487)

    invite = stage.invite_from_teams(teams, "112")
    got = await first.expect("INVITE")
    first.reply(got, 183)
    await asyncio.sleep(1.5)
    await second.silence("INVITE")
    first.reply(got, 200, body=SDP.format(address=first.address, port=41000))
    await teams.expect("INVITE", 200)


async def test_a_kamailio_that_starts_while_no_name_server_answers_knows_where_help_is(tmp_path: Path):
    """Nobody resolves this name here."""
    async with running(tmp_path) as stage:
        first = await stage.carrier(1)
        known = f"{first.address};{int(time.time()) - 60}"
        await stage.engine.rpc.call_many(
            [("htable.sets", ["ad", "known.invalid", known]), ("htable.sets", ["ad", "gone.invalid", ";0"])]
        )
        await stage.engine.remember_names()
        rows = [row for row in stage.rows() if row[:2] != ("gw", "g1")]

        await stage.plane.restart_kamailio([*rows, ("gw", "g1", stage.trunk(1, h="known.invalid"))])
        assert await stage.engine.dump("ad") == {"known.invalid": known}
        teams = await stage.microsoft()
        stage.invite_from_teams(teams, "112")

        first.reply(await first.expect("INVITE", patience=0.5), 486)

        # What is no list of names keeps no Kamailio from starting.
        stage.settings.names.write_text("[1, 2]")
        await stage.plane.restart_kamailio(rows)
