from datetime import UTC, datetime

import pytest

from sbc.node import prices

NOON = round(datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(("minutes", "state"), [(-10, "1"), (0, "1"), (59, "1"), (60, "0"), (119, "0"), (9_999, "2")])
def test_a_state_holds_from_its_moment_to_the_next_and_the_last_one_stays(minutes, state):
    moments = prices.read(f"[[{NOON},1],[{NOON + 3_600_000},0],[{NOON + 7_200_000},2]]")

    assert prices.state(moments, datetime.fromtimestamp(NOON / 1000 + minutes * 60, UTC)) == state


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "[1]", "[[1]]", '[["1",0]]', "[[1,0],[1,1]]", "[[1,-1]]", "[[1,100]]", "[[1,true]]"]
)
def test_what_is_no_timetable_is_refused(text):
    with pytest.raises(ValueError):
        prices.read(text)
