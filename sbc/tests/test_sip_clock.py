"""A clock that jumps."""

import asyncio
import time
from pathlib import Path

import pytest

from sbc.tests.sip.stage import running

pytestmark = [pytest.mark.sip, pytest.mark.asyncio]


async def test_a_clock_that_is_set_back_stops_neither_probes_nor_name_servers(tmp_path: Path):
    """Without OPTIONS of ours Microsoft takes the SBC for dead, for as many hours as the clock was fast."""
    async with running(tmp_path, microsoft_options_every=1) as stage:
        teams = await stage.microsoft()
        ahead = int(time.time()) + 7200
        noted = [["mh", f"sent:ms{i}:sbc.northwind.example", ahead] for i in (1, 2, 3)]
        await stage.engine.rpc.call_many(
            [*(("htable.seti", each) for each in noted), ("htable.sets", ["ad", "localhost", f"127.0.0.9;{ahead}"])]
        )
        await stage.change(("gw", "g1", stage.trunk(1, h="localhost")), ("gw", "g2", stage.trunk(2, h="localhost")))
        told = len(teams.options)

        deadline = time.monotonic() + 8
        while len(teams.options) == told:
            assert time.monotonic() < deadline, "Microsoft is not asked any more"
            await asyncio.sleep(0.02)
        invite = stage.invite_from_teams(teams, "+442071234567")
        teams.ack(invite, await teams.expect("INVITE", 480))
        for _ in range(100):
            found = (await stage.engine.dump("ad"))["localhost"]
            if found.startswith("127.0.0.1;"):
                break
            await asyncio.sleep(0.05)
        assert int(found.partition(";")[2]) < ahead
