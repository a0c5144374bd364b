"""What a customer's money allows, on the real Kamailio: calls end, calls are refused, help is always there."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from sbc.protocol import Credit, Row
from sbc.tests.node_portal import FakePortal, eventually
from sbc.tests.sip.message import SDP, Message
from sbc.tests.sip.phone import StreamPhone, UdpPhone
from sbc.tests.sip.stage import Stage
from sbc.tests.test_node_sip import configured, hang_up
from sbc.tests.test_node_sip import running as node_running

pytestmark = pytest.mark.sip

FREE, A_EURO_A_SECOND = "0:0:1:1:0:-", "60000000:0:1:1:0:-"


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    stage = Stage(tmp_path)
    yield stage
    await stage.hang_up()
    await stage.plane.stop()


def left(euros: int) -> Row:
    """Return Acme's money as the portal sends it: calls within Germany are free, others cost a euro a second."""
    longest = max(0, euros)
    return Row("cr", "17", f"l={euros * 1_000_000};q=0;o=1;i=0;n=0;c=x.{longest};p={FREE}.{A_EURO_A_SECOND}")


async def money(portal: FakePortal, version: int, euros: int) -> None:
    whole = version == 1
    credit = Credit(
        tenant=17, version=version, nonce=f"c{version}", base=None if whole else version - 1,
        set=[left(euros), *([Row("cr", "17:447", "0")] if whole else [])], delete=[],
    )  # fmt: skip
    await portal.send(credit)
    assert (await portal.receipt(credit.nonce)).version == version
    await asyncio.sleep(0.2)


async def told(portal: FakePortal, invite: Message) -> dict[str, Any]:
    """Return a call's record as the portal gets it: the node process takes Kamailio's own lines away meanwhile."""

    def found() -> list[dict[str, Any]]:
        return [each for each in portal.records.values() if each["call_id"] == invite.get("Call-ID")]

    await eventually(lambda: bool(found()))
    return found()[0]


async def refused(stage: Stage, portal: FakePortal, microsoft: StreamPhone) -> dict[str, Any]:
    invite = stage.invite_from_teams(microsoft, "+442071234567")
    answer = await microsoft.expect("INVITE", 486)
    assert answer.get("Reason") == "Q.850;cause=34"
    return await told(portal, invite)


async def ended(carrier: UdpPhone) -> None:
    """Let the carrier take the BYE that the SBC sends; Teams gets its own where its name resolves."""
    carrier.reply(await carrier.expect("BYE", patience=8), 200)


async def test_calls_end_where_the_money_does_and_help_never_does(stage: Stage, portal: FakePortal) -> None:
    async with node_running(stage, portal):
        await configured(portal, stage)
        microsoft, carrier = await stage.microsoft(), await stage.carrier(1)
        other = await stage.carrier(2)
        await money(portal, 1, -100_000)

        # With a balance far below nothing: no ordinary call, but emergency, and what is free of charge.
        assert (await refused(stage, portal, microsoft)).items() >= {
            ("limit", "customer_spend"), ("released_by", "sbc"), ("answered", None), ("direction", "out"),
        }  # fmt: skip
        invite = stage.invite_from_teams(microsoft, "112")
        help_dialog, *_ = await stage.answered(microsoft, invite, carrier, SDP)
        free, *_ = await stage.answered(microsoft, stage.invite_from_teams(microsoft, "+447700900123"), other, SDP)

        # Topped up: calls go through again within a moment, and end by themselves where the money does.
        await money(portal, 2, 3)
        invite = stage.invite_from_teams(microsoft, "+442071234567")
        await stage.answered(microsoft, invite, carrier, SDP)
        began = time.monotonic()
        await ended(carrier)
        assert 1.5 < time.monotonic() - began < 4.6
        record = await told(portal, invite)
        assert record.items() >= {
            ("limit", "customer_spend"), ("released_by", "sbc"), ("reason", "Spend limit reached"), ("cause", 102),
        }  # fmt: skip
        # What it cost is known here before the portal has counted it.
        await eventually(lambda: len(portal.records) >= 2)
        await asyncio.sleep(1.1)
        await refused(stage, portal, microsoft)

        # A running call whose money is taken back ends at once; one that was topped up meanwhile goes on.
        await money(portal, 3, 1000)
        invite = stage.invite_from_teams(microsoft, "+442071234567")
        await stage.answered(microsoft, invite, carrier, SDP)
        await asyncio.sleep(1.5)
        await money(portal, 4, -1)
        began = time.monotonic()
        await ended(carrier)
        assert time.monotonic() - began < 4
        assert (await told(portal, invite))["limit"] == "customer_spend"

        # Help and what is free are up still.
        await hang_up(microsoft, other, free)
        await hang_up(microsoft, carrier, help_dialog)
        await eventually(lambda: len(portal.records) == 6)
    directions = sorted((each["direction"], each["limit"]) for each in portal.records.values())
    assert directions.count(("emergency", "")) == 1 and directions.count(("out", "customer_spend")) == 4
