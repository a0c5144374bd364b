"""`choose()` and a real Kamailio agree on random policies: the page's simulator is the SBC's behaviour."""

import asyncio
import random
from datetime import UTC, datetime

import pytest

from sbc.compiler import CustomerFacts, NumberFacts, compile_customer
from sbc.node.schedules import read, state
from sbc.tests.sip.fixtures import sbc, stage  # noqa: F401
from sbc.tests.sip.phone import Phone
from sbc.tests.sip.stage import ACME, Stage
from voice.routing.choose import CallQuery, Line, Outcome, PolicyView, choose
from voice.routing.tests.test_choose import NIGHT, OFFICE

pytestmark = [pytest.mark.sip, pytest.mark.asyncio(loop_scope="module")]

POLICIES, CALLS = 12, 8
NUMBERS = ("4930111", "4930112", "4930113")


def a_policy(dice: random.Random) -> PolicyView:
    lines = []
    for place in range(dice.randint(0, 9)):
        lines.append(
            Line(
                id=place + 1,
                prefix="".join(dice.choices("12", k=dice.randint(1, 4))),
                trunks=dice.choice([(), ("g1",), ("g2", "g1"), ("g3",)]),
                caller_prefix=dice.choice(["", "", "493011", "4930112"]),
                schedule=dice.choice([None, None, OFFICE, NIGHT]),
                enabled=dice.random() > 0.1,
            )
        )
    rest = Line(99, "", dice.choice([(), ("g1",)]))
    return PolicyView((*lines, rest), {}, provider_blocks=frozenset({"2222"}), own_numbers=frozenset(NUMBERS))


def as_customer(policy: PolicyView) -> CustomerFacts:
    return CustomerFacts(
        id=17,
        msp=3,
        active=True,
        fqdns=(ACME,),
        country="DE",
        cps=100,
        channels=100,
        lines=policy.lines,
        default_caller_id=NUMBERS[0],
        numbers=tuple(NumberFacts(number, True) for number in NUMBERS),
    )


async def took(sbc_stage: Stage, teams: Phone, carrier: Phone, called: str, caller: str) -> tuple[int, str]:
    """Place a call and return the line that took it and the trunk, empty where it was blocked."""
    invite = sbc_stage.invite_from_teams(teams, f"+{called}", f"+{caller}")
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
    return record["route"], record["attempts"][0]["trunk"] if record["attempts"] else ""


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
            caller = dice.choice(NUMBERS)
            wanted = choose(policy, CallQuery(called, caller, now))
            line = 0 if wanted.outcome is Outcome.BLOCKED_BY_PROVIDER else wanted.line.id if wanted.line else 0
            trunk = wanted.trunks[0] if wanted.trunks else ""

            found_line, found_trunk = await took(stage, teams, carrier, called, caller)

            context = f"{called} from {caller} by {policy.lines}"
            assert found_trunk == trunk, context
            if line:
                assert found_line == line, context
