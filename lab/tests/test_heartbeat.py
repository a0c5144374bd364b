"""OPTIONS in both directions, and their rhythm."""

import asyncio

from lab.ca import MICROSOFT_NAMES
from lab.heartbeat import Heartbeats
from lab.microsoft import FakeMicrosoft
from lab.settings import Clocks
from lab.tests.conftest import BASE, ToySbc, until
from lab.tests.test_refusals import ask, options


async def greet(sbc: ToySbc) -> list[int]:
    flows = sbc.flows or [await sbc.dial(centre) for centre in range(3)]
    requests = []
    for name in MICROSOFT_NAMES:
        request = options()
        request.uri = type(request.uri)("sip", "", name, 5061, {"transport": "tls"})
        requests.append(request)
    answers = [sbc.agent.send(request, flow).final(3) for request, flow in zip(requests, flows, strict=True)]
    return [response.status for response in await asyncio.gather(*answers)]


async def test_after_the_first_good_options_every_centre_sends_its_own(microsoft: FakeMicrosoft, sbc: ToySbc):
    assert await greet(sbc) == [200, 200, 200]

    await until(lambda: len(microsoft.answers) == 3)
    assert microsoft.answers == {(BASE, name): 200 for name in MICROSOFT_NAMES}
    await until(lambda: sum(request.method == "OPTIONS" for request in sbc.received) >= 6)
    assert microsoft.refusals == []


async def test_no_options_come_back_before_the_first_or_after_a_refused_one(microsoft: FakeMicrosoft, sbc: ToySbc):
    assert (await ask(sbc, options("sbc.fabrikam.example"))).status == 403
    await asyncio.sleep(0.3)

    assert not sbc.received


async def test_options_in_the_right_rhythm_are_welcome(microsoft: FakeMicrosoft, sbc: ToySbc):
    for _ in range(3):
        assert await greet(sbc) == [200, 200, 200]
        await asyncio.sleep(0.65)

    assert microsoft.refusals == []


async def test_options_too_often_are_refused(microsoft: FakeMicrosoft, sbc: ToySbc):
    await greet(sbc)
    await asyncio.sleep(0.2)

    assert await greet(sbc) == [403, 403, 403]
    assert {refusal.reason for refusal in microsoft.refusals} == {"options-too-often"}


async def test_options_too_seldom_are_noticed_at_each_name(microsoft: FakeMicrosoft, sbc: ToySbc):
    assert (await ask(sbc, options())).status == 200

    await until(lambda: len(microsoft.refusals) == 3, 4)

    assert {refusal.reason for refusal in microsoft.refusals} == {"options-too-seldom"}
    assert {refusal.detail.split(":")[0] for refusal in microsoft.refusals} == {
        f"{BASE} to {name}" for name in MICROSOFT_NAMES
    }


class Line:
    """A connection that is open or not."""

    def __init__(self) -> None:
        self.closed = False


def test_a_restarted_sbc_may_greet_at_once_but_not_for_ever():
    beats = Heartbeats(Clocks(), ("sip",))
    refused = []
    for second in range(6):
        line = Line()
        refused.append(beats.beat(BASE, "sip", options(), line, float(second)) is not None)
        line.closed = True

    assert refused == [False, False, False, False, True, True]
