"""What a month will come to, by the days of the week so far: pure, so that anybody can check it by hand."""

from collections.abc import Mapping
from datetime import date, timedelta

# Four of each weekday, so that one bridge day does not decide.
LOOKED_AT = timedelta(days=28)
FEWEST_DAYS = 7


def forecast(days: Mapping[date, int], today: date) -> int | None:
    """Return what the month of `today` will come to; None while there are fewer than seven whole days to go by.

    Whole days of the month count as they were; today and each day to come counts as the mean of its weekday in the
    four weeks before today, today as what it has come to where that is more (docs/pricing.md §17). A day that `days`
    lacks between its first and today came to nothing.
    """
    known = [day for day in days if today - LOOKED_AT <= day < today]
    if not known:
        return None
    first = min(known)
    whole = [first + timedelta(days=count) for count in range((today - first).days)]
    if len(whole) < FEWEST_DAYS:
        return None
    begins = today.replace(day=1)
    total = sum(days.get(begins + timedelta(days=count), 0) for count in range((today - begins).days))
    day = today
    while day.month == today.month:
        alike = [days.get(each, 0) for each in whole if each.weekday() == day.weekday()]
        expected = round(sum(alike) / len(alike))
        total += max(expected, days.get(day, 0), key=abs) if day == today else expected
        day += timedelta(days=1)
    return total
