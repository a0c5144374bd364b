"""The picture that a dashboard keeps of its calls."""

from typing import Any

import pytest

from voice.calls.board import MINUTE, Board, Trunk

NOW = 1_700_000_000_000 - 1_700_000_000_000 % MINUTE


def step(kind: str, call: str = "a", **changed: Any) -> dict[str, Any]:
    facts = {
        "at": NOW, "type": kind, "call": call, "tenant": 17, "msp": 3, "direction": "out", "caller": "+491",
        "called": "+492", "trunk": "g1", "code": 0, "reason": "",
    }  # fmt: skip
    return facts | changed


@pytest.fixture
def board() -> Board:
    board = Board(by_customer=False)
    board.trunks = {"g1": Trunk("Carrier A", "up")}
    return board


def now(board: Board) -> dict[str, Any]:
    numbers: dict[str, Any] = board.snapshot(NOW)["now"]
    return numbers


def test_a_call_comes_is_answered_and_goes(board: Board) -> None:
    for kind, calls, share in (("start", 1, None), ("ringing", 1, None), ("answered", 1, None), ("ended", 0, 1.0)):
        board.take(step(kind))
        assert (now(board)["calls"], now(board)["answered_share"]) == (calls, share)
    assert now(board)["per_minute"] == 1


def test_a_step_that_is_heard_twice_or_late_changes_nothing(board: Board) -> None:
    for kind in ("start", "answered", "start", "ringing", "answered"):
        board.take(step(kind))
    assert (now(board)["calls"], now(board)["per_minute"]) == (1, 1)
    assert board.snapshot(NOW)["live"][0]["state"] == "answered"
    for _ in range(2):
        board.take(step("ended"))
    assert (now(board)["calls"], now(board)["answered_share"]) == (0, 1.0)


def test_a_refusal_is_an_attempt_that_failed(board: Board) -> None:
    board.take(step("refused", code=486))
    assert now(board) == {"calls": 0, "per_minute": 1, "answered_share": 0.0, "cost_today": None}
    assert board.snapshot(NOW)["failures"] == [{"code": 486, "words": "Busy", "count": 1}]


def test_why_calls_failed_is_forgotten_after_an_hour(board: Board) -> None:
    def codes(at: int) -> dict[int, int]:
        return {each["code"]: each["count"] for each in board.delta(at)["failures"]}

    for minute, code in ((0, 486), (0, 486), (0, 503), (30, 486)):
        board.take(step("refused", f"{minute}{code}", at=NOW + minute * MINUTE, code=code))

    assert codes(NOW + 59 * MINUTE) == {486: 3, 503: 1}
    assert codes(NOW + 60 * MINUTE) == {486: 1}
    assert codes(NOW + 90 * MINUTE) == {}
    board.take(step("refused", "days later", at=NOW + 5000 * MINUTE, code=404))
    assert codes(NOW + 5000 * MINUTE) == {404: 1}


def test_a_delta_tells_only_what_is_new(board: Board) -> None:
    board.take(step("start", "a"))
    board.delta(NOW)
    board.take(step("start", "b"))
    board.take(step("ended", "a", code=487))

    frame = board.delta(NOW)

    assert [row["id"] for row in frame["live"]] == ["b"]
    assert frame["removed"] == ["a"]
    assert frame["live"][0]["trunk"] == "Carrier A"
    assert not board.dirty
    assert board.delta(NOW)["removed"] == []


def test_calls_a_minute_fall_by_themselves(board: Board) -> None:
    board.take(step("start"))
    assert board.delta(NOW + MINUTE - 1)["now"]["per_minute"] == 1
    assert board.delta(NOW + MINUTE)["now"]["per_minute"] == 0


def test_the_line_is_drawn_minute_by_minute(board: Board) -> None:
    board.take(step("start"))
    board.tick(NOW + MINUTE)
    assert board.snapshot(NOW)["series"] == [[NOW, 1, 1], [NOW + MINUTE, 1, 0]]


def test_a_trunk_counts_what_went_over_it(board: Board) -> None:
    board.take(step("start"))
    board.take(step("answered"))
    assert board.snapshot(NOW)["trunks"] == [{"name": "Carrier A", "calls": 1, "answered_share": None, "health": "up"}]


def test_an_msp_sees_both_ends_of_a_call_between_two_customers() -> None:
    board = Board(by_customer=True)
    board.customers = {17: "Acme", 18: "Globex"}
    for tenant in (17, 18):
        board.take(step("start", tenant=tenant))
    frame = board.delta(NOW)
    assert {row["customer"] for row in frame["live"]} == {"Acme", "Globex"}
    assert len({row["id"] for row in frame["live"]}) == 2
    assert [(row["name"], row["calls"]) for row in frame["customers"]] == [("Acme", 1), ("Globex", 1)]


def test_each_customer_has_its_own_hour(board: Board) -> None:
    board.by_customer = True
    board.take(step("refused", code=486))
    board.take(step("refused", "b", tenant=18, code=486, at=NOW - 3 * MINUTE))

    series = board.customer_series(NOW + 5)

    assert {pk: [place for place, count in enumerate(line) if count] for pk, line in series.items()} == {
        17: [59],
        18: [56],
    }
    assert {len(line) for line in series.values()} == {60}
