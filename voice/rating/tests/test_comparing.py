"""What a file would change in a deck, case by case."""

from datetime import UTC, datetime

import pytest

from voice.rating.comparing import FROM_NOTHING, Held, compare
from voice.rating.files.lines import Line, Terms
from voice.rating.losses import country_code_of, losses, lost_countries

MAY, JUNE, JULY, AUGUST = (datetime(2026, month, 1, tzinfo=UTC) for month in (5, 6, 7, 8))


def key(prefix, callers=""):
    return ("out", prefix, callers)


def held(pk, price, begins=MAY, ends=None, **terms):
    return Held(pk, Terms("there", price, **terms), begins, ends)


def line(prefix, price, begins=None, ends=None, row=1, **terms):
    return Line(row, key(prefix), Terms("there", price, **terms), begins, ends)


def told(found):
    return [
        (each.kind.value, each.key[1], each.terms.per_minute, each.begins, each.ends, each.replaces)
        for each in found.changes
    ]


@pytest.mark.parametrize("full", [True, False])
def test_what_is_the_same_is_no_change(full):
    found = compare({key("44"): [held(1, 10)]}, [line("44", 10)], JUNE, full=full)

    assert (found.changes, found.same, found.after) == ([], 1, {"44": Terms("there", 10)})


def test_each_kind_of_change_is_told_with_what_it_replaces():
    running = {key("44"): [held(1, 10)], key("49"): [held(2, 20)], key("33"): [held(3, 30)], key("43"): [held(4, 40)]}
    lines = [line("44", 15), line("49", 10), line("33", 30, fee=5), line("1", 7)]
    found = compare(running, lines, JUNE, full=True)

    assert told(found) == [
        ("up", "44", 15, JUNE, None, 1),
        ("down", "49", 10, JUNE, None, 2),
        ("terms", "33", 30, JUNE, None, 3),
        ("new", "1", 7, JUNE, None, None),
        ("gone", "43", 40, JUNE, None, 4),
    ]
    assert [each.rise for each in found.changes] == [500, -500, 0, 0, 0]
    assert found.counts == {"new": 1, "up": 1, "down": 1, "terms": 1, "gone": 1}


def test_a_part_of_a_deck_ends_nothing_that_it_lacks():
    found = compare({key("43"): [held(4, 40)]}, [line("1", 7)], JUNE, full=False)

    assert told(found) == [("new", "1", 7, JUNE, None, None)]
    assert (found.same, found.after) == (1, {"1": Terms("there", 7), "43": Terms("there", 40)})


def test_a_code_in_a_row_that_nobody_could_read_is_not_taken_for_missing():
    found = compare({key("43"): [held(4, 40)], key("44"): [held(5, 50)]}, [], JUNE, full=True, keep={"43"})

    assert told(found) == [("gone", "44", 50, JUNE, None, 5)]


def test_a_later_date_of_a_row_lets_the_old_price_hold_until_then():
    found = compare({key("44"): [held(1, 10)]}, [line("44", 15, begins=JULY)], JUNE, full=True)

    assert told(found) == [("up", "44", 15, JULY, None, 1)]


def test_an_earlier_date_of_a_row_counts_from_the_version_on():
    found = compare({key("44"): [held(1, 10)]}, [line("44", 15, begins=MAY)], JUNE, full=True)

    assert told(found) == [("up", "44", 15, JUNE, None, 1)]


def test_a_price_now_and_one_later_in_the_same_file_follow_each_other():
    lines = [line("44", 12, row=1), line("44", 15, begins=JULY, row=2), line("44", 9, begins=MAY, row=3)]
    found = compare({key("44"): [held(1, 10)]}, lines, JUNE, full=True)

    # Of the two that have begun, the file's order by date decides: no date is the version's own.
    assert told(found) == [("up", "44", 12, JUNE, JULY, 1), ("up", "44", 15, JULY, None, None)]


def test_what_another_version_has_planned_stays_planned():
    running = {key("44"): [held(1, 10, ends=JULY), held(2, 20, begins=JULY)], key("49"): [held(3, 5, begins=JULY)]}
    found = compare(running, [line("44", 15), line("49", 4)], JUNE, full=True)

    assert told(found) == [("up", "44", 15, JUNE, JULY, 1), ("new", "49", 4, JUNE, JULY, None)]


