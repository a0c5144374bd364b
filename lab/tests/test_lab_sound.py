"""What a call's record says of the sound, with a real rtpengine between two ends that report to each other."""

import asyncio
import itertools
from typing import Any

import pytest

from lab.exchange import Lab
from lab.rtcp import is_rtcp
from lab.session import Call
from lab.tests.conftest import until
from lab.tests.whole import ABROAD, ACME, ALICE, BOB, GINA
from sbc.node import sound
from sbc.node.daemons import DataPlane
from sbc.node.records import Line, merge
from sbc.node.rtpengine import Over
from sbc.tests.reading import parse_chunk

pytestmark = [
    pytest.mark.sip,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.usefixtures("node", "no_refusals"),
]


async def record_of(node: DataPlane, call_id: str) -> dict[str, Any]:
    """Return the record of the call with this Call-ID, once Kamailio has written its end."""
    async with asyncio.timeout(5):
        while True:
            found: dict[str, list[Line]] = {}
            for path in node.settings.records.glob("calls_*.log"):
                for line in parse_chunk(path.read_bytes())[0]:
                    found.setdefault(line.id, []).append(line)
            for record in filter(None, map(merge, found.values())):
                if record["call_id"] == call_id:
                    return record
            await asyncio.sleep(0.05)


def deaf(call: Call) -> None:
    """Let a call lose every second packet that it gets."""
    media = call.media
    hear, turns = media.arrived, itertools.count()
    media.arrived = lambda data: hear(data) if is_rtcp(data) or next(turns) % 2 else None  # type: ignore[method-assign]


@pytest.mark.parametrize(("way", "is_left"), [("out", False), ("in", False), ("inside", False), ("out", True)])
async def test_a_record_tells_how_each_side_sounded(lab: Lab, node: DataPlane, way: str, is_left: bool):
    if way == "in":
        call = await lab.carriers["A"].place_call(ABROAD, BOB)
        far = lab.microsoft.newest(BOB)
    else:
        number = GINA if way == "inside" else "+33199004011"
        call = await lab.microsoft.place_call(ACME, ALICE, number)
        far = (lab.microsoft if way == "inside" else lab.carriers["A"]).newest(number)
    deaf(far)
    if way == "out":
        await call.hold()
        await call.resume()
    await until(lambda: call.media.reports > 2 and far.media.reports > 2, 10)

    if is_left:
        await node.engine.take_media()
    await call.hang_up()
    record = await record_of(node, call.call_id)
    media = record["media"]
    if is_left:
        # Kamailio left it to the node process, which reads the same.
        assert media is None
        figures = await asyncio.to_thread(node.rtpengine.end, [Over(call.call_id, call.tag)])
        media = sound.of_call(sound.heard(figures[call.call_id]), record["ingress"], record["egress"])

    assert 1 <= media["mos"] < 4 and 0 < media["loss"] <= 50 and media["roundtrip"] > 0
    lossy, clear = {"out": ("from_teams", "from_trunk"), "in": ("from_trunk", "from_teams"), "inside": ("", "")}[way]
    if way == "inside":
        assert not {"from_teams", "from_trunk"} & media.keys()
    else:
        assert media[lossy]["loss"] > 20 and media[lossy]["mos"] < 3
        assert media[clear]["loss"] == 0 and media[clear]["mos"] > 4
