"""The ranked tables that nodes get, against `choose`, which looks every price up in the decks."""

from datetime import UTC, datetime, time
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from voice.rating.bands import Bands, BandWindow
from voice.rating.cheapest import Span, loss_table, packed, rank_table
from voice.rating.decks import FOREVER, BandPrice, Deck, Rate
from voice.rating.typical import TypicalCall
from voice.routing.choose import UNKNOWN, Ask, CallQuery, LeftOut, Line, Order, Outcome, PolicyView, Quotes, choose
from voice.routing.quotes import quotes_for
from voice.routing.tests.nodes_view import tried_by_a_node

DAY = 86_400_000
NOW = int(datetime(2026, 11, 16, 10, tzinfo=UTC).timestamp() * 1000)
UNTIL = NOW + 14 * DAY
EVENING = Bands("Europe/Berlin", [BandWindow("evening", frozenset(range(5)), time(18), time(8))])
# A minute without fee costs what it costs a minute; a dollar is not quite a euro.
CALL = TypicalCall(60, "EUR", {"USD": Fraction(9, 10)})
SHARED, OWN = ("g1", "g2", "g3", "g4"), ("g8", "g9")


def call(called: str = "447700900123", at: int = NOW) -> CallQuery:
    return CallQuery(called, None, datetime.fromtimestamp(at / 1000, UTC))


def choice(line: Line, quotes: Quotes, **more):
    return choose(PolicyView((line,), {"112": ("g2", "g1")}, **more), call(), quotes)


ASKS = {"g1": Ask(300), "g2": Ask(100), "g3": Ask(), "g4": Ask(blocked=True)}


def test_the_cheapest_goes_first_own_trunks_before_and_those_without_a_price_after():
    line = Line(1, "44", ("g3", "g1", "g9", "g4", "g2"), order=Order.CHEAPEST)

    found = choice(line, Quotes(ASKS))

    assert (found.trunks, found.left_out) == (("g9", "g2", "g1", "g3"), (("g4", LeftOut.BLOCKED),))


def test_a_line_may_leave_out_what_has_no_price_and_equal_prices_keep_its_order():
    line = Line(1, "44", ("g3", "g5", "g1"), order=Order.PRICED)

    found = choice(line, Quotes(ASKS | {"g5": Ask(300)}))

    assert (found.trunks, found.left_out) == (("g5", "g1"), (("g3", LeftOut.NO_PRICE),))


def test_a_line_with_nothing_left_refuses_the_call_rather_than_let_another_line_take_it():
    line = Line(1, "44", ("g3", "g4"), order=Order.PRICED)

    assert choice(line, Quotes(ASKS)).outcome is Outcome.NOT_OFFERED
    assert choice(Line(1, "44", ("g1", "g2")), Quotes(ASKS, 99, protects=True)).outcome is Outcome.BELOW_COST


def test_protection_leaves_out_what_costs_more_than_it_brings_also_in_a_listed_order():
    line = Line(1, "44", ("g1", "g9", "g2", "g3"))

    found = choice(line, Quotes(ASKS, 299, protects=True))

    assert (found.trunks, found.left_out) == (("g9", "g2", "g3"), (("g1", LeftOut.BELOW_COST),))
    assert choice(line, Quotes(ASKS, 300, protects=True)).trunks == line.trunks
    assert choice(line, Quotes(ASKS, 299)).trunks == line.trunks
    assert choice(line, Quotes(ASKS, None, protects=True)).trunks == line.trunks


def test_emergency_and_calls_inside_are_never_ranked_nor_refused():
    quotes = Quotes(ASKS, 0, protects=True)
    policy = PolicyView((Line(1, "", ("g1",)),), {"112": ("g1", "g2")}, own_numbers=frozenset({"4930111"}))

    assert choose(policy, call("112"), quotes).trunks == ("g1", "g2")
    assert choose(policy, call("4930111"), quotes).outcome is Outcome.INSIDE


def test_without_tables_a_line_stays_as_it_is_listed():
    line = Line(1, "44", ("g1", "g2"), order=Order.PRICED)

    assert choice(line, UNKNOWN).trunks == ("g1", "g2")


