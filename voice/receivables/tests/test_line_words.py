"""The words of lines: days, months and numbers as people there write them."""

from datetime import date

import pytest

from voice.plans import words


@pytest.mark.parametrize(
    ("language", "days", "month", "number"),
    [
        ("en", "Desk, 1 Oct 2026 to 9 Oct 2026", "October 2026", "1,234.5"),
        ("de", "Desk, 1.10.2026 bis 9.10.2026", "Oktober 2026", "1.234,5"),
        ("fr", "Desk, du 1 oct. 2026 au 9 oct. 2026", "octobre 2026", "1\u202f234,5"),
    ],
)
def test_days_months_and_numbers_are_written_as_the_language_does(language, days, month, number):
    first, last = date(2026, 10, 1), date(2026, 10, 9)

    with words.in_language(language):
        assert words.say("days", name="Desk", first=words.day(first), last=words.day(last)) == days
        assert (words.month(first), words.number(1234.5)) == (month, number)
    assert words.month(first) == "October 2026"
