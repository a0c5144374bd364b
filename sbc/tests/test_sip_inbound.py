"""Carriers to Teams, inside the house, and requests inside a running call."""

import re

import pytest

from sbc.tests.sip.message import SDP, SRTP_SDP
from sbc.tests.sip.phone import Phone, StreamPhone
from sbc.tests.sip.stage import ACME, GLOBEX, Stage, tenant

pytestmark = [pytest.mark.sip, pytest.mark.asyncio(loop_scope="module")]


def no_ip(phone: Phone, text: str) -> bool:
    """Tell whether Contact, Record-Route, From and To of a message keep addresses to themselves."""
    lines = [
        line for line in text.split("\r\n") if re.match(r"(Contact|Record-Route|From|To|P-Asserted-Identity):", line)
    ]
    return not any(re.search(r"127\.\d+\.\d+\.\d+", line) for line in lines)


async def test_a_call_reaches_teams_with_the_customers_name_on_it(stage: Stage):
    teams, carrier = await stage.microsoft(), await stage.carrier(1)

    invite = stage.invite_from_carrier(
        carrier,
        "+4930112",
        headers=(
            ("Allow", "INVITE,REFER,BYE"),
            ("Supported", "replaces, timer"),
            ("Record-Route", f"<sip:{carrier.address};lr>"),
        ),
    )
    mine, theirs, got = await stage.answered(carrier, invite, teams, SRTP_SDP)
    theirs.request("BYE")
    carrier.reply(await carrier.expect("BYE"), 200)
    await teams.expect("BYE", 200)

    assert got.uri == "sip:+4930112@sip.pstnhub.microsoft.com:5061;user=phone;transport=tls"
    assert got.get("From").startswith(f"<sip:+442071234567@{ACME};user=phone>")
    assert got.get("To") == "<sip:+4930112@sip.pstnhub.microsoft.com;user=phone>"
    assert got.contact_uri.startswith(f"sip:+442071234567@{ACME}:5061;transport=tls;")
    assert no_ip(teams, got.text()), got.text()
    # Microsoft asks for names in Contact and Record-Route only.
    assert got.all("Via")[0].startswith(f"SIP/2.0/TLS {stage.settings.address}:5061;")
    assert "REFER" not in got.get("Allow") and "NOTIFY" in got.get("Allow") and "replaces" not in got.get("Supported")
    assert "RTP/SAVP" in got.body
    assert re.findall(r"a=crypto:\d+ (\S+)", got.body) == ["AES_CM_128_HMAC_SHA1_80"]
    assert mine.answered is not None
    assert mine.answered.all("Record-Route") == [f"<sip:{carrier.address};lr>"]
    assert mine.answered.contact_uri.startswith(f"sip:{stage.settings.address}:5060;")
    record = await stage.record(invite.get("Call-ID"))
    assert (
        record
        | {
            "tenant": 17,
            "msp": 3,
            "direction": "in",
            "ingress": "g1",
            "egress": "teams",
            "caller": "+442071234567",
            "called": "+4930112",
            "called_sent": "+4930112",
            "code": 200,
            "released_by": "called",
            "screening": "none",
        }
        == record
    )


async def test_route_sets_of_both_sides_are_kept_and_kept_apart(stage: Stage):
    teams, carrier = await stage.microsoft(), await stage.carrier(1)
    invite = stage.invite_from_teams(
        teams, "+442071234567", headers=(("Record-Route", "<sip:sip.pstnhub.microsoft.com:5061;transport=tls;lr>"),)
    )
    got = await carrier.expect("INVITE")
    hops = f"<sip:{carrier.address};lr;x=1>, <sip:{carrier.address};lr;x=2>"

    said = carrier.reply(got, 200, body=SDP.format(address=carrier.address, port=1), headers=(("Record-Route", hops),))
    answer = await teams.expect("INVITE", 200)
    mine, theirs = stage.caller(teams, invite, answer), stage.callee(carrier, got, said)
    mine.request("ACK")
    ack = await carrier.expect("ACK")
    theirs.request("BYE")
    bye = await teams.expect("BYE")

    assert not got.all("Record-Route")
    assert answer.all("Record-Route") == ["<sip:sip.pstnhub.microsoft.com:5061;transport=tls;lr>"]
    assert ", ".join(ack.all("Route")) == f"<sip:{carrier.address};lr;x=2>,<sip:{carrier.address};lr;x=1>"
    assert ack.uri == f"sip:{carrier.address}:5060"
    assert bye.all("Route") == ["<sip:sip.pstnhub.microsoft.com:5061;transport=tls;lr>"]
    teams.reply(bye, 200)
    await carrier.expect("BYE", 200)


