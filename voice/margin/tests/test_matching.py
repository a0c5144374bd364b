"""Which call of a carrier's file is which of ours, and what all of them differ in alike."""

import random

from voice.margin.judging import findings, judge, summary, unit_of
from voice.margin.matching import Ours, Theirs, match

MINUTE, HOUR = 60_000, 3_600_000
# A Monday morning.
NOON = 1_790_000_000_000


def ours(count=40, numbers=12, seed=7):
    chance = random.Random(seed)
    return [
        Ours(key, f"4930{chance.randrange(numbers):04}", NOON + key * 5 * MINUTE, seconds, seconds, seconds * 100, "DE")
        for key in range(count)
        for seconds in [chance.randrange(20, 600)]
    ]


def theirs(calls, ahead=0, longer=0, factor=1.0, unit=1):
    return [
        Theirs(row, call.called, call.at + ahead, call.seconds + longer,
               -round(-call.micros * factor // unit) * unit, "Germany")
        for row, call in enumerate(calls, 2)
    ]  # fmt: skip


def looked_at(mine, bills, tolerance=60, seconds=1):
    matched = match(bills, mine, tolerance * 1000)
    unit = unit_of(each.micros for each in bills)
    verdicts = judge(matched, seconds, unit)
    return matched, verdicts, {each["kind"]: each for each in findings(matched.pairs, verdicts, unit)}


def kinds(verdicts):
    return {kind: sums[0] for kind, sums in summary(verdicts)["kinds"].items() if sums[0]}


def test_calls_that_are_the_same_agree():
    mine = ours()
    matched, verdicts, told = looked_at(mine, theirs(mine, ahead=4_000))
    assert kinds(verdicts) == {"same": 40} and told == {}
    assert [(pair.theirs.row - 2, pair.shift) for pair in matched.pairs] == [
        (pair.ours.key, 0) for pair in matched.pairs
    ]


def test_what_only_one_side_has_is_told_apart_with_its_money():
    mine = ours()
    bills = theirs(mine[1:])
    bills.append(Theirs(99, "33140000000", NOON, 60, 5_000, "France"))
    _matched, verdicts, _told = looked_at(mine, bills)
    assert kinds(verdicts) == {"same": 39, "theirs": 1, "ours": 1}
    told = summary(verdicts)["kinds"]
    assert told["theirs"][3] == 5_000 and told["ours"][3] == -mine[0].micros


def test_a_call_that_costs_us_nothing_is_no_difference_when_they_do_not_bill_it():
    mine = [*ours(), Ours(99, "4930111", NOON, 60, 60, 0, "")]
    assert kinds(looked_at(mine, theirs(mine[:-1]))[1]) == {"same": 40}


def test_each_call_has_one_partner_the_nearest():
    mine = [Ours(key, "49301", NOON + key * 20_000, 10 + key, 10 + key, 100, "DE") for key in range(4)]
    bills = [Theirs(row, "49301", NOON + row * 20_000 + 3_000, 10 + row, 100, "") for row in (3, 1, 2, 0)]
    matched = match(bills, mine, MINUTE)
    assert {pair.theirs.row: pair.ours.key for pair in matched.pairs} == {0: 0, 1: 1, 2: 2, 3: 3}
    twice = match([*bills, Theirs(9, "49301", NOON - 30_000, 10, 100, "")], mine, MINUTE)
    assert len(twice.pairs) == 4 and [each.row for each in twice.theirs] == [9]


def test_a_file_in_another_zone_is_matched_and_said_so():
    mine = ours()
    _matched, verdicts, told = looked_at(mine, theirs(mine, ahead=2 * HOUR))
    assert kinds(verdicts) == {"same": 40}
    assert (told["shift"]["minutes"], told["shift"]["share"]) == (120, 100)


def test_a_file_over_the_night_of_the_clocks_shows_both_shifts():
    mine = ours()
    bills = theirs(mine[:25], ahead=2 * HOUR) + [
        each._replace(row=each.row + 100) for each in theirs(mine[25:], ahead=HOUR)
    ]
    matched, verdicts, _told = looked_at(mine, bills)
    assert kinds(verdicts) == {"same": 40}
    assert sorted({pair.shift for pair in matched.pairs}) == [HOUR, 2 * HOUR]


def test_seconds_that_all_calls_are_longer_are_named():
    mine = ours()
    _matched, verdicts, told = looked_at(mine, theirs(mine, longer=3, factor=1.1))
    assert kinds(verdicts) == {"duration": 40}
    assert (told["seconds"]["seconds"], told["seconds"]["share"]) == (3, 100)


def test_whole_minutes_are_named_and_billed_seconds_agree():
    mine = ours()
    up = [each._replace(seconds=-(-each.seconds // 60) * 60) for each in theirs(mine)]
    assert looked_at(mine, up)[2]["minutes"]["share"] == 100
    by_minutes = [each._replace(billed=-(-each.seconds // 60) * 60) for each in mine]
    _matched, verdicts, told = looked_at(by_minutes, up)
    assert kinds(verdicts) == {"same": 40} and told == {}


def test_another_currency_or_price_list_is_a_factor():
    mine = ours()
    _matched, verdicts, told = looked_at(mine, theirs(mine, factor=1.0843))
    assert kinds(verdicts) == {"price": 40}
    assert (told["factor"]["factor"], told["factor"]["share"]) == (1.0843, 100)


def test_rounding_up_each_call_agrees_call_by_call_and_adds_up():
    mine = [each._replace(micros=each.micros + 37) for each in ours()]
    bills = theirs(mine, unit=1_000)
    _matched, verdicts, told = looked_at(mine, bills)
    assert kinds(verdicts) == {"same": 40}
    assert (told["rounding"]["unit"], told["rounding"]["way"]) == (1_000, "up")
    assert told["rounding"]["micros"] == sum(each.micros for each in bills) - sum(each.micros for each in mine)


def test_a_few_calls_prove_no_rule():
    mine = ours(5)
    assert looked_at(mine, theirs(mine, longer=3))[2] == {}


def test_nothing_on_either_side_is_nothing():
    assert kinds(looked_at([], theirs(ours(3)))[1]) == {"theirs": 3}
    assert kinds(looked_at(ours(3), [])[1]) == {"ours": 3}


def test_destinations_stand_by_the_size_of_their_difference():
    mine = [*ours(20), Ours(90, "43660", NOON, 60, 60, 3_000, "Austria, mobile")]
    bills = [*theirs(mine[:-1]), Theirs(99, "43660", NOON, 60, 90_000, "Austria")]
    places = summary(looked_at(mine, bills)[1])["destinations"]
    assert places[0] == ["Austria, mobile", 1, 90_000, 3_000, 87_000] and places[1][4] == 0
