"""Records for the money: exactly once in effect, whatever is repeated, missing or wrong."""

import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from portal.core.audit import Actor
from portal.db import contexts
from portal.db.partitions import drop_before
from sbc import ingest, protocol, services, sorting
from sbc.models import Alarm, Node, QuarantinedRecord, Spool
from sbc.services import nodes, quarantine
from sbc.tests.fake_node import record
from tenants.models import Customer, Region
from voice.calls import story
from voice.calls.models import Cdr, FailureRollup, Rollup
from voice.carriers.models import Trunk

pytestmark = pytest.mark.django_db(transaction=True)
LAB = Actor.system("tests")


@pytest.fixture
def node(region: Region) -> Node:
    return services.add_node(Node(region=region, name="sbc-lab-1"), by=LAB)[0]


@pytest.fixture
def spool(node: Node) -> uuid.UUID:
    with contexts.ingest():
        return Spool.objects.create(id=uuid.uuid4(), node=node).pk


@pytest.fixture
def elsewhere(region: Region) -> Node:
    """A node of another region, which serves none of the cast."""
    other = Region(name="Elsewhere", slug="elsewhere", allowed_networks=["127.0.9.0/24"])
    other.save()
    return services.add_node(Node(region=other, name="sbc-far-1"), by=LAB)[0]


def send(node: Node, spool: uuid.UUID, *items: dict[str, Any]) -> int:
    return ingest.take_records(node, spool, protocol.Records(first=items[0]["seq"], items=list(items)))


def calls_of(customer: Customer) -> list[Cdr]:
    with contexts.customer(customer):
        return list(Cdr.objects.newest_first())


def counted(customer: Customer, grain: str = "minute", trunk: str = "") -> int:
    with contexts.customer(customer):
        return sum(Rollup.objects.filter(grain=grain, trunk=trunk).values_list("attempts", flat=True))


def alarms(kind: str) -> list[Alarm]:
    with contexts.ingest():
        return list(Alarm.objects.open().filter(kind=kind))


def test_a_batch_counts_once_however_often_it_comes(node: Node, spool: uuid.UUID, acme: Customer) -> None:
    batch = [record(seq, acme.pk) for seq in (1, 2, 3)]

    assert [send(node, spool, *batch) for _ in range(3)] == [3, 3, 3]
    # Overlapping: the node cut its batches otherwise after a restart.
    assert send(node, spool, *batch[1:], record(4, acme.pk)) == 4

    assert len(calls_of(acme)) == 4
    assert [counted(acme, grain) for grain in ("minute", "hour", "day")] == [4, 4, 4]
    assert counted(acme, trunk="g1") == 4
    assert alarms("gap") == []


def test_a_new_spool_begins_at_one_and_an_old_one_goes_on(node: Node, spool: uuid.UUID, acme: Customer) -> None:
    send(node, spool, record(1, acme.pk))
    with contexts.ingest():
        other = Spool.objects.create(id=uuid.uuid4(), node=node).pk

    assert send(node, other, record(1, acme.pk)) == 1
    assert send(node, spool, record(2, acme.pk)) == 2

    assert len(calls_of(acme)) == 3


def test_a_node_is_not_believed_about_customers_of_other_regions(acme: Customer, elsewhere: Node) -> None:
    with contexts.ingest():
        theirs = Spool.objects.create(id=uuid.uuid4(), node=elsewhere).pk

    assert send(elsewhere, theirs, record(1, acme.pk)) == 1

    assert calls_of(acme) == [] and counted(acme) == 0
    with contexts.ingest():
        aside = QuarantinedRecord.objects.select_related("node").get()
    assert aside.reason == f"The node's region does not serve the customer {acme.pk}."
    assert len(alarms("quarantine")) == 1
    # The operator's people may know better: their word is enough.
    quarantine.try_again(aside, by=LAB)
    assert [call.node_name for call in calls_of(acme)] == [elsewhere.name]