def test_a_rate_that_begins_at_that_very_moment_is_replaced_before_it_holds():
    found = compare({key("44"): [held(1, 10, begins=JUNE)]}, [line("44", 15)], JUNE, full=True)

    assert told(found) == [("up", "44", 15, JUNE, None, 1)]


def test_a_row_with_an_end_ends_there_and_one_that_is_over_ends_the_rate():
    running = {key("44"): [held(1, 10)], key("49"): [held(2, 20)]}
    found = compare(running, [line("44", 10, ends=JULY), line("49", 20, ends=MAY)], JUNE, full=True)

    assert told(found) == [("terms", "44", 10, JUNE, JULY, 1), ("gone", "49", 20, JUNE, None, 2)]


@pytest.mark.parametrize(
    ("before", "after", "rise", "alarm"),
    [
        (100, 1000, 9000, True),
        (100, 999, 8990, False),
        (1000, 100, -900, True),
        (1000, 101, -899, False),
        (0, 5, FROM_NOTHING, True),
        (5, 0, -1000, True),
    ],
)
def test_a_price_ten_times_or_a_tenth_is_an_alarm(before, after, rise, alarm):
    found = compare({key("44"): [held(1, before)]}, [line("44", after)], JUNE, full=True)

    assert (found.changes[0].rise, found.changes[0].alarm, found.jumps) == (rise, alarm, int(alarm))


def test_what_takes_over_from_a_code_that_is_gone_is_said():
    running = {
        key("1"): [held(1, 10)],
        key("1787"): [held(2, 350)],
        key("44"): [held(3, 5)],
        key("33", "49"): [held(4, 9)],
    }
    found = compare(running, [line("1", 10)], JUNE, full=True)

    gone = {each.key[1]: (each.falls_to, each.alarm) for each in found.changes}
    assert gone == {"1787": (10, False), "44": (None, True), "33": (None, False)}


def test_countries_that_a_deck_has_lost():
    assert lost_countries(["1787", "447", "44", "88210"], {"1": 10, "49": 5}) == ["44", "882"]
    assert lost_countries(["447"], {"": 10}) == []
    assert [country_code_of(code) for code in ("17875", "4420", "3531", "", "999")] == ["1", "44", "353", "", ""]


def test_selling_below_the_cheapest_price_is_found_also_inside_a_wider_code():
    sell = {"44": 20, "49": 10, "1": 5}
    carriers = [("A", {"44": 12, "447": 180, "1": 5}), ("B", {"44": 25, "447": 150, "49": 11, "4930": 2})]
    found = losses([("retail", sell)], carriers)

    assert [(each.prefix, each.sell, each.buy, each.buyer) for each in found] == [
        ("447", 20, 150, "B"),
        ("49", 10, 11, "B"),
    ]
    assert losses([("retail", sell)], []) == []


@pytest.mark.parametrize(
    ("running", "lines", "lapses"),
    [
        # A price for July takes the place of an open one: from August the code has none.
        ([held(1, 10)], [line("44", 8, JULY, AUGUST)], [("44", AUGUST, 20)]),
        # The file says itself what holds then, in any order.
        ([held(1, 10)], [line("44", 10, AUGUST), line("44", 8, JULY, AUGUST)], []),
        ([held(1, 10)], [line("44", 9, JUNE, JULY), line("44", 8, JULY, AUGUST)], [("44", AUGUST, 20)]),
        # What was planned, or would have ended by then anyway, leaves no hole that was not there.
        ([held(1, 10, ends=AUGUST), held(2, 12, begins=AUGUST)], [line("44", 8, JULY, AUGUST)], []),
        ([held(1, 10, ends=AUGUST)], [line("44", 8, JULY, AUGUST)], []),
        ([], [line("44", 8, JULY, AUGUST)], []),
        ([held(1, 10)], [line("44", 8, JULY)], []),
    ],
)
def test_a_price_for_a_time_that_replaces_an_open_one_leaves_a_hole(running, lines, lapses):
    found = compare({key("44"): running, key("4"): [held(9, 20)]}, lines, JUNE, full=False)

    assert [(each.key[1], each.ends, each.falls_to) for each in found.lapses] == lapses


def test_where_no_shorter_code_is_left_such_calls_would_have_no_rate():
    running = {key("44"): [held(1, 10)], key("4420"): [held(2, 12)]}
    found = compare(running, [line("44", 8, JULY, AUGUST), line("4420", 8, JULY, AUGUST, row=2)], JUNE, full=False)

    assert [(each.row, each.falls_to) for each in found.lapses] == [(1, None), (2, None)]
