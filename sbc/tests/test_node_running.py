"""Long calls while they go on: a node says of each how long it has lasted so far, again and again."""

import time
import uuid
from pathlib import Path

import pytest

from sbc.protocol import check_running
from sbc.tests.node_portal import FakePortal, eventually
from sbc.tests.node_portal import running as node_running

pytestmark = pytest.mark.usefixtures("short_waits")


def line(kind: str, call: str, seconds_ago: float, **said: str) -> str:
    """Return a line as Kamailio writes it."""
    at = time.time() - seconds_ago
    facts = {"k": kind, "ts": f"{at:.6f}", "id": call, "co": "200", "t": "17", "m": "3", "d": "out", "r": "7",
             "iv": f"{at - 2:.6f}", "ci": "x@y", "cd": "%2B442071234567", "eg": "g1", "in": "teams", "sc": "own",
             "at": "A", **said, "z": "1"}  # fmt: skip
    return "|".join(["x"] * 7 + ["&".join(f"{name}={value}" for name, value in facts.items())]) + "\n"


async def test_a_long_call_is_told_at_intervals_and_on_each_new_line_and_a_short_one_never(
    portal: FakePortal, tmp_path: Path
) -> None:
    long, short, over = (str(uuid.uuid4()) for _ in range(3))
    (tmp_path / "records").mkdir()
    records = tmp_path / "records" / "calls_1.log"
    async with node_running(portal, tmp_path) as node:
        await eventually(lambda: node.is_up)
        records.write_text(line("a", long, 2000) + line("a", short, 5) + line("a", over, 3000) + line("e", over, 10))
        await eventually(lambda: len(node.spool.open_calls()) == 2 and portal.records)
        await node._tell_running()
        await eventually(lambda: portal.running)
        await node._tell_running()
        await (await portal.connected()).close()
        await eventually(lambda: len(portal.running) == 2)

    first, again = portal.running
    assert first["id"] == again["id"] == long
    known = check_running(first)
    assert (known["tenant"], known["called"], known["egress"]) == (17, "+442071234567", "g1")
    assert 1_999_000 < known["seen"] - known["answered"] < 2_010_000