async def test_hold_and_a_request_on_another_connection(stage: Stage):
    teams, other, carrier = await stage.microsoft(), await stage.microsoft(2), await stage.carrier(1)
    invite = stage.invite_from_carrier(carrier, "4930112")
    mine, theirs, _ = await stage.answered(carrier, invite, teams, SRTP_SDP)

    hold = SRTP_SDP.format(address=teams.address, port=40000).replace("sendrecv", "inactive")
    theirs.request("INVITE", body=hold, over=other)
    got = await carrier.expect("INVITE")
    carrier.reply(got, 200, body=SDP.format(address=carrier.address, port=41000).replace("sendrecv", "inactive"))
    answer = await other.expect("INVITE", 200)
    theirs.target = answer.contact_uri
    theirs.request("ACK", over=other)
    await carrier.expect("ACK")
    mine.request("BYE")
    bye = await teams.expect("BYE")
    teams.reply(bye, 200)
    await carrier.expect("BYE", 200)

    assert "RTP/AVP" in got.body and "a=inactive" in got.body
    assert got.contact_uri.startswith(f"sip:{stage.settings.address}:5060;xc=")
    assert "RTP/SAVP" in answer.body and "a=inactive" in answer.body
    assert answer.contact_uri.startswith(f"sip:{ACME}:5061;transport=tls;xc=")


async def test_a_carriers_hold_reaches_teams_as_inactive(stage: Stage):
    teams, carrier = await stage.microsoft(), await stage.carrier(1)
    invite = stage.invite_from_carrier(carrier, "4930112")
    mine, _, _ = await stage.answered(carrier, invite, teams, SRTP_SDP)

    mine.request("INVITE", body=SDP.format(address=carrier.address, port=42000).replace("sendrecv", "sendonly"))
    got = await teams.expect("INVITE")

    assert "a=inactive" in got.body and "sendonly" not in got.body
    teams.reply(got, 488)
    await carrier.expect("INVITE", 488)


async def test_transfers_by_refer_are_refused(stage: Stage):
    teams, carrier = await stage.microsoft(), await stage.carrier(1)
    invite = stage.invite_from_teams(teams, "+442071234567")
    mine, _, _ = await stage.answered(teams, invite, carrier, SDP)

    mine.request("REFER", headers=(("Refer-To", "<sip:+1555@sip.pstnhub.microsoft.com>"),))

    answer = await teams.expect("REFER", 501)
    assert "REFER" not in answer.get("Allow")
    mine.request("BYE")
    carrier.reply(await carrier.expect("BYE"), 200)


@pytest.mark.parametrize(
    ("called", "carrier", "code"),
    [
        ("4930118", 1, 480),  # the number takes no calls
        ("4930119", 1, 480),  # not active
        ("4930199", 1, 404),  # nobody's
        ("4989222", 2, 403),  # Globex has no trunk at carrier B's address
        ("4930112", 3, 403),  # Acme has none at carrier C's
    ],
)
async def test_a_number_takes_calls_only_over_its_customers_trunks(stage: Stage, called: str, carrier: int, code: int):
    teams, phone = await stage.microsoft(), await stage.carrier(carrier)

    invite = stage.invite_from_carrier(phone, called)

    phone.ack(invite, await phone.expect("INVITE", code))
    await teams.silence("INVITE", 0.1)
    record = await stage.record(invite.get("Call-ID"))
    assert (record["code"], record["direction"]) == (code, "in")
    alarms = [event for event in await stage.engine.fetch_events() if event["type"] == "alarm"]
    assert [alarm["kind"] for alarm in alarms] == {403: ["wrong_trunk"], 404: ["unknown_number"]}.get(code, [])
    assert record["tenant"] == (17 if code == 480 else 0)


