"""Calls are priced in the transaction that stores them: what customers pay, what trunks cost, and who sees which."""

import time
import uuid
from typing import Any

import pytest
from django.db import connection
from django.db.models import F, Sum

from portal.db import contexts
from sbc import ingest, protocol, services
from sbc.models import Alarm, Node, Spool
from sbc.tests.fake_node import record
from sbc.tests.rated import CHEAP, DEAR, LAB, call
from tenants.models import Customer, Msp, Region
from voice.calls.models import Cdr
from voice.carriers.models import Trunk
from voice.rating import books, live
from voice.rating.models import Account, Charge, Cost, CostUsage, CustomerDeck, MarginSum, RateDeck, Usage
from voice.rating.tests.make import ask, give, stored_deck, stored_rate

pytestmark = pytest.mark.django_db(transaction=True)


def charges(customer: Customer) -> list[Charge]:
    with contexts.customer(customer):
        return list(Charge.objects.order_by("invited", "id"))


def costs(msp: Msp) -> list[Cost]:
    with contexts.msp(msp):
        return list(Cost.objects.order_by("invited", "id"))


def used(customer: Customer, grain: str) -> list[tuple[Any, ...]]:
    with contexts.customer(customer):
        names = ("direction", "destination", "currency", "calls", "answered", "seconds", "billed", "micros")
        return list(Usage.objects.filter(grain=grain).order_by("direction", "destination").values_list(*names))


def account(customer: Customer) -> tuple[int, int]:
    with contexts.customer(customer):
        mine = Account.objects.get()
        return mine.balance_micros, mine.spent_micros


def alarms() -> list[Alarm]:
    with contexts.ingest():
        return list(Alarm.objects.open().filter(subject="rating"))


def test_a_call_is_charged_to_its_customer_and_cost_over_its_trunk(
    send: Any, acme: Customer, northwind: Msp, trunk: Trunk, decks: Any
) -> None:
    send(call(1, acme, trunk), call(2, acme, trunk))

    [mine, _other] = charges(acme)
    with contexts.customer(acme):
        assert Cdr.objects.get(id=mine.id, invited=mine.invited).answered == mine.answered
    assert (mine.outcome, mine.micros, mine.currency) == ("rated", DEAR, "EUR")
    assert (mine.destination, mine.prefix, mine.seconds, mine.billed) == ("Germany", "49", 60, 60)
    assert mine.deck_id == decks[0].pk and mine.rate_id is not None
    assert [(each.micros, each.destination, each.trunk) for each in costs(northwind)] == [(CHEAP, "DE", trunk.pk)] * 2
    assert used(acme, "hour") == used(acme, "day") == [("out", "Germany", "EUR", 2, 2, 120, 120, 2 * DEAR)]
    with contexts.msp(northwind):
        assert set(CostUsage.objects.values_list("grain", "trunk", "micros")) == {
            ("hour", trunk.pk, 2 * CHEAP), ("day", trunk.pk, 2 * CHEAP),
        }  # fmt: skip
    assert account(acme) == (-2 * DEAR, 2 * DEAR)


def test_a_batch_is_priced_once_however_often_it_comes(send: Any, acme: Customer, trunk: Trunk, decks: Any) -> None:
    batch = [call(1, acme, trunk), call(2, acme, trunk)]

    for _again in range(3):
        send(*batch)

    assert len(charges(acme)) == 2
    assert account(acme) == (-2 * DEAR, 2 * DEAR)


