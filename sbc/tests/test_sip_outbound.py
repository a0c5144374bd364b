"""Teams to carriers: the way of an outbound call through a real SBC."""

import asyncio
import hashlib
import re
import time

import pytest

from sbc.tests.sip.message import SDP
from sbc.tests.sip.phone import StreamPhone
from sbc.tests.sip.stage import ACME, Stage, tenant

pytestmark = [pytest.mark.sip, pytest.mark.asyncio(loop_scope="module")]


async def test_a_call_reaches_its_trunk_and_leaves_its_record(stage: Stage):
    teams, carrier = await stage.microsoft(), await stage.carrier(1)

    invite = stage.invite_from_teams(teams, "+442071234567")
    mine, _, got = await stage.answered(teams, invite, carrier, SDP)
    mine.request("BYE", headers=(("Reason", 'Q.850;cause=16;text="Normal"'),))
    carrier.reply(await carrier.expect("BYE"), 200)
    await teams.expect("BYE", 200)

    sbc_address = stage.settings.address
    assert got.uri == f"sip:+442071234567@{carrier.address}:5060;user=phone"
    assert got.get("From").startswith(f"<sip:+4930111@{sbc_address};user=phone>")
    assert got.all("P-Asserted-Identity") == [f"<sip:+4930111@{sbc_address};user=phone>"]
    assert got.contact_uri.startswith(f"sip:+4930111@{sbc_address}:5060;")
    assert "RTP/AVP" in got.body and "crypto" not in got.body and "ice-" not in got.body
    answer = mine.answered
    assert answer is not None
    assert answer.contact_uri.startswith(f"sip:{ACME}:5061;transport=tls;")
    assert "REFER" not in answer.get("Allow") and "NOTIFY" in answer.get("Allow")
    assert not answer.all("Record-Route")
    assert re.findall(r"a=crypto:\d+ (\S+)", answer.body) == ["AES_CM_128_HMAC_SHA1_80"]

    record = await stage.record(invite.get("Call-ID"))
    times = [record[name] for name in ("invited", "ringing", "answered", "ended")]
    assert times == sorted(times) and times[-1] - times[0] < 2000
    assert (
        record
        | {
            "kind": "cdr",
            "tenant": 17,
            "peer": 0,
            "msp": 3,
            "direction": "out",
            "caller": "+4930111",
            "caller_sent": "+4930111",
            "called": "+442071234567",
            "called_sent": "+442071234567",
            "code": 200,
            "cause": 16,
            "released_by": "caller",
            "ingress": "teams",
            "egress": "g1",
            "route": 7,
            "generation": 1,
            "screening": "own",
            "attestation": "A",
            "limit": "",
            "end_unknown": False,
            "user_agent": "Microsoft.PSTNHub.SIPProxy v.2020",
        }
        == record
    )
    events = await stage.engine.fetch_events()
    assert [event["type"] for event in events] == ["start", "ringing", "answered", "ended"]
    assert {event["call"] for event in events} == {record["id"]}
    assert {(event["tenant"], event["msp"], event["caller"], event["called"]) for event in events} == {
        (17, 3, "+4930111", "+442071234567")
    }


@pytest.mark.parametrize("code", [503, 500, 408, 302, 401, 407])
async def test_a_trunk_in_trouble_hands_on_to_the_next(stage: Stage, code: int):
    teams, first, second = await stage.microsoft(), await stage.carrier(1), await stage.carrier(2)

    invite = stage.invite_from_teams(teams, "+442071234567")
    first.reply(await first.expect("INVITE"), code)
    mine, _, _ = await stage.answered(teams, invite, second, SDP)
    mine.request("BYE")
    second.reply(await second.expect("BYE"), 200)

    record = await stage.record(invite.get("Call-ID"))
    assert [(leg["trunk"], leg["code"]) for leg in record["attempts"]] == [("g1", code), ("g2", 200)]
    assert record["egress"] == "g2"


async def test_a_silent_trunk_costs_one_call_a_moment_and_the_next_call_none(stage: Stage):
    teams, first, second = await stage.microsoft(), await stage.carrier(1), await stage.carrier(2)

    invite = stage.invite_from_teams(teams, "+442071234567")
    second.reply(await second.expect("INVITE"), 486)
    await teams.expect("INVITE", 486)
    asked = len([message for message in first.seen if message.method == "INVITE"])
    stage.invite_from_teams(teams, "+442071234567")
    second.reply(await second.expect("INVITE", patience=0.3), 486)

    assert asked >= 1 and len([message for message in first.seen if message.method == "INVITE"]) == asked
    record = await stage.record(invite.get("Call-ID"))
    assert [(leg["trunk"], leg["code"]) for leg in record["attempts"]] == [("g1", 408), ("g2", 486)]


