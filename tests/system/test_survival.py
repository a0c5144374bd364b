"""What breaks, and what must not: calls go on, and no call is lost or doubled."""

import os
import threading
import time
import uuid
from pathlib import Path

import pytest

from tests.system import sipp
from tests.system.installation import Installation

ACME = "acme.sbc.northwind.example"
ANSWERED = "SELECT count(*) FROM calls_cdr WHERE tenant_id = 1 AND called = %s AND disposition = 'answered'"
ENDED_BY_CALLER = ANSWERED + " AND released_by = 'caller' AND NOT end_unknown"
NEW_ROUTE = (
    "INSERT INTO {schema}.routing_route (position, is_default, pattern, prefix, caller_pattern, caller_prefix, action,"
    " trunk_order, enabled, note, row_version, config_version)"
    " VALUES (0, false, '+882', '882', '', '', 'block', 'listed', true, '', 0, 0) RETURNING id"
)
CHANGE = (
    "WITH changed AS (UPDATE {schema}.routing_route SET pattern = '+' || %s, prefix = %s WHERE id = %s RETURNING id)"
    " UPDATE tenants_customer SET config_version = config_version + 1 FROM changed WHERE tenants_customer.id = 1"
    " RETURNING config_version"
)
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
    installation.wait_until_live(30, "the limits to be lifted")


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


def test_a_killed_kamailio_leaves_a_record_of_each_call(installation: Installation, tmp_path: Path):
    ((before,),) = installation.query(ANSWERED, sipp.CALLED)
    many = {"count": 300, "rate": 60, "seconds": 12, "faultless": False}
    with sipp.calls(installation, tmp_path, customer=ACME, caller=NUMBERS[0], **many):
        installation.wait(lambda: _answered_now(installation) >= 300, 20, "all calls to be answered")

        assert installation.kill("kamailio", "-DD") > 0

        # Talk goes on without Kamailio; who hangs up after its return has an end, the others are marked *end unknown*.
        installation.wait(lambda: installation.query(ANSWERED, sipp.CALLED) == [(before + 300,)], 60, "300 records")
    installation.wait(lambda: _works(installation), 60, "calls to go on")


def test_a_hundred_changes_under_three_hundred_calls_drop_none_and_fail_none(
    installation: Installation, tmp_path: Path
):
    ((schema,),) = installation.query("SELECT schema_name FROM tenants_customer WHERE id = 1")
    ((before,),) = installation.query(ENDED_BY_CALLER, sipp.CALLED)
    ((route,),) = installation.query(NEW_ROUTE.format(schema=schema))

    with sipp.calls(installation, tmp_path, customer=ACME, caller=NUMBERS[0], count=300, rate=50, seconds=8):
        for turn in range(100):
            # Two rows of the node change each time: one prefix goes, another comes.
            installation.query(CHANGE.format(schema=schema), f"882{turn}", f"882{turn}", route)
            time.sleep(0.1)

    installation.wait_until_live(30, "the last change to be live")
    installation.wait(
        lambda: installation.query(ENDED_BY_CALLER, sipp.CALLED) == [(before + 300,)], 30, "a record of each call"
    )


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
