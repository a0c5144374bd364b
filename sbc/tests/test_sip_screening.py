"""Who may call as whom, and help that nothing stands in the way of."""

import pytest

from sbc.tests.sip.message import SDP, SRTP_SDP
from sbc.tests.sip.stage import ACME, GLOBEX, Stage, tenant

pytestmark = [pytest.mark.sip, pytest.mark.asyncio(loop_scope="module")]

OUTSIDE = "+15550001"
HISTORY = (
    "History-Info",
    '<sip:+4930112@sip.pstnhub.microsoft.com;user=phone?Reason=SIP;cause=302;text="x">;index=1,<sip:+44207@x>;index=1.1',
)
DIVERSION = ("Diversion", "<tel:+4930112>;reason=unconditional")
REFERRED = ("Referred-By", "<sip:+4930112@sip.pstnhub.microsoft.com;x-m=8:orgid>")
HIDDEN = (("P-Asserted-Identity", "<tel:+4930111>,<sip:alice@acme.example>"), ("Privacy", "id"))

MATRIX = [
    # caller in From, headers, changes of the customer's row, screening, attestation, number shown
    ("+4930111", (), {}, "own", "A", "+4930111"),
    ("+4930111", (("P-Asserted-Identity", "<sip:+4930112@x>"),), {}, "own", "A", "+4930112"),
    ("anonymous", HIDDEN, {}, "own", "A", "+4930111"),
    ("+4930119", (), {}, "replaced", "A", "+4930111"),  # ours but not active
    (OUTSIDE, (), {}, "replaced", "A", "+4930111"),
    (OUTSIDE, (), {"policy": "refuse"}, "refused", "", ""),
    (OUTSIDE, (), {"default": ""}, "refused", "", ""),
    ("anonymous", (("Privacy", "id"),), {}, "replaced", "A", "+4930111"),
    (OUTSIDE, (HISTORY,), {"policy": "refuse"}, "forwarded", "B", OUTSIDE),
    (OUTSIDE, (DIVERSION,), {"policy": "refuse"}, "forwarded", "B", OUTSIDE),
    (OUTSIDE, (REFERRED,), {"policy": "refuse"}, "forwarded", "B", OUTSIDE),
    (
        OUTSIDE,
        (("History-Info", "<sip:+4989222@x>;index=1"),),
        {"policy": "refuse"},
        "refused",
        "",
        "",
    ),  # not our number
    ("+4989222", (HISTORY,), {"policy": "refuse"}, "forwarded", "B", "+4930112"),  # never another customer's
    ("+4989222", (), {"foreign": 1}, "replaced", "A", "+4930111"),
    ("+492211", (), {"foreign": 1, "policy": "refuse"}, "foreign", "B", "+492211"),
    ("+492211", (), {"foreign": 0, "policy": "refuse"}, "refused", "", ""),
    ("+492212", (), {"foreign": 1, "policy": "refuse"}, "refused", "", ""),
]


@pytest.mark.parametrize(("caller", "headers", "row", "screening", "attestation", "shown"), MATRIX)
async def test_screening(
    stage: Stage,
    caller: str,
    headers: tuple[tuple[str, str], ...],
    row: dict[str, object],
    screening: str,
    attestation: str,
    shown: str,
):
    teams, carrier = await stage.microsoft(), await stage.carrier(1)
    await stage.change(
        ("tn", "17", tenant(**{"fq": ACME, "default": "4930111", **row})),
        ("fc", "17:492211", "1"),
        ("fc", "17:4989222", "1"),
    )

    invite = stage.invite_from_teams(teams, "+442071234567", caller, headers=headers)

    if screening == "refused":
        await teams.expect("INVITE", 403)
    else:
        got = await carrier.expect("INVITE")
        carrier.reply(got, 486)
        await teams.expect("INVITE", 486)
        assert got.get("P-Asserted-Identity") == f"<sip:{shown}@{stage.settings.address};user=phone>"
        if "Privacy" in dict(headers):
            assert (
                "anonymous.invalid" in got.get("From") and got.get("Privacy") == "id" and shown not in got.get("From")
            )
        else:
            assert got.get("From").startswith(f"<sip:{shown}@") and not got.all("Privacy")
        assert bool(got.all("Diversion")) == (screening == "forwarded")
        assert not got.all("History-Info") and not got.all("Referred-By")
    record = await stage.record(invite.get("Call-ID"))
    assert (record["screening"], record["attestation"], record["caller_sent"]) == (screening, attestation, shown)