async def test_a_name_of_a_trunk_is_looked_up_beside_the_calls(stage: Stage):
    """Nobody here knows these names: calls go by what is known of them, and never wait for a name server."""
    teams, first, second = await stage.microsoft(), await stage.carrier(1), await stage.carrier(2)
    known = f"{first.address};{int(time.time()) - 1800}"
    await stage.change(("gw", "g1", stage.trunk(1, h="known.invalid")))
    await stage.engine.rpc.call_many([("htable.sets", ["ad", "known.invalid", known])])

    stage.invite_from_teams(teams, "+442071234567")
    got = await first.expect("INVITE")
    assert got.uri == "sip:+442071234567@known.invalid:5060;user=phone"
    first.reply(got, 486)
    await teams.expect("INVITE", 486)

    await stage.change(("gw", "g1", stage.trunk(1, h="unknown.invalid")), ("gw", "g3", stage.trunk(3, h="localhost")))
    stage.invite_from_teams(teams, "+442071234567")
    second.reply(await second.expect("INVITE", patience=0.5), 486)
    await teams.expect("INVITE", 486)

    found: dict[str, str] = {}
    for _ in range(100):
        found = await stage.engine.dump("ad")
        if {"unknown.invalid", "localhost"} <= found.keys():
            break
        await asyncio.sleep(0.1)
    assert found["unknown.invalid"] == ";0" and found["localhost"].startswith("127.0.0.1;")
    assert found["known.invalid"] == known


async def test_a_customers_name_leads_to_nobody_elses_carrier(stage: Stage):
    """The carrier at an address of others knows our calls by ours: what its own line pays is not for this trunk."""
    teams, first, second = await stage.microsoft(), await stage.carrier(1), await stage.carrier(2)
    found = f"{first.address};{int(time.time())}"
    await stage.change(("gw", "g3", stage.trunk(3, h="line.invalid", o=17)), ("rt", "17.1.00:44", "r=7;g=g3,g2"))
    await stage.engine.rpc.call_many([("htable.sets", ["ad", "line.invalid", found])])

    stage.invite_from_teams(teams, "+442071234567")
    second.reply(await second.expect("INVITE", patience=0.5), 486)
    await teams.expect("INVITE", 486)
    await first.silence("INVITE")

    # What stands among its own sources its MSP has approved.
    await stage.change(("ip", f"17:{first.address}", "g1,g3"))
    stage.invite_from_teams(teams, "+442071234567")
    first.reply(await first.expect("INVITE", patience=0.5), 486)
    await teams.expect("INVITE", 486)


@pytest.mark.parametrize(("code", "by"), [(486, "called"), (404, "called"), (603, "called")])
async def test_the_other_sides_answer_ends_the_call(stage: Stage, code: int, by: str):
    teams, first, second = await stage.microsoft(), await stage.carrier(1), await stage.carrier(2)

    invite = stage.invite_from_teams(teams, "+442071234567")
    first.reply(await first.expect("INVITE"), code, headers=(("Reason", "Q.850;cause=17"),))
    answer = await teams.expect("INVITE", code)
    teams.ack(invite, answer)

    await second.silence("INVITE")
    record = await stage.record(invite.get("Call-ID"))
    assert (record["code"], record["cause"], record["released_by"], record["answered"]) == (code, 17, by, None)


async def test_no_trunk_left_is_a_480_for_teams(stage: Stage):
    teams, first, second = await stage.microsoft(), await stage.carrier(1), await stage.carrier(2)

    invite = stage.invite_from_teams(teams, "+442071234567")
    for carrier in (first, second):
        carrier.reply(await carrier.expect("INVITE"), 503)

    answer = await teams.expect("INVITE", 480)
    assert "cause=38" in answer.get("Reason")
    assert (await stage.record(invite.get("Call-ID")))["code"] == 480


@pytest.mark.parametrize("row", [None, "st=0", "outside", "denied", "down"])
async def test_an_unusable_trunk_is_skipped(stage: Stage, row: str | None):
    teams, second = await stage.microsoft(), await stage.carrier(2)
    match row:
        case None:
            await stage.engine.delete_rows([("gw", "g1")])
        case "st=0":
            await stage.change(("gw", "g1", stage.trunk(1, st=0)))
        case "outside":
            await stage.change(("gw", "g1", stage.trunk(1, h="127.0.0.1")))
        case "denied":
            await stage.change(("gw", "g1", stage.trunk(1, h=f"{stage.net}.127")))
        case "down":
            await stage.change(("dw", "g1", "1"))

    stage.invite_from_teams(teams, "+442071234567")

    second.reply(await second.expect("INVITE", patience=0.4), 486)
    await teams.expect("INVITE", 486)