digits = st.text("1234", max_size=7)
moments = st.integers(-2, 15).map(lambda days: NOW + days * DAY // 2)


@st.composite
def a_deck(draw) -> Deck:
    prices = st.integers(0, 4)
    rates = []
    for place, prefix in enumerate(draw(st.sets(digits, max_size=10))):
        change = draw(st.one_of(st.none(), st.integers(1, 20).map(lambda days: NOW + days * DAY)))
        bands = draw(st.sampled_from([(), (BandPrice("evening", draw(prices), draw(prices)),)]))
        blocked = draw(st.integers(0, 9)) == 0
        steps = {"fee": draw(prices), "increment": draw(st.sampled_from([1, 60, 90])), "minimum_charge": draw(prices)}
        first = Rate(place, prefix, "", draw(prices), bands=bands, blocked=blocked, ends=change or FOREVER, **steps)
        rates.append(first)
        if change and draw(st.booleans()):
            rates.append(Rate(place + 100, prefix, "", draw(prices), begins=change))
        if draw(st.integers(0, 9)) == 0:
            rates.append(Rate(place + 200, prefix, "", draw(prices), callers="49"))
    free = draw(st.sampled_from([()] * 8 + [("out",)]))
    return Deck(draw(st.sampled_from(["EUR"] * 4 + ["USD", "GBP"])), rates, bands=EVENING, free=free)


@st.composite
def some_spans(draw) -> dict[str, list[Span]]:
    found: dict[str, list[Span]] = {}
    for trunk in draw(st.sets(st.sampled_from(SHARED), min_size=1)):
        change = draw(st.one_of(st.none(), st.integers(1, 20).map(lambda days: NOW + days * DAY)))
        found[trunk] = [(0, change or FOREVER, draw(st.integers(1, 3)))]
        if change and draw(st.booleans()):
            found[trunk].append((change, FOREVER, draw(st.integers(1, 3))))
    return found


@settings(max_examples=120, deadline=None)
@given(
    st.tuples(a_deck(), a_deck(), a_deck(), a_deck()),
    some_spans(),
    st.permutations([*SHARED, *OWN]).flatmap(lambda all_: st.integers(1, 6).map(lambda n: tuple(all_[:n]))),
    st.sampled_from(list(Order)),
    st.booleans(),
    st.lists(st.tuples(st.text("1234", min_size=1, max_size=9), moments), min_size=1, max_size=12),
)
def test_what_a_node_reads_from_the_tables_is_what_choose_says(decks, spans, trunks, order, protects, calls):
    held = dict(enumerate(decks, 1))
    ranks = rank_table(spans, held, CALL, NOW, UNTIL)
    losses = loss_table(spans, held, 4, CALL, NOW, UNTIL) if protects else None
    line = Line(1, "", trunks, order=order)

    for called, moment in calls:
        at = min(max(NOW, moment), ranks.timetable.until - 1, losses.timetable.until - 1 if losses else UNTIL)
        quotes = quotes_for(
            called, at, shared=SHARED, spans=spans, decks=held, sell=held[4], protects=protects, call=CALL
        )
        wanted = choose(PolicyView((line,), {}), call(called, at), quotes).trunks

        assert tried_by_a_node(line, OWN, called, at, ranks, losses) == wanted


def test_a_prefix_that_changes_nothing_is_no_row():
    cheap = Deck("EUR", [Rate(1, "44", "", 100), Rate(2, "447", "", 200), Rate(3, "4477", "", 210)])
    dear = Deck("EUR", [Rate(1, "44", "", 150), Rate(2, "447", "", 150), Rate(3, "4420123", "", 160)])
    spans = {"g1": [(0, FOREVER, 1)], "g2": [(0, FOREVER, 2)]}

    table = rank_table(spans, {1: cheap, 2: dear}, CALL, NOW, UNTIL)

    assert packed(table) == {"44": "12", "447": "21"}
    assert table.timetable.moments == ((NOW, 0),)


def test_a_table_that_is_made_anew_an_hour_later_is_the_same():
    deck = Deck("EUR", [Rate(1, "44", "", 100, bands=(BandPrice("evening", 50, 0),))], bands=EVENING)
    spans = {"g1": [(0, FOREVER, 1)], "g2": [(0, FOREVER, 2)]}
    held = {1: deck, 2: Deck("EUR", [Rate(1, "44", "", 70)])}

    made = [rank_table(spans, held, CALL, NOW + hours * 3_600_000, UNTIL) for hours in (0, 1, 12)]

    assert len({each.layout for each in made}) == 1
    assert packed(made[0]) == packed(made[2]) == {"44": "21.12"}


def test_a_low_price_a_minute_is_dear_with_its_fee_and_whole_minutes_until_calls_are_long():
    plain = Deck("EUR", [Rate(1, "44", "", 30_000)])
    cheap = Deck("EUR", [Rate(1, "44", "", 20_000, 40_000, 60, 60)])
    sell = Deck("EUR", [Rate(1, "44", "", 32_500)])
    spans = {"g1": [(0, FOREVER, 1)], "g2": [(0, FOREVER, 2)]}
    held = {1: cheap, 2: plain, 3: sell}

    told = {}
    for seconds in (61, 180, 240, 241, 600):
        by = TypicalCall(seconds, "EUR")
        tables = rank_table(spans, held, by, NOW, UNTIL), loss_table(spans, held, 3, by, NOW, UNTIL)
        told[seconds] = tuple(packed(table).get("44") for table in tables)

    # At 240 s both cost 0.12; a second more is a minute more by the one and 0.0005 by the other.
    assert told == {61: ("21", "10"), 180: ("21", "10"), 240: ("11", None), 241: ("21", "10"), 600: ("12", None)}
