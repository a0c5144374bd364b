"""A deck in a few classes: no number is ever taken for cheaper than its rate."""

import random
from datetime import UTC, datetime

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from portal.db import contexts
from tenants.models import Msp
from voice.rating.classes import DIGITS, FREE, MOST, UNKNOWN, Dearest, Grouped, classes_of, classes_of_deck
from voice.rating.tests.make import stored_deck, stored_rate

prefixes = st.text("1234", max_size=5)
AT = datetime(2026, 11, 28, tzinfo=UTC)


def grouped(rates: dict[str, int]) -> list[Grouped]:
    """Group rates as the database does."""
    found: dict[tuple[str, bool], int] = {}
    for prefix, price in rates.items():
        key = (prefix[:DIGITS], len(prefix) <= DIGITS)
        found[key] = max(price, found.get(key, 0))
    return [Grouped("out", digits, whole, Dearest(price)) for (digits, whole), price in found.items()]


@example({"11": 1, "1212": 0}, "12111")
@given(st.dictionaries(prefixes, st.integers(0, 3_000_000), min_size=1, max_size=30), st.text("1234", min_size=5))
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_no_call_is_taken_for_cheaper_than_its_rate_and_classes_stay_few(rates: dict[str, int], called: str) -> None:
    classes = classes_of(grouped(rates), ["internal", "in"])
    place = next(
        (classes.prefixes[called[:length]] for length in (3, 2, 1) if called[:length] in classes.prefixes),
        classes.outgoing,
    )
    longest = next((called[:length] for length in range(5, -1, -1) if called[:length] in rates), None)

    assert len(classes.prices) <= MOST + 1 and classes.prices[0] == FREE
    if longest is not None:
        assert classes.prices[place].per_minute >= rates[longest]
    if longest is None and len(classes.prices) > 1:
        assert place == classes.outgoing  # nobody knows its price yet: the dearest


def test_a_few_prices_are_told_apart_exactly() -> None:
    rates = {"49": 13_000, "4915": 45_500, "1": 10_400, "1787": 54_600, "44": 14_300, "447": 62_400, "44800": 0}

    classes = classes_of(grouped(rates), ["internal", "in"])

    named = {digits: classes.prices[place].per_minute for digits, place in classes.prefixes.items()}
    # Some numbers of 448 cost nothing; the others are those of 44.
    assert named == {"49": 13_000, "491": 45_500, "1": 10_400, "178": 54_600, "44": 14_300, "447": 62_400}
    assert classes.dearest.per_minute == 62_400
    assert (classes.incoming, classes.internal) == (0, 0)


def test_of_two_equal_prices_the_risk_is_that_without_a_ceiling() -> None:
    capped = Grouped("out", "49", True, Dearest(30, maximum_charge=5_000))
    incoming = Grouped("in", "", True, Dearest(30))

    assert classes_of([capped, incoming], []).dearest == Dearest(30)


def test_the_database_groups_by_what_holds_now_with_the_dearest_band(northwind: Msp) -> None:
    with contexts.msp(northwind):
        deck = stored_deck(northwind)
        stored_rate(deck, "49", 10_000, minimum=60, increment=60, band_prices={"day": [30_000, 5_000]})
        stored_rate(deck, "442", 20_000, maximum_charge=900_000)
        stored_rate(deck, "33", 99_000, ends=datetime(2021, 1, 1, tzinfo=UTC))
        stored_rate(deck, "881", 5_000_000, blocked=True)
        stored_rate(deck, "", 7_000, direction="in")
        classes = classes_of_deck(deck.pk, ["internal"], AT)

    prices = {digits: classes.prices[place] for digits, place in classes.prefixes.items()}
    assert prices == {"442": Dearest(20_000, maximum_charge=900_000)}
    assert classes.prices[classes.outgoing] == Dearest(30_000, 5_000, 60, 60)
    assert classes.prices[classes.incoming] == Dearest(7_000)
    assert classes_of([], ["in"]) is UNKNOWN


def test_many_prices_are_cut_where_they_are_furthest_apart() -> None:
    some = random.Random(7)
    cheap = {f"{i}": some.randint(10_000, 11_000) for i in range(1, 10)}
    dear = {f"{i}": some.randint(2_000_000, 2_100_000) for i in range(880, 890)}

    classes = classes_of(grouped(cheap | dear), ["internal", "in"])

    assert len(classes.prices) == MOST + 1
    assert {price.per_minute > 1_000_000 for price in classes.prices[1:]} == {True, False}
    assert classes.prices[classes.prefixes["885"]].per_minute > 1_000_000
