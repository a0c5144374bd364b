"""`choose()` and a real Kamailio agree on random policies: the page's simulator is the SBC's behaviour."""

import asyncio
import random
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from sbc.compiler import CustomerFacts, NumberFacts, TrunkFacts, compile_customer, price_rows
from sbc.node import prices
from sbc.node.schedules import read, state
from sbc.tests.sip.fixtures import sbc, stage  # noqa: F401
from sbc.tests.sip.phone import Phone
from sbc.tests.sip.stage import ACME, Stage
from voice.rating.bands import Bands, BandWindow
from voice.rating.cheapest import loss_table, rank_table
from voice.rating.decks import FOREVER, BandPrice, Deck, Rate
from voice.rating.typical import TypicalCall
from voice.routing.choose import CallQuery, Line, Order, Outcome, PolicyView, choose
from voice.routing.quotes import quotes_for
from voice.routing.tests.test_choose import NIGHT, OFFICE

pytestmark = [pytest.mark.sip, pytest.mark.asyncio(loop_scope="module")]

POLICIES, CALLS = 14, 12
NUMBERS = ("4930111", "4930112", "4930113")
APPROVED, STRANGER, INACTIVE, GLOBEXS = "15550002", "15550001", "4930119", "4989222"
CALLERS = (*NUMBERS, APPROVED, STRANGER, INACTIVE, GLOBEXS, "")


def a_policy(dice: random.Random) -> PolicyView:
    lines = []
    for place in range(dice.randint(0, 9)):
        lines.append(
            Line(
                id=place + 1,
                prefix="".join(dice.choices("12", k=dice.randint(1, 4))),
                trunks=dice.choice([(), ("g1",), ("g2", "g1"), ("g3",)]),
                caller_prefix=dice.choice(["", "", "493011", "4930112", "15550"]),
                schedule=dice.choice([None, None, OFFICE, NIGHT]),
                enabled=dice.random() > 0.1,
            )
        )
    rest = Line(99, "", dice.choice([(), ("g1",)]))
    return PolicyView(
        (*lines, rest),
        {},
        provider_blocks=frozenset({"2222"}),
        own_numbers=frozenset(NUMBERS),
        approved_callers=frozenset({APPROVED} if dice.random() < 0.5 else ()),
        default_caller=dice.choice(("", NUMBERS[1], NUMBERS[2])),
        refuses_unknown=dice.random() < 0.2,
    )


def as_customer(policy: PolicyView) -> CustomerFacts:
    return CustomerFacts(
        id=17,
        msp=3,
        active=True,
        fqdns=(ACME,),
        country="DE",
        cps=1000,
        channels=100,
        lines=policy.lines,
        default_caller_id=policy.default_caller,
        refuse_unknown_caller=policy.refuses_unknown,
        foreign_caller_id=bool(policy.approved_callers),
        approved_callers=(APPROVED,),
        numbers=tuple(NumberFacts(number, True) for number in NUMBERS),
    )


