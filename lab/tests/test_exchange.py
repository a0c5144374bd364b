"""The lab as a whole: orders, the control socket, traffic, and the process."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from lab.call import parse, place
from lab.control import Control, ask
from lab.exchange import Lab, LabError, Order
from lab.scenario import Scenario
from lab.settings import LabSettings
from lab.tests.conftest import ABROAD, ACME, ACME_NUMBER, BASE, LOOPBACK, ToySbc
from lab.traffic import Traffic

DATA = {
    "bases": [BASE],
    "customers": [{"name": "acme", "fqdn": ACME, "numbers": [ACME_NUMBER], "calls_per_minute": 600}],
}


@pytest.fixture
async def lab(settings: LabSettings, sbc: ToySbc, tmp_path: Path) -> AsyncIterator[Lab]:
    running = Lab(replace(settings, control=tmp_path / "lab.sock"), Scenario.of(DATA))
    await running.start()
    yield running
    await running.close()


@pytest.fixture
async def control(lab: Lab) -> AsyncIterator[Control]:
    listening = Control(lab, lab.settings.control_path)
    await listening.start()
    yield listening
    await listening.close()


async def test_an_order_is_placed_and_its_story_told(lab: Lab):
    told = []
    outcome = await lab.place(Order(ACME_NUMBER, ABROAD, seconds=0.6, hold=True), told.append)

    assert (outcome.code, outcome.trunk) == (200, ACME)
    assert [step.text for step in told if "re-INVITE" in step.text] == [
        "re-INVITE (inactive) sent",
        "200 to re-INVITE",
        "re-INVITE (sendrecv) sent",
        "200 to re-INVITE",
    ]
    assert told == outcome.story.steps
    assert [step.ms for step in told] == sorted(step.ms for step in told)
    assert lab.microsoft.refusals == []


@pytest.mark.parametrize(
    ("order", "caller", "called"),
    [
        (Order(), ACME_NUMBER, ABROAD),
        (Order(called="112"), ACME_NUMBER, "112"),
        (Order(called=ACME_NUMBER), ABROAD, ACME_NUMBER),
        (Order(via="A"), ABROAD, ACME_NUMBER),
        (Order(caller="+1", called="+2"), "+1", "+2"),
    ],
)
async def test_an_order_that_names_nobody_takes_somebody(lab: Lab, order: Order, caller: str, called: str):
    complete = lab._complete(order)

    assert (complete.caller, complete.called) == (caller, called)


@pytest.mark.parametrize(
    ("order", "words"),
    [
        (Order(ABROAD, ACME_NUMBER), "no carrier"),
        (Order(ABROAD, ACME_NUMBER, customer="nobody"), "No customer 'nobody'"),
        (Order(ABROAD, ACME_NUMBER, via="teams"), "belongs to no customer"),
    ],
)
async def test_an_impossible_order_says_why(lab: Lab, order: Order, words: str):
    with pytest.raises(LabError, match=words):
        await lab.place(order)


async def test_the_command_prints_the_story(lab: Lab, control: Control, capsys: pytest.CaptureFixture[str]):
    folder = control.path.parent

    status = await place(parse(["--dir", str(folder), "--from", ACME_NUMBER, "--to", ABROAD, "--seconds", "0.1"]))

    said = capsys.readouterr().out
    assert status == 0
    assert "200 OK" in said and "BYE sent" in said and "result 200" in said


async def test_the_command_says_when_there_is_no_lab(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert await place(parse(["--dir", str(tmp_path), "--from", "1", "--to", "2"])) == 2
    assert "No lab listens" in capsys.readouterr().err


@pytest.mark.parametrize(
    "wish", [{"do": "dance"}, {"do": "call", "colour": "red"}, {"do": "call", "caller": 1}, {"do": "mood"}, []]
)
async def test_a_senseless_wish_gets_an_error_and_the_lab_goes_on(lab: Lab, control: Control, wish: object):
    with pytest.raises(LabError):
        await ask(control.path, wish)

    assert (await ask(control.path, {"do": "status"}))["refusals"] == []


async def test_traffic_lives_and_stops_cleanly(lab: Lab):
    lab.settings = replace(lab.settings, clocks=replace(lab.settings.clocks, talk=(0.05, 0.2)))
    traffic = Traffic(lab, seed=3)
    running = asyncio.create_task(traffic.run())
    await asyncio.sleep(2)

    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert traffic.placed > 5
    assert all(call.ended.is_set() for call in lab.microsoft.calls.values())
    assert lab.microsoft.refusals == []


async def test_a_newer_scenario_is_learnt(lab: Lab):
    assert lab.scenario.owner_of(ABROAD) is None

    newcomer = {"name": "new", "fqdn": f"new.{BASE}", "numbers": [ABROAD]}
    lab.learn(Scenario.of({**DATA, "customers": [*DATA["customers"], newcomer]}))

    assert lab.microsoft.directory.has(f"new.{BASE}", ABROAD)
    assert not lab.microsoft.directory.has(f"newer.{BASE}", ABROAD)


async def test_an_open_scenario_knows_every_name_under_a_base_but_not_the_base_itself():
    scenario = Scenario.of({**DATA, "open": True})

    assert scenario.named(f"new.{BASE}").fqdn == f"new.{BASE}"
    assert scenario.directory().has(f"new.{BASE}", ABROAD)
    assert not scenario.directory().has(BASE, ABROAD)
    assert scenario.named(BASE) is scenario.named(f"a.b.{BASE}") is scenario.named("nobody") is None


async def test_the_process_gets_ready_answers_and_leaves_nothing_behind(tmp_path: Path):
    host = f"{LOOPBACK}.181"
    scenario = {**DATA, "carriers": [{"name": "A", "host": f"{host}.1", "port": 15060}]}
    (tmp_path / "scenario.json").write_text(json.dumps(scenario))
    port = str(20_000 + os.getpid() % 10_000)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "lab", "--dir", tmp_path, "--scenario", tmp_path / "scenario.json",
        "--microsoft-port", port, "--sbc", f"{host}.2:25061", "--sbc-carrier-side", f"{host}.2:25060", "--traffic",
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        ready = await asyncio.wait_for(process.stdout.readline(), 20)
        assert ready.startswith(b"lab ready: 1 customers, 1 carriers")
        status = await ask(tmp_path / "lab.sock", {"do": "mood", "carrier": "A", "mood": "busy"})
        assert status == {"carrier": "A", "mood": "busy"}
    finally:
        process.send_signal(signal.SIGTERM)
        code = await asyncio.wait_for(process.wait(), 10)
        process._transport.close()

    assert code == 0
    assert not (tmp_path / "lab.sock").exists()