async def test_another_customers_number_is_not_shown_later_in_the_call_either(stage: Stage):
    teams, carrier = await stage.microsoft(), await stage.carrier(1)

    invite = stage.invite_from_teams(teams, "+442071234567", "+4989222")
    mine, _theirs, got = await stage.answered(teams, invite, carrier, SDP)
    others = (
        ("Diversion", "<tel:+4989222>"),
        ("History-Info", "<sip:+4989222@x>"),
        ("Referred-By", "<sip:+4989222@x>"),
    )
    mine.request("INVITE", body=SRTP_SDP.format(address=teams.address, port=40000), headers=others)
    again = await carrier.expect("INVITE")
    carrier.reply(again, 488)
    refused = await teams.expect("INVITE", 488)
    mine.request("BYE")
    bye = await carrier.expect("BYE")
    carrier.reply(bye, 200)
    done = await teams.expect("BYE", 200)

    assert got.get("From").startswith("<sip:+4930111@")
    assert {each.get("From") for each in (again, bye)} == {got.get("From")}
    assert not [each for each in carrier.seen if "4989222" in each.text()]
    # Who asks gets his own name back.
    assert refused.get("From") == done.get("From") == invite.get("From")


async def test_later_requests_show_what_the_invite_showed_and_no_more(stage: Stage):
    """Whatever either side calls itself later, and also where the caller's own number was shown from the start."""
    teams, carrier = await stage.microsoft(), await stage.carrier(1)
    invite = stage.invite_from_teams(teams, "+442071234567", send=False)
    named = f'"Alice Privat" {invite.get("From")}'
    invite.headers = [(name, named if name == "From" else value) for name, value in invite.headers]
    teams.send(invite.build())

    mine, theirs, got = await stage.answered(teams, invite, carrier, SDP)
    mine.local = f"<sip:+4989222@x>;tag={invite.get('From').split(';tag=')[1]}"
    mine.request("INVITE", body=SRTP_SDP.format(address=teams.address, port=40000))
    again = await carrier.expect("INVITE")
    carrier.reply(again, 488)
    refused = await teams.expect("INVITE", 488)
    theirs.local = f"<sip:+4989222@x>;tag={theirs.local.split(';tag=')[1]}"
    theirs.request("INVITE", body=SDP.format(address=carrier.address, port=41000))
    other = await teams.expect("INVITE")
    teams.reply(other, 488)
    refused_too = await carrier.expect("INVITE", 488)
    mine.request("BYE")
    bye = await carrier.expect("BYE")
    carrier.reply(bye, 200)
    await teams.expect("BYE", 200)

    acks = [each for each in carrier.seen if each.method == "ACK"]
    assert {each.get("From") for each in (*acks, again, bye)} == {got.get("From")} and acks
    assert "Alice" not in got.get("From")
    assert (refused.get("From"), refused_too.get("From")) == (mine.local, theirs.local)
    assert other.get("From") == f"{invite.get('To')};tag={theirs.local.split(';tag=')[1]}"
    assert not [each for each in (*carrier.seen, *teams.seen) if each.method and "4989222" in each.text()]


async def test_requests_before_the_answer_show_it_too(stage: Stage):
    teams, carrier = await stage.microsoft(), await stage.carrier(1)
    invite = stage.invite_from_teams(teams, "+442071234567")
    got = await carrier.expect("INVITE")
    said = carrier.reply(got, 183, body=SDP.format(address=carrier.address, port=41000))
    mine, theirs = stage.caller(teams, invite, await teams.expect("INVITE", 183)), stage.callee(carrier, got, said)

    mine.request("PRACK", headers=(("RAck", "1 1 INVITE"),))
    early = await carrier.expect("PRACK")
    carrier.reply(early, 200)
    await teams.expect("PRACK", 200)
    theirs.request("UPDATE")
    other = await teams.expect("UPDATE")
    teams.reply(other, 200)
    await carrier.expect("UPDATE", 200)

    assert early.get("From") == got.get("From")
    assert other.get("From").split(";tag")[0] == invite.get("To")
    carrier.reply(got, 486)
    teams.ack(invite, await teams.expect("INVITE", 486))


async def test_after_a_second_try_later_requests_show_what_that_one_showed(stage: Stage):
    teams, first, second = await stage.microsoft(), await stage.carrier(1), await stage.carrier(2)
    await stage.change(("gw", "g1", stage.trunk(1, fw="own")))

    invite = stage.invite_from_teams(teams, "+442071234567", OUTSIDE, headers=(HISTORY,))
    first.reply(await first.expect("INVITE"), 503)
    mine, _, got = await stage.answered(teams, invite, second, SDP)
    mine.request("BYE")
    bye = await second.expect("BYE")
    second.reply(bye, 200)

    assert got.get("From").startswith(f"<sip:{OUTSIDE}@") and bye.get("From") == got.get("From")


