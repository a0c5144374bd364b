"""From decks and policies to the tables of prices in an MSP's revision, and to a customer's row that names them."""

from datetime import datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils.timezone import localdate, now

from portal.core.audit import Actor
from portal.core.errors import StaleEdit
from portal.core.models import AuditEntry
from portal.db import contexts
from sbc import services
from sbc.models import Alarm, Revision
from sbc.services import pricing
from tenants.models import Customer, Msp
from voice.carriers.models import Trunk, TrunkGrant
from voice.currencies.models import ExchangeRate
from voice.currencies.services import add_rate
from voice.rating import services as rating
from voice.rating.files.lines import Line, Terms
from voice.rating.models import LossPolicy, PriceTables, PriceUse
from voice.rating.ranking import set_loss_policy
from voice.rating.tests.make import ask, give, stored_deck, stored_rate
from voice.routing.choose import Outcome
from voice.routing.models import Route
from voice.routing.selectors import try_number
from voice.routing.services import delete_route, save_route
from voice.routing.trial import trial

pytestmark = pytest.mark.django_db(transaction=True)
BY = Actor(email="tests")
FREE = ["internal", "emergency", "in"]


@pytest.fixture
def trunks(northwind: Msp, acme: Customer) -> list[Trunk]:
    with contexts.msp(northwind):
        made = [Trunk.objects.create(msp=northwind, name=f"Carrier {name}", host="192.0.2.1") for name in "AB"]
        for trunk in made:
            TrunkGrant.objects.create(msp=northwind, trunk=trunk, tenant=acme)
    return made


@pytest.fixture
def decks(northwind: Msp, acme: Customer, trunks: list[Trunk]):
    """Carrier A is cheaper to 44, carrier B to 447; Acme pays 0.10 everywhere."""
    with contexts.msp(northwind):
        buys = [stored_deck(northwind, f"Carrier {name}", "buy", free=FREE) for name in "AB"]
        for deck, trunk, prices in zip(buys, trunks, ((30_000, 200_000), (40_000, 150_000)), strict=True):
            stored_rate(deck, "44", prices[0])
            stored_rate(deck, "447", prices[1])
            ask(deck, trunk.pk)
        sell = stored_deck(northwind, "Sell", free=FREE)
        stored_rate(sell, "44", 100_000)
        give(sell, acme)
    return *buys, sell


def line(acme: Customer, trunks: list[Trunk], order: str = "cheapest") -> Route:
    with contexts.customer(acme):
        route = Route(pattern="+44*", action="route", trunk_order=order)
        return save_route(route, [trunk.pk for trunk in trunks[::-1]], customer=acme, by=BY)


def rows(scope: str) -> dict[tuple[str, str], str]:
    services.compile_revisions()
    with contexts.ingest():
        newest = Revision.objects.filter(scope=scope).order_by("-version").first()
    return {(table, key): value for table, key, value in newest.rows} if newest else {}


def tables(msp: Msp) -> dict[str, str]:
    """Return the rows of prices in the MSP's newest revision, without the names of their layouts."""
    pricing.make_price_tables()
    prefix = f"m{msp.pk}."
    found = {}
    for (table, key), value in rows(f"msp:{msp.pk}").items():
        if table == "lc":
            deck, _, rest = key.removeprefix(prefix).partition(".")
            found[f"{deck}:{rest.partition(':')[2]}"] = value
    return found


def set_rate(deck, prefix: str, micros: int, at: datetime) -> None:
    with contexts.msp(deck.msp):
        rating.put_rates(deck, [Line(0, ("out", prefix, ""), Terms("x", micros), None, None)], at=at, by=BY)


def version(scope) -> int:
    with contexts.ingest():
        return type(scope).objects.get(pk=scope.pk).config_version


def first(acme: Customer, called: str) -> tuple[Outcome, str]:
    with contexts.customer(acme):
        choice = try_number(acme, called, "", now()).choice
    return choice.outcome, choice.trunks[0] if choice.trunks else ""


def test_a_line_by_price_brings_the_msps_table_and_a_new_price_changes_only_that(northwind, acme, trunks, decks):
    a, b = (trunk.gateway for trunk in trunks)
    assert tables(northwind) == {}

    route = line(acme, trunks)
    routes = [value for (table, _), value in rows(f"cust:{acme.pk}").items() if table == "rt"]
    assert routes == [f"r={route.pk};o=c;n=0;g={b},{a}"]
    assert tables(northwind) == {f"0:{a}": "1", f"0:{b}": "2", "0:44": "12", "0:447": "21"}
    assert (first(acme, "442071234567"), first(acme, "447700900123")) == ((Outcome.TRUNK, a), (Outcome.TRUNK, b))

    before = version(acme), version(northwind)
    set_rate(decks[0], "447", 100_000, now())
    assert tables(northwind)["0:44"] == "12"
    assert "0:447" not in tables(northwind)
    assert (version(acme), version(northwind)) == (before[0], before[1] + 1)
    assert first(acme, "447700900123") == (Outcome.TRUNK, a)

    with contexts.customer(acme):
        delete_route(route, customer=acme, by=BY)
    rows(f"cust:{acme.pk}")
    assert tables(northwind) == {}
    with contexts.ingest():
        assert not PriceUse.objects.exists()


