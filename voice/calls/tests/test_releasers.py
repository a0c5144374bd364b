"""Whose side ended a call: from the record's direction, who released it, and why."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tenants.models import Customer
from voice.calls import story
from voice.calls.models import Cdr
from voice.calls.releasers import Releaser, releaser
from voice.calls.tests.make import cdr

NOON = datetime(2026, 10, 1, 12, tzinfo=UTC)
OUT = {"direction": "out", "ingress": "teams", "egress": "g1"}
EMERGENCY = OUT | {"direction": "emergency"}
IN = {"direction": "in", "ingress": "g1", "egress": "teams"}
INSIDE = {"direction": "internal", "ingress": "teams", "egress": "teams", "peer_id": 2}


def call(**facts: Any) -> Cdr:
    return cdr(Customer(pk=1, msp_id=1), NOON, **facts)


@pytest.mark.parametrize(
    ("facts", "caller", "called"),
    [
        (OUT, Releaser.TEAMS, Releaser.CARRIER),
        (EMERGENCY, Releaser.TEAMS, Releaser.CARRIER),
        (IN, Releaser.CARRIER, Releaser.TEAMS),
        # The number leads to a telephone system behind a trunk.
        (IN | {"egress": "g3"}, Releaser.CARRIER, Releaser.TRUNK),
        # Nobody was reached yet.
        (IN | {"egress": ""}, Releaser.CARRIER, Releaser.TEAMS),
        (INSIDE | {"side": "caller"}, Releaser.TEAMS, Releaser.CUSTOMER),
        (INSIDE | {"side": "called"}, Releaser.CUSTOMER, Releaser.TEAMS),
        (INSIDE | {"side": "called", "egress": "g3"}, Releaser.CUSTOMER, Releaser.TRUNK),
        # Both ends are the company's own.
        (INSIDE | {"side": "caller", "peer_id": 1}, Releaser.TEAMS, Releaser.TEAMS),
        (INSIDE | {"side": "caller", "peer_id": 1, "egress": "g3"}, Releaser.TEAMS, Releaser.TRUNK),
        (INSIDE | {"side": "called", "peer_id": 1}, Releaser.TEAMS, Releaser.TEAMS),
    ],
)
def test_the_side_that_ended_a_call(facts: dict[str, Any], caller: Releaser, called: Releaser) -> None:
    assert [releaser(call(**facts, released_by=end)) for end in ("caller", "called")] == [caller, called]


@pytest.mark.parametrize("facts", [OUT, EMERGENCY, IN, INSIDE | {"side": "called"}, {"direction": ""}])
@pytest.mark.parametrize(
    ("limit", "who"),
    [
        ("", Releaser.SBC),
        ("call_length", Releaser.LIMIT),
        ("customer_spend", Releaser.LIMIT),
        ("customer_channels", Releaser.LIMIT),
        ("trunk_cps", Releaser.LIMIT),
        # Rules of the policy, and what a customer must not learn the one of: they are told alike.
        ("below_cost", Releaser.SBC),
        ("not_offered", Releaser.SBC),
    ],
)
def test_the_sbc_ended_it_because_of_a_limit_or_not(facts: dict[str, Any], limit: str, who: Releaser) -> None:
    assert releaser(call(**facts, released_by="sbc", limit=limit)) == who


@pytest.mark.parametrize("facts", [OUT, IN, INSIDE | {"side": "caller"}])
def test_who_ended_a_call_may_be_unknown(facts: dict[str, Any]) -> None:
    assert releaser(call(**facts, released_by="unknown")) == Releaser.UNKNOWN


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (OUT | {"released_by": "caller"}, "Teams, the company's own user"),
        (OUT | {"released_by": "called", "limit": "call_length"}, "The carrier, the outside party"),
        (
            OUT | {"released_by": "sbc", "limit": "call_length"},
            "The SBC, because of a limit: it had lasted as long as a call may",
        ),
        (
            IN | {"released_by": "sbc", "reason": "No media from either end"},
            "The SBC: both ends had vanished, no sound came from either",
        ),
        (OUT | {"released_by": "sbc"}, "The SBC"),
        (OUT | {"released_by": "unknown"}, "Not known"),
    ],
)
def test_what_a_calls_page_says_of_it(facts: dict[str, Any], words: str) -> None:
    assert story.ended_by(call(**facts)) == words