@pytest.mark.parametrize(
    ("trunks", "ingress", "code"),
    [
        ({"g1": {"t": "tcp"}, "g2": {}, "g3": {}}, "g2", 486),  # what the call came by
        ({"g1": {"st": 0}, "g2": {"t": "tcp"}, "g3": {}}, "g3", 486),
        ({"g1": {"st": 0}, "g2": {"t": "tcp"}, "g3": {"t": "tcp"}}, "g2", 486),  # none speaks it
        ({"g1": {"st": 0}, "g2": {"cps": 1}, "g3": {"st": 0}}, "g2", 486),
        ({"g1": {"st": 0}, "g2": {"st": 0}, "g3": {"t": "tcp", "st": 0}}, "g1", 403),
    ],
)
async def test_of_several_trunks_at_an_address_a_call_is_the_first_ones_that_is_in_use(
    stage: Stage, trunks: dict[str, dict[str, object]], ingress: str, code: int
):
    teams, carrier = await stage.microsoft(), await stage.carrier(1)
    await stage.change(
        *(("gw", name, stage.trunk(1, **changes)) for name, changes in trunks.items()),
        ("ip", f"17:{carrier.address}", ",".join(trunks)),
    )

    invite = stage.invite_from_carrier(carrier, "4930112")
    if code == 486:
        teams.reply(await teams.expect("INVITE"), 486)

    carrier.ack(invite, await carrier.expect("INVITE", code))
    record = await stage.record(invite.get("Call-ID"))
    assert (record["tenant"], record["ingress"], record["code"]) == (17, ingress, code)


async def test_a_call_by_tcp_is_the_trunks_that_speaks_it(stage: Stage):
    teams = await stage.microsoft()
    carrier = StreamPhone(
        f"{stage.net}.65", 5060, (stage.settings.address, stage.settings.carrier_port), transport="TCP"
    )
    await carrier.start()
    await carrier.connect()
    stage.phones.append(carrier)
    await stage.change(("gw", "g3", stage.trunk(1, t="tcp")), ("ip", f"17:{carrier.address}", "g1,g3"))

    invite = stage.invite_from_carrier(carrier, "4930112")
    teams.reply(await teams.expect("INVITE"), 486)

    carrier.ack(invite, await carrier.expect("INVITE", 486))
    assert (await stage.record(invite.get("Call-ID")))["ingress"] == "g3"


async def test_a_suspended_customer_takes_no_calls(stage: Stage):
    carrier = await stage.carrier(1)
    await stage.change(("tn", "17", tenant(fq=ACME, state=0)))

    invite = stage.invite_from_carrier(carrier, "4930112")

    carrier.ack(invite, await carrier.expect("INVITE", 480))


@pytest.mark.parametrize("limits", [{"cps": 0}, {"channels": 0}])
async def test_a_limit_lets_carriers_overflow(stage: Stage, limits: dict[str, int]):
    carrier = await stage.carrier(1)
    await stage.change(("tn", "17", tenant(fq=ACME, **limits)))

    invite = stage.invite_from_carrier(carrier, "4930112")

    answer = await carrier.expect("INVITE", 503)
    carrier.ack(invite, answer)
    assert not answer.all("Retry-After")
    assert (await stage.record(invite.get("Call-ID")))["limit"].startswith("customer_")


async def test_a_number_may_lead_to_the_customers_own_trunk(stage: Stage):
    carrier, pbx = await stage.carrier(1), await stage.carrier(3)

    invite = stage.invite_from_carrier(carrier, "4930115")
    mine, _, got = await stage.answered(carrier, invite, pbx, SDP)
    mine.request("BYE")
    pbx.reply(await pbx.expect("BYE"), 200)

    assert got.uri.startswith(f"sip:+4930115@{pbx.address}")
    assert (await stage.record(invite.get("Call-ID")))["egress"] == "g3"


