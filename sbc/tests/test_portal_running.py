"""Long calls that go on, and what becomes of them when their node never comes back: a record, once."""

import time
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.utils.timezone import now

from portal.db import contexts
from sbc import protocol
from sbc.models import Alarm, Node, QuarantinedRecord
from sbc.services import running
from sbc.tests.fake_node import record
from sbc.tests.rated import DEAR
from tenants.models import Customer, Msp
from voice.calls.models import Cdr, RunningCall
from voice.rating.models import Account, Charge

pytestmark = pytest.mark.django_db(transaction=True)
HOUR = 3_600_000


def long_call(customer: Customer, hours: float, **changed: Any) -> dict[str, Any]:
    """Return a call to Germany that was answered two days ago and had lasted for so long when it was seen."""
    answered = int(time.time() * 1000) - 48 * HOUR
    whole = record(1, customer.pk, invited=answered - 5000, answered=answered, id=str(uuid.uuid4()))
    names = protocol.RunningCall.__annotations__
    return {name: whole[name] for name in names if name in whole} | {"seen": answered + int(hours * HOUR)} | changed


def tell(*items: dict[str, Any]) -> int:
    with contexts.ingest():
        node = Node.objects.get(name="sbc-lab-1")
    return running.take(node, protocol.Running(items=list(items)), now())


def so_far(customer: Customer) -> list[int]:
    with contexts.customer(customer):
        return [call.seconds for call in RunningCall.objects.order_by("pk")]


def kept(customer: Customer) -> tuple[list[Cdr], list[Charge]]:
    with contexts.customer(customer):
        return list(Cdr.objects.all()), list(Charge.objects.all())


def balance(customer: Customer) -> int:
    with contexts.customer(customer):
        account = Account.objects.first()
        return account.balance_micros if account else 0


def test_a_long_call_is_kept_up_to_date_and_costs_nothing_before_its_end(
    send: Any, acme: Customer, globex: Customer, northwind: Msp, decks: Any
) -> None:
    call = long_call(acme, 0.25)
    tell(call)
    assert tell(call | {"seen": call["answered"] + HOUR}) == 0

    assert so_far(acme) == [3600] and not so_far(globex)
    with contexts.msp(northwind):
        assert RunningCall.objects.count() == 1
    assert kept(acme) == ([], []) and balance(acme) == 0


@pytest.mark.parametrize(
    "change", [{"tenant": 999}, {"id": "x"}, {"seen": 0}, {"answered": "soon"}, {"more": 1}, {"direction": ""}]
)
def test_what_makes_no_sense_is_left_out(send: Any, acme: Customer, change: dict[str, Any]) -> None:
    assert tell(long_call(acme, 1) | change) == 1
    assert not so_far(acme)


def test_its_record_ends_it(send: Any, acme: Customer, decks: Any) -> None:
    call = long_call(acme, 1)
    tell(call)

    send(record(1, acme.pk, **_ended(call, 2)))

    assert not so_far(acme)
    [cdr], [charge] = kept(acme)
    assert (cdr.end_unknown, charge.outcome, charge.micros) == (False, "rated", 120 * DEAR)
    running.settle(now())
    assert len(kept(acme)[0]) == 1


def test_a_node_that_never_comes_back_takes_no_hours_with_it(send: Any, acme: Customer, decks: Any) -> None:
    call = long_call(acme, 3)
    tell(call)

    assert [running.settle(now()) for _again in range(2)] == [1, 0]

    [cdr], [charge] = kept(acme)
    assert (cdr.end_unknown, cdr.talk_ms, cdr.released_by) == (True, 3 * HOUR, "unknown")
    # It is priced when its end is known or decided, and not before.
    assert (charge.outcome, charge.micros, balance(acme)) == ("no_end", 0, 0)
    assert not so_far(acme)
    with contexts.ingest():
        assert Alarm.objects.open().filter(subject="no end").count() == 1


def test_a_node_that_comes_back_after_all_is_believed_and_the_call_is_charged_once(
    send: Any, acme: Customer, decks: Any
) -> None:
    call = long_call(acme, 3)
    tell(call)
    running.settle(now())

    for _again in range(2):
        send(record(1, acme.pk, **_ended(call, 4, released_by="called")))

    [cdr], [charge] = kept(acme)
    assert (cdr.end_unknown, cdr.talk_ms, cdr.sequence, cdr.released_by) == (False, 4 * HOUR, 1, "called")
    assert (charge.outcome, charge.micros, balance(acme)) == ("rated", 240 * DEAR, -240 * DEAR)
    with contexts.ingest():
        assert not QuarantinedRecord.objects.exists()


def test_a_call_that_was_heard_of_lately_waits(send: Any, acme: Customer) -> None:
    tell(long_call(acme, 25))

    assert running.settle(now()) == 0
    assert running.settle(now() + timedelta(hours=3)) == 1


def _ended(call: dict[str, Any], hours: float, **changed: Any) -> dict[str, Any]:
    facts = {name: call[name] for name in ("id", "invited", "answered", "direction", "called", "called_sent")}
    return facts | {"ended": call["answered"] + int(hours * HOUR)} | changed
