"""What goes wrong between the lab and a real SBC: refusals, carriers in trouble, an overloaded Microsoft, a restart."""

import asyncio

import pytest

from lab import ca
from lab.behaviour import Behaviour
from lab.exchange import Lab, Order
from lab.tests.conftest import until
from lab.tests.whole import (
    ABROAD,
    ACME,
    ALICE,
    BOB,
    GINA,
    rows,
)
from sbc.node.daemons import DataPlane

pytestmark = [
    pytest.mark.sip,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.usefixtures("node", "no_refusals"),
]


async def test_a_foreign_caller_is_refused(lab: Lab):
    assert (await lab.microsoft.place_call(ACME, GINA, "+33199004004")).code == 403


@pytest.mark.parametrize("code", [404, 480, 486, 603])
async def test_an_answer_that_says_no_comes_back_unchanged(lab: Lab, code: int):
    assert (await lab.microsoft.place_call(ACME, ALICE, f"+33199009{code}")).code == code


async def test_a_carrier_in_trouble_is_passed_over(lab: Lab):
    lab.carriers["A"].mood = "overloaded"
    try:
        outcome = await lab.place(Order(ALICE, "+33199004005", seconds=0.1))
    finally:
        lab.carriers["A"].mood = "well"

    assert (outcome.code, outcome.taken_by) == (200, ["A", "B"])


async def test_a_caller_gives_up(lab: Lab):
    call, headers, _ = lab.microsoft.call(ACME, ALICE, "+33199009180")
    calling = asyncio.create_task(call.place(*headers))
    await asyncio.wait_for(call.ringing.wait(), 3)
    far = lab.carriers["A"].newest("+33199009180")

    await call.cancel()

    assert await asyncio.wait_for(calling, 3) == 487
    await until(far.ended.is_set)


@pytest.mark.parametrize("overloaded", [ca.MICROSOFT_NAMES[:1], ca.MICROSOFT_NAMES[:2]])
async def test_an_overloaded_name_of_microsoft_is_passed_over(lab: Lab, overloaded: tuple[str, ...]):
    lab.microsoft.overloaded.update(overloaded)
    try:
        call = await lab.carriers["A"].place_call(ABROAD, BOB)
    finally:
        lab.microsoft.overloaded.clear()

    assert call.code == 200
    assert lab.microsoft.newest(BOB).invite.request.uri.host == ca.MICROSOFT_NAMES[len(overloaded)]
    await call.hang_up()


async def test_a_persons_no_is_never_tried_elsewhere(lab: Lab, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(lab.microsoft.rules, BOB, Behaviour("refuse", 603))
    lab.microsoft.received.clear()

    assert (await lab.carriers["A"].place_call(ABROAD, BOB)).code == 603
    assert [request.method for request in lab.microsoft.received].count("INVITE") == 1


async def test_a_silent_carrier_is_passed_over_but_not_for_emergencies(lab: Lab):
    lab.carriers["A"].mood = "deaf"
    try:
        outcome = await lab.place(Order(ALICE, "+33199004006", seconds=0.1))
        assert (outcome.code, outcome.taken_by) == (200, ["B"])
    finally:
        lab.carriers["A"].mood = "well"

    # It is marked down now; an emergency call whose only trunk it is goes there all the same.
    outcome = await lab.place(Order(ALICE, "112", seconds=0.1))
    assert (outcome.code, outcome.taken_by) == (200, ["A"])


async def test_calls_survive_a_planned_restart_and_nothing_slips_past_it(lab: Lab, node: DataPlane):
    running = await lab.microsoft.place_call(ACME, ALICE, "+33199004007")
    far = lab.carriers["B"].newest("+33199004007") or lab.carriers["A"].newest("+33199004007")
    ringing, headers, _ = lab.microsoft.call(ACME, BOB, "+442079460001")
    lab.carriers["B"].rules["+442079460001"] = Behaviour("ring")
    calling = asyncio.create_task(ringing.place(*headers))
    await asyncio.wait_for(ringing.ringing.wait(), 3)
    slow = lab.carriers["B"].newest("+442079460001")

    await node.restart_kamailio(rows())
    # Whoever was ringing answers into a void; no_refusals sees whether the carrier's own Contact comes through.
    await slow._answer(slow.invite)
    await asyncio.sleep(1)
    calling.cancel()

    assert await running.hang_up() == 200
    await until(far.ended.is_set)