def test_a_gap_is_stored_and_alarmed(node: Node, spool: uuid.UUID, acme: Customer) -> None:
    send(node, spool, record(1, acme.pk))

    assert send(node, spool, record(5, acme.pk)) == 5

    assert len(calls_of(acme)) == 2
    assert "Records 2 to 4" in alarms("gap")[0].text


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"tenant": 999_999}, "No customer of ours"),
        ({"tenant": 2**70}, "No customer of ours"),
        ({"id": "not-a-uuid"}, "not a UUID"),
        ({"direction": ""}, "Nobody could be found"),
        ({"answered": 5}, "cannot be right"),
        ({"invited": 10**17}, "cannot be right"),
        ({"code": 2**40}, "out of range"),
        ({"surprise": 1}, "unknown"),
    ],
)
def test_a_record_that_is_nobodys_call_is_kept_aside(
    node: Node, spool: uuid.UUID, acme: Customer, changed: dict[str, Any], why: str
) -> None:
    odd = record(2, acme.pk) | changed

    assert send(node, spool, record(1, acme.pk), odd, record(3, acme.pk)) == 3

    assert [call.sequence for call in calls_of(acme)] in ([3, 1], [1, 3])
    with contexts.ingest():
        kept = QuarantinedRecord.objects.get()
    assert (kept.sequence, kept.record["call_id"]) == (2, odd["call_id"])
    assert why in kept.reason
    assert len(alarms("quarantine")) == 1


def test_a_call_that_is_known_under_another_sequence_stops_nobody(node: Node, spool: uuid.UUID, acme: Customer) -> None:
    first = record(1, acme.pk)
    send(node, spool, first)

    assert send(node, spool, first | {"seq": 2}, record(3, acme.pk)) == 3

    assert len(calls_of(acme)) == 2
    assert counted(acme) == 2


def test_an_internal_call_is_one_for_each_customer(
    node: Node, spool: uuid.UUID, acme: Customer, globex: Customer, initech: Customer
) -> None:
    send(node, spool, record(1, acme.pk, peer=globex.pk, direction="internal", caller="+49301", caller_sent="+49309"))

    [mine], [theirs] = calls_of(acme), calls_of(globex)

    assert (mine.side, theirs.side) == ("caller", "called")
    assert mine.call == theirs.call and mine.id != theirs.id
    assert (mine.caller, theirs.caller) == ("+49301", "+49309"), "the other side sees what was presented to it"
    assert calls_of(initech) == []
    assert (counted(acme), counted(globex)) == (1, 1)


def test_a_call_between_customers_tells_neither_how_the_other_is_set_up(
    node: Node, spool: uuid.UUID, acme: Customer, globex: Customer
) -> None:
    with contexts.msp(globex.msp):
        pbx = Trunk(msp=globex.msp, tenant=globex, name="Globex's PBX", host="127.0.9.1")
        pbx.save()
    gateway = f"g{pbx.pk}"
    tried = {"trunk": gateway, "sent": 1, "ended": None, "code": 200, "reason": ""}
    inside = {"direction": "internal", "peer": globex.pk, "egress": gateway, "attempts": [tried]}

    send(node, spool, record(1, acme.pk, **inside, screening="replaced", route=7))

    [mine], [theirs] = calls_of(acme), calls_of(globex)
    assert (mine.egress_name, mine.attempts[0]["name"], story.egress(mine)) == ("", "", "inside")
    assert (theirs.egress_name, theirs.attempts[0]["name"], story.egress(theirs)) == (pbx.name,) * 3
    assert (mine.route_id, mine.screening) == (7, "replaced")
    assert (theirs.route_id, theirs.generation, theirs.screening, theirs.attestation) == (None, None, "none", "")


def test_a_refusal_is_a_call_that_failed(node: Node, spool: uuid.UUID, acme: Customer) -> None:
    refusal = {"answered": None, "ringing": None, "code": 486, "limit": "customer_cps", "attempts": [], "egress": ""}

    send(node, spool, record(1, acme.pk, **refusal))

    assert calls_of(acme)[0].disposition == "limited"
    with contexts.customer(acme):
        failure = FailureRollup.objects.get(grain="day")
    assert (failure.code, failure.disposition, failure.count) == (486, "limited", 1)


def test_a_call_whose_end_is_unknown_lasts_until_it_was_last_seen(node: Node, spool: uuid.UUID, acme: Customer) -> None:
    answered = int(time.time() * 1000) - 100_000
    facts = {"answered": answered, "ended": None, "end_unknown": True, "last_seen": answered + 40_000}

    send(node, spool, record(1, acme.pk, **facts))

    assert calls_of(acme)[0].talk == timedelta(seconds=40)


