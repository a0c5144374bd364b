"""Lines that go by price on a real SBC: price lists come in as the portal sends them, calls take the cheapest trunk."""

import pytest

from sbc.compiler import price_rows
from sbc.node.applier import Applier, Receipt
from sbc.node.snapshot import Snapshot
from sbc.protocol import Ack, Apply, Row
from sbc.tests.sip.phone import Phone
from sbc.tests.sip.stage import ACME, Stage, tenant
from voice.rating.cheapest import loss_table, rank_table
from voice.rating.decks import FOREVER, Deck, Rate
from voice.rating.typical import TypicalCall

pytestmark = [pytest.mark.sip, pytest.mark.asyncio(loop_scope="module")]

LONDON, MOBILE = "+442071234567", "+447700900123"
SPANS = {"g1": [(0, FOREVER, 1)], "g2": [(0, FOREVER, 2)]}
NOW, UNTIL = 1_000, 9_000
CALL = TypicalCall(180, "EUR")


def deck(**prices: int) -> Deck:
    return Deck("EUR", [Rate(n, prefix.strip("p"), "", price) for n, (prefix, price) in enumerate(prices.items())])


def version(number: int, first: Deck, second: Deck, sell: Deck | None = None) -> Apply:
    decks = {1: first, 2: second, 3: sell or Deck("EUR", [])}
    tables = {0: rank_table(SPANS, decks, CALL, NOW, UNTIL)}
    if sell is not None:
        tables[3] = loss_table(SPANS, decks, 3, CALL, NOW, UNTIL)
    rows = [Row(row.table, row.key, row.value) for row in price_rows(3, tables)]
    return Apply(
        scope="msp:3", version=number, nonce="n", needs={}, after={}, base=None, set=rows, delete=[], closing=False,
        approved=False,
    )  # fmt: skip


async def takes(stage: Stage, teams: Phone, trunk: Phone, called: str) -> None:
    """Call, and fail unless this trunk is the first to be asked."""
    invite = stage.invite_from_teams(teams, called)
    trunk.reply(await trunk.expect("INVITE"), 486)
    teams.ack(invite, await teams.expect("INVITE", 486))


async def test_each_number_takes_its_cheapest_trunk_and_a_new_price_list_the_other(stage: Stage, tmp_path):
    teams, first, second = await stage.microsoft(), await stage.carrier(1), await stage.carrier(2)
    receipts: list[Receipt] = []
    applier = Applier(stage.engine, Snapshot(tmp_path / "snapshot"), receipts.append)
    await stage.change(
        ("rt", "17.1.00:44", "r=7;o=c;n=0;g=g1,g2"), ("rt", "17.1.00:447", "r=8;o=c;n=0;g=g1,g2"),
    )  # fmt: skip
    await takes(stage, teams, first, MOBILE)  # as it is listed: no price list has come yet

    await applier.apply(version(1, deck(p44=30, p447=200), deck(p44=40, p447=150)))
    await takes(stage, teams, first, LONDON)
    await takes(stage, teams, second, MOBILE)

    await applier.apply(version(2, deck(p44=30, p447=100), deck(p44=20, p447=150)))
    await takes(stage, teams, second, LONDON)
    await takes(stage, teams, first, MOBILE)
    invite = stage.invite_from_teams(teams, LONDON)
    second.reply(await second.expect("INVITE"), 503)
    first.reply(await first.expect("INVITE"), 486)
    teams.ack(invite, await teams.expect("INVITE", 486))
    assert all(isinstance(receipt, Ack) for receipt in receipts)


async def test_calls_below_cost_are_refused_and_emergency_calls_never(stage: Stage, tmp_path):
    teams, first = await stage.microsoft(), await stage.carrier(1)
    applier = Applier(stage.engine, Snapshot(tmp_path / "snapshot"), lambda receipt: None)
    await stage.change(("tn", "17", tenant(fq=ACME, default="4930111") + ";lp=3"))
    dear = deck(p=900, p44=30, p447=200)

    await applier.apply(version(1, dear, dear, sell=deck(p=1, p44=100)))
    await takes(stage, teams, first, LONDON)
    invite = stage.invite_from_teams(teams, MOBILE)
    refused = await teams.expect("INVITE", 403)
    teams.ack(invite, refused)
    assert (refused.start, refused.get("Reason")) == ("SIP/2.0 403 Not Offered", "Q.850;cause=21")
    record = await stage.record(invite.get("Call-ID"))
    assert (record["limit"], record["code"], record["route"], record["attempts"]) == ("below_cost", 403, 8, [])

    # 112 costs as much as anything here, and a call inside would be below cost too.
    for called, code in (("112", 503), ("+4930112", 486)):
        stage.invite_from_teams(teams, called)
        side = first if called == "112" else teams
        side.reply(await side.expect("INVITE"), 486)
        await teams.expect("INVITE", code)
