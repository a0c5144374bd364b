"""What a node counted is what the portal has, or somebody is told."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from portal.core.audit import Actor
from portal.db import contexts
from sbc import ingest, protocol, services
from sbc.models import Alarm, HourCount, Node, OrphanEnd, QuarantinedRecord, Spool
from sbc.services import quarantine, reconciling
from sbc.tests.fake_node import record
from tenants.models import Customer, Region
from voice.calls.models import Cdr

pytestmark = pytest.mark.django_db(transaction=True)
LAB = Actor.system("tests")


@pytest.fixture
def node(region: Region) -> Node:
    return services.add_node(Node(region=region, name="sbc-lab-1"), by=LAB)[0]


@pytest.fixture
def spool(node: Node) -> uuid.UUID:
    return new_spool(node)


@pytest.fixture
def hour() -> datetime:
    """The hour before this one: it is over."""
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)


def new_spool(node: Node) -> uuid.UUID:
    with contexts.ingest():
        return Spool.objects.create(id=uuid.uuid4(), node=node).pk


def orphan(seq: int) -> dict[str, Any]:
    ended = int(datetime.now(UTC).timestamp() * 1000)
    return {"seq": seq, "kind": "orphan_end", "id": "", "call_id": "x@lab", "ended": ended, "cause": 16, "reason": ""}


def send(node: Node, spool: uuid.UUID, *items: dict[str, Any]) -> None:
    ingest.take_records(node, spool, protocol.Records(first=items[0]["seq"], items=list(items)))


def tell(node: Node, spool: uuid.UUID, hour: datetime, *counts: tuple[int, ...]) -> None:
    names = ("tenant", "records", "orphans", "first", "last")
    at = int(hour.timestamp() * 1000)
    items: Any = [{"at": at, **dict(zip(names, count, strict=True))} for count in counts]
    reconciling.take_hours(node, spool, protocol.Hours(items=items))


def counts(**wanted: Any) -> dict[int, HourCount]:
    with contexts.ingest():
        return {count.customer: count for count in HourCount.objects.filter(**wanted)}


def alarms() -> list[Alarm]:
    with contexts.ingest():
        return list(Alarm.objects.open().filter(kind=Alarm.Kind.COUNTS))


def test_calls_records_aside_and_ends_alone_add_up(
    node: Node, spool: uuid.UUID, hour: datetime, acme: Customer, globex: Customer
) -> None:
    peer = record(3, acme.pk, direction="internal", peer=globex.pk)
    send(node, spool, record(1, acme.pk), record(2, globex.pk), peer, orphan(4), record(5, 999_999))
    tell(node, spool, hour, (acme.pk, 2, 0, 1, 3), (globex.pk, 1, 0, 2, 2), (0, 0, 1, 4, 4), (999_999, 1, 0, 5, 5))

    assert reconciling.reconcile(hour + timedelta(hours=2)) == 0

    found = counts()
    assert all(count.settled for count in found.values())
    assert [(found[pk].stored, found[pk].aside, found[pk].ended) for pk in (acme.pk, globex.pk, 0, 999_999)] == [
        (2, 0, 0), (1, 0, 0), (0, 0, 1), (0, 1, 0),
    ]  # fmt: skip
    assert not alarms()


def test_an_hour_has_a_quarter_of_an_hour_and_then_raises_an_alarm_until_it_adds_up(
    node: Node, spool: uuid.UUID, hour: datetime, acme: Customer
) -> None:
    send(node, spool, record(1, acme.pk))
    tell(node, spool, hour, (acme.pk, 3, 0, 1, 3))

    assert reconciling.reconcile(hour + timedelta(minutes=59)) == 0 and counts()[acme.pk].checked is None
    assert reconciling.reconcile(hour + timedelta(minutes=70)) == 0 and not alarms()
    assert reconciling.reconcile(hour + timedelta(minutes=76)) == 1
    (alarm,) = alarms()
    assert "do not add up" in alarm.text
    assert reconciling.missing(counts()[acme.pk]) == [2, 3]

    send(node, spool, record(2, acme.pk), record(3, acme.pk))
    assert reconciling.reconcile(hour + timedelta(minutes=81)) == 0
    assert not alarms() and counts()[acme.pk].settled


def test_a_gap_in_the_numbers_or_a_call_of_another_customer_is_red(
    node: Node, spool: uuid.UUID, hour: datetime, acme: Customer, globex: Customer
) -> None:
    send(node, spool, record(1, acme.pk), record(2, globex.pk))
    tell(node, spool, hour, (acme.pk, 2, 0, 1, 2))
    assert reconciling.reconcile(hour + timedelta(hours=2)) == 1

    other = new_spool(node)
    send(node, other, record(1, acme.pk), record(3, acme.pk))
    # Two calls, but a number between them that nobody counted.
    tell(node, other, hour, (acme.pk, 2, 0, 1, 3))
    reconciling.reconcile(hour + timedelta(hours=2))

    assert [count.settled for count in counts(spool=other).values()] == [None]


def test_what_is_settled_stays_so_when_calls_are_erased_and_opens_when_the_count_grows(
    node: Node, spool: uuid.UUID, hour: datetime, acme: Customer
) -> None:
    send(node, spool, record(1, acme.pk))
    tell(node, spool, hour, (acme.pk, 1, 0, 1, 1))
    reconciling.reconcile(hour + timedelta(hours=2))
    with contexts.owner():
        Cdr.objects.all().delete()

    tell(node, spool, hour, (acme.pk, 1, 0, 1, 1))
    assert reconciling.reconcile(hour + timedelta(hours=3)) == 0 and counts()[acme.pk].settled

    tell(node, spool, hour, (acme.pk, 2, 0, 1, 2))
    assert reconciling.reconcile(hour + timedelta(hours=3)) == 1
    # An old message that comes late takes nothing back.
    tell(node, spool, hour, (acme.pk, 1, 0, 1, 1))
    assert counts()[acme.pk].records == 2


def test_a_new_spool_counts_from_one_without_taking_the_old_ones_calls(
    node: Node, spool: uuid.UUID, hour: datetime, acme: Customer
) -> None:
    send(node, spool, record(1, acme.pk))
    newer = new_spool(node)
    send(node, newer, record(1, acme.pk), record(2, acme.pk))
    tell(node, spool, hour, (acme.pk, 1, 0, 1, 1))
    tell(node, newer, hour, (acme.pk, 2, 0, 1, 2))

    assert reconciling.reconcile(hour + timedelta(hours=2)) == 0
    assert [counts(spool=each)[acme.pk].stored for each in (spool, newer)] == [1, 2]


def test_a_record_that_becomes_a_call_after_all_is_counted_once(
    node: Node, spool: uuid.UUID, hour: datetime, acme: Customer
) -> None:
    send(node, spool, record(1, 999_999))
    tell(node, spool, hour, (acme.pk, 1, 0, 1, 1))
    with contexts.ingest():
        kept = QuarantinedRecord.objects.get()
        kept.record["tenant"] = acme.pk
        kept.save(update_fields=["record"])
    quarantine.try_again(kept, by=LAB)

    assert reconciling.reconcile(hour + timedelta(hours=2)) == 0
    assert (counts()[acme.pk].stored, counts()[acme.pk].aside) == (1, 0)


def test_ends_without_a_call_are_kept_once(node: Node, spool: uuid.UUID, acme: Customer) -> None:
    for _ in range(2):
        send(node, spool, orphan(1) | {"ended": 10**17}, orphan(2))
    with contexts.ingest():
        assert list(OrphanEnd.objects.order_by("sequence").values_list("sequence", "completed")) == [
            (1, False),
            (2, False),
        ]


def test_the_operator_sees_red_and_green_and_what_is_missing(
    node: Node, spool: uuid.UUID, hour: datetime, acme: Customer, client_of: Any, operator: Any
) -> None:
    send(node, spool, record(1, acme.pk))
    earlier = hour - timedelta(hours=2)
    tell(node, spool, earlier, (acme.pk, 1, 0, 1, 1))
    tell(node, spool, hour - timedelta(hours=1), (acme.pk, 2, 0, 2, 3))
    reconciling.reconcile(datetime.now(UTC))
    browser = client_of(operator)

    page = browser.get("/reconciliation/").content.decode()
    assert "hour-good" in page and "hour-bad" in page and "Acme" in page
    red = browser.get("/reconciliation/?state=red").content.decode()
    count = counts(settled=None)[acme.pk]
    assert f"/reconciliation/{count.pk}/" in red
    shown = browser.get(f"/reconciliation/{count.pk}/").content.decode()
    assert "<code>2</code>" in shown and "<code>3</code>" in shown
    assert browser.get("/api/v1/hour-counts/?open=1").json()["results"][0]["customer"] == acme.pk
