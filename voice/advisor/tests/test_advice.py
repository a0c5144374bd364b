"""The pure part: what each way costs, what stands in its way, which one is best."""

from hypothesis import given
from hypothesis import strategies as st

from voice.advisor.advice import Case, Goal, Group, advise, mixed, single
from voice.advisor.assumptions import BY_KEY, complete
from voice.advisor.ways import SINGLE, Need, Profile, Way

OFFICE = Group("DE", Profile.OFFICE, 40, 200, 20)
DOORS = Group("DE", Profile.DEVICE, 5, 10, 0)
DRIVERS = Group("GB", Profile.MOBILE, 10, 300, 5)
NONE = complete(
    {
        figure.key: False if figure.kind == "yes" else "" if figure.kind == "countries" else 0
        for figure in BY_KEY.values()
        if figure.key not in ("months", "direct_users_a_channel")
    }
)
READY = {"operator_in": True, "mobile_partner": True}


def reckon(**values):
    return {**NONE, **values}


def lines(option):
    return {str(line.words): (line.count, line.cost, line.price) for line in option.lines}


def test_direct_routing_is_seats_channels_minutes_numbers_and_work():
    values = reckon(
        months=36, have_licence=50, licence_price=9_000_000, licence_cost=8_000_000, direct_user_price=4_000_000,
        direct_user_cost=1_000_000, direct_users_a_channel=8, direct_channel_cost=4_000_000, domestic_price=12_000,
        domestic_cost=6_000, number_price=1_000_000, hour_cost=60_000_000, hour_price=100_000_000, direct_setup=8,
        direct_setup_100=4, direct_support_100=2,
    )  # fmt: skip

    option = single(Way.DIRECT, Case([OFFICE, DOORS]), values)

    assert lines(option) == {
        # Only people need licences, and half of the forty have one.
        "Teams Phone licences": (20, 160_000_000, 180_000_000),
        "Seats": (45, 45_000_000, 180_000_000),
        "Carriers' channels": (6, 24_000_000, 0),
        "Domestic calls": (8_050, 48_300_000, 96_600_000),
        "International calls": (800, 0, 0),
        "Phone numbers": (45, 0, 45_000_000),
        # 8 hours and 4 for each 100 people: 9.8 hours.
        "Set-up": (10, 588_000_000, 980_000_000),
        "Support": (45, 54_000_000, 0),
    }
    assert option.price_monthly == 501_600_000
    assert option.price == 980_000_000 + 36 * 501_600_000
    assert option.cost == 588_000_000 + 36 * 331_300_000
    assert option.price_a_person == 11_150_000


def test_a_plans_minutes_are_pooled_in_a_country_and_not_across():
    values = reckon(plan_countries="DE GB", plan_minutes=100, plan_over_price=10_000, plan_discount=10)
    heavy, light = Group("DE", Profile.OFFICE, 10, 150, 0), Group("DE", Profile.FRONTLINE, 10, 50, 0)
    abroad = Group("GB", Profile.OFFICE, 1, 130, 0)

    option = single(Way.CALLING_PLAN, Case([heavy, light, abroad]), values)

    assert lines(option)["Domestic minutes beyond"] == (30, 270_000, 300_000)


def test_what_is_asked_and_cannot_be_done_stops_a_way():
    values = complete(READY)

    own = {option.way: option.fits for option in advise(Case([OFFICE], frozenset({Need.OWN_ROUTING})), values).options}
    assert own == {Way.DIRECT: True, Way.OPERATOR: False, Way.CALLING_PLAN: False, Way.MOBILE: False, Way.MIX: False}
    assert not single(Way.DIRECT, Case([OFFICE], frozenset({Need.NOTHING_TO_SET_UP})), values).fits
    assert not single(Way.OPERATOR, Case([DOORS]), values).fits
    assert not single(Way.CALLING_PLAN, Case([Group("BR", Profile.OFFICE, 1, 0, 0)]), values).fits


def test_a_programme_that_is_not_joined_yet_takes_its_time():
    outside, inside = complete({}), complete(READY)

    assert single(Way.OPERATOR, Case([OFFICE]), outside).weeks == 40
    assert not single(Way.OPERATOR, Case([OFFICE], weeks=12), outside).fits
    assert single(Way.OPERATOR, Case([OFFICE], weeks=12), inside).fits
    assert not single(Way.MOBILE, Case([DRIVERS]), outside).fits


def test_a_mix_gives_each_group_its_way_and_says_what_that_takes():
    values = complete({**READY, "plan_price": 1_000_000})

    option = mixed(Case([OFFICE, DOORS, DRIVERS], goal=Goal.PRICE), values)

    assert option.ways == [Way.CALLING_PLAN, Way.DIRECT, Way.MOBILE]
    assert option.fits
    assert option.weeks == 8
    assert lines(option)["More set-up"] == (6, 360_000_000, 0)


def test_a_mix_of_one_way_is_none():
    option = mixed(Case([OFFICE], frozenset({Need.OWN_CARRIER})), complete(READY))

    assert [str(reason.words) for reason in option.stops] == ["One way suits every group best: a mix adds nothing."]


def test_the_goal_decides_among_those_that_fit():
    values = complete({**READY, "operator_user_price": 3_000_000})

    best = {goal: advise(Case([OFFICE], goal=goal), values).best for goal in Goal}

    assert best[Goal.PRICE].way is Way.OPERATOR
    assert best[Goal.SPEED].weeks == 1
    fitting = [option.margin for option in advise(Case([OFFICE]), values).options if option.fits]
    assert best[Goal.MARGIN].margin == max(fitting)


def test_set_up_pays_off_in_the_month_whose_margin_makes_up_for_it():
    values = reckon(months=36, hour_cost=100_000_000, direct_setup=10, direct_user_price=10_000_000, direct_user_cost=0)
    ten = Case([Group("DE", Profile.OFFICE, 30, 0, 0)])

    assert single(Way.DIRECT, ten, values).pays_off_after == 4
    assert single(Way.DIRECT, ten, {**values, "direct_user_price": 0}).pays_off_after is None


GROUPS = st.lists(
    st.builds(
        Group, st.sampled_from(["DE", "GB", "BR"]), st.sampled_from(Profile), st.integers(1, 5000),
        st.integers(0, 2000), st.integers(0, 500),
    ),
    min_size=1, max_size=5,
)  # fmt: skip


@given(GROUPS, st.frozensets(st.sampled_from(Need)), st.none() | st.integers(0, 60), st.sampled_from(Goal))
def test_whatever_is_asked_every_way_is_answered_and_adds_up(groups, needs, weeks, goal):
    answer = advise(Case(groups, needs, weeks, goal), complete(READY))

    assert {option.way for option in answer.options} == set(Way)
    fits = [option.fits for option in answer.options]
    assert fits == sorted(fits, reverse=True)
    for option in answer.options:
        assert option.margin == option.price - option.cost
        assert min([line.cost for line in option.lines] + [line.price for line in option.lines], default=0) >= 0
        assert len(option.ways) == len(groups)
    assert [option.fits or bool(option.stops) for option in answer.options] == [True] * (len(SINGLE) + 1)