@pytest.mark.parametrize("change", ["rate", "plan", "trunk", "nothing"])
def test_prices_worked_out_ahead_hold_only_if_nothing_changed(
    region: Region, acme: Customer, northwind: Msp, trunk: Trunk, decks: Any, change: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    node = services.add_node(Node(region=region, name="sbc-lab-1"), by=LAB)[0]
    with contexts.ingest():
        spool = Spool.objects.create(id=uuid.uuid4(), node=node).pk
    records = protocol.Records(first=1, items=[call(1, acme, trunk)])

    batch = ingest.sort_records(node, records)
    again, price = [], live.Batch.price
    monkeypatch.setattr(live.Batch, "price", lambda *args: again.append(args) or price(*args))
    with contexts.msp(northwind):
        if change == "rate":
            decks[0].versions.get().rates.update(per_minute=2 * DEAR)
            RateDeck.objects.filter(pk=decks[0].pk).update(row_version=F("row_version") + 1)
        elif change == "plan":
            CustomerDeck.objects.all().delete()
        elif change == "trunk":
            Trunk.objects.filter(pk=trunk.pk).update(tenant=acme)
    ingest.take_records(node, spool, records, batch)

    assert len(again) == (change != "nothing")
    earned = {"rate": 2 * DEAR, "plan": 0}.get(change, DEAR)
    spent = [] if change == "trunk" else [CHEAP]
    assert [each.micros for each in charges(acme)] == [earned]
    assert [each.micros for each in costs(northwind)] == spent
    assert [row[-1] for row in used(acme, "day")] == [earned]
    with contexts.msp(northwind):
        sums = MarginSum.objects.filter(grain="day").aggregate(earned=Sum("earned"), cost=Sum("cost"))
    assert sums == {"earned": earned, "cost": sum(spent)}


def test_what_nobody_answered_counts_as_a_call_and_leaves_no_charge(
    send: Any, acme: Customer, trunk: Trunk, decks: Any
) -> None:
    send(call(1, acme, trunk, answered=None, ringing=None, code=486))

    assert charges(acme) == []
    assert used(acme, "day") == [("out", "Germany", "EUR", 1, 0, 0, 0, 0)]


def test_a_call_without_a_rate_is_kept_aside(
    send: Any, acme: Customer, northwind: Msp, trunk: Trunk, decks: Any
) -> None:
    send(call(1, acme, trunk, called="+33140000000"), call(2, acme, trunk, called="0800"))

    assert sorted((each.outcome, each.micros, each.prefix) for each in charges(acme)) == [
        ("no_number", 0, ""), ("unrated", 0, "33140"),
    ]  # fmt: skip
    assert sorted(each.outcome for each in costs(northwind)) == ["no_number", "unrated"]


def test_a_customer_without_a_deck_has_unrated_calls(send: Any, globex: Customer, trunk: Trunk, decks: Any) -> None:
    send(call(1, globex, trunk), call(2, globex, trunk, direction="emergency", called="112"))

    assert sorted((each.outcome, each.currency, each.deck_id) for each in charges(globex)) == [
        ("free", "", None), ("unrated", "", None),
    ]  # fmt: skip


def test_calls_inside_and_to_help_are_free(
    send: Any, acme: Customer, globex: Customer, northwind: Msp, trunk: Trunk, decks: Any
) -> None:
    inside = {"direction": "internal", "ingress": "teams", "egress": "teams", "attempts": []}
    send(
        call(1, acme, trunk, direction="emergency", called="911"),
        record(2, acme.pk, peer=globex.pk, **inside),
        record(3, acme.pk, peer=acme.pk, **inside),
    )

    assert [(each.outcome, each.micros) for each in charges(acme)] == [("free", 0)] * 4
    assert [(each.outcome, each.direction) for each in charges(globex)] == [("free", "internal")]
    # Both ends inside one customer are one call of that customer.
    assert [(row[0], row[3]) for row in used(acme, "day")] == [("emergency", 1), ("internal", 2)]
    assert [(each.outcome, each.direction) for each in costs(northwind)] == [("free", "emergency")]


def test_a_trunk_of_the_customers_own_and_one_of_another_msp_cost_nothing(
    send: Any, acme: Customer, northwind: Msp, fabrikam: Msp, decks: Any
) -> None:
    with contexts.msp(northwind):
        own = Trunk.objects.create(msp=northwind, tenant=acme, name="Own", host="192.0.2.2")
    with contexts.msp(fabrikam):
        foreign = Trunk.objects.create(msp=fabrikam, name="Theirs", host="192.0.2.3")
        theirs = stored_deck(fabrikam, "Theirs", "buy")
        stored_rate(theirs, "49", 1)
        ask(theirs, foreign.pk)

    send(call(1, acme, own), call(2, acme, foreign))

    assert [each.micros for each in charges(acme)] == [DEAR, DEAR]
    assert costs(northwind) == costs(fabrikam) == []


def test_a_late_end_prices_its_call(
    send: Any, acme: Customer, globex: Customer, northwind: Msp, trunk: Trunk, decks: Any
) -> None:
    answered = int(time.time() * 1000) - 600_000
    unknown = {"answered": answered, "ended": None, "end_unknown": True, "last_seen": answered + 40_000}
    first, second = (call(seq, acme, trunk, **unknown) for seq in (1, 2))
    end = {"kind": "orphan_end", "call_id": "", "ended": answered + 120_000, "cause": 16, "reason": ""}
    send(first)
    assert [(each.outcome, each.micros) for each in charges(acme)] == [("no_end", 0)]

    # The second call and both ends in one batch; each end comes twice.
    ends = [{"seq": 3 + n, "id": each["id"], **end} for n, each in enumerate((first, second, first, second))]
    send(second, *ends)

    assert [(each.outcome, each.micros, each.seconds) for each in charges(acme)] == [("rated", 2 * DEAR, 120)] * 2
    assert [(each.outcome, each.micros) for each in costs(northwind)] == [("rated", 2 * CHEAP)] * 2
    assert [row for row in used(acme, "day") if row[3]] == [("out", "Germany", "EUR", 2, 2, 240, 240, 4 * DEAR)]
    assert account(acme) == (-4 * DEAR, 4 * DEAR)


def test_a_deck_that_cannot_be_read_keeps_no_call_out_and_takes_no_other_deck_away(
    send: Any, acme: Customer, globex: Customer, northwind: Msp, trunk: Trunk, decks: Any
) -> None:
    with contexts.msp(northwind):
        broken = stored_deck(northwind, "Broken", bands={"windows": [{"band": "x"}]})
        give(broken, globex)

    send(call(1, acme, trunk), call(2, globex, trunk))

    assert [each.micros for each in charges(acme)] == [DEAR]
    assert [each.outcome for each in charges(globex)] == ["unrated"]
    assert [each.count for each in alarms()] == [1]


@pytest.mark.parametrize("where", ["tariffs_for", "sold", "Sums.write"])
def test_a_fault_in_rating_never_loses_a_call(
    send: Any, acme: Customer, trunk: Trunk, decks: Any, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    def fail(*_args: Any, **_kwargs: Any) -> None:
        if where == "Sums.write":
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 / 0")
        raise RuntimeError("a fault")

    owner, _, name = where.rpartition(".")
    monkeypatch.setattr(getattr(live, owner) if owner else books, name, fail)

    assert send(call(1, acme, trunk), call(2, acme, trunk)) == 2

    with contexts.customer(acme):
        assert Cdr.objects.count() == 2
    outcomes = [] if where == "Sums.write" else ["unrated", "unrated"]
    assert [each.outcome for each in charges(acme)] == outcomes
    [alarm] = alarms()
    assert alarm.count >= 2 and "could not be priced" in alarm.text


def test_nothing_that_was_posted_can_be_changed_by_the_database_s_own_rule(
    send: Any, acme: Customer, northwind: Msp, trunk: Trunk, decks: Any
) -> None:
    send(call(1, acme, trunk))

    with contexts.ingest():
        assert Charge.objects.update(micros=1) == 0
        assert Cost.objects.update(micros=1) == 0
    assert charges(acme)[0].micros == DEAR


def test_a_customer_sees_its_own_charges_and_never_a_cost(
    send: Any, acme: Customer, globex: Customer, initech: Customer, northwind: Msp, fabrikam: Msp, trunk: Trunk,
    decks: Any,
) -> None:  # fmt: skip
    with contexts.msp(northwind):
        give(decks[0], globex)
    send(call(1, acme, trunk), call(2, globex, trunk))

    for customer, seen in ((acme, 1), (globex, 1), (initech, 0)):
        with contexts.customer(customer):
            assert (Charge.objects.count(), Usage.objects.count(), Account.objects.count()) == (seen, 2 * seen, seen)
            assert (Cost.objects.count(), CostUsage.objects.count()) == (0, 0)
    for msp, seen in ((northwind, 2), (fabrikam, 0)):
        with contexts.msp(msp):
            assert (Charge.objects.count(), Cost.objects.count(), CostUsage.objects.count()) == (seen, seen, 2 * seen)
    with contexts.public():
        assert (Charge.objects.count(), Cost.objects.count(), Usage.objects.count(), Account.objects.count()) == (
            0,
        ) * 4
