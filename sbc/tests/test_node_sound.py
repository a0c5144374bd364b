"""How a call sounded: each side's sound, and both on average."""

from typing import Any

import pytest

from sbc.node import sound

TEAMS = {"tmos": "4.3", "tjitter": "2", "tloss": "0", "roundtrip": "31234"}
TRUNK = {"cmos": "3.0", "cjitter": "15", "closs": "6"}
NOBODY = "<null>"


@pytest.mark.parametrize(
    ("said", "media"),
    [
        ({}, None),
        (
            TEAMS | TRUNK,
            {
                "mos": 3.6, "jitter": 8.5, "loss": 3.0, "roundtrip": 31234.0,
                "from_teams": {"mos": 4.3, "jitter": 2.0, "loss": 0.0},
                "from_trunk": {"mos": 3.0, "jitter": 15.0, "loss": 6.0},
            },
        ),
        # Nobody reported of the other side: its figures are those of the call before.
        (
            TEAMS | TRUNK | {"cmos": NOBODY},
            {"mos": 4.3, "jitter": 2.0, "loss": 0.0, "roundtrip": 31234.0,
             "from_teams": {"mos": 4.3, "jitter": 2.0, "loss": 0.0}},
        ),
        (
            TEAMS | TRUNK | {"tmos": NOBODY},
            {"mos": 3.0, "jitter": 15.0, "loss": 6.0, "roundtrip": 31234.0,
             "from_trunk": {"mos": 3.0, "jitter": 15.0, "loss": 6.0}},
        ),
        (TEAMS | TRUNK | {"tmos": NOBODY, "cmos": NOBODY}, None),
        # A line without one of the figures is a line all the same: it has the end of a call.
        ({"tmos": "4.3", "tjitter": "-1"}, {"mos": 4.3, "from_teams": {"mos": 4.3}}),
        # Of a Kamailio that knows no sides yet.
        ({"mos": "4.3", "jitter": "2", "loss": "0", "roundtrip": "12"},
         {"mos": 4.3, "jitter": 2.0, "loss": 0.0, "roundtrip": 12.0}),
    ],
)  # fmt: skip
def test_what_a_line_says_of_the_sound(said: dict[str, str], media: dict[str, Any] | None) -> None:
    assert sound.heard(said) == media


@pytest.mark.parametrize(
    ("ingress", "egress", "is_told_apart"),
    [("teams", "g1", True), ("g1", "teams", True), ("teams", "teams", False), ("g1", "g3", False)],
)
def test_two_ends_of_one_kind_are_not_told_apart(ingress: str, egress: str, is_told_apart: bool) -> None:
    media = sound.heard(TEAMS | TRUNK)

    found = sound.of_call(media, ingress, egress)

    assert found is not None and found["mos"] == 3.6
    assert ("from_teams" in found, "from_trunk" in found) == (is_told_apart, is_told_apart)
    assert sound.of_call(None, ingress, egress) is None
