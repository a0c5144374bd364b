from datetime import UTC, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.routing.choose import CallQuery, Choice, Line, Miss, Outcome, PolicyView, ScheduleView, Window, choose
from voice.routing.flatten import flatten

MONDAY_10 = datetime(2026, 11, 16, 10, 0, tzinfo=UTC)
OFFICE = ScheduleView(1, "Office hours", "Europe/Berlin", (Window(frozenset(range(5)), time(9), time(17)),))
NIGHT = ScheduleView(2, "Night", "America/New_York", (Window(frozenset(range(7)), time(22), time(6)),))


ME = "49301234567"


def policy(*lines: Line, **more) -> PolicyView:
    more["own_numbers"] = more.get("own_numbers", frozenset()) | {ME}
    return PolicyView(lines, more.pop("emergency", {"112": ("g9",)}), **more)


def call(called: str, caller: str | None = ME, at: datetime = MONDAY_10) -> CallQuery:
    return CallQuery(called, caller, at)


def test_the_first_line_that_matches_wins_and_each_other_says_why_not():
    lines = (
        Line(1, "44", enabled=False),
        Line(2, "1", ("g1",)),
        Line(3, "", ("g1",), caller_prefix="4989"),
        Line(4, "44", ("g2", "g1")),
        Line(5, "", ()),
    )

    choice = choose(policy(*lines), call("442071234567"))

    assert (choice.outcome, choice.trunks) == (Outcome.TRUNK, ("g2", "g1"))
    assert [step.miss for step in choice.trace] == [Miss.DISABLED, Miss.NUMBER, Miss.CALLER, None, Miss.LATER]


@pytest.mark.parametrize(
    ("called", "more", "outcome"),
    [
        ("112", {}, Outcome.EMERGENCY),
        ("4420", {"provider_blocks": frozenset({"44"})}, Outcome.BLOCKED_BY_PROVIDER),
        ("4930999", {"own_numbers": frozenset({"4930999"})}, Outcome.INSIDE),
        ("4420", {}, Outcome.NO_LINE),
    ],
)
def test_what_stands_above_the_lines(called, more, outcome):
    assert choose(policy(**more), call(called)).outcome is outcome


SCREENED = {"default_caller": "49301", "own_numbers": frozenset({"49301", "49302"}), "approved_callers": {"4420"}}


@pytest.mark.parametrize(
    ("caller", "more", "shown"),
    [
        ("49302", SCREENED, "49302"),
        ("4420", SCREENED, "4420"),
        ("4989", SCREENED, "49301"),
        ("", SCREENED, "49301"),
        (None, SCREENED, "49301"),
        ("4989", SCREENED | {"refuses_unknown": True}, None),
        ("", SCREENED | {"refuses_unknown": True}, None),
        ("4420", SCREENED | {"refuses_unknown": True}, "4420"),
        ("4989", SCREENED | {"default_caller": ""}, None),
        (None, SCREENED | {"default_caller": ""}, ""),
        (None, SCREENED | {"refuses_unknown": True}, "49301"),
    ],
)
def test_lines_go_by_the_number_that_the_call_shows(caller, more, shown):
    lines = [
        Line(place, "", (f"g{place}",), caller_prefix=of) for place, of in enumerate(("49301", "49302", "4", ""), 1)
    ]
    of = {"49301": 1, "49302": 2, "4420": 3, "": 4}

    choice = choose(policy(*lines, **more), call("33144556677", caller))

    if shown is None:
        assert choice == Choice(Outcome.CALLER_REFUSED)
    else:
        assert (choice.shown, choice.line.id) == (shown, of[shown])
    assert choose(policy(**more), call("112", caller)).outcome is Outcome.EMERGENCY


@pytest.mark.parametrize(
    ("schedule", "at", "is_open"),
    [
        (OFFICE, datetime(2026, 11, 16, 8, 0, tzinfo=UTC), True),
        (OFFICE, datetime(2026, 11, 16, 16, 0, tzinfo=UTC), False),
        (OFFICE, datetime(2026, 7, 13, 7, 0, tzinfo=UTC), True),
        (OFFICE, datetime(2026, 11, 15, 10, 0, tzinfo=UTC), False),
        (NIGHT, datetime(2026, 11, 17, 3, 0, tzinfo=UTC), True),
        (NIGHT, datetime(2026, 11, 17, 10, 59, tzinfo=UTC), True),
        (NIGHT, datetime(2026, 11, 17, 11, 0, tzinfo=UTC), False),
    ],
)
def test_hours_are_those_of_the_zone_with_its_summer_time_and_may_cross_midnight(schedule, at, is_open):
    assert schedule.is_open(at) is is_open


prefixes = st.text("1234", max_size=4)
lines = st.builds(
    Line,
    id=st.integers(1, 99),
    prefix=prefixes,
    trunks=st.sampled_from([(), ("g1",), ("g2", "g1")]),
    caller_prefix=st.sampled_from(["", "49", "491"]),
    schedule=st.sampled_from([None, None, OFFICE, NIGHT]),
    enabled=st.booleans(),
)


@given(
    st.lists(lines, max_size=12),
    st.text("1234", min_size=1, max_size=6),
    st.sampled_from(
        [("4912", "4912"), ("4922", "4922"), ("1", "4912"), ("4913", "4912"), ("", "4912"), (None, "4912")]
    ),
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),
)
def test_the_longest_prefix_of_the_flattened_policy_is_the_first_match(some, called, caller, at):
    caller, shown = caller
    view = policy(*some, emergency={}, own_numbers=frozenset({"4912", "4922"}), default_caller="4912")
    flat = flatten(view.lines)
    state = sum(1 << i for i, schedule in enumerate(flat.schedules) if schedule.is_open(at))

    wanted: Choice = choose(view, CallQuery(called, caller, at))
    found = None
    for length in range(len(called), -1, -1):
        found = flat.rows.get((flat.caller_class(shown), state, called[:length]))
        if found:
            break

    assert found == wanted.line
