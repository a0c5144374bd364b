"""From a node's record to the invoice: what comes late, twice, or by a clock that jumped is billed once, or waits."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from django.utils import timezone

from portal.db import contexts
from sbc.tests.rated import DEAR, LAB, call
from tenants.models import Customer, Msp, User
from tenants.tests.clients import client_of
from voice.calls.models import Cdr
from voice.rating import asides
from voice.rating.models import Charge, RateDeck
from voice.rating.tests.make import stored_deck, stored_rate
from voice.receivables.models import BilledCharge, Invoice
from voice.receivables.services import runs
from voice.receivables.tests import make
from voice.rerating import deciding
from voice.rerating.deciding import Verdict
from voice.rerating.tests.make import applied, proposed

pytestmark = pytest.mark.django_db(transaction=True)
DEARER = 240_000
MINUTE = timedelta(minutes=1)


def months() -> tuple[date, date, date]:
    """Return the first days of the month before the last, of the last one and of this one."""
    this = timezone.now().date().replace(day=1)
    last = (this - timedelta(days=1)).replace(day=1)
    return (last - timedelta(days=1)).replace(day=1), last, this


FIRST, SECOND, THIRD = months()


def noon(day: date, after: timedelta = timedelta(days=10)) -> int:
    """Return a moment of a month in milliseconds."""
    return int((datetime.combine(day, time(12), UTC) + after).timestamp() * 1000)


@pytest.fixture
def deck(northwind: Msp, acme: Customer, decks: Any, monkeypatch: Any) -> Iterator[RateDeck]:
    """Acme is billed by Northwind's company; from the second month on a minute costs more."""
    monkeypatch.setattr("portal.core.jobs.run_job.apply_async", lambda *_args, **_facts: None)
    change = datetime.combine(SECOND, time(), UTC)
    with contexts.msp(northwind):
        decks[0].rates.update(ends=change)
        stored_rate(decks[0], "49", DEARER, destination="Germany", begins=change)
        make.profile(make.entity(northwind), acme)
    yield decks[0]


def bill(msp: Msp, month: date) -> None:
    """Collect a month, approve everything and issue it."""
    with contexts.msp(msp):
        run = runs.start_run(msp, month, by=make.BY, now=datetime.combine(THIRD, time(), UTC))
        runs.collect(run)
        run.refresh_from_db()
        for finding in run.findings.filter(level="warning"):
            runs.tick(finding, by=make.BY)
        runs.approve_customers(run, None, by=make.BY)
        if run.customers.filter(invoice__state="approved").exists():
            runs.start_issuing(run, on=THIRD, by=make.BY)
            runs.issue_approved(run)


def bills(msp: Msp) -> list[tuple[date, int, int]]:
    """Return month, calls and net amount of each invoice."""
    with contexts.msp(msp):
        found = Invoice.objects.issued().order_by("begins")
        return [(row.begins, BilledCharge.objects.filter(line__invoice=row).count(), row.net) for row in found]


def test_a_call_of_a_month_that_is_billed_is_on_the_next_invoice_once_by_the_prices_of_its_day(
    send: Any, acme: Customer, northwind: Msp, deck: RateDeck
) -> None:
    send(call(1, acme, invited=noon(FIRST)))
    bill(northwind, FIRST)
    late = call(2, acme, invited=noon(FIRST, timedelta(days=11)))

    for _again in range(2):
        send(late, call(3, acme, invited=noon(SECOND)))
    send(late | {"seq": 4})
    bill(northwind, SECOND)
    bill(northwind, FIRST)

    assert bills(northwind) == [(FIRST, 1, DEAR), (SECOND, 2, DEAR + DEARER)]


def test_a_call_that_ends_before_its_answer_waits_for_a_person_and_costs_nothing_until_then(
    send: Any, acme: Customer, northwind: Msp, deck: RateDeck
) -> None:
    at = noon(FIRST)
    send(call(1, acme, invited=at), call(2, acme, invited=at, answered=at + 5_000, ended=at - 3_595_000))

    bill(northwind, FIRST)
    assert bills(northwind) == []
    with contexts.msp(northwind):
        waiting = asides.charges_aside(northwind)
        assert [(each.outcome, each.micros) for each in waiting] == [("no_length", 0)]
    deciding.decide(northwind, waiting, Verdict("price", "As the caller says", 500_000, "EUR"), by=LAB)
    bill(northwind, FIRST)

    assert bills(northwind) == [(FIRST, 2, DEAR + 500_000)]


def test_a_call_that_was_answered_before_it_came_in_is_billed_for_its_talk_once(
    send: Any, acme: Customer, northwind: Msp, deck: RateDeck
) -> None:
    # It came in after midnight; then the clock was set back an hour, into the month before.
    invited = noon(SECOND, timedelta(hours=-11, minutes=-50))
    answered = invited - 3_597_000
    send(call(1, acme, invited=invited, ringing=None, answered=answered, ended=answered + 60_000))

    with contexts.customer(acme):
        charge = Charge.objects.get()
        assert Cdr.objects.get().talk == MINUTE
    assert (charge.outcome, charge.seconds, charge.micros) == ("rated", 60, DEAR)
    for month in (FIRST, SECOND, FIRST):
        bill(northwind, month)
    assert [(calls, net) for _month, calls, net in bills(northwind)] == [(1, DEAR)]