@pytest.mark.parametrize(("called", "code"), [("+442071234567", 480), ("112", 503)])
@pytest.mark.parametrize("host", ["2001:4860:4860::8888", "the node itself"])
async def test_a_trunk_that_no_call_can_reach_is_skipped_and_the_caller_told(
    stage: Stage, called: str, code: int, host: str
):
    teams = await stage.microsoft()
    ours = stage.settings.address
    row = stage.trunk(1, h=ours if host == "the node itself" else host)
    await stage.change(
        ("rg", "allow", f"{stage.net}.0/24,2000::/3"), ("gw", "g1", row), ("gw", "g2", row),
        ("rt", "17.1.00:447", "r=8;g=g1"),
    )  # fmt: skip

    invite = stage.invite_from_teams(teams, called)

    teams.ack(invite, await teams.expect("INVITE", code))
    record = await stage.record(invite.get("Call-ID"))
    assert (record["code"], record["attempts"]) == (code, [])


async def test_a_trunk_is_skipped_from_the_moment_when_its_network_is_denied(stage: Stage):
    teams, first, second = await stage.microsoft(), await stage.carrier(1), await stage.carrier(2)
    stage.invite_from_teams(teams, "+442071234567")
    first.reply(await first.expect("INVITE"), 486)
    await teams.expect("INVITE", 486)

    await stage.change(("rg", "deny", f"{stage.net}.65/32"))
    stage.invite_from_teams(teams, "+442071234567")

    second.reply(await second.expect("INVITE", patience=0.4), 486)
    await teams.expect("INVITE", 486)


@pytest.mark.parametrize(
    ("called", "code"),
    [
        ("+44901234567", 403),  # a block line of the customer
        ("+44870123456", 403),  # the MSP's block list
        ("+15551234567", 403),  # the last line
        ("442071234567", 484),
        ("+44abc", 484),
    ],
)
async def test_a_call_that_may_not_be_made_is_refused_and_recorded(stage: Stage, called: str, code: int):
    teams, first = await stage.microsoft(), await stage.carrier(1)

    invite = stage.invite_from_teams(teams, called)

    await teams.expect("INVITE", code)
    assert not first.inbox
    record = await stage.record(invite.get("Call-ID"))
    assert (record["code"], record["tenant"], record["released_by"], record["attempts"]) == (code, 17, "sbc", [])


async def test_the_longest_prefix_decides(stage: Stage):
    teams, second = await stage.microsoft(), await stage.carrier(2)

    invite = stage.invite_from_teams(teams, "+447700900123")

    second.reply(await second.expect("INVITE"), 486)
    await teams.expect("INVITE", 486)
    assert (await stage.record(invite.get("Call-ID")))["route"] == 8


async def test_caller_class_and_schedule_choose_their_own_lines(stage: Stage):
    teams, second = await stage.microsoft(), await stage.carrier(2)
    await stage.change(("cl", "17.1:4930111", "2"), ("ss", "17.1", "1"), ("rt", "17.1.21:44", "r=12;g=g2"))

    invite = stage.invite_from_teams(teams, "+442071234567")

    second.reply(await second.expect("INVITE"), 486)
    await teams.expect("INVITE", 486)
    assert (await stage.record(invite.get("Call-ID")))["route"] == 12


async def test_a_caller_who_gives_up_cancels_the_leg(stage: Stage):
    teams, carrier = await stage.microsoft(), await stage.carrier(1)
    invite = stage.invite_from_teams(teams, "+442071234567")
    got = await carrier.expect("INVITE")
    carrier.reply(got, 180)
    await teams.expect("INVITE", 180)

    teams.cancel(invite)

    await teams.expect("CANCEL", 200)
    carrier.reply(await carrier.expect("CANCEL"), 200)
    carrier.reply(got, 487)
    await teams.expect("INVITE", 487)
    record = await stage.record(invite.get("Call-ID"))
    assert (record["code"], record["released_by"]) == (487, "caller")


@pytest.mark.parametrize(("limits", "limit"), [({"cps": 2}, "customer_cps"), ({"channels": 2}, "customer_channels")])
async def test_a_customers_limit_is_busy_for_teams(stage: Stage, limits: dict[str, int], limit: str):
    teams, carrier = await stage.microsoft(), await stage.carrier(1)
    await stage.change(("tn", "17", tenant(fq=ACME, **limits)))

    await stage.new_second()
    invites = [stage.invite_from_teams(teams, "+442071234567") for _ in range(5)]
    answer = await teams.expect("INVITE", 486)

    await carrier.expect("INVITE")
    await carrier.expect("INVITE")
    assert "Q.850;cause=34" in answer.get("Reason")
    refused = await stage.record(answer.get("Call-ID"))
    assert (refused["limit"], refused["code"], refused["cause"]) == (limit, 486, 34)
    # Two windows of a second may have been met; at least one call is over the limit in each case.
    assert 2 <= len([each for each in carrier.seen if each.method == "INVITE"]) <= 4
    for invite in invites:
        teams.cancel(invite)


