"""What a call's page says of its sound."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tenants.models import Customer
from voice.calls.sound import figures
from voice.calls.tests.make import cdr

NOON = datetime(2026, 10, 1, 12, tzinfo=UTC)
MEDIA = {
    "mos": 3.6, "jitter": 8.5, "loss": 3.0, "roundtrip": 31234.0,
    "from_teams": {"mos": 4.3, "jitter": 2.0, "loss": 0.0}, "from_trunk": {"mos": 3.0, "jitter": 15.0, "loss": 6.0},
}  # fmt: skip
AVERAGE = ["Quality (MOS) 3.6", "Jitter 8.5 ms", "Loss 3 %", "Round trip 31.2 ms"]
OUT = {"ingress": "teams", "egress": "g1", "egress_name": "Carrier A"}
IN = {"direction": "in", "ingress": "g1", "ingress_name": "Carrier A", "egress": "teams"}


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        *(
            (
                way | {"media": MEDIA},
                [
                    *AVERAGE,
                    "Microsoft Teams sent MOS 4.3, jitter 2 ms, loss 0 %",
                    "Carrier A sent MOS 3, jitter 15 ms, loss 6 %",
                ],
            )
            for way in (OUT, IN)
        ),
        # Stored before the sides were told apart.
        (OUT | {"media": {name: MEDIA[name] for name in ("mos", "jitter", "loss", "roundtrip")}}, AVERAGE),
        (
            IN | {"media": {"mos": 4.3, "from_teams": {"mos": 4.3}}},
            ["Quality (MOS) 4.3", "Microsoft Teams sent MOS 4.3"],
        ),
        (OUT | {"media": None}, []),
    ],
)
def test_each_side_is_told_by_name(facts: dict[str, Any], said: list[str]) -> None:
    found = figures(cdr(Customer(pk=1, msp_id=1), NOON, **facts))

    assert [f"{name} {value}" for name, value, _meaning in found] == said