@pytest.mark.parametrize("code", [503, 0])
async def test_microsofts_names_are_tried_in_their_order(stage: Stage, code: int):
    first, second, carrier = await stage.microsoft(1), await stage.microsoft(2), await stage.carrier(1)

    stage.invite_from_carrier(carrier, "4930112")
    got = await first.expect("INVITE")
    if code:
        first.reply(got, code, headers=(("Retry-After", "1"),))
    got = await second.expect("INVITE")

    assert got.uri.startswith("sip:+4930112@sip2.pstnhub.microsoft.com")
    second.reply(got, 486)
    await carrier.expect("INVITE", 486)


@pytest.mark.parametrize("code", [603, 404, 480])
async def test_a_persons_answer_is_not_asked_for_twice(stage: Stage, code: int):
    first, second, carrier = await stage.microsoft(1), await stage.microsoft(2), await stage.carrier(1)

    stage.invite_from_carrier(carrier, "4930112")
    first.reply(await first.expect("INVITE"), code)

    await carrier.expect("INVITE", code)
    await second.silence("INVITE", 0.2)


async def test_a_call_to_ones_own_number_stays_inside_whatever_the_policy_says(stage: Stage):
    teams = await stage.microsoft()

    invite = stage.invite_from_teams(teams, "+4930112")
    got = await teams.expect("INVITE")
    teams.reply(got, 486)
    teams.ack(invite, await teams.expect("INVITE", 486))

    assert got.contact_uri.startswith(f"sip:+4930111@{ACME}")
    record = await stage.record(invite.get("Call-ID"))
    assert (record["direction"], record["tenant"], record["peer"], record["route"]) == ("internal", 17, 17, 0)


async def test_a_number_that_is_not_in_use_here_is_called_outside(stage: Stage):
    teams, carrier = await stage.microsoft(), await stage.carrier(1)
    await stage.change(("rt", "17.1.00:4930119", "r=11;g=g1"))

    stage.invite_from_teams(teams, "+4930119")

    carrier.reply(await carrier.expect("INVITE"), 486)


async def test_a_call_between_customers_stays_inside(stage: Stage):
    teams = await stage.microsoft()

    invite = stage.invite_from_teams(teams, "+4989222")
    got = await teams.expect("INVITE")
    said = teams.reply(got, 200, body=SRTP_SDP.format(address=teams.address, port=1))
    answer = await teams.expect("INVITE", 200)
    mine, theirs = stage.caller(teams, invite, answer), stage.callee(teams, got, said)
    mine.request("ACK")
    await teams.expect("ACK")
    theirs.request("BYE")
    teams.reply(await teams.expect("BYE"), 200)

    assert got.contact_uri.startswith(f"sip:+4930111@{GLOBEX}:5061") and answer.contact_uri.startswith(
        f"sip:{ACME}:5061"
    )
    assert "RTP/SAVP" in answer.body
    record = await stage.record(invite.get("Call-ID"))
    assert (record["direction"], record["tenant"], record["peer"], record["egress"]) == ("internal", 17, 18, "teams")
    assert record["released_by"] == "called"


@pytest.mark.parametrize(
    ("row", "code", "limit"),
    [
        (tenant(fq=GLOBEX, channels=0), 486, "customer_channels"),
        (tenant(fq=GLOBEX, cps=0), 486, "customer_cps"),
        (tenant(fq=GLOBEX, state=0), 480, ""),
    ],
)
async def test_the_called_customers_limits_and_status_hold_inside(stage: Stage, row: str, code: int, limit: str):
    teams = await stage.microsoft()
    await stage.change(("tn", "18", row))

    invite = stage.invite_from_teams(teams, "+4989222")

    await teams.expect("INVITE", code)
    assert (await stage.record(invite.get("Call-ID")))["limit"] == limit


async def test_a_block_line_holds_for_calls_to_other_customers(stage: Stage):
    teams = await stage.microsoft()
    await stage.change(("rt", "17.1.00:498922", "r=4;b=1"))

    stage.invite_from_teams(teams, "+4989222")

    await teams.expect("INVITE", 403)
