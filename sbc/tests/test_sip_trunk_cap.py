"""A trunk's channels: never one more than the carrier sold, however many workers take calls at once."""

import asyncio
from pathlib import Path

import pytest

from sbc.tests.sip.message import Message
from sbc.tests.sip.phone import Phone
from sbc.tests.sip.stage import ACME, Stage, running, tenant

pytestmark = [pytest.mark.sip, pytest.mark.asyncio]
ROUNDS = 60


async def over(stage: Stage, callers: list[tuple[Phone, Message]]) -> None:
    """End a round's calls, those that go on and those that were refused."""
    for phone, invite in callers:
        phone.cancel(invite)
    for phone in stage.phones:
        for message in phone.seen:
            if message.method == "INVITE" and message.answer is not None:
                phone.reply(message, 487)
    async with asyncio.timeout(5):
        while (await stage.engine.rpc.call_many([("dlg.profile_get_size", ["any"])]))[0]["result"]:
            await asyncio.sleep(0.01)
    for phone in stage.phones:
        phone.seen.clear()
        phone.inbox.clear()


@pytest.mark.parametrize("inbound", [False, True])
async def test_several_workers_cannot_each_take_the_last_channel(tmp_path: Path, inbound: bool):
    async with running(tmp_path, udp_workers=4, proxied_workers=4, trunk_silence=5) as stage:
        teams = [await stage.microsoft(i) for i in (1, 2, 3)]
        carrier = await stage.carrier(1)
        await stage.change(
            ("tn", "17", tenant(fq=ACME, cps=10_000)),
            ("gw", "g1", stage.trunk(1, cc=1)),
            ("rt", "17.1.00:44", "r=7;g=g1"),
        )
        through = []
        for _ in range(ROUNDS):
            if inbound:
                calls = [(carrier, stage.invite_from_carrier(carrier, "4930112")) for _ in range(4)]
            else:
                calls = [(phone, stage.invite_from_teams(phone, "+442071234567")) for phone in teams]
            await asyncio.sleep(0.05)
            ends = teams if inbound else [carrier]
            through.append(len({each.get("Call-ID") for end in ends for each in end.seen if each.method == "INVITE"}))
            await over(stage, calls)

        assert max(through) == 1 and through.count(0) < ROUNDS / 2