@pytest.mark.parametrize(("limits", "limit"), [({"cc": 1}, "trunk_channels"), ({"cps": 1}, "trunk_cps")])
async def test_a_full_trunk_overflows_and_the_last_one_is_busy(stage: Stage, limits: dict[str, int], limit: str):
    teams, first, second = await stage.microsoft(), await stage.carrier(1), await stage.carrier(2)
    await stage.change(("gw", "g1", stage.trunk(1, **limits)), ("gw", "g2", stage.trunk(2, **limits)))

    await stage.new_second()
    invites = [stage.invite_from_teams(teams, "+442071234567") for _ in range(6)]
    answer = await teams.expect("INVITE", 486)

    await first.expect("INVITE")
    await second.expect("INVITE")
    assert (await stage.record(answer.get("Call-ID")))["limit"] == limit
    # A call that is left to a silent trunk would mark it down in the next test.
    for invite in invites:
        teams.cancel(invite)
    for phone in (first, second):
        for message in [each for each in phone.seen if each.method == "INVITE"]:
            phone.reply(message, 487)
    await asyncio.sleep(0.2)


async def test_a_digest_trunk_gets_what_it_asks_for(stage: Stage):
    teams, carrier = await stage.microsoft(), await stage.carrier(1)
    await stage.change(
        ("gw", "g1", stage.trunk(1, a="digest")),
        ("au", "g1.u", "acme"),
        ("au", "g1.p", "p;a=ss|wörd"),
        ("au", "g1.r", "carrier.example"),
    )

    invite = stage.invite_from_teams(teams, "+442071234567")
    first = await carrier.expect("INVITE")
    challenge = 'Digest realm="carrier.example", nonce="abc", algorithm=MD5'
    carrier.reply(first, 401, headers=(("WWW-Authenticate", challenge),))
    await carrier.expect("ACK")
    mine, _, second = await stage.answered(teams, invite, carrier, SDP)

    said = dict(re.findall(r'(\w+)="([^"]*)"', second.get("Authorization")))
    one = hashlib.md5("acme:carrier.example:p;a=ss|wörd".encode()).hexdigest()
    two = hashlib.md5(f"INVITE:{said['uri']}".encode()).hexdigest()
    assert said["response"] == hashlib.md5(f"{one}:abc:{two}".encode()).hexdigest()
    mine.request("BYE")
    carrier.reply(await carrier.expect("BYE"), 200)
    await stage.record(invite.get("Call-ID"))


async def test_a_trunk_over_tcp(stage: Stage):
    teams = await stage.microsoft()
    carrier = StreamPhone(f"{stage.net}.67", 5060, (stage.settings.address, 5060), transport="TCP")
    await carrier.start()
    stage.phones.append(carrier)
    await stage.change(("gw", "g1", stage.trunk(3, t="tcp")))

    invite = stage.invite_from_teams(teams, "+442071234567")
    _, theirs, got = await stage.answered(teams, invite, carrier, SDP)
    await carrier.connect()
    theirs.request("BYE")
    teams.reply(await teams.expect("BYE"), 200)

    assert got.contact_uri.startswith(f"sip:+4930111@{stage.settings.address}:5060;transport=tcp;")
    record = await stage.record(invite.get("Call-ID"))
    assert record["released_by"] == "called"


async def test_location_passes_untouched_beside_the_sdp(stage: Stage):
    teams, carrier = await stage.microsoft(), await stage.carrier(1)
    place = '<?xml version="1.0"?>\r\n<presence xmlns="urn:ietf:params:xml:ns:pidf"><note>31st St</note></presence>\r\n'
    sdp = (
        SDP.format(address=teams.address, port=40000)
        .replace("RTP/AVP", "RTP/SAVP")
        .replace(
            "a=sendrecv",
            "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\na=sendrecv",
        )
    )
    body = (
        f"--cut\r\nContent-Type: application/sdp\r\n\r\n{sdp}\r\n"
        f"--cut\r\nContent-Type: application/pidf+xml\r\nContent-ID: <a@b>\r\n\r\n{place}\r\n--cut--\r\n"
    )

    stage.invite_from_teams(
        teams, "112", body=body, content='multipart/mixed;boundary="cut"', headers=(("Geolocation", "<cid:a@b>"),)
    )
    got = await carrier.expect("INVITE")

    assert place in got.body and "RTP/AVP" in got.body and got.get("Geolocation") == "<cid:a@b>"
    carrier.reply(got, 486)
    await teams.expect("INVITE", 503)
