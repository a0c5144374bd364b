"""What a month costs, without a database: each rule with the others around it, and what holds whatever is sold."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from voice.plans.allowances import Drawing, Pot, rest_charge
from voice.plans.facts import Agreed, Clause, Given, Ordered, Phase
from voice.plans.items import USAGE
from voice.plans.proration import Days, Series, months, part, share
from voice.plans.reckoning import reckon, total
from voice.plans.tests.make import BERLIN, EUR, JULY, JUNE, call, phase, situation, sums
from voice.plans.tiers import BadTiers, Tier, check
from voice.plans.users import Sat, Users
from voice.rating.money import to_minor

SEATS = {"seat": Series.always(10)}


def rest_of(each, covered):
    """What is left of a call without a fee, by the second."""
    per_minute = round(each.micros * 60 / each.billed)
    return rest_charge([(each.billed, per_minute)], 0, covered)


def reckoned(facts, calls=(), begins=JUNE, ends=JULY, **more):
    calls = sorted(calls, key=lambda each: each.answered)
    return reckon(facts, begins, ends, sums(calls), lambda: calls, rest_of, **more)


def lines(bill):
    return [(item.kind, item.text, item.micros) for item in bill.items]


def test_fees_are_cut_where_the_count_changes_and_say_so():
    facts = situation(
        phase(Clause("User", "monthly", 30 * EUR, per="seat")),
        counts={"seat": Series(((date(2026, 1, 1), 10), (date(2026, 6, 16), 12)))},
    )
    assert lines(reckoned(facts)) == [
        ("fee", "User, 1 Jun 2026 to 15 Jun 2026", 150 * EUR),
        ("fee", "User, 16 Jun 2026 to 30 Jun 2026", 180 * EUR),
    ]


def test_a_change_of_plan_bills_each_plan_its_days_and_each_call_by_the_day_of_its_answer():
    old = phase(Clause("Old", "monthly", 30 * EUR), Clause("Minutes", "minutes", minutes=10), ends=date(2026, 6, 16))
    new = phase(Clause("New", "monthly", 60 * EUR), begins=date(2026, 6, 16), contract=old.contract)
    bill = reckoned(
        situation(old, new),
        [call(300, "2026-06-15 23:59"), call(60, "2026-06-16 00:00"), call(60, "2026-06-02 00:00")],
    )
    assert lines(bill)[:2] == [
        ("fee", "Old, 1 Jun 2026 to 15 Jun 2026", 15 * EUR),
        ("fee", "New, 16 Jun 2026 to 30 Jun 2026", 30 * EUR),
    ]
    # Half a month has five minutes; the call after the change finds none.
    assert [cover.seconds for cover in bill.covers] == [60, 240]
    usage = next(item for item in bill.items if item.text == "Calls to Germany")
    assert (usage.micros, usage.basis["covered_seconds"]) == (40_000, 300)


@pytest.mark.parametrize(("at", "covered"), [("2026-03-29 01:59:59", 60), ("2026-03-29 03:00:00", 60)])
def test_the_night_on_which_clocks_change_is_one_day_of_its_plan(at, covered):
    facts = situation(
        phase(Clause("Night", "monthly", 31 * EUR), Clause("Minutes", "minutes", minutes=31), begins=date(2026, 3, 29),
              ends=date(2026, 3, 30))
    )  # fmt: skip
    bill = reckoned(facts, [call(120, at)], date(2026, 3, 1), date(2026, 4, 1))
    assert lines(bill)[0] == ("fee", "Night, 29 Mar 2026", EUR)
    assert sum(each.seconds for each in bill.covers) == covered


def test_a_trial_spares_monthly_fees_and_the_commitment_and_nothing_else():
    agreed = Agreed(1, JUNE, trial_until=date(2026, 6, 16))
    facts = situation(
        phase(
            Clause("User", "monthly", 30 * EUR, per="seat"),
            Clause("911", "emergency", EUR, per="seat"),
            Clause("Set-up", "once", 99 * EUR),
            Clause("Minimum", "commitment", 1000 * EUR),
            begins=JUNE,
            contract=agreed,
        ),
        counts=SEATS,
    )
    assert lines(reckoned(facts)) == [
        ("fee", "User, 16 Jun 2026 to 30 Jun 2026", 150 * EUR),
        ("fee", "911", 10 * EUR),
        ("fee", "Set-up", 99 * EUR),
        ("commitment", "Minimum: what is missing to it", 500 * EUR - 249 * EUR),
    ]
    assert "Set-up" not in str(lines(reckoned(facts, begins=JULY, ends=date(2026, 8, 1))))


def test_add_ons_cost_for_their_days_and_one_off_ones_on_theirs():
    agreed = Agreed(1, JUNE, add_ons=(
        Ordered("recording", 4, date(2026, 6, 16)), Ordered("Porting", 7, date(2026, 6, 30)),
        Ordered("Porting", 1, JULY), Ordered("Gone", 1, JUNE),
    ))  # fmt: skip
    facts = situation(phase(
        Clause("Recording", "monthly", 5 * EUR, optional=True), Clause("Porting", "once", 8 * EUR, optional=True),
        begins=JUNE, contract=agreed,
    ))  # fmt: skip
    assert lines(reckoned(facts)) == [
        ("fee", "Recording, 16 Jun 2026 to 30 Jun 2026", 10 * EUR),
        ("fee", "Porting", 56 * EUR),
    ]


def test_tiers_take_the_place_of_the_decks_price_for_what_no_allowance_covers():
    facts = situation(phase(
        Clause("Included", "minutes", minutes=10),
        Clause("Volume", "tiers", destinations=frozenset({"Germany"}),
               tiers=(Tier(5, 20_000), Tier(None, 10_000))),
    ))  # fmt: skip
    bill = reckoned(facts, [call(900), call(120, at="2026-06-11 10:00"), call(60, destination="France")])
    assert lines(bill) == [
        ("usage", "Calls to Germany", 0),
        ("usage", "Calls to France", 20_000),
        ("usage", "Included: 10 of 10 minutes used", 0),
        ("usage", "Volume, June 2026, minutes 1 to 5", 100_000),
        ("usage", "Volume, June 2026, from minute 6 on", 20_000),
    ]
    # Charges less covers are the lines of calls, also where a call is partly covered and partly by volume.
    assert sum(each.micros_off for each in bill.covers) == 300_000 + 40_000


def test_discounts_come_before_the_commitment_and_credits_after_it():
    facts = situation(phase(
        Clause("User", "monthly", 10 * EUR, per="seat"),
        Clause("Per call", "call", 50_000),
        Clause("Loyalty", "discount", per_million=100_000, scope="fees", months=6),
        Clause("Minimum", "commitment", 120 * EUR),
        contract=Agreed(1, date(2026, 1, 15), credits=(Given(JUNE, 5 * EUR, "Outage of 28 May"),)),
    ), counts=SEATS)  # fmt: skip
    bill = reckoned(facts, [call(60), call(60, direction="in")])
    assert lines(bill)[4:] == [
        ("discount", "Loyalty", -10 * EUR),
        # 100 for users, 0.02 for each of two lines of calls, 0.05 for one call, less 10
        ("commitment", "Minimum: what is missing to it", 120 * EUR - 90 * EUR - 90_000),
        ("credit", "Outage of 28 May", -5 * EUR),
    ]
    assert "Loyalty" not in str(lines(reckoned(facts, begins=JULY, ends=date(2026, 8, 1))))


def test_what_is_left_rolls_over_and_is_drawn_first_and_earlier_bills_are_asked_where_nothing_was_noted():
    plan = phase(Clause("Minutes", "minutes", minutes=10, roll_over=1), begins=date(2026, 5, 1))
    may = [call(240, "2026-05-20 10:00")]
    june = [call(480, "2026-06-10 10:00"), call(900, "2026-06-11 10:00")]

    asked = reckoned(situation(plan), june, before=lambda pots: may)
    noted = {("Minutes", "", date(2026, 5, 1)): 240}
    told = reckoned(situation(plan, drawn=noted, drawn_until=JUNE), june)

    for bill in (asked, told):
        assert bill.draws == [("Minutes", "", date(2026, 5, 1), 360), ("Minutes", "", JUNE, 600)]
    # A late call of May draws from what May left.
    late = reckoned(situation(plan, drawn=noted, drawn_until=JUNE), [call(600, "2026-05-31 23:00")])
    assert late.draws == [("Minutes", "", date(2026, 5, 1), 360)]


def test_late_calls_follow_the_plan_of_their_own_day_also_where_the_plan_of_now_needs_no_single_calls():
    may = phase(
        Clause("Minutes", "minutes", minutes=10), Clause("Set-up", "call", 20_000), begins=date(2026, 5, 1), ends=JUNE
    )
    june = phase(Clause("Connection", "call", 50_000), begins=JUNE)
    facts = situation(may, june, drawn={("Minutes", "", date(2026, 5, 1)): 240}, drawn_until=JUNE)
    late = call(600, "2026-05-31 23:00")
    bill = reckoned(facts, [late, call(60)], oldest=date(2026, 5, 31))

    assert [cover.seconds for cover in bill.covers] == [360]
    assert lines(bill) == [
        ("usage", "Calls to Germany", 80_000 + 20_000),
        ("usage", "Minutes: 6 minutes used", 0),
        ("usage", "Set-up, 1 call", 20_000),
        ("usage", "Connection, 1 call", 50_000),
    ]
    # Without a late one the sums are enough.
    assert lines(reckoned(facts, [call(60)], oldest=date(2026, 6, 10)))[1:] == [("usage", "Connection, 1 call", 50_000)]


def test_minutes_of_each_user_are_not_shared_and_the_line_says_so():
    facts = situation(phase(Clause("Own", "minutes", minutes=1, pool="own")))
    first, second = call(90), call(30, at="2026-06-11 10:00")
    bill = reckoned(facts, [first, second], user_of=lambda each: "+491" if each is first else "+492")
    assert [cover.seconds for cover in bill.covers] == [60, 30]
    assert bill.items[-1].basis == {
        "rule": "minutes", "name": "Own", "given": 0, "used": 90, "left": 0, "users": 2, "empty": 1,
    }  # fmt: skip


def test_what_a_user_left_rolls_over_to_the_same_user():
    since = datetime(2026, 1, 1, tzinfo=BERLIN)
    facts = situation(
        phase(Clause("Own", "minutes", minutes=1, pool="own", roll_over=1), begins=date(2026, 5, 1)),
        users=Users([Sat("+491", 1, since, datetime(2026, 6, 1, tzinfo=BERLIN)), Sat("+492", 1, since, None)]),
        drawn={("Own", "person 1", date(2026, 5, 1)): 20},
        drawn_until=JUNE,
    )
    bill = reckoned(facts, [call(200)], user_of=lambda each: facts.users.at("+492", each.invited))
    assert [cover.seconds for cover in bill.covers] == [40 + 60]
    # The number that nobody has any more had no minutes while a person had it.
    bill = reckoned(facts, [call(200)], user_of=lambda each: facts.users.at("+491", each.invited))
    assert [cover.seconds for cover in bill.covers] == [60]


def test_tiers_rise_and_the_last_is_open():
    for wrong in ([], [Tier(10, 1)], [Tier(None, 1), Tier(None, 2)], [Tier(10, 1), Tier(10, 2), Tier(None, 1)]):
        with pytest.raises(BadTiers):
            check(wrong)


# What holds whatever is sold.

# A machine that stalls for a second is no fault of ours.
CALM = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
DAYS = st.dates(date(2026, 1, 1), date(2026, 12, 31))
AMOUNTS = st.integers(0, 100 * EUR)


@CALM
@given(amount=AMOUNTS, cuts=st.lists(DAYS, max_size=6), seconds=st.integers(0, 10**7))
def test_parts_of_a_year_add_up_whatever_day_it_is_cut_on(amount, cuts, seconds):
    year = (date(2026, 1, 1), date(2027, 1, 1))
    edges = sorted({*year, *cuts})
    runs = [days for first, last in pairwise(edges) for days in months(first, last, within=year)]
    assert sum(part(amount, days, "EUR") for days in runs) == 12 * to_minor(amount, "EUR")
    assert sum(share(seconds, days) for days in runs) == 12 * seconds
    assert all(part(amount, days, "EUR") >= 0 for days in runs)


@CALM
@given(changes=st.lists(st.tuples(DAYS, st.integers(0, 5)), max_size=8), first=DAYS, last=DAYS)
def test_a_count_has_one_value_on_each_day(changes, first, last):
    series = Series(tuple(sorted(dict(changes).items())))
    for days in months(first, last, within=(first, max(first, last))):
        by_run = {}
        for run, count in series.runs(days):
            for ordinal in range(run.first.toordinal(), run.last.toordinal()):
                assert ordinal not in by_run
                by_run[ordinal] = count
        for ordinal in range(days.first.toordinal(), days.last.toordinal()):
            assert by_run.get(ordinal, 0) == series.at(date.fromordinal(ordinal))


PLACES = ["Germany", "France", "Japan"]
ALLOWED = st.builds(
    Clause,
    name=st.sampled_from(["A", "B", "C"]),
    kind=st.just("minutes"),
    minutes=st.integers(1, 30),
    roll_over=st.integers(0, 2),
    destinations=st.frozensets(st.sampled_from(PLACES), max_size=2),
)
TIERED = st.builds(
    Clause,
    name=st.just("T"),
    kind=st.just("tiers"),
    destinations=st.frozensets(st.sampled_from(PLACES), max_size=1),
    tiers=st.tuples(
        st.builds(Tier, st.integers(1, 5), st.integers(0, 50_000)), st.builds(Tier, st.none(), st.integers(0, 50_000))
    ),
)
OTHERS = st.sampled_from([
    Clause("M", "commitment", EUR, scope="calls"), Clause("D", "discount", per_million=250_000, scope="calls"),
    Clause("P", "call", 50_000), Clause("F", "monthly", 10 * EUR),
])  # fmt: skip
CALLS = st.lists(
    st.tuples(
        st.integers(1, 1200),
        st.integers(0, 60 * 24 * 30 - 1),
        st.sampled_from([0, 600, 20_000, 90_000]),
        st.sampled_from(PLACES),
    ),
    min_size=1,
    max_size=12,
)


@st.composite
def sold(draw):
    clauses = draw(st.lists(st.one_of(ALLOWED, TIERED, OTHERS), max_size=5, unique_by=lambda each: each.name))
    cut = draw(st.one_of(st.none(), st.dates(date(2026, 6, 2), date(2026, 6, 30))))
    first = phase(*clauses, ends=cut)
    if cut is None:
        return situation(first)
    return situation(first, Phase("Next", 2, cut, None, tuple(clauses[:3]), first.contract))


def made(told):
    start = datetime(2026, 6, 1, tzinfo=BERLIN)
    return [
        call(seconds, (start + timedelta(minutes=minute)).isoformat(), price, place)
        for seconds, minute, price, place in told
    ]


@CALM
@given(facts=sold(), told=CALLS)
def test_no_second_is_covered_twice_and_parts_add_up(facts, told):
    calls = made(told)
    bill = reckoned(facts, calls)

    by_call: dict = {}
    for cover in bill.covers:
        seconds, off = by_call.get(cover.id, (0, 0))
        by_call[cover.id] = (seconds + cover.seconds, off + cover.micros_off)
    for each in calls:
        seconds, off = by_call.get(each.id, (0, 0))
        assert 0 <= seconds <= each.billed
        assert 0 <= off <= each.micros
    lines_of_calls = [item for item in bill.items if item.kind == USAGE and item.basis.get("rule") == "deck"]
    assert sum(item.micros for item in lines_of_calls) == sum(each.micros for each in calls) - sum(
        off for _seconds, off in by_call.values()
    )
    for state in bill.allowances:
        assert 0 <= state.left <= state.given


@CALM
@given(facts=sold(), told=CALLS, which=st.integers(0, 11), more=st.integers(1, 600))
def test_one_minute_more_never_makes_the_month_cheaper(facts, told, which, more):
    longer = list(told)
    place = which % len(told)
    seconds, *rest = longer[place]
    longer[place] = (seconds + more, *rest)

    def printed(calls):
        return total(reckoned(facts, calls).items, "EUR", to_minor)

    # Lines run over a change of plan, commitments do not: each side rounds for itself.
    coins = 0 if len(facts.phases) == 1 else 2
    assert printed(made(longer)) >= printed(made(told)) - 10_000 * coins


@CALM
@given(
    pots=st.lists(st.builds(
        Pot, st.sampled_from("ABC"), st.integers(0, 900), st.just(JUNE), st.just(JULY),
        st.frozensets(st.sampled_from(PLACES), max_size=2),
    ), max_size=4, unique_by=lambda pot: pot.allowance),
    wanted=st.lists(st.tuples(st.sampled_from(PLACES), st.integers(1, 600)), max_size=15),
)  # fmt: skip
def test_a_pot_never_gives_more_than_it_holds(pots, wanted):
    drawing = Drawing(pots)
    given_ = 0
    for place, seconds in wanted:
        taken = drawing.draw(place, JUNE, seconds)
        assert sum(some for _pot, some in taken) <= seconds
        given_ += sum(some for _pot, some in taken)
    held = {pot.allowance: pot.seconds for pot in pots}
    assert given_ == sum(drawing.drawn.values())
    assert all(seconds <= held[name] for (name, _caller, _day), seconds in drawing.drawn.items())


def test_a_month_is_the_same_by_days_and_as_a_whole():
    assert Days(JUNE, JULY).are_all
    assert total([], "EUR", to_minor) == 0
    assert replace(situation(), currency="USD").series("contract").at(JUNE) == 1