def test_what_changes_nothing_is_not_sent(northwind, acme, trunks, decks):
    line(acme, trunks)
    rows(f"cust:{acme.pk}")
    tables(northwind)
    before = version(northwind)

    set_rate(decks[0], "44", 31_000, now())
    tables(northwind)

    assert version(northwind) == before
    with contexts.ingest():
        stored = PriceTables.objects.get()
    assert stored.made == stored.wanted


def test_a_price_of_tomorrow_is_told_today_and_forgotten_when_it_has_come(northwind, acme, trunks, decks, monkeypatch):
    line(acme, trunks)
    rows(f"cust:{acme.pk}")
    tomorrow = now() + timedelta(days=1)
    set_rate(decks[1], "44", 20_000, tomorrow)

    assert tables(northwind)["0:44"] == "12.21"
    (told,) = (value for (table, _), value in rows(f"msp:{northwind.pk}").items() if table == "pt")
    assert str(round(tomorrow.timestamp() * 1000)) in told
    assert pricing.make_price_tables() == 0

    monkeypatch.setattr(pricing, "now", lambda: tomorrow + timedelta(hours=1))
    assert tables(northwind)["0:44"] == "21"
    assert not [table for table, _ in rows(f"msp:{northwind.pk}") if table == "pt"]


def test_protection_names_the_customers_deck_and_refuses_where_every_trunk_costs_more(
    northwind, acme, globex, trunks, decks
):
    line(acme, trunks, order="listed")
    assert "lp=" not in rows(f"cust:{acme.pk}")["tn", str(acme.pk)]
    assert first(acme, "447700900123") == (Outcome.TRUNK, trunks[1].gateway)

    with contexts.msp(northwind):
        set_loss_policy(northwind, None, "refuse", by=BY)
    assert rows(f"cust:{acme.pk}")["tn", str(acme.pk)].endswith(f";lp={decks[2].pk}")
    assert "lp=" not in rows(f"cust:{globex.pk}")["tn", str(globex.pk)]
    assert tables(northwind)[f"{decks[2].pk}:447"] == "11"
    assert first(acme, "447700900123") == (Outcome.NOT_OFFERED, "")
    assert first(acme, "442071234567") == (Outcome.TRUNK, trunks[1].gateway)

    with contexts.msp(northwind):
        set_loss_policy(northwind, acme, "report", by=BY)
        assert AuditEntry.objects.filter(verb="losses.policy_set").count() == 2
    assert "lp=" not in rows(f"cust:{acme.pk}")["tn", str(acme.pk)]
    assert first(acme, "447700900123")[0] is Outcome.TRUNK
    assert tables(northwind) == {}
    with contexts.ingest():
        losses = PriceTables.objects.get().losses
    assert (losses["count"], losses["worst"][0]["prefix"], losses["currency"]) == (1, "447", "EUR")


def test_another_length_of_the_typical_call_is_another_order(northwind, acme, trunks, decks):
    a, b = (trunk.gateway for trunk in trunks)
    with contexts.msp(northwind):
        # 0.01 a minute and 0.07 a call beside 0.03 a minute: dearer up to three and a half minutes.
        fees = stored_deck(northwind, "By the call", "buy", free=FREE)
        stored_rate(fees, "44", 10_000, fee=70_000)
        rating.assign_trunk(trunks[1], fees, begins=now(), by=BY)
    line(acme, trunks)
    rows(f"cust:{acme.pk}")
    assert tables(northwind)["0:44"] == "12"
    assert first(acme, "442071234567") == (Outcome.TRUNK, a)

    with contexts.msp(northwind):
        set_loss_policy(northwind, None, "report", typical=300, by=BY)
    before = version(acme)
    with contexts.msp(northwind):
        set_loss_policy(northwind, None, "report", typical=301, by=BY)

    assert tables(northwind)["0:44"] == "21"
    assert first(acme, "442071234567") == (Outcome.TRUNK, b)
    assert version(acme) == before, "no customer's own rows follow from the length"


