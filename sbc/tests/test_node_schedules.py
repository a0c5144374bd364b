import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from sbc.node import schedules
from sbc.node.derived import Derived
from sbc.protocol import Row, RowKey

BERLIN = ZoneInfo("Europe/Berlin")
OFFICE = {"zone": "Europe/Berlin", "windows": [{"days": [0, 1, 2, 3, 4], "begin": "09:00", "until": "17:00"}]}
NIGHT = {"zone": "Europe/Berlin", "windows": [{"days": [4], "begin": "22:00", "until": "06:00"}]}


def state(at: datetime, *said: dict) -> str:
    return schedules.state(schedules.read(json.dumps([{"closed": [], **each} for each in said])), at)


@pytest.mark.parametrize(
    "at, digit",
    [
        (datetime(2026, 11, 20, 8, 59, 59, tzinfo=BERLIN), "0"),
        (datetime(2026, 11, 20, 9, 0, tzinfo=BERLIN), "1"),
        (datetime(2026, 11, 20, 17, 0, tzinfo=BERLIN), "0"),
        (datetime(2026, 11, 20, 22, 0, tzinfo=BERLIN), "2"),
        (datetime(2026, 11, 21, 5, 59, tzinfo=BERLIN), "2"),  # Friday's night
        (datetime(2026, 11, 21, 22, 30, tzinfo=BERLIN), "0"),
        (datetime(2026, 7, 3, 7, 0, tzinfo=UTC), "1"),  # summer: 09:00 on the wall
        (datetime(2026, 11, 20, 7, 30, tzinfo=UTC), "0"),
    ],
)
def test_the_digit_follows_the_clock_on_the_wall(at, digit):
    assert state(at, OFFICE, NIGHT) == digit


def test_a_closed_date_closes_the_night_that_begins_on_it():
    closed = NIGHT | {"closed": ["2026-11-20"]}

    assert state(datetime(2026, 11, 21, 1, 0, tzinfo=BERLIN), closed) == "0"
    assert state(datetime(2026, 11, 28, 1, 0, tzinfo=BERLIN), closed) == "1"


def test_the_hour_that_comes_twice_is_open_twice_and_the_one_that_never_comes_never():
    window = {"zone": "Europe/Berlin", "windows": [{"days": [6], "begin": "02:00", "until": "03:00"}]}

    def minutes_open(day: datetime) -> int:
        return sum(state(day + timedelta(minutes=minute), window) == "1" for minute in range(24 * 60))

    assert minutes_open(datetime(2026, 10, 25, tzinfo=UTC)) == 120
    assert minutes_open(datetime(2026, 3, 29, tzinfo=UTC)) == 0


@pytest.mark.parametrize("text", ["", "{}", "[1]", "[{}]", '[{"zone":"../../etc/passwd","windows":[],"closed":[]}]'])
def test_what_is_no_schedule_is_refused(text):
    with pytest.raises(ValueError):
        schedules.read(text)


def test_only_flipped_states_are_written():
    text = json.dumps([OFFICE | {"closed": []}])
    derived = Derived([Row("sc", "17.1", text), Row("ip", "17:127.0.9.1", "g1")])
    before, after = datetime(2026, 11, 20, 8, 59, tzinfo=BERLIN), datetime(2026, 11, 20, 9, 0, tzinfo=BERLIN)

    assert derived.flips(before) == [Row("ss", "17.1", "0")]
    derived.flip(derived.flips(before))
    assert derived.flips(before) == []
    assert derived.flips(after) == [Row("ss", "17.1", "1")]
    derived.flip(derived.flips(after))
    assert derived.value(RowKey("ss", "17.1")) == "1"
    assert schedules.next_minute(before.replace(second=59, microsecond=500_000)) == 0.5
