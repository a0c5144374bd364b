"""The way from one currency to another on a day: from stored rates, exactly, and never guessed."""

from datetime import date
from fractions import Fraction

import pytest
from django.db import IntegrityError, transaction
from django.db.utils import ProgrammingError

from portal.db import contexts
from voice.currencies.conversion import NoRate, conversion
from voice.currencies.models import ExchangeRate
from voice.currencies.selectors import rate_on
from voice.rating import money
from voice.rating.money import to_minor

JUNE_30 = date(2026, 6, 30)
USD = money.ExchangeRate("EUR", "USD", 1_084_300_000, JUNE_30)
GBP = money.ExchangeRate("EUR", "GBP", 850_000_000, JUNE_30)


def test_one_rate_leads_both_ways_and_is_rounded_by_the_caller():
    assert conversion("EUR", "USD", JUNE_30, [USD]).exact(100_000_000) == 108_430_000
    back = conversion("USD", "EUR", JUNE_30, [USD])

    assert back.exact(108_430_000) == 100_000_000
    assert to_minor(back.exact(100_000_000), "EUR") == 92_230_000
    assert (str(back), back.day) == ("1 EUR = 1.0843 USD (2026-06-30)", JUNE_30)


def test_two_currencies_meet_in_a_third_without_a_rounding_between():
    found = conversion("USD", "GBP", JUNE_30, [USD, GBP])

    assert found.exact(1_084_300_000_000) == 850_000_000_000
    assert found.exact(1) == Fraction(850_000_000, 1_084_300_000)
    assert str(found) == "1 EUR = 1.0843 USD, 1 EUR = 0.85 GBP (2026-06-30)"


def test_a_rate_of_the_two_comes_before_the_way_by_a_third():
    straight = money.ExchangeRate("GBP", "USD", 1_300_000_000, JUNE_30)

    assert conversion("GBP", "USD", JUNE_30, [USD, GBP, straight]).rates == (straight,)


def test_days_without_a_rate_take_the_last_one_of_a_week_at_most():
    july = money.ExchangeRate("EUR", "USD", 1_100_000_000, date(2026, 7, 1))

    assert conversion("EUR", "USD", date(2026, 7, 7), [USD]).day == JUNE_30
    assert conversion("EUR", "USD", date(2026, 7, 1), [july, USD]).day == july.day
    assert conversion("EUR", "USD", JUNE_30, [july, USD]).day == JUNE_30
    for day in (date(2026, 7, 8), date(2026, 6, 29)):
        with pytest.raises(NoRate, match="EUR and USD"):
            conversion("EUR", "USD", day, [USD])


def test_legs_of_different_days_are_not_mixed():
    older = money.ExchangeRate("EUR", "GBP", 850_000_000, date(2026, 6, 29))
    with pytest.raises(NoRate):
        conversion("USD", "GBP", JUNE_30, [USD, older])


def test_nothing_is_converted_within_one_currency():
    found = conversion("EUR", "EUR", JUNE_30, [])
    assert (found.exact(7), found.rates, found.day, str(found)) == (7, (), None, "")


def stored(msp, **facts):
    told = {"base": "EUR", "quote": "USD", "nanos": 1_084_300_000, "day": JUNE_30, "source": "Bank of Demo"}
    rate = ExchangeRate(msp=msp, **(told | facts))
    rate.save()
    return rate


@pytest.mark.django_db
def test_what_was_entered_last_by_hand_counts_and_each_msp_has_its_own(northwind, fabrikam):
    with contexts.msp(fabrikam):
        stored(fabrikam, nanos=2_000_000_000)
    contexts.use_msp(northwind)
    stored(northwind, nanos=1_200_000_000)
    stored(northwind, nanos=1_250_000_000)
    stored(northwind, kind="ecb", nanos=1_100_000_000, source="ECB")

    assert rate_on("EUR", "USD", JUNE_30).exact(100) == 125
    with contexts.msp(fabrikam):
        assert rate_on("EUR", "USD", JUNE_30).exact(100) == 200


@pytest.mark.django_db
def test_a_rate_is_evidence(northwind, acme):
    contexts.use_msp(northwind)
    rate = stored(northwind)
    for change in (lambda: ExchangeRate.objects.update(nanos=1), lambda: rate.delete()):
        with pytest.raises(ProgrammingError), transaction.atomic():
            change()
    with contexts.customer(acme), pytest.raises(ProgrammingError), transaction.atomic():
        ExchangeRate.objects.count()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "facts", [{"nanos": 0}, {"nanos": -1}, {"quote": "EUR"}, {"quote": "usd"}, {"base": "EURO"}, {"source": ""}]
)
def test_the_database_refuses_what_is_no_rate(northwind, facts):
    contexts.use_msp(northwind)
    with pytest.raises(IntegrityError), transaction.atomic():
        stored(northwind, **facts)
