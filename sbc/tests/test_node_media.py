"""The media of calls that are over: ended by the node process, which reads how it was, and never in a record's way."""

import asyncio
import socket
import threading
from pathlib import Path

import pytest

from sbc.node import sound
from sbc.node.rtpengine import AT_ONCE, Over, Rtpengine, figures_in
from sbc.tests.sip.message import SDP
from sbc.tests.sip.stage import running
from sbc.tests.test_node_spool import Desk, T, answered, line

# An answer of rtpengine, shortened: Teams' label is t, the trunk's is c, and each has what it reports of the other.
JUDGED = b"d15:cumulative lossi9e11:average MOSd3:MOSi%de15:round-trip timei%de19:round-trip time legi260e6:jitteri%de"
JUDGED += b"11:packet lossi%de7:samplesi2ee10:lowest MOSd3:MOSi1e11:reported ati1795950629eee"
STREAM = b"d10:local porti30000e8:endpointd6:family4:IPv4e4:SSRCi%de5:statsd7:packetsi95eee"
SIDE = b"5:their%dd3:tag5:their5:label1:%b7:createdi1e6:mediasld7:streamsl%b%beeee"
BOTH = (
    b"d7:createdi1795950627e4:SSRCd10:3660870937" + JUDGED % (44, 492, 2, 0)
    + b"10:1015584620" + JUDGED % (10, 542, 12, 49) + b"e4:tagsd"
    + SIDE % (1, b"t", STREAM % 3660870937, STREAM % 3660870937) + SIDE % (2, b"c", STREAM % 1015584620, STREAM % 7)
    + b"e6:result2:oke"
)  # fmt: skip
TOLD = {
    "tmos": "1.0", "tjitter": "12", "tloss": "49", "roundtrip": "542", "cmos": "4.4", "cjitter": "2", "closs": "0",
}  # fmt: skip


def test_what_rtpengine_says_of_each_side_is_told_as_kamailio_tells_it():
    assert figures_in(BOTH) == TOLD


@pytest.mark.parametrize(
    "answer",
    [
        b"", b"d6:result2:oke", b"4:SSRCi1e11:average MOSd", b"1:1" + JUDGED % (44, 1, 1, 1),
        SIDE % (1, b"t", STREAM % 1, b"") + b"1:1" + JUDGED % (0, 1, 1, 1),
        b"5:label1:t7:created4:SSRCi%be" % (b"9" * 5000),
    ],
)  # fmt: skip
def test_what_nobody_judged_has_no_figures(answer):
    assert figures_in(answer) == {}


def test_all_are_ended_and_what_is_not_answered_is_left_out():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as engine:
        engine.bind(("127.0.0.1", 0))
        asked = []

        def answer():
            for _ in range(AT_ONCE + 2):
                command, sender = engine.recvfrom(65_535)
                cookie, _, said = command.partition(b" ")
                asked.append(said)
                engine.sendto(cookie + b" " + BOTH, sender)

        thread = threading.Thread(target=answer)
        thread.start()
        calls = [Over(f"call-{n}", "tag" if n else "") for n in range(AT_ONCE + 2)]
        heard = Rtpengine("127.0.0.1", engine.getsockname()[1]).end(calls)
        thread.join()

    assert set(heard) == {call.call_id for call in calls}
    assert asked[0] == b"d7:call-id6:call-07:command6:deletee"
    assert asked[1] == b"d7:call-id6:call-17:command6:delete8:from-tag3:tage"


def test_an_rtpengine_that_is_down_keeps_no_record_out(tmp_path: Path):
    desk = Desk(tmp_path)
    desk.follower.end_media = Rtpengine("127.0.0.1", 9).end
    desk.write(answered("c1") + line("e", "c1", T + 60_000, ca=16, by="caller", md=1))
    desk.passes()

    (record,) = desk.records()
    assert record["media"] is None


def test_only_what_kamailio_left_is_ended_and_told_with_the_record(tmp_path: Path):
    desk, asked = Desk(tmp_path), []
    desk.follower.end_media = lambda calls: (asked.extend(calls), {"sip-c1": TOLD})[1]
    desk.write(line("a", "c1", T, ci="sip-c1", t=17, ft="their-tag", d="out", iv=T - 9, eg="g1", **{"in": "teams"}))
    desk.write(answered("c2"))
    desk.write(line("e", "c1", T + 9, md=1) + line("e", "c2", T + 9, mos="4.1"))
    desk.passes()

    assert asked == [Over("sip-c1", "their-tag")]
    assert {each["id"]: each["media"] for each in desk.records()} == {"c1": sound.heard(TOLD), "c2": {"mos": 4.1}}


@pytest.mark.sip
@pytest.mark.asyncio
async def test_kamailio_leaves_media_to_a_node_process_that_lives_and_to_no_other(tmp_path: Path):
    async with running(tmp_path) as stage:
        teams, carrier = await stage.microsoft(), await stage.carrier(1)

        async def a_call() -> tuple[str, bool]:
            """Place one; give its Call-ID, and whether rtpengine still has it when it is over."""
            invite = stage.invite_from_teams(teams, "+442071234567")
            mine, _theirs, _got = await stage.answered(teams, invite, carrier, SDP)
            mine.request("BYE")
            carrier.reply(await carrier.expect("BYE"), 200)
            await teams.expect("BYE", 200)
            await stage.record(invite.get("Call-ID"))
            return invite.get("Call-ID"), (await stage.plane.rtpengine.carried([invite.get("Call-ID")])).popitem()[1]

        _alone, is_kept = await a_call()
        assert not is_kept

        await stage.engine.take_media()
        left, is_kept = await a_call()
        assert is_kept
        lines = b"".join(path.read_bytes() for path in stage.settings.records.glob("*.log"))
        assert lines.count(b"&md=1") == 1
        assert b"&ft=" in lines

        # Whatever tag a caller has made us believe.
        await asyncio.to_thread(stage.plane.rtpengine.end, [Over(left, "another")])
        assert await stage.plane.rtpengine.carried([left]) == {left: False}

        await asyncio.sleep(4)
        _later, is_kept = await a_call()
        assert not is_kept
