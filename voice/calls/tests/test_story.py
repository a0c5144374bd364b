"""What a call's page says of its end."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tenants.models import Customer
from voice.calls import story
from voice.calls.causes import attempts_with_causes, cause_of_code
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


FAILED: dict[str, Any] = {"answered": None, "ringing": None, "ended": NOON, "talk_ms": 0, "released_by": "called"}
TRIED = [
    {"trunk": "g1", "sent": 1, "ended": 2, "code": 503, "reason": "Busy Line"},
    {"trunk": "g2", "sent": 3, "ended": 4, "code": 486, "reason": "Busy Here"},
]


@pytest.mark.parametrize(
    ("code", "cause", "shown"),
    [
        (486, None, ("17, busy", "Derived from the SIP answer 486 (RFC 3398): no cause was named.")),
        (486, 34, ("34, no line free", "")),
        (486, 99, ("99", "")),
        # The caller gave up; the Warning header would have to say; nobody said anything.
        (487, None, ("", "")),
        (488, None, ("", "")),
        (0, None, ("", "")),
    ],
)
def test_a_cause_that_nobody_named_is_derived_and_says_so(code: int, cause: int | None, shown: tuple[str, str]) -> None:
    call = cdr(Customer(pk=1, msp_id=1), NOON, **FAILED | {"code": code, "cause": cause})

    assert story.cause(call) == shown
    assert call.cause == cause


def test_a_call_that_was_answered_has_no_cause_derived() -> None:
    assert story.cause(cdr(Customer(pk=1, msp_id=1), NOON, cause=None)) == ("", "")


def test_each_attempt_has_what_its_answer_stands_for() -> None:
    own, named = (
        cdr(Customer(pk=1, msp_id=1), NOON, attempts=TRIED, **FAILED | {"code": 486, "cause": cause})
        for cause in (None, 19)
    )

    assert [each["cause_derived"] for each in attempts_with_causes(own)] == [41, 17]
    # The call's cause is the last one's.
    assert [each["cause_derived"] for each in attempts_with_causes(named)] == [41, None]
    assert "No line free (503 Busy Line; Q.850 41, derived from it)" in [event.detail for event in story.timeline(own)]
    assert "cause_derived" not in own.attempts[0]


def test_the_table_is_that_of_rfc_3398() -> None:
    """The table of section 8.2.6.1, read apart from our file."""
    table = """
        400 41 401 21 402 21 403 21 404 1 405 63 406 79 407 21 408 102 410 22 413 127 414 127 415 79 416 127 420 127
        421 127 423 127 480 18 481 41 482 25 483 25 484 28 485 1 486 17 500 41 501 79 502 38 503 41 504 102 505 127
        513 127 600 17 603 21 604 1
    """
    numbers = [int(word) for word in table.split()]
    expected = dict(zip(numbers[::2], numbers[1::2], strict=True))

    assert {code: cause for code in range(100, 700) if (cause := cause_of_code(code)) is not None} == expected