def test_a_call_of_another_day_makes_its_partition(node: Node, spool: uuid.UUID, acme: Customer) -> None:
    long_ago = int((datetime.now(UTC) - timedelta(days=40)).timestamp() * 1000)

    send(node, spool, record(1, acme.pk, invited=long_ago))

    assert calls_of(acme)[0].invited.timestamp() == pytest.approx(long_ago / 1000, abs=0.001)


def test_a_day_that_was_erased_meanwhile_is_made_anew(node: Node, spool: uuid.UUID, acme: Customer) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=40)
    for seq in (1, 2):
        send(node, spool, record(seq, acme.pk, invited=int(long_ago.timestamp() * 1000)))
        for table in sorting.BY_DAY:
            drop_before(table, long_ago.date() + timedelta(seq % 2))

    assert len(calls_of(acme)) == 1
    assert alarms("quarantine") == []


def test_an_orphan_end_is_an_alarm(node: Node, spool: uuid.UUID, acme: Customer) -> None:
    end = {"seq": 1, "kind": "orphan_end", "id": "", "call_id": "x@y", "ended": 1, "cause": None, "reason": ""}

    assert send(node, spool, end) == 1

    assert "x@y" in alarms("orphan")[0].text


def test_a_late_end_completes_its_call_once(node: Node, spool: uuid.UUID, acme: Customer, globex: Customer) -> None:
    answered = int(time.time() * 1000) - 100_000
    unknown = {"answered": answered, "ended": None, "end_unknown": True, "last_seen": answered + 40_000}
    unknown |= {"cause": None, "released_by": "unknown"}
    call = record(1, acme.pk, peer=globex.pk, direction="internal", **unknown)
    other = record(2, acme.pk, **unknown)
    end = {"kind": "orphan_end", "ended": answered + 55_000, "cause": 16, "reason": "Normal"}
    send(node, spool, call, other)

    send(node, spool, {"seq": 3, "id": call["id"], "call_id": call["call_id"], **end})
    send(node, spool, {"seq": 4, "id": str(uuid.uuid4()), "call_id": other["call_id"], **end})
    # The same end, and another one for the same call, change nothing any more.
    send(node, spool, {"seq": 5, "id": call["id"], "call_id": "", **end | {"ended": answered + 90_000}})

    for customer, count in ((acme, 2), (globex, 1)):
        for cdr in calls_of(customer):
            assert (cdr.talk, cdr.end_unknown, cdr.cause) == (timedelta(seconds=55), False, 16)
            assert cdr.ended is not None and cdr.ended.timestamp() == pytest.approx((answered + 55_000) / 1000)
        with contexts.customer(customer):
            talk = set(Rollup.objects.filter(trunk="").values_list("grain", "attempts", "talk_ms"))
        assert talk == {(grain, count, count * 55_000) for grain in ("minute", "hour", "day")}
    with contexts.customer(acme):
        assert set(Rollup.objects.filter(trunk="g1").values_list("talk_ms", flat=True)) == {110_000}
    assert [alarm.count for alarm in alarms("orphan")] == [1]


@pytest.mark.parametrize("cause", [0, 128, 99_999_999_999, 10**30])
def test_a_cause_that_is_none_keeps_no_call_out(
    node: Node, spool: uuid.UUID, acme: Customer, globex: Customer, cause: int
) -> None:
    """A node of an earlier version passed on whatever the other side wrote."""
    answered = int(time.time() * 1000) - 100_000
    late = record(2, acme.pk, answered=answered, ended=None, end_unknown=True, last_seen=answered + 1_000)
    given_up = record(3, globex.pk, answered=answered, ended=None, end_unknown=True, last_seen=answered + 1_000)
    send(node, spool, record(1, acme.pk, cause=cause), late, given_up)

    end = {"kind": "orphan_end", "ended": answered + 55_000, "cause": cause, "reason": ""}
    send(node, spool, {"seq": 4, "id": late["id"], "call_id": "", **end})
    # The node was taken for lost; its own record comes after all.
    whole = {"ended": answered + 60_000, "end_unknown": False, "last_seen": None, "cause": cause}
    send(node, spool, given_up | whole | {"seq": 5})

    assert alarms("quarantine") == []
    assert {call.cause for call in (*calls_of(acme), *calls_of(globex))} == {None}
    assert not any(call.end_unknown for call in (*calls_of(acme), *calls_of(globex)))


