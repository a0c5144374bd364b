import pytest

from voice.numbers.folding import fold, range_text
from voice.numbers.models import Number
from voice.numbers.tests.make import given


def rows(*e164s, facts=("active",)):
    return [(pk, e164, *facts) for pk, e164 in enumerate(e164s, 1)]


def test_neighbours_with_the_same_facts_are_one_line():
    lines, after = fold(rows("+4930123", "+4930124", "+4930126"), 9)

    assert [[e164 for _pk, e164 in line.members] for line in lines] == [["+4930123", "+4930124"], ["+4930126"]]
    assert after == ""


def test_another_fact_or_another_length_begins_a_line():
    lines, _after = fold([*rows("+4930123"), (2, "+4930124", "suspended"), (3, "+49301250", "suspended")], 9)

    assert [line.is_range for line in lines] == [False, False, False]


def test_what_does_not_fit_begins_after_the_last_line():
    lines, after = fold(rows("+4930123", "+4930124", "+4930130", "+4930140"), 2)

    assert ([str(len(line.members)) for line in lines], after) == (["2", "1"], "+4930130")


@pytest.mark.parametrize(
    ("first", "last", "text"),
    [
        ("+493023125000", "+493023125099", "+49 30 231250 00–99"),
        ("+493023125000", "+493023125000", "+49 30 23125000"),
        ("+493023125010", "+493023125011", "+49 30 231250 10–11"),
        ("+12065550100", "+12065550119", "+1 206-555-01 00–19"),
        ("+493023124999", "+493023125000", "+49 30 2312 4999–5000"),
    ],
)
def test_a_range_is_written_as_people_write_it(first, last, text):
    assert range_text(first, last) == text


@pytest.mark.django_db
def test_the_page_folds_opens_and_finds_inside_a_range(acme, alice, nadia, client_of):
    given(acme, nadia, *(f"+493012345{n:02}" for n in range(12)))
    Number.objects.filter(e164="+49301234511").update(label="Door")
    browser = client_of(alice, acme)

    page = browser.get("/numbers/ranges/").content.decode()
    found = browser.get("/numbers/ranges/?q=1234505").content.decode()

    assert "+49 30 12345 00–10" in page and "11 numbers" in page and "Door" in page
    inside = Number.objects.get(e164="+49301234505").pk
    assert f'href="/numbers/{inside}/"' in page and f'href="/numbers/{inside}/"' in found
    assert "00–10" not in found
