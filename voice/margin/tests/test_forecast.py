"""The forecast of a month, as docs/pricing.md says it."""

from datetime import date, timedelta

import pytest

from voice.margin.forecast import forecast
from voice.rating.tests.test_pricing_document import ALL

# A Monday; November 2026 has 30 days, of them 21 weekdays.
TODAY = date(2026, 11, 16)


def days(count: int, until: date = TODAY, work: int = 100, weekend: int = 20) -> dict[date, int]:
    made = [until - timedelta(days=back) for back in range(1, count + 1)]
    return {day: weekend if day.weekday() > 4 else work for day in made}


@pytest.mark.parametrize("example", [each for each in ALL if each.kind == "forecast"], ids=str)
def test_the_page_says_what_the_forecast_does(example) -> None:
    told = {date.fromisoformat(row["Day"]): int(row["Left"]) for row in example.rows if row["Left"] != "–"}
    found = forecast(told, date.fromisoformat(example.options["today"]))
    assert (str(found) if found is not None else "none") == example.options["month"]


def test_days_to_come_are_as_their_weekday_was() -> None:
    assert forecast(days(28), TODAY) == 21 * 100 + 9 * 20


def test_what_is_in_today_counts_where_it_is_more_than_expected() -> None:
    so_far = days(28)
    assert forecast(so_far | {TODAY: 40}, TODAY) == forecast(so_far, TODAY)
    assert forecast(so_far | {TODAY: 250}, TODAY) == forecast(so_far, TODAY) + 150


def test_a_day_without_calls_is_a_day_that_came_to_nothing() -> None:
    known = days(28)
    del known[TODAY - timedelta(days=7)]  # a Monday
    assert forecast(known, TODAY) == 20 * 100 + 9 * 20 - 3 * 25


def test_there_is_no_forecast_from_less_than_a_week() -> None:
    assert forecast(days(6), TODAY) is None
    assert forecast({}, TODAY) is None
    assert forecast(days(7), TODAY) is not None


def test_a_loss_stays_a_loss() -> None:
    assert forecast(days(28, work=-10, weekend=-10), TODAY) == -300