@pytest.mark.parametrize("headers", [(), (("Privacy", "id"),)])
async def test_a_call_for_help_shows_its_number_to_the_end(stage: Stage, headers: tuple[tuple[str, str], ...]):
    teams, carrier = await stage.microsoft(), await stage.carrier(1)

    invite = stage.invite_from_teams(teams, "112", headers=(*headers, ("Geolocation", "<cid:a@b>")))
    mine, theirs, got = await stage.answered(teams, invite, carrier, SDP)
    theirs.request("INVITE", body=SDP.format(address=carrier.address, port=41000))
    teams.reply(await teams.expect("INVITE"), 488)
    await carrier.expect("INVITE", 488)
    mine.request("BYE")
    bye = await carrier.expect("BYE")
    carrier.reply(bye, 200)
    await teams.expect("BYE", 200)

    assert got.get("From").startswith("<sip:+4930111@") and bye.get("From") == got.get("From")
    assert got.get("Geolocation") == "<cid:a@b>"


async def test_a_trunk_may_ask_for_our_own_number_on_forwarded_calls(stage: Stage):
    teams, carrier = await stage.microsoft(), await stage.carrier(1)
    await stage.change(("gw", "g1", stage.trunk(1, fw="own")))

    stage.invite_from_teams(teams, "+442071234567", OUTSIDE, headers=(HISTORY,))

    got = await carrier.expect("INVITE")
    assert got.get("From").startswith("<sip:+4930112@")
    carrier.reply(got, 486)
    await teams.expect("INVITE", 486)


@pytest.mark.parametrize(
    ("prefix", "shown"), [("1555000", "+4930112"), ("1", "+4930112"), ("15550001", "+4930112"), ("1555001", OUTSIDE)]
)
async def test_a_number_of_a_customer_of_another_region_is_not_shown_either(stage: Stage, prefix: str, shown: str):
    teams, carrier = await stage.microsoft(), await stage.carrier(1)
    await stage.change(("rg", f"e{prefix}", "1"))

    stage.invite_from_teams(teams, "+442071234567", OUTSIDE, headers=(HISTORY,))

    got = await carrier.expect("INVITE")
    assert got.get("P-Asserted-Identity").startswith(f"<sip:{shown}@") and got.get("From").startswith(f"<sip:{shown}@")
    carrier.reply(got, 486)
    await teams.expect("INVITE", 486)


@pytest.mark.parametrize("called", ["112", "+112"])
@pytest.mark.parametrize("row", [{}, {"cps": 0}, {"channels": 0}, {"state": 0}, {"policy": "refuse"}])
async def test_an_emergency_call_passes_everything(stage: Stage, row: dict[str, object], called: str):
    teams, carrier = await stage.microsoft(), await stage.carrier(1)
    await stage.change(
        ("tn", "17", tenant(**{"fq": ACME, "default": "4930111", **row})),
        ("gw", "g1", stage.trunk(1, cc=1, cps=1)),
        ("bl", "m3:1", "1"),
        ("bl", "m3:112", "1"),
        ("bl", "m3:", "3"),
        ("em", "17:112", "x=0;g=g1"),
    )

    for _ in range(3):
        invite = stage.invite_from_teams(teams, called, OUTSIDE, headers=(("Privacy", "id"),))
        got = await carrier.expect("INVITE")
        carrier.reply(got, 486)
        await teams.expect("INVITE", 503)

    # Somebody can call back, whoever dialled and however hidden.
    assert got.uri.startswith(f"sip:112@{carrier.address}")
    assert got.get("From").startswith("<sip:+4930111@") and not got.all("Privacy")
    record = await stage.record(invite.get("Call-ID"))
    assert (record["direction"], record["called"], record["called_sent"]) == ("emergency", "112", "112")
    assert (record["caller"], record["caller_sent"], record["tenant"]) == (OUTSIDE, "+4930111", 17)


@pytest.mark.parametrize("caller", ["+4989222", OUTSIDE, "anonymous", "reception"])
async def test_help_is_called_without_a_number_rather_than_with_anothers(stage: Stage, caller: str):
    """A customer none of whose numbers is active: with somebody else's, help would go to somebody else."""
    teams, carrier = await stage.microsoft(), await stage.carrier(1)
    await stage.change(("tn", "17", tenant(fq=ACME, policy="refuse")))

    said = () if caller == "anonymous" else (("P-Asserted-Identity", f"<sip:{caller}@x>"),)
    place = (("Geolocation", "<cid:a@b>"), ("X-Any", "thing"))
    invite = stage.invite_from_teams(teams, "112", caller, headers=(*said, *place))
    mine, _theirs, got = await stage.answered(teams, invite, carrier, SDP)
    mine.request("BYE")
    bye = await carrier.expect("BYE")
    carrier.reply(bye, 200)
    await teams.expect("BYE", 200)

    assert got.get("From").startswith('"Anonymous" <sip:anonymous@anonymous.invalid>')
    assert bye.get("From").startswith("<sip:anonymous@anonymous.invalid>")
    assert got.get("Contact").startswith(f"<sip:{stage.settings.address}:")
    assert not got.all("P-Asserted-Identity") and not got.all("Privacy")
    assert (got.get("Geolocation"), got.get("X-Any")) == ("<cid:a@b>", "thing")
    assert caller == "anonymous" or not [each for each in carrier.seen if each.method and caller[1:] in each.text()]
    record = await stage.record(invite.get("Call-ID"))
    assert (record["caller_sent"], record["called_sent"], record["screening"]) == ("", "112", "none")


