"""Decks as processes hold them: the same figures as stored, read again when they changed, seen only by who may."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, ProgrammingError, transaction

from portal.db import contexts
from voice.rating import loading
from voice.rating.decks import BandPrice
from voice.rating.models import CustomerDeck, DeckRate, DeckVersion, RateDeck
from voice.rating.pricing import charge_micros
from voice.rating.tests.make import LONG_AGO, ask, give, stored_deck, stored_rate

JUNE = datetime(2026, 6, 1, tzinfo=UTC)
JULY = datetime(2026, 7, 1, tzinfo=UTC)
EVENING = {
    "windows": [{"band": "evening", "days": [0, 1, 2, 3, 4], "begin": "18:00", "until": "00:00"}],
    "holidays": ["2026-12-25"],
}


def ms(moment):
    return round(moment.timestamp() * 1000)


@pytest.fixture
def deck(northwind):
    contexts.use_msp(northwind)
    return stored_deck(northwind)


def test_a_rate_comes_back_as_it_was_stored(northwind):
    contexts.use_msp(northwind)
    deck = stored_deck(northwind, zone="Europe/Berlin", bands=EVENING, free=["internal", "emergency", "in"])
    kept = stored_rate(
        deck, "447", 180_000, fee=10_000, minimum=30, increment=6, grace=2, callers="49", begins=JUNE, ends=JULY,
        band_prices={"evening": [90_000, 0]}, minimum_charge=5, maximum_charge=9, direction="out",
    )  # fmt: skip

    loaded = loading.decks_for([deck.pk])[deck.pk].deck

    rate = loaded.find("out", "447700900123", "4930", ms(JUNE))
    assert (rate.id, rate.per_minute, rate.fee, rate.minimum, rate.increment, rate.grace) == (
        kept.pk, 180_000, 10_000, 30, 6, 2,
    )  # fmt: skip
    assert (rate.begins, rate.ends, rate.bands) == (ms(JUNE), ms(JULY), (BandPrice("evening", 90_000, 0),))
    assert (rate.minimum_charge, rate.maximum_charge, rate.blocked) == (5, 9, False)
    assert (loaded.currency, loaded.free) == ("EUR", {"internal", "emergency", "in"})
    assert loaded.bands.at(ms(datetime(2026, 6, 1, 17, 0, tzinfo=UTC))) == "evening"


def test_what_was_replaced_before_it_held_prices_nothing(deck):
    stored_rate(deck, "44", 10, begins=JUNE, ends=JUNE)
    stored_rate(deck, "44", 20, begins=JUNE)

    loaded = loading.decks_for([deck.pk])[deck.pk].deck

    assert loaded.size == 1
    assert loaded.find("out", "442071234567", "", ms(JUNE)).per_minute == 20


def test_a_deck_is_read_once_and_again_when_it_moved_on(deck, django_assert_num_queries):
    stored_rate(deck, "44", 10)
    first = loading.decks_for([deck.pk])[deck.pk]
    with django_assert_num_queries(1):
        assert loading.decks_for([deck.pk])[deck.pk] is first

    stored_rate(deck, "447", 30)
    RateDeck.objects.filter(pk=deck.pk).update(row_version=deck.row_version + 1)

    assert loading.decks_for([deck.pk])[deck.pk].deck.size == 2


def test_customers_and_trunks_have_the_deck_of_the_moment(deck, acme, globex, northwind):
    contexts.use_msp(northwind)
    summer, costs = stored_deck(northwind, "Summer"), stored_deck(northwind, "Carrier", "buy")
    give(deck, acme, ends=JULY)
    give(summer, acme, begins=JULY)
    ask(costs, 7, begins=JUNE)
    contexts.use_ingest()

    tariffs = loading.tariffs_for([acme.pk, globex.pk], [7, 8])

    assert tariffs.sell(acme.pk, ms(JULY) - 1).id == deck.pk
    assert tariffs.sell(acme.pk, ms(JULY)).id == summer.pk
    assert tariffs.sell(acme.pk, ms(LONG_AGO) - 1) is None
    assert tariffs.sell(globex.pk, ms(JULY)) is None
    assert (tariffs.buy(7, ms(JUNE)).id, tariffs.buy(7, ms(JUNE) - 1), tariffs.buy(8, ms(JUNE))) == (
        costs.pk, None, None,
    )  # fmt: skip


def test_only_the_rates_around_a_number_are_read_for_a_page(deck):
    stored_rate(deck, "", 1)
    stored_rate(deck, "44", 10)
    stored_rate(deck, "447", 30)
    stored_rate(deck, "49", 20)

    around = loading.deck_around(deck.pk, "447700900123")

    assert around.size == 3
    answered = ms(JULY)
    outcome, micros, *_ = charge_micros(around, "out", "447700900123", "", answered, answered + 60_000)
    assert (outcome, micros) == ("rated", 30)


def test_a_customer_reads_the_deck_that_it_pays_by_and_no_other(deck, acme, globex, northwind, fabrikam):
    contexts.use_msp(northwind)
    stored_rate(deck, "44", 10)
    costs = stored_deck(northwind, "Carrier", "buy")
    stored_rate(costs, "44", 5)
    give(deck, acme)
    ids = [deck.pk, costs.pk]
    loading.decks_for(ids)  # what this process holds must not open a wall

    contexts.use_customer(acme)
    assert list(loading.decks_for(ids)) == [deck.pk]
    assert DeckRate.objects.count() == 1
    assert (DeckVersion.objects.count(), DeckRate.objects.update(per_minute=0)) == (0, 0)
    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
        RateDeck.objects.values_list("name", "note").get()
    contexts.use_customer(globex)
    assert (loading.decks_for(ids), DeckRate.objects.count(), CustomerDeck.objects.count()) == ({}, 0, 0)
    contexts.use_msp(fabrikam)
    assert (loading.decks_for(ids), DeckRate.objects.count(), CustomerDeck.objects.count()) == ({}, 0, 0)
    contexts.use_ingest()
    assert sorted(loading.decks_for(ids)) == sorted(ids)
    assert DeckRate.objects.update(per_minute=0) == 0


def test_a_customer_that_was_given_a_buying_deck_by_mistake_reads_nothing_of_it(acme, northwind):
    contexts.use_msp(northwind)
    costs = stored_deck(northwind, "Carrier", "buy")
    stored_rate(costs, "44", 5)
    give(costs, acme)

    contexts.use_customer(acme)

    assert (loading.decks_for([costs.pk]), DeckRate.objects.count()) == ({}, 0)


@pytest.mark.parametrize(
    ("first", "second", "refused"),
    [
        ((JUNE, None), (JULY, None), True),
        ((JUNE, JULY), (JULY, None), False),
        ((JUNE, JULY), (JUNE + timedelta(days=3), JUNE + timedelta(days=4)), True),
        ((JULY, None), (JUNE, JULY), False),
        ((JULY, None), (JUNE, JULY + timedelta(microseconds=1)), True),
        ((JUNE, None), (JULY, JULY), False),
    ],
)
def test_the_database_refuses_two_prices_at_the_same_time(deck, acme, northwind, first, second, refused):
    contexts.use_msp(northwind)
    spans = [{"begins": begins, "ends": ends} for begins, ends in (first, second)]
    stored_rate(deck, "44", 10, **spans[0])
    give(deck, acme, **spans[0])
    ask(deck, 7, **spans[0])
    for write in (
        lambda: stored_rate(deck, "44", 20, **spans[1]),
        lambda: give(deck, acme, **spans[1]),
        lambda: ask(deck, 7, **spans[1]),
    ):
        if refused:
            with pytest.raises(IntegrityError), transaction.atomic():
                write()
        else:
            write()


def test_an_end_that_moves_into_the_next_rate_is_refused(deck):
    first = stored_rate(deck, "44", 10, ends=JUNE)
    stored_rate(deck, "44", 20, begins=JUNE)
    stored_rate(deck, "44", 30, begins=JUNE, callers="49")

    first.ends = JULY
    with pytest.raises(IntegrityError, match="44 has two prices"), transaction.atomic():
        first.save()


def test_loading_asks_nothing_for_nobody(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert loading.tariffs_for().sell(1, 0) is None
        assert loading.decks_for([]) == {}
