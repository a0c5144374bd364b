"""More calls than a node can take, and whose they are."""

from pathlib import Path

import pytest

from sbc.tests.sip.message import SDP
from sbc.tests.sip.stage import ACME, GLOBEX, running, tenant

pytestmark = [pytest.mark.sip, pytest.mark.asyncio]


async def test_a_full_node_says_503_with_retry_after(tmp_path: Path):
    async with running(tmp_path, node_cps=1) as stage:
        teams, carrier = await stage.microsoft(), await stage.carrier(1)
        await stage.new_second()

        invites = [stage.invite_from_teams(teams, "+442071234567") for _ in range(3)]
        answer = await teams.expect("INVITE", 503)

        assert answer.get("Retry-After") == "1"
        assert (await stage.record(answer.get("Call-ID")))["limit"] == "node"
        stage.invite_from_teams(teams, "112")
        await carrier.expect("INVITE")
        assert len(invites) == 3


@pytest.mark.parametrize("inbound", [False, True])
async def test_what_a_customer_may_not_call_takes_nothing_from_the_others(tmp_path: Path, inbound: bool):
    async with running(tmp_path, node_cps=5) as stage:
        teams, carrier = await stage.microsoft(), await stage.carrier(1)
        await stage.change(("tn", "17", tenant(fq=ACME, cps=1)))
        await stage.new_second()

        for _ in range(12):
            if inbound:
                stage.invite_from_carrier(carrier, "4930112")
            else:
                stage.invite_from_teams(teams, "+442071234567")
        theirs = stage.invite_from_teams(teams, "+442071234567", "+4989222", host=GLOBEX)

        got = await carrier.expect("INVITE")
        while "4989222" not in got.get("From"):
            got = await carrier.expect("INVITE")
        assert not [each for each in (*teams.seen, *carrier.seen) if each.get("Retry-After")]
        carrier.reply(got, 486)
        assert (await stage.record(theirs.get("Call-ID")))["limit"] == ""


async def test_media_ports_are_left_for_calls_for_help(tmp_path: Path):
    async with running(tmp_path, media_low=30_000, media_high=30_039) as stage:
        teams, carrier = await stage.microsoft(), await stage.carrier(1)
        assert stage.settings.most_calls == 9
        for _ in range(stage.settings.most_calls):
            await stage.answered(teams, stage.invite_from_teams(teams, "+442071234567"), carrier, SDP)

        refused = stage.invite_from_teams(teams, "+442071234567")
        assert (await teams.expect("INVITE", 503)).get("Call-ID") == refused.get("Call-ID")
        await stage.answered(teams, stage.invite_from_teams(teams, "112"), carrier, SDP)
