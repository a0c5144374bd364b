"""What each number did in a day, summed up with the call records in their transaction."""

import importlib
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from portal.core.audit import Actor
from portal.db import contexts
from sbc import ingest, protocol, services
from sbc.models import Node, Spool
from sbc.services import erasure
from sbc.tests.fake_node import record
from tenants.models import Customer, Region
from voice.calls.models import NumberDay

pytestmark = pytest.mark.django_db(transaction=True)
LAB = Actor.system("tests")
ALICE, BOB = "+493012345601", "+493012345602"
LOST: dict[str, Any] = {"ringing": None, "answered": None, "code": 486, "cause": 17}


@pytest.fixture
def node(region: Region) -> Node:
    return services.add_node(Node(region=region, name="sbc-lab-1"), by=LAB)[0]


@pytest.fixture
def spool(node: Node) -> uuid.UUID:
    with contexts.ingest():
        return Spool.objects.create(id=uuid.uuid4(), node=node).pk


def send(node: Node, spool: uuid.UUID, *items: dict[str, Any]) -> int:
    return ingest.take_records(node, spool, protocol.Records(first=items[0]["seq"], items=list(items)))


def out(seq: int, tenant: int, number: str, **changed: Any) -> dict[str, Any]:
    return record(seq, tenant, caller=number, caller_sent=number, **changed)


def sums(customer: Customer) -> dict[tuple[str, str], tuple[int, int, int]]:
    with contexts.customer(customer):
        rows = NumberDay.objects.all()
        return {(row.number, row.direction): (row.calls, row.answered, row.talk_ms) for row in rows}


def test_calls_are_summed_by_number_and_direction_once(node: Node, spool: uuid.UUID, acme: Customer) -> None:
    came_in = {"direction": "in", "ingress": "g1", "egress": "teams", "caller": "+44207", "caller_sent": "+44207"}
    batch = [
        out(1, acme.pk, ALICE),
        out(2, acme.pk, ALICE, **LOST),
        out(3, acme.pk, BOB),
        record(4, acme.pk, called=ALICE, screening="none", **came_in),
    ]

    for _again in range(2):
        send(node, spool, *batch)

    assert sums(acme) == {
        (ALICE, "out"): (2, 1, 60_000),
        (BOB, "out"): (1, 1, 60_000),
        (ALICE, "in"): (1, 1, 60_000),
    }


def test_what_is_no_number_of_the_customer_makes_no_row_of_its_own(
    node: Node, spool: uuid.UUID, acme: Customer
) -> None:
    refused = LOST | {"code": 403, "screening": "refused", "caller_sent": "", "attempts": [], "egress": ""}
    guessed = LOST | {"code": 404, "direction": "in", "ingress": "g1", "attempts": [], "egress": ""}

    send(
        node,
        spool,
        record(1, acme.pk, caller="+15550001", **refused),
        # The default number stands for whoever called, not for whose it is.
        record(2, acme.pk, caller="+15550002", caller_sent=ALICE, screening="replaced"),
        record(3, acme.pk, called="+493099999999", **guessed),
        record(4, acme.pk, caller="+15550003", caller_sent=BOB, screening="forwarded"),
    )

    assert sums(acme) == {("", "out"): (2, 1, 60_000), ("", "in"): (1, 0, 0), (BOB, "out"): (1, 1, 60_000)}


def test_calls_that_were_there_before_are_counted_alike(node: Node, spool: uuid.UUID, acme: Customer) -> None:
    inside = {"direction": "internal", "peer": acme.pk, "called": BOB, "called_sent": BOB}
    guessed = LOST | {"code": 404, "direction": "in", "ingress": "g1", "attempts": [], "egress": ""}
    came_in = {"direction": "in", "ingress": "g1", "egress": "teams", "called": ALICE, "called_sent": ALICE}
    changed = [inside, guessed, came_in, LOST, {"screening": "replaced"}, {"screening": "forwarded"}]
    send(node, spool, *(out(seq, acme.pk, ALICE, **each) for seq, each in enumerate(changed, 1)))
    migration = importlib.import_module("voice.calls.migrations.0006_numbers_day_by_day")

    with contexts.owner(), connection.cursor() as cursor:
        cursor.execute(migration.COUNT[migration.COUNT.index("SELECT") :])
        found = {(number, way): tuple(counts) for _who, _msp, _at, number, way, *counts in cursor.fetchall()}

    assert found == sums(acme) and len(found) > 4


