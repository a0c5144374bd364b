"""Carriers among themselves: one calls, the other behaves as it was told."""

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from lab import sip
from lab.behaviour import Behaviour, behaviour_of
from lab.carrier import MOODS, CarrierSettings, FakeCarrier
from lab.digest import Account, Gate, answer
from lab.settings import LabSettings
from lab.tests.conftest import ABROAD, ACME_NUMBER, neighbour, until
from lab.transport import DatagramFlow


@pytest.fixture
async def other(settings: LabSettings) -> AsyncIterator[FakeCarrier]:
    """The carrier at the address where the SBC would be."""
    account = Account("strowger", "secret")
    fake = FakeCarrier(settings, CarrierSettings("B", settings.sbc_carrier_side, account))
    await fake.start()
    fake._gate = None
    yield fake
    await fake.close()


async def test_sound_comes_back_as_an_echo(carrier: FakeCarrier, other: FakeCarrier):
    carrier.echo = False

    call = await carrier.place_call(ABROAD, ACME_NUMBER)

    assert call.code == 200
    await until(lambda: call.media.received > 5)
    assert await call.hang_up() == 200
    await until(lambda: not [call for call in other.calls.values() if not call.ended.is_set()])


@pytest.mark.parametrize("mood", MOODS)
async def test_a_mood_decides_the_answer(carrier: FakeCarrier, other: FakeCarrier, mood: str):
    other.mood = mood
    calling = carrier.call(ABROAD, ACME_NUMBER)
    if mood == "silent":
        carrier.settings = other.settings = replace(
            carrier.settings, clocks=replace(carrier.settings.clocks, no_answer=0.5)
        )
    await calling.place()

    assert calling.code == (MOODS[mood].code or 408)


async def test_a_deaf_carrier_answers_no_probe_and_a_well_one_does(carrier: FakeCarrier, other: FakeCarrier):
    assert await carrier.place_call(ABROAD, ACME_NUMBER)
    codes = []
    for mood in ("well", "deaf"):
        other.mood = mood
        request = sip.Request(method="OPTIONS", uri=carrier.call(ABROAD, ACME_NUMBER).target)
        flow = carrier._udp.to(other.address)
        request.add("Via", carrier.via(flow)).add("From", "<sip:a@b.example>;tag=1").add("To", "<sip:c@d.example>")
        request.add("Call-ID", sip.new_tag()).add("CSeq", "1 OPTIONS")
        codes.append((await carrier.agent.send(request, flow).final(1)).status)

    assert codes == [200, 408]


async def test_lost_datagrams_are_sent_again(carrier: FakeCarrier, other: FakeCarrier, monkeypatch: pytest.MonkeyPatch):
    carrier.agent.t1 = other.agent.t1 = 0.05
    honest, luck = DatagramFlow.send, random.Random(1)

    def lossy(flow: DatagramFlow, message: sip.Message) -> None:
        if luck.random() < 0.6:
            honest(flow, message)

    monkeypatch.setattr(DatagramFlow, "send", lossy)

    call = await carrier.place_call(ABROAD, ACME_NUMBER)
    assert call.code == 200
    far = next(iter(other.calls.values()))
    await until(far.confirmed.is_set)
    assert await call.hang_up() == 200
    assert len({id(call) for call in other.calls.values()}) == 1


async def test_a_caller_gives_up(carrier: FakeCarrier, other: FakeCarrier):
    other.rules[ACME_NUMBER] = Behaviour("ring")
    call = carrier.call(ABROAD, ACME_NUMBER)
    calling = asyncio.create_task(call.place())
    await call.ringing.wait()

    await call.cancel('SIP;cause=200;text="Call completed elsewhere"')

    assert await calling == 487
    assert "elsewhere" in next(iter(other.calls.values())).end_reason


async def test_a_carrier_calls_over_tcp_too(settings: LabSettings, other: FakeCarrier):
    caller = FakeCarrier(settings, CarrierSettings("C", (neighbour(settings, 30), 15060), transport="tcp"))
    await caller.start()

    call = await caller.place_call(ABROAD, ACME_NUMBER)
    assert call.code == 200
    assert await call.hang_up() == 200
    await caller.close()

    assert "SIP/2.0/TCP" in other.received[0].get("Via")


async def test_a_call_without_the_password_is_challenged(carrier: FakeCarrier, other: FakeCarrier):
    other._gate = Gate(Account("strowger", "secret"))

    assert (await carrier.place_call(ABROAD, ACME_NUMBER)).code == 407


def test_a_password_opens_the_gate_once():
    account, uri = Account("strowger", "secret"), "sip:+44@carrier.lab"
    gate = Gate(account)
    nonce = gate.challenge()[1].split('nonce="')[1].split('"')[0]
    good = answer(account, "INVITE", uri, nonce, "00000001", "abc")
    header = (
        f'Digest username="strowger", realm="carrier.lab", nonce="{nonce}", uri="{uri}", '
        f'qop=auth, nc=00000001, cnonce="abc", response="{good}", algorithm=MD5'
    )

    assert not gate.admits("INVITE", header.replace(good, "0" * 32))
    assert not gate.admits("BYE", header)
    assert gate.admits("INVITE", header)
    assert not gate.admits("INVITE", header)


@pytest.mark.parametrize(
    ("number", "behaviour"),
    [
        ("+493023125001", Behaviour()),
        ("+493023129486", Behaviour("refuse", 486)),
        ("+493023129180", Behaviour("ring")),
        ("+493023129301", Behaviour()),
    ],
)
def test_the_last_digits_decide(number: str, behaviour: Behaviour):
    assert behaviour_of(number) == behaviour