def test_a_late_end_may_be_earlier_than_was_believed(node: Node, spool: uuid.UUID, acme: Customer) -> None:
    answered = int(time.time() * 1000) - 100_000
    call = record(1, acme.pk, answered=answered, ended=None, end_unknown=True, last_seen=answered + 40_000)
    end = {"seq": 2, "kind": "orphan_end", "id": call["id"], "call_id": "", "cause": 16, "reason": ""}
    send(node, spool, call)

    send(node, spool, end | {"ended": answered + 30_000})

    assert calls_of(acme)[0].talk == timedelta(seconds=30)
    with contexts.customer(acme):
        assert set(Rollup.objects.values_list("attempts", "talk_ms")) == {(1, 30_000)}


@pytest.mark.parametrize(
    "facts",
    [
        {"end_unknown": False, "ended": 35_000},
        {"answered": None, "code": 503, "end_unknown": True, "ended": None},
        {"answered": 40_000, "end_unknown": True, "ended": None},
    ],
)
def test_a_late_end_fits_no_other_call(
    node: Node, spool: uuid.UUID, acme: Customer, region: Region, facts: dict[str, Any]
) -> None:
    """Not one that has its end, one that was never answered, nor one that was answered after it."""
    call = record(1, acme.pk)
    since = {key: call["invited"] + facts[key] for key in ("answered", "ended") if facts.get(key)}
    call |= facts | since
    send(node, spool, call)
    before = calls_of(acme)[0]

    end = {"kind": "orphan_end", "ended": call["invited"] + 30_000, "cause": 16, "reason": ""}
    send(node, spool, {"seq": 2, "id": call["id"], "call_id": call["call_id"], **end})

    after = calls_of(acme)[0]
    assert (after.ended, after.talk_ms, after.end_unknown) == (before.ended, before.talk_ms, before.end_unknown)
    assert len(alarms("orphan")) == 1


def test_a_late_end_of_another_node_fits_nothing(node: Node, spool: uuid.UUID, acme: Customer, region: Region) -> None:
    call = record(1, acme.pk, ended=None, end_unknown=True)
    send(node, spool, call)
    other = services.add_node(Node(region=region, name="sbc-lab-2"), by=LAB)[0]
    with contexts.ingest():
        theirs = Spool.objects.create(id=uuid.uuid4(), node=other).pk

    end = {"kind": "orphan_end", "ended": call["answered"] + 9_000, "cause": 16, "reason": ""}
    send(other, theirs, {"seq": 1, "id": call["id"], "call_id": call["call_id"], **end})

    assert calls_of(acme)[0].end_unknown


def test_ingest_itself_changes_nothing_but_an_unknown_end(node: Node, spool: uuid.UUID, acme: Customer) -> None:
    send(node, spool, record(1, acme.pk), record(2, acme.pk, ended=None, end_unknown=True))

    with contexts.ingest():
        assert Cdr.objects.filter(end_unknown=False).update(talk_ms=1) == 0
        for change in ({"code": 1}, {"end_unknown": True, "talk_ms": 10**9}):
            with pytest.raises(Exception, match=r"permission denied|row-level security"):
                Cdr.objects.filter(end_unknown=True).update(**change)


def test_nobody_but_ingest_writes_calls(node: Node, spool: uuid.UUID, acme: Customer) -> None:
    send(node, spool, record(1, acme.pk))

    for change in (lambda: Cdr.objects.update(code=1), lambda: Cdr.objects.all().delete()):
        with contexts.customer(acme), pytest.raises(Exception, match="permission denied"):
            change()


def test_a_restored_record_store_is_alarmed(node: Node, spool: uuid.UUID, acme: Customer) -> None:
    send(node, spool, *[record(seq, acme.pk) for seq in range(1, 6)])
    hello = protocol.Hello(node="x", boot="b", spool=str(spool), software="t", held={}, next_sequence=3)

    welcome = nodes.welcome(node, hello)

    assert welcome.last_sequence == 5
    assert "restored from a copy" in alarms("spool")[0].text