def test_inside_each_end_counts_for_its_number(node: Node, spool: uuid.UUID, acme: Customer, globex: Customer) -> None:
    within = {"direction": "internal", "called": BOB, "called_sent": BOB}
    send(node, spool, out(1, acme.pk, ALICE, peer=acme.pk, **within), out(2, acme.pk, ALICE, peer=globex.pk, **within))

    assert sums(acme) == {(ALICE, "internal"): (2, 2, 120_000), (BOB, "internal"): (1, 1, 60_000)}
    assert sums(globex) == {(BOB, "internal"): (1, 1, 60_000)}


def test_an_end_that_comes_late_lengthens_the_day(node: Node, spool: uuid.UUID, acme: Customer) -> None:
    answered = int(time.time() * 1000) - 100_000
    call = out(1, acme.pk, ALICE, answered=answered, ended=None, end_unknown=True, last_seen=answered + 40_000)
    end = {"seq": 2, "kind": "orphan_end", "id": call["id"], "call_id": "", "cause": 16, "reason": ""}
    send(node, spool, call)
    assert sums(acme) == {(ALICE, "out"): (1, 1, 40_000)}

    send(node, spool, end | {"ended": answered + 55_000})

    assert sums(acme) == {(ALICE, "out"): (1, 1, 55_000)}


def test_an_end_that_was_earlier_than_believed_shortens_the_day(node: Node, spool: uuid.UUID, acme: Customer) -> None:
    answered = int(time.time() * 1000) - 100_000
    call = out(1, acme.pk, ALICE, answered=answered, ended=None, end_unknown=True, last_seen=answered + 40_000)
    end = {"seq": 2, "kind": "orphan_end", "id": call["id"], "call_id": "", "cause": 16, "reason": ""}
    send(node, spool, call)

    send(node, spool, end | {"ended": answered + 30_000})

    assert sums(acme) == {(ALICE, "out"): (1, 1, 30_000)}


def test_a_late_call_counts_on_its_own_day(node: Node, spool: uuid.UUID, acme: Customer) -> None:
    long_ago = datetime(2026, 11, 29, 1, tzinfo=UTC) - timedelta(days=40)

    send(node, spool, out(1, acme.pk, ALICE, invited=int(long_ago.timestamp() * 1000)))

    with contexts.customer(acme):
        assert NumberDay.objects.get().at == long_ago.replace(hour=0)


def test_a_refused_batch_leaves_the_sums_of_those_that_were_stored(
    node: Node, spool: uuid.UUID, acme: Customer
) -> None:
    first = out(1, acme.pk, ALICE)
    send(node, spool, first)

    send(node, spool, first | {"seq": 2}, out(3, acme.pk, ALICE))

    assert sums(acme) == {(ALICE, "out"): (2, 2, 120_000)}


def test_they_go_with_the_calls_and_emergency_calls_first(node: Node, spool: uuid.UUID, acme: Customer) -> None:
    at = datetime.now(UTC)
    ago = [int((at - timedelta(days=days)).timestamp() * 1000) for days in (200, 40, 40)]
    made = [out(seq, acme.pk, ALICE, invited=moment) for seq, moment in enumerate(ago, 1)]
    made[2] |= {"direction": "emergency", "called": "112", "called_sent": "112"}
    send(node, spool, *made)
    assert len(sums(acme)) == 2

    erasure.erase(at=at, by=LAB)

    assert sums(acme) == {(ALICE, "out"): (1, 1, 60_000)}


@pytest.mark.parametrize("role", ["customer", "msp"])
def test_nobody_but_ingest_writes_them(acme: Customer, role: str) -> None:
    place = contexts.customer(acme) if role == "customer" else contexts.msp(acme.msp)
    with place, connection.cursor() as cursor:
        cursor.execute(
            "SELECT has_table_privilege(current_user, 'calls_numberday', right_) FROM"
            " unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS each (right_)"
        )
        assert [may for (may,) in cursor.fetchall()] == [True, False, False, False]


def test_a_customer_sees_its_own_numbers_only(node: Node, spool: uuid.UUID, acme: Customer, globex: Customer) -> None:
    send(node, spool, out(1, acme.pk, ALICE), out(2, globex.pk, BOB))

    assert [list(sums(each)) for each in (acme, globex)] == [[(ALICE, "out")], [(BOB, "out")]]