async def test_an_emergency_call_tries_the_whole_list_and_those_that_look_down(stage: Stage):
    teams, first, second = await stage.microsoft(), await stage.carrier(1), await stage.carrier(2)
    await stage.change(("dw", "g1", "1"))

    invite = stage.invite_from_teams(teams, "112")
    second.reply(await second.expect("INVITE"), 503)
    first.reply(await first.expect("INVITE"), 503)

    # Only here a 503 for Teams: it shall try the customer's other SBC.
    teams.ack(invite, await teams.expect("INVITE", 503))
    record = await stage.record(invite.get("Call-ID"))
    assert [leg["trunk"] for leg in record["attempts"]] == ["g2", "g1"]


async def test_an_emergency_call_passes_over_a_trunk_that_is_out_of_use_until_it_is_in_use_again(stage: Stage):
    teams, first, second = await stage.microsoft(), await stage.carrier(1), await stage.carrier(2)
    await stage.change(("gw", "g1", stage.trunk(1, st=0)))

    stage.invite_from_teams(teams, "112")
    second.reply(await second.expect("INVITE"), 486)
    await teams.expect("INVITE", 503)
    await stage.change(("gw", "g1", stage.trunk(1)))
    stage.invite_from_teams(teams, "112")

    first.reply(await first.expect("INVITE"), 486)
    second.reply(await second.expect("INVITE"), 486)
    await teams.expect("INVITE", 503)


async def test_an_own_number_is_what_help_sees(stage: Stage):
    teams, carrier = await stage.microsoft(), await stage.carrier(1)
    await stage.change(("em", "17:112", "x=0;g=g1"))

    stage.invite_from_teams(
        teams, "112", "anonymous", headers=(("P-Asserted-Identity", "<tel:+4930113>"), ("Privacy", "id"))
    )

    got = await carrier.expect("INVITE")
    assert got.get("From").startswith("<sip:+4930113@")
    carrier.reply(got, 486)
    await teams.expect("INVITE", 503)


async def test_help_sees_a_number_of_the_country_that_the_row_names(stage: Stage):
    teams, first, second = await stage.microsoft(), await stage.carrier(1), await stage.carrier(2)
    await stage.change(("em", "17:112", "x=0;g=g1,g2;n=4930112"), ("em", "17:17", "x=0;g=;n=4930112"))

    for caller, shown in (("anonymous", "+4930112"), ("+4930113", "+4930113")):
        invite = stage.invite_from_teams(teams, "112", caller)
        first.reply(await first.expect("INVITE"), 503)
        got = await second.expect("INVITE")
        second.reply(got, 486)
        teams.ack(invite, await teams.expect("INVITE", 503))
        assert got.get("From").startswith(f"<sip:{shown}@")
    stage.invite_from_teams(teams, "17", "anonymous")
    await teams.expect("INVITE", 503)


async def test_what_another_country_dials_leaves_by_its_trunks_and_takes_no_ordinary_number(stage: Stage):
    teams, first, second = await stage.microsoft(), await stage.carrier(1), await stage.carrier(2)
    await stage.change(("em", "17:999", "x=0;g=g2"), ("em", "17:442", "x=0;g=g2"))

    for carrier, dialled, code in ((second, "999", 503), (first, "+4499912345", 486), (first, "+442071234567", 486)):
        stage.invite_from_teams(teams, dialled)
        got = await carrier.expect("INVITE")
        assert got.uri.startswith(f"sip:{dialled}@")
        carrier.reply(got, 486)
        await teams.expect("INVITE", code)


async def test_emergency_numbers_are_each_customers_own(stage: Stage):
    teams, carrier = await stage.microsoft(), await stage.carrier(1)
    await stage.engine.delete_rows([("em", "17:112")])

    stage.invite_from_teams(teams, "112")
    await teams.expect("INVITE", 484)
    stage.invite_from_teams(teams, "112", "+4989222", host=GLOBEX)

    carrier.reply(await carrier.expect("INVITE"), 486)
    await teams.expect("INVITE", 503)
