"""What breaks, and what must not: calls go on, and no call is lost or doubled."""

import os
import threading
import time
import uuid

import pytest

from tests.system.installation import Installation

NUMBERS = [f"+4930231250{n:02}" for n in range(10)]
# Two minutes are what is promised; somebody who changes a line and tries again has less patience.
OUTAGE = 120 if os.environ.get("CI") == "true" else 16


@pytest.fixture(scope="module", autouse=True)
def room(installation: Installation) -> None:
    """Lift Acme's and the carriers' limits: these tests are about what breaks, not about limits."""
    for change in (
        "UPDATE carriers_trunk SET cps = 0, channels = 0 RETURNING id",
        "UPDATE tenants_msp SET config_version = config_version + 1 RETURNING id",
        "UPDATE tenants_customer SET cps = 100, channels = 500, config_version = config_version + 1 RETURNING id",
    ):
        installation.query(change)
    installation.wait(installation.is_live, 30, "the limits to be lifted")


def some_calls(count: int, seconds: float) -> list[dict]:
    """Return calls of Acme to one made-up number, by which they are found again."""
    # The last four digits tell the lab how to behave: it answers.
    called = f"+4420{uuid.uuid4().int % 10**4:04}0123"
    return [{"caller": NUMBERS[i % 10], "called": called, "seconds": seconds} for i in range(count)]


def records_of(installation: Installation, wishes: list[dict]) -> list[tuple]:
    return installation.query(
        "SELECT disposition, end_unknown FROM calls_cdr WHERE tenant_id = 1 AND called = %s", wishes[0]["called"]
    )


def test_calls_need_neither_portal_nor_database_nor_valkey(installation: Installation):
    wishes = some_calls(int(OUTAGE / 0.4), seconds=3)
    stop = threading.Event()

    def keep_killing() -> None:
        while not stop.is_set():
            for words in (("daphne",), ("postgres", "-D"), ("valkey",)):
                installation.kill(*words)
            time.sleep(0.5)

    killer = threading.Thread(target=keep_killing)
    killer.start()
    try:
        outcomes = installation.place(wishes, gap=0.4)
    finally:
        stop.set()
        killer.join()

    assert [outcome["code"] for outcome in outcomes] == [200] * len(wishes)
    installation.wait(lambda: _count(installation, wishes) >= len(wishes), 90, "all records to arrive after the outage")
    time.sleep(1)
    assert _count(installation, wishes) == len(wishes)


def test_a_killed_kamailio_leaves_a_record_of_each_call(installation: Installation):
    wishes = some_calls(30, seconds=20)
    outcome: list = []
    calls = threading.Thread(target=lambda: outcome.append(installation.place(wishes, gap=0.1)))
    calls.start()
    installation.wait(lambda: _answered_now(installation) >= len(wishes), 20, "all calls to be answered")

    assert installation.kill("kamailio", "-DD") > 0

    installation.wait(lambda: _count(installation, wishes) == len(wishes), 60, "a record of each call")
    calls.join()
    # Talk goes on without Kamailio; who hung up after its return has an end, the others are marked *end unknown*.
    assert {row[0] for row in records_of(installation, wishes)} == {"answered"}
    installation.wait(lambda: _works(installation), 60, "calls to go on")


def test_changes_under_running_calls_drop_none_and_fail_none(installation: Installation):
    wishes = some_calls(60, seconds=8)
    outcome: list = []
    calls = threading.Thread(target=lambda: outcome.extend(installation.place(wishes, gap=0.1)))
    calls.start()

    for _ in range(50):
        installation.query("UPDATE tenants_customer SET config_version = config_version + 1 WHERE id = 1 RETURNING id")
        time.sleep(0.1)
    calls.join()

    assert [each["code"] for each in outcome] == [200] * len(wishes)
    installation.wait(installation.is_live, 30, "the last change to be live")
    installation.wait(lambda: _count(installation, wishes) == len(wishes), 30, "all records")


def _count(installation: Installation, wishes: list[dict]) -> int:
    try:
        return len(records_of(installation, wishes))
    except Exception:
        return 0


def _answered_now(installation: Installation) -> int:
    return int(
        installation.query("SELECT count(*) FROM calls_livecall WHERE tenant_id = 1 AND state = 'answered'")[0][0]
    )


def _works(installation: Installation) -> bool:
    return installation.place(some_calls(1, seconds=0.2))[0]["code"] == 200