def test_a_calls_page_tells_its_corrections_and_who_bears_them(
    send: Any, acme: Customer, globex: Customer, northwind: Msp, deck: RateDeck, alice: User, nadia: User, trunk: Any
) -> None:
    send(call(1, acme, trunk, invited=noon(FIRST)))
    bill(northwind, FIRST)
    with contexts.msp(northwind):
        agreed = stored_deck(northwind, "As agreed")
        stored_rate(agreed, "49", 100_000, destination="Germany, agreed")
    span = {"begins": datetime.combine(FIRST, time(), UTC), "ends": datetime.combine(SECOND, time(), UTC)}
    proposal = applied(proposed(northwind, LAB, sell_deck=agreed, **span), LAB, "An agreement of theirs")
    with contexts.customer(acme):
        one = Charge.objects.get()
    with contexts.msp(northwind):
        first = Invoice.objects.get()
    mine, theirs = client_of(alice, acme), client_of(nadia, northwind)
    page, path = f"/calls/{one.id}/", f"/api/v1/charges/{one.id}/"

    own, desk = mine.get(page).content.decode(), theirs.get(page).content.decode()
    assert "Charge as first posted" in own and "€0.18 → €0.10" in own and "as a call to Germany, agreed" in own
    assert first.number in own and "will be on the next bill" in own
    assert "An agreement of theirs" in desk and f"/rerating/{proposal.pk}/" in desk and "€0.038763" in desk
    assert "An agreement of theirs" not in own and "rerating" not in own and "Margin" not in own

    send(call(2, acme, trunk, invited=noon(SECOND)))
    bill(northwind, SECOND)
    with contexts.msp(northwind):
        second = Invoice.objects.get(begins=SECOND)
        assert second.net == DEARER - 80_000
    assert f"/bills/{second.pk}/" in mine.get(page).content.decode()
    told, known = mine.get(path).json()["aftermath"], theirs.get(path).json()["aftermath"]
    assert told["stands"] == [{"currency": "EUR", "micros": 100_000}] and told["invoice"] == first.pk
    (change,) = told["corrections"]
    assert (change["before"][0]["micros"], change["invoice"], change["destination"]) == (
        DEAR, second.pk, "Germany, agreed",
    )  # fmt: skip
    assert known["corrections"][0]["proposal"] == proposal.pk and "reason" not in change
    assert "aftermath" not in mine.get("/api/v1/charges/").json()["results"][0]


def test_a_calls_page_tells_what_was_decided_by_hand(
    send: Any, acme: Customer, northwind: Msp, deck: RateDeck, alice: User, nadia: User
) -> None:
    send(call(1, acme, called="+33140000000"))
    with contexts.msp(northwind):
        waiting = asides.charges_aside(northwind)
    deciding.decide(northwind, waiting, Verdict("price", "Our own test number", 30_000, "EUR"), by=make.BY)
    with contexts.customer(acme):
        one = Charge.objects.get()

    own = client_of(alice, acme).get(f"/calls/{one.id}/").content.decode()
    desk = client_of(nadia, northwind).get(f"/calls/{one.id}/").content.decode()

    assert "It costs a price set by hand: €0.03" in own and "Our own test number" not in own
    assert "Our own test number" in desk and make.BY.email in desk
    told = client_of(alice, acme).get(f"/api/v1/charges/{one.id}/").json()["aftermath"]["decision"]
    assert (told["kind"], told["was"], told["micros"]) == ("price", "unrated", 30_000) and "reason" not in told


def test_a_calls_page_tells_that_rating_again_gave_it_its_price(
    send: Any, acme: Customer, northwind: Msp, deck: RateDeck, alice: User, nadia: User
) -> None:
    send(call(1, acme, called="+33140000000", invited=noon(FIRST)))
    with contexts.msp(northwind):
        stored_rate(deck, "33", 90_000, destination="France")
    span = {"begins": datetime.combine(FIRST, time(), UTC), "ends": datetime.combine(SECOND, time(), UTC)}
    proposal = applied(proposed(northwind, LAB, **span), LAB, "France was missing")
    with contexts.customer(acme):
        one = Charge.objects.get()

    own = client_of(alice, acme).get(f"/calls/{one.id}/").content.decode()
    desk = client_of(nadia, northwind).get(f"/calls/{one.id}/").content.decode()

    assert (one.outcome, one.micros) == ("rated", 90_000)
    assert "Got its price later" in own and "France was missing" not in own and "rerating" not in own
    assert "France was missing" in desk and f"/rerating/{proposal.pk}/" in desk
    told = client_of(nadia, northwind).get(f"/api/v1/charges/{one.id}/").json()["aftermath"]
    assert (told["priced_by"], told["corrections"]) == (proposal.pk, [])