async def took(
    sbc_stage: Stage, teams: Phone, carrier: Phone, called: str, caller: str, forwarder: str
) -> tuple[int, str, bool]:
    """Place a call; return its line, its trunk, empty where it was blocked, and whether its caller was refused."""
    headers = (("Diversion", f"<tel:+{forwarder}>;reason=unconditional"),) if forwarder else ()
    invite = sbc_stage.invite_from_teams(teams, f"+{called}", f"+{caller}" if caller else "anonymous", headers=headers)
    reached = asyncio.ensure_future(carrier.expect("INVITE"))
    refused = asyncio.ensure_future(teams.expect("INVITE", 403))
    done, waiting = await asyncio.wait([reached, refused], return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()
    if reached in done:
        carrier.reply(reached.result(), 486)
        teams.ack(invite, await teams.expect("INVITE", 486))
    else:
        teams.ack(invite, refused.result())
    record = await sbc_stage.record(invite.get("Call-ID"))
    trunk = record["attempts"][0]["trunk"] if record["attempts"] else ""
    return record["route"], trunk, record["screening"] == "refused"


async def test_the_simulator_and_the_sbc_choose_alike(stage: Stage):  # noqa: F811
    dice = random.Random(20261120)
    teams, carrier = await stage.microsoft(), await stage.carrier(1)
    await stage.change(*(("gw", f"g{i}", stage.trunk(1)) for i in (1, 2, 3)), ("bl", "m3:2222", "1"))
    now = datetime.now(UTC)

    for generation in range(100, 100 + POLICIES):
        policy = a_policy(dice)
        rows = [(row.table, row.key, row.value) for row in compile_customer(as_customer(policy), generation)]
        states = [("ss", key, str(state(read(value), now))) for table, key, value in rows if table == "sc"]
        await stage.engine.set_rows([row for row in rows if row[0] not in ("sc", "tn")] + states)
        await stage.engine.set_rows([row for row in rows if row[0] == "tn"])
        for _ in range(CALLS):
            called = "".join(dice.choices("12", k=8))
            caller = dice.choice(CALLERS)
            forwarder = dice.choice(NUMBERS) if caller not in NUMBERS and dice.random() < 0.3 else ""
            wanted = choose(policy, CallQuery(called, forwarder or caller, now))
            refused = wanted.outcome is Outcome.CALLER_REFUSED
            line = 0 if wanted.outcome is Outcome.BLOCKED_BY_PROVIDER else wanted.line.id if wanted.line else 0
            trunk = wanted.trunks[0] if wanted.trunks else ""

            found_line, found_trunk, found_refused = await took(stage, teams, carrier, called, caller, forwarder)

            context = f"{called} from {caller} by way of {forwarder} by {policy}"
            assert (found_trunk, found_refused) == (trunk, refused), context
            if line:
                assert found_line == line, context


DECKS, PRICED_CALLS = 6, 10


def a_deck(dice: random.Random, until: int) -> Deck:
    bands = Bands("Europe/Berlin", [BandWindow("evening", frozenset(range(7)), time(18), time(8))])
    rates = []
    for place in range(dice.randint(2, 14)):
        prefix = "".join(dice.choices("12", k=dice.choice((1, 2, 3, 4, 5, 6, 7))))
        if any(rate.prefix == prefix for rate in rates):
            continue
        evening = (BandPrice("evening", dice.randint(0, 4), 0),) if dice.random() < 0.3 else ()
        ends = until if dice.random() < 0.2 else FOREVER
        blocked = dice.random() < 0.2
        steps = {"fee": dice.randint(0, 4), "increment": dice.choice((1, 60))}
        rates.append(Rate(place, prefix, "", dice.randint(0, 4), bands=evening, blocked=blocked, ends=ends, **steps))
    return Deck("EUR", rates, bands=bands)


async def tried(sbc_stage: Stage, teams: Phone, carrier: Phone, called: str) -> tuple[list[str], str]:
    """Place a call that every trunk refuses; return the trunks in the order in which they were tried, and the limit."""
    invite = sbc_stage.invite_from_teams(teams, f"+{called}", f"+{NUMBERS[0]}")
    while True:
        reached = asyncio.ensure_future(carrier.expect("INVITE"))
        ends = [asyncio.ensure_future(teams.expect("INVITE", code)) for code in (403, 480)]
        done, waiting = await asyncio.wait([reached, *ends], return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
        for over in done - {reached}:
            teams.ack(invite, over.result())
            record = await sbc_stage.record(invite.get("Call-ID"))
            return [attempt["trunk"] for attempt in record["attempts"]], record["limit"]
        # Attempts of the same millisecond have no order in a record.
        await asyncio.sleep(0.002)
        carrier.reply(reached.result(), 503)


async def test_the_sbc_ranks_trunks_as_the_decks_do(stage: Stage):  # noqa: F811
    dice = random.Random(20)
    teams, carrier = await stage.microsoft(), await stage.carrier(1)
    await stage.change(
        *(("gw", f"g{i}", stage.trunk(1)) for i in (1, 2, 3)), ("gw", "g4", stage.trunk(1, o=17)), ("bl", "m3:", "0")
    )
    begin = datetime(2026, 11, 16, 10, tzinfo=UTC)
    now = round(begin.timestamp() * 1000)
    outcomes = set()

    for generation in range(300, 300 + DECKS):
        change = now + dice.randint(1, 9) * 86_400_000
        decks = {number: a_deck(dice, change) for number in (1, 2, 3, 4)}
        spans = {"g1": [(0, FOREVER, 1)], "g2": [(0, change, 2), (change, FOREVER, 3)], "g3": [(0, FOREVER, 3)]}
        typical = TypicalCall(dice.choice((60, 90, 240)), "EUR")
        ranks = rank_table(spans, decks, typical, now, now + 20 * 86_400_000)
        losses = loss_table(spans, decks, 4, typical, now, now + 20 * 86_400_000)
        line = Line(
            5, "", tuple(dice.sample(["g1", "g2", "g3", "g4"], 4)[: dice.randint(1, 3)]), order=dice.choice(list(Order))
        )
        protects = dice.random() < 0.6
        policy = PolicyView((line,), {}, own_numbers=frozenset(NUMBERS))
        own = TrunkFacts(4, "127.0.0.1", 5060, "udp", 3, owner=17)
        customer = replace(as_customer(policy), own_trunks=(own,), protected=4 if protects else 0)
        at = begin + timedelta(hours=dice.randint(0, 400))
        rows = [*compile_customer(customer, generation), *price_rows(3, {0: ranks, 4: losses})]
        told = [(row.table, row.key, row.value) for row in rows if row.table not in ("gw", "pt", "tn", "lt")]
        clocks = [("ps", row.key, prices.state(prices.read(row.value), at)) for row in rows if row.table == "pt"]
        # What a node takes away once a table is another one.
        await stage.engine.delete_rows([("lc", key) for key in await stage.engine.dump("lc")])
        await stage.engine.set_rows(told + clocks)
        await stage.engine.set_rows([(row.table, row.key, row.value) for row in rows if row.table in ("lt", "tn")])
        for _ in range(PRICED_CALLS):
            called = "".join(dice.choices("12", k=dice.choice((5, 6, 8, 11))))
            moment = round(at.timestamp() * 1000)
            quotes = quotes_for(
                called, moment, shared=("g1", "g2", "g3"), spans=spans, decks=decks, sell=decks[4],
                protects=protects, call=typical,
            )  # fmt: skip
            wanted = choose(policy, CallQuery(called, NUMBERS[0], at), quotes)
            outcomes.add(wanted.outcome)
            limit = wanted.outcome.value if not wanted.trunks else ""

            assert await tried(stage, teams, carrier, called) == (list(wanted.trunks), limit), f"{called} {at} {line}"

    assert outcomes == {Outcome.TRUNK, Outcome.NOT_OFFERED, Outcome.BELOW_COST}
