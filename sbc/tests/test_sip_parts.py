"""Bodies of several parts: sound goes through rtpengine whatever comes beside the SDP, and that stays as it is."""

import pytest

from sbc.tests.sip.message import SDP, SRTP_SDP, Message
from sbc.tests.sip.stage import Stage

pytestmark = [pytest.mark.sip, pytest.mark.asyncio(loop_scope="module")]

PARTS = 'multipart/mixed;boundary="cut"'
PLACE = '<?xml version="1.0"?>\r\n<presence xmlns="urn:ietf:params:xml:ns:pidf"><note>31st St</note></presence>\r\n'
BESIDE = {
    "place": ("application/pidf+xml", PLACE),
    "isup": ("application/ISUP;version=itu-t92+", "\x06\x14\x01\x02\r\n--\x7f"),
}


def beside(sdp: str, what: str, *, first: bool = False) -> str:
    kind, text = BESIDE[what]
    parts = [f"Content-Type: application/sdp\r\n\r\n{sdp}", f"Content-Type: {kind}\r\n\r\n{text}"]
    return "".join(f"--cut\r\n{part}\r\n" for part in (reversed(parts) if first else parts)) + "--cut--\r\n"


def carried(got: Message, stage: Stage, what: str, profile: str) -> None:
    """Its SDP is ours, and what stands beside it is what was sent."""
    kind, text = BESIDE[what]
    assert got.get("Content-Type").startswith("multipart/mixed")
    assert f"Content-Type: {kind}\r\n\r\n{text}\r\n--cut" in got.body
    assert f" {profile} " in got.body and f"c=IN IP4 {stage.settings.address}\r\n" in got.body
    assert ("a=crypto" in got.body) == (profile == "RTP/SAVP")
    assert len(got.body.encode()) == int(got.get("Content-Length"))


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("what", list(BESIDE))
async def test_answers_of_several_parts(stage: Stage, what: str, first: bool):
    teams, carrier = await stage.microsoft(), await stage.carrier(1)
    body = beside(SDP.format(address=carrier.address, port=41000), what, first=first)

    invite = stage.invite_from_teams(teams, "+442071234567")
    got = await carrier.expect("INVITE")
    carrier.reply(got, 183, body=body, content=PARTS)
    early = await teams.expect("INVITE", 183)
    said = carrier.reply(got, 200, body=body, content=PARTS)
    answer = await teams.expect("INVITE", 200)
    mine, theirs = stage.caller(teams, invite, answer), stage.callee(carrier, got, said)
    mine.request("ACK")
    await carrier.expect("ACK")

    for each in (early, answer):
        carried(each, stage, what, "RTP/SAVP")
    # A carrier's re-INVITE, and the answer to it.
    theirs.request("INVITE", body=body.replace("sendrecv", "sendonly"), content=PARTS)
    again = await teams.expect("INVITE")
    carried(again, stage, what, "RTP/SAVP")
    assert "a=inactive" in again.body and "sendonly" not in again.body
    teams.reply(again, 200, body=beside(SRTP_SDP.format(address=teams.address, port=40000), what), content=PARTS)
    answer = await carrier.expect("INVITE", 200)
    carried(answer, stage, what, "RTP/AVP")
    theirs.request("ACK")
    # One of Teams.
    mine.request("INVITE", body=beside(SRTP_SDP.format(address=teams.address, port=40002), what), content=PARTS)
    got = await carrier.expect("INVITE")
    carried(got, stage, what, "RTP/AVP")
    carrier.reply(got, 200, body=body, content=PARTS)
    carried(await teams.expect("INVITE", 200), stage, what, "RTP/SAVP")


async def test_parts_without_sound_are_passed_on(stage: Stage):
    teams, carrier = await stage.microsoft(), await stage.carrier(1)
    text = "--cut\r\nContent-Type: text/plain\r\n\r\nringing\r\n--cut--\r\n"

    stage.invite_from_teams(teams, "+442071234567")
    got = await carrier.expect("INVITE")
    carrier.reply(got, 180, body=text, content=PARTS)

    assert (await teams.expect("INVITE", 180)).body == text
    carrier.reply(got, 486)
    await teams.expect("INVITE", 486)
