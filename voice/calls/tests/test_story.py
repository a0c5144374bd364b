"""What a call's page says of its end."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tenants.models import Customer
from voice.calls import story
from voice.calls.tests.make import cdr

NOON = datetime(2026, 10, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("facts", "end"),
    [
        ({"released_by": "caller"}, "the caller hung up"),
        ({"released_by": "called", "limit": "call_length"}, "the called party hung up"),
        ({"released_by": "sbc", "limit": "call_length"}, "the SBC ended it: it had lasted as long as a call may"),
        (
            {"released_by": "sbc", "limit": "customer_spend"},
            "the SBC ended it: the prepaid balance, credit or spend limit is used up",
        ),
        (
            {"released_by": "sbc", "reason": "No media from either end"},
            "the SBC ended it: both ends had vanished, no sound came from either",
        ),
    ],
)
def test_who_ended_a_call_and_why(facts: dict[str, Any], end: str) -> None:
    call = cdr(Customer(pk=1, msp_id=1), NOON, **facts)

    assert story.headline(call) == f"Answered after 4 s, lasted 1 min 0 s, then {end}."
    assert story.timeline(call)[-1].title == f"Ended: {end}"


def test_the_sbcs_own_answer_is_not_taken_for_another_networks() -> None:
    facts = {"answered": None, "ringing": None, "code": 480, "released_by": "sbc", "disposition": "not_routed"}
    tried = [{"trunk": "g1", "sent": 1, "ended": 2, "code": 480, "reason": ""}]

    own, others = (cdr(Customer(pk=1, msp_id=1), NOON, attempts=each, **facts) for each in ([], tried))

    assert "own answer" in story.meaning(own) and story.meaning(others) == "Not reachable or no answer"
