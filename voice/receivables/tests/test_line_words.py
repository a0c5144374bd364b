"""The words of lines: in every language the same facts, and days as people there write them."""

import re
from datetime import date

import pytest

from voice.plans import words
from voice.receivables.phrases import LANGUAGES


@pytest.mark.parametrize("key", words.PHRASES)
def test_no_phrase_is_missing_in_any_language_or_says_less(key):
    said = words.PHRASES[key]

    assert set(said) == set(LANGUAGES) and all(each.strip() for each in said.values())
    assert len({tuple(sorted(re.findall(r"%\((\w+)\)s", each))) for each in said.values()}) == 1


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