def test_trunks_of_another_currency_are_compared_by_the_stored_rate_of_the_day(northwind, acme, trunks, decks):
    with contexts.msp(northwind):
        dollars = stored_deck(northwind, "Dollars", "buy", currency="USD", free=FREE)
        stored_rate(dollars, "44", 33_000)
        rating.assign_trunk(trunks[1], dollars, begins=now(), by=BY)
        third = Trunk.objects.create(msp=northwind, name="Carrier C", host="192.0.2.1")
        ask(decks[0], third.pk)
    line(acme, trunks)
    rows(f"cust:{acme.pk}")
    assert tables(northwind)["0:44"] == "10"
    with contexts.ingest():
        assert PriceTables.objects.get().losses["skipped"] == ["Dollars"]
    tried = trial(northwind, acme, "+442071234567", "", now())
    assert ([way.asks for way in tried.ways], tried.not_compared) == ([90_000, None], ["USD"])

    with contexts.msp(northwind):
        rate = ExchangeRate(msp=northwind, base="EUR", quote="USD", nanos=1_200_000_000, day=localdate(), source="x")
        add_rate(rate, by=BY)

    assert tables(northwind)["0:44"] == "21"
    assert first(acme, "442071234567") == (Outcome.TRUNK, trunks[1].gateway)
    tried = trial(northwind, acme, "+442071234567", "", now())
    assert ([way.asks for way in tried.ways], tried.not_compared) == ([82_500, 90_000], [])
    assert tried.converted[0].startswith("1 EUR = 1.2 USD")
    with contexts.ingest():
        made = PriceTables.objects.get()
    assert (made.losses["skipped"], len(made.losses["converted"])) == ([], 1)
    assert localdate(made.next_at) == localdate() + timedelta(days=8), "then the rate is too old"


def test_a_customer_that_pays_by_another_deck_from_a_date_on_is_protected_by_that(
    northwind, acme, trunks, decks, monkeypatch
):
    with contexts.msp(northwind):
        set_loss_policy(northwind, acme, "refuse", by=BY)
        other = stored_deck(northwind, "Other", free=FREE)
        stored_rate(other, "44", 10_000)
        tomorrow = now() + timedelta(days=1)
        rating.assign_customer(acme, other, begins=tomorrow, by=BY)
    assert tables(northwind)[f"{other.pk}:44"] == "11"
    assert rows(f"cust:{acme.pk}")["tn", str(acme.pk)].endswith(f";lp={decks[2].pk}")

    later = tomorrow + timedelta(seconds=10)
    monkeypatch.setattr(pricing, "now", lambda: later)
    monkeypatch.setattr("sbc.services.compiling.now", lambda: later)
    assert pricing.make_price_tables() == 1

    assert rows(f"cust:{acme.pk}")["tn", str(acme.pk)].endswith(f";lp={other.pk}")


def test_decks_that_cannot_be_ranked_raise_an_alarm_until_they_can(northwind, acme, trunks, decks, monkeypatch):
    line(acme, trunks)
    rows(f"cust:{acme.pk}")
    before = tables(northwind)
    set_rate(decks[0], "447", 1, now())

    with monkeypatch.context() as broken:
        broken.setattr(pricing, "rank_table", lambda *_: 1 / 0)
        assert pricing.make_price_tables() == 0
        assert pricing.make_price_tables() == 0
    with contexts.ingest():
        assert [alarm.count for alarm in Alarm.objects.open().filter(kind="compile", msp=northwind)] == [1]
    assert tables(northwind) == before

    monkeypatch.setattr(pricing, "now", lambda: now() + timedelta(minutes=2))
    assert tables(northwind) != before
    with contexts.ingest():
        assert not Alarm.objects.open().exists()


def test_policies_are_checked(northwind, acme):
    with contexts.msp(northwind):
        with pytest.raises(ValidationError):
            set_loss_policy(northwind, None, "maybe", by=BY)
        with pytest.raises(ValidationError):
            set_loss_policy(northwind, None, "", by=BY)
        set_loss_policy(northwind, acme, "refuse", by=BY, seen=0)
        with pytest.raises(StaleEdit):
            set_loss_policy(northwind, acme, "report", by=BY, seen=0)
        set_loss_policy(northwind, acme, "", by=BY, seen=1)
        assert not LossPolicy.objects.exists()


def test_a_customers_role_reads_neither_policies_nor_tables(northwind, acme, trunks, decks):
    line(acme, trunks)
    with contexts.msp(northwind):
        set_loss_policy(northwind, acme, "refuse", by=BY)
    rows(f"cust:{acme.pk}")
    tables(northwind)

    with contexts.customer(acme):
        assert not any(model.objects.exists() for model in (LossPolicy, PriceTables, PriceUse))
