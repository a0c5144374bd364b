"""Rating again: what a proposal finds, what applying it posts, and that all sums stay what is stored."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import Sum

from portal.core.audit import Actor
from portal.db import contexts
from voice.carriers.models import Trunk
from voice.rating.models import Account, Charge, Cost, CostUsage, MarginSum, Usage
from voice.rating.tests.make import ask, give, stored_deck, stored_rate
from voice.rerating import again, services, tables
from voice.rerating.models import Adjustment, CostAdjustment, Line, Proposal, ProposalSum
from voice.rerating.tests.make import JULY, JUNE, NOON, applied, calls, proposed, quiet

BY = Actor(email="nadia@northwind.example")
FREE = ["internal", "emergency", "in"]


@pytest.fixture
def trunk(northwind: Any) -> Trunk:
    with contexts.msp(northwind):
        return Trunk.objects.create(msp=northwind, name="Carrier A", host="192.0.2.1")


@pytest.fixture
def decks(northwind: Any, acme: Any, globex: Any, trunk: Trunk) -> Any:
    """Acme pays 0.07 a minute to Britain and Globex the same; the trunk asks 0.03."""
    with contexts.msp(northwind):
        sell = stored_deck(northwind, free=FREE)
        stored_rate(sell, "44", 70_000, destination="United Kingdom")
        buy = stored_deck(northwind, "Carrier A", "buy", free=FREE)
        stored_rate(buy, "44", 30_000, destination="UK")
        for customer in (acme, globex):
            give(sell, customer)
        ask(buy, trunk.pk)
    return sell, buy


@pytest.fixture
def cheaper(northwind: Any, decks: Any) -> Any:
    """What should have been asked: 0.05 a minute, and mobiles of their own."""
    with contexts.msp(northwind):
        deck = stored_deck(northwind, "Cheaper")
        stored_rate(deck, "44", 50_000, destination="United Kingdom")
        stored_rate(deck, "447", 90_000, destination="United Kingdom, mobile")
    return deck


def entries(msp: Any, model: Any = Adjustment) -> list[tuple[str, int, int]]:
    with contexts.msp(msp):
        rows = model.objects.order_by("made_at", "destination")
        return [(row.destination, row.calls, row.micros) for row in rows]


def posted(msp: Any) -> list[tuple[str, int]]:
    with contexts.msp(msp):
        return list(Charge.objects.order_by("invited").values_list("outcome", "micros"))


def check_sums(msp: Any) -> None:
    """Usage, costs, margins and accounts are the sums of what is stored, to the micro."""
    for model, kept, moved in ((Usage, Charge, Adjustment), (CostUsage, Cost, CostAdjustment)):
        with contexts.msp(msp):
            where = ("tenant_id", "direction", "destination", "currency")
            sums: dict[Any, list[int]] = {}
            for rows, calls_of in ((kept.objects.all(), lambda row: 1), (moved.objects.all(), lambda row: row.calls)):
                for row in rows:
                    known = sums.setdefault(tuple(getattr(row, name) for name in where), [0, 0, 0, 0])
                    for place, figure in enumerate((calls_of(row), row.seconds, row.billed, row.micros)):
                        known[place] += figure
            figures = [Sum(name, default=0) for name in ("answered", "seconds", "billed", "micros")]
            for grain in ("hour", "day"):
                found = model.objects.filter(grain=grain).values_list(*where).annotate(*figures).order_by()
                stored = {row[:4]: list(row[4:]) for row in found}
                assert {key: value for key, value in stored.items() if any(value)} == {
                    key: value for key, value in sums.items() if any(value)
                }
    with contexts.msp(msp):
        for grain in ("route", "month", "day"):
            margins = MarginSum.objects.filter(grain=grain).aggregate(e=Sum("earned"), c=Sum("cost"), n=Sum("calls"))
            total = Usage.objects.filter(grain="day").aggregate(e=Sum("micros"), n=Sum("answered"))
            costs = CostUsage.objects.filter(grain="day").aggregate(c=Sum("micros", default=0))
            assert margins == total | costs
        for account in Account.objects.all():
            spent = Usage.objects.filter(tenant=account.tenant_id, grain="day", currency=account.currency)
            assert account.balance_micros == -(spent.aggregate(s=Sum("micros"))["s"] or 0)


def test_the_difference_is_proposed_and_posted_once(northwind, acme, globex, trunk, decks, cheaper):
    fixed, mobile = calls(acme, egress=trunk.gateway), calls(acme, called="+447700900123", at=NOON + timedelta(days=1))
    calls(globex)
    before = posted(northwind)

    found = proposed(northwind, BY, customers=[acme.pk], sell_deck=cheaper)

    assert (found.state, found.calls, found.changed, found.left) == ("ready", 2, 2, 0)
    assert found.totals == [{"side": "sell", "currency": "EUR", "was_micros": 140_000, "micros": 140_000}]
    assert entries(northwind) == [] and posted(northwind) == before
    done = applied(found, BY)
    assert done.state == "applied"
    assert sorted(entries(northwind)) == [
        ("United Kingdom", -1, -70_000), ("United Kingdom", 0, -20_000), ("United Kingdom, mobile", 1, 90_000)
    ]  # fmt: skip
    assert posted(northwind) == before
    check_sums(northwind)
    with contexts.msp(northwind):
        assert services.apply(done, by=BY).state == "applied"
        assert Line.objects.filter(proposal=done).count() == 2
    same = proposed(northwind, BY, customers=[acme.pk], sell_deck=cheaper)
    assert (same.changed, same.totals) == (0, [])
    applied(same, BY)
    assert len(entries(northwind)) == 3
    back = proposed(northwind, BY)
    assert (back.calls, back.changed) == (3, 2)
    applied(back, BY)
    assert sum(micros for _where, _calls, micros in entries(northwind)) == 0
    check_sums(northwind)
    assert fixed[0].id != mobile[0].id


def test_a_call_that_was_kept_aside_gets_its_price(northwind, acme, decks, cheaper):
    calls(acme, called="+33140000000")
    calls(acme, called="+33140000001", at=NOON + timedelta(days=2))
    with contexts.msp(northwind):
        stored_rate(cheaper, "33140000000", 40_000, destination="France")

    found = proposed(northwind, BY, sell_deck=cheaper)

    assert (found.priced, found.left, found.changed) == (1, 1, 0)
    assert [total["micros"] for total in found.totals] == [40_000]
    applied(found, BY)
    assert posted(northwind) == [("rated", 40_000), ("unrated", 0)] and entries(northwind) == []
    check_sums(northwind)


def test_costs_are_rated_by_the_decks_in_force_and_stay_with_the_msp(northwind, acme, trunk, decks):
    calls(acme, 2, egress=trunk.gateway)
    with contexts.msp(northwind):
        decks[1].rates.update(per_minute=36_000)
        type(decks[1]).objects.filter(pk=decks[1].pk).update(row_version=7)

    found = proposed(northwind, BY, sell=False, buy=True)

    assert (found.calls, found.changed) == (2, 2)
    applied(found, BY)
    assert entries(northwind, CostAdjustment) == [("UK", 0, 6_000)] * 2 and entries(northwind) == []
    check_sums(northwind)
    with contexts.customer(acme):
        assert not any(model.objects.exists() for model in (Proposal, ProposalSum, Line, CostAdjustment))


def test_of_two_proposals_over_the_same_calls_the_second_has_to_look_again(northwind, acme, decks, cheaper):
    calls(acme)
    one, other = (proposed(northwind, BY, sell_deck=cheaper) for _each in range(2))
    applied(one, BY)

    with pytest.raises(ValidationError, match="has changed since"):
        applied(other, BY)

    assert len(entries(northwind)) == 1
    with contexts.msp(northwind):
        stored = Proposal.objects.get(pk=other.pk)
        assert stored.state == "ready" and "Rate them again" in stored.message
        assert services.rate(services.rate_again(stored, by=BY), quiet).changed == 0


def test_a_deck_that_changes_in_between_has_the_calls_rated_anew(northwind, acme, decks, cheaper):
    calls(acme)
    found = proposed(northwind, BY, sell_deck=cheaper)
    with contexts.msp(northwind):
        type(cheaper).objects.filter(pk=cheaper.pk).update(row_version=cheaper.row_version + 1)

    with pytest.raises(ValidationError, match="has changed since"):
        applied(found, BY)

    assert entries(northwind) == []
    with contexts.msp(northwind):
        anew = services.rate(services.rate_again(found, by=BY), quiet)
        with pytest.raises(ValidationError, match="rated anew while you looked"):
            services.ask_to_apply(anew, round=1, reason="x", by=BY)
    applied(anew, BY)
    assert [micros for _where, _calls, micros in entries(northwind)] == [-20_000]


def test_a_call_that_arrives_meanwhile_is_in_no_entry(northwind, acme, decks, cheaper):
    calls(acme)
    found = proposed(northwind, BY, sell_deck=cheaper)
    calls(acme, at=NOON + timedelta(days=3))

    applied(found, BY)

    assert len(entries(northwind)) == 1
    check_sums(northwind)
    assert proposed(northwind, BY, sell_deck=cheaper).changed == 1


def test_a_price_that_somebody_set_meanwhile_stops_the_proposal(northwind, acme, decks, cheaper):
    from voice.rating import asides

    calls(acme, called="+33140000000")
    with contexts.msp(northwind):
        stored_rate(cheaper, "33", 40_000)
    found = proposed(northwind, BY, sell_deck=cheaper)
    with contexts.msp(northwind):
        stored_rate(decks[0], "33", 10_000)
        type(decks[0]).objects.filter(pk=decks[0].pk).update(row_version=9)
        asides.price_again(northwind, by=BY)

    with pytest.raises(ValidationError, match="has changed since"):
        applied(found, BY)
    assert posted(northwind) == [("rated", 10_000)] and entries(northwind) == []
    check_sums(northwind)


def test_another_currency_takes_the_charge_back_in_the_old_one(northwind, acme, decks):
    calls(acme)
    with contexts.msp(northwind):
        dollars = stored_deck(northwind, "Dollars", currency="USD")
        stored_rate(dollars, "44", 80_000, destination="United Kingdom")

    found = proposed(northwind, BY, sell_deck=dollars)

    assert [(each["currency"], each["was_micros"], each["micros"]) for each in found.totals] == [
        ("EUR", 70_000, 0), ("USD", 0, 80_000)
    ]  # fmt: skip
    applied(found, BY)
    with contexts.msp(northwind):
        moved = Adjustment.objects.order_by("currency").values_list("currency", "calls", "micros")
        assert list(moved) == [("EUR", -1, -70_000), ("USD", 1, 80_000)]
    check_sums(northwind)


def test_a_version_is_what_the_deck_held_when_it_came_into_force(northwind, acme, decks):
    with contexts.msp(northwind):
        old = decks[0].rates.get()
        decks[0].rates.filter(pk=old.pk).update(ends=NOON - timedelta(days=1))
        later = stored_rate(decks[0], "44", 20_000, begins=NOON - timedelta(days=1), destination="United Kingdom")
        first = decks[0].versions.get()
    calls(acme)

    found = proposed(northwind, BY, sell_deck=decks[0], sell_version=first)

    assert later.pk and [(each["was_micros"], each["micros"]) for each in found.totals] == [(20_000, 70_000)]


def test_nothing_is_left_of_a_proposal_that_was_given_up_or_forgotten(northwind, acme, decks, cheaper):
    calls(acme)
    one, other = (proposed(northwind, BY, sell_deck=cheaper) for _each in range(2))
    with contexts.msp(northwind):
        services.discard(one, by=BY)
        with pytest.raises(ValidationError):
            services.ask_to_apply(one, round=1, reason="x", by=BY)
        assert Line.objects.filter(proposal=other).count() == 1

    assert services.expire(other.expires_at + timedelta(days=1)) == 1

    with contexts.msp(northwind):
        assert set(Proposal.objects.values_list("state", "kept")) == {("discarded", False)}
        assert not Line.objects.exists() and ProposalSum.objects.count() == 2
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_class WHERE relname LIKE %s", [f"{tables.PARENT}\\_%"])
        assert cursor.fetchone() == (0,)


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"begins": JULY, "ends": JUNE}, "__all__"),
        ({"sell": False}, "__all__"),
        ({"begins": JUNE - timedelta(days=500)}, "ends"),
        ({"customers": [987_654]}, "customers"),
        ({"trunks": [987_654]}, "trunks"),
    ],
)
def test_what_makes_no_sense_is_refused(northwind, facts, field):
    with contexts.msp(northwind), pytest.raises(ValidationError) as refused:
        services.propose(Proposal(**{"msp": northwind, "begins": JUNE, "ends": JULY} | facts), by=BY)

    assert field in refused.value.message_dict


def test_another_msps_deck_is_not_to_be_had(northwind, fabrikam, decks):
    with contexts.msp(fabrikam):
        theirs = stored_deck(fabrikam, "Theirs")

    with contexts.msp(northwind), pytest.raises(ValidationError) as refused:
        services.propose(Proposal(msp=northwind, begins=JUNE, ends=JULY, sell_deck=theirs), by=BY)

    assert "sell_deck" in refused.value.message_dict


@pytest.mark.django_db(transaction=True)
def test_the_next_span_is_read_while_one_is_rated(northwind, acme, decks, cheaper, monkeypatch):
    monkeypatch.setattr(again, "MOST_CALLS", 2)
    calls(acme, 7)

    found = proposed(northwind, BY, sell_deck=cheaper)

    with contexts.msp(northwind):
        assert (found.changed, Line.objects.filter(proposal=found).count()) == (7, 7)
        assert sum(ProposalSum.objects.filter(proposal=found).values_list("calls", flat=True)) == 7
        services.discard(found, by=BY)


@pytest.mark.django_db(transaction=True)
def test_two_workers_that_apply_at_once_post_once(northwind, acme, decks, cheaper):
    calls(acme, 3)
    found = proposed(northwind, BY, sell_deck=cheaper)
    with contexts.msp(northwind):
        Proposal.objects.filter(pk=found.pk).update(state="applying", reason="Agreed")

    def work(_number: int) -> str:
        try:
            with contexts.msp(northwind):
                return services.apply(found, by=BY).state
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as workers:
        assert list(workers.map(work, range(2))) == ["applied", "applied"]

    assert [micros for _where, _calls, micros in entries(northwind)] == [-20_000] * 3
    check_sums(northwind)
    with contexts.msp(northwind):
        Proposal.objects.filter(pk=found.pk).update(expires_at=JUNE)
    services.expire(JULY)
