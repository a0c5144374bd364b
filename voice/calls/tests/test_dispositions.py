"""What became of a call, in one word."""

from typing import Any

import pytest

from voice.calls.dispositions import disposition, is_effective

FAILED = {"answered": None, "ringing": None, "attempts": [{"trunk": "g1"}], "direction": "out", "limit": "",
          "screening": "own", "code": 500, "cause": None, "egress": "g1"}  # fmt: skip


@pytest.mark.parametrize(
    ("facts", "word"),
    [
        ({"answered": 1, "code": 200}, "answered"),
        ({"answered": 1, "code": 200, "direction": "emergency"}, "emergency"),
        ({"direction": "emergency", "code": 503}, "carrier_failure"),
        ({"limit": "customer_cps", "code": 486, "attempts": []}, "limited"),
        ({"limit": "below_cost", "code": 403, "attempts": []}, "not_offered"),
        ({"limit": "not_offered", "code": 403, "attempts": []}, "not_offered"),
        ({"limit": "customer_spend", "code": 486, "attempts": []}, "spend_limit"),
        ({"screening": "refused", "code": 403, "attempts": []}, "bad_caller_id"),
        ({"code": 486}, "busy"),
        ({"code": 600}, "busy"),
        ({"code": 480}, "no_answer"),
        ({"code": 408}, "timeout"),
        ({"code": 408, "ringing": 1}, "no_answer"),
        ({"code": 487}, "cancelled"),
        ({"code": 603}, "rejected"),
        ({"code": 403}, "rejected"),
        ({"code": 404}, "invalid_number"),
        ({"code": 500, "cause": 1}, "invalid_number"),
        ({"code": 484}, "invalid_number"),
        ({"code": 403, "attempts": [], "egress": ""}, "blocked"),
        ({"code": 503, "attempts": [], "egress": ""}, "not_routed"),
        ({"code": 404, "attempts": [], "egress": "", "direction": "in"}, "not_ours"),
        ({"code": 503}, "carrier_failure"),
        ({"code": 503, "egress": "teams", "attempts": [], "direction": "in"}, "network_failure"),
        ({"code": 488}, "network_failure"),
    ],
)
def test_each_end_has_its_word(facts: dict[str, Any], word: str) -> None:
    assert disposition(FAILED | facts) == word


@pytest.mark.parametrize(
    ("facts", "effective"),
    [
        ({"answered": 1, "code": 200}, True),
        ({"answered": 1, "code": 200, "direction": "emergency"}, True),
        ({"code": 486}, True),
        ({"code": 480}, True),
        ({"code": 603}, True),
        # The caller gave up: while it rang, or before anything was heard.
        ({"code": 487, "ringing": 1}, True),
        ({"code": 487}, False),
        ({"code": 487, "attempts": [], "egress": ""}, False),
        ({"code": 404, "ringing": 1}, False),
        ({"code": 503}, False),
    ],
)
def test_the_network_did_its_part_where_somebody_could_have_answered(facts: dict[str, Any], effective: bool) -> None:
    record = FAILED | facts
    assert is_effective(record, disposition(record)) is effective
