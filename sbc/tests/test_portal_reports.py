"""What nodes report beside calls: gauges, drift, trunk health, events; and what is done about silence."""

import asyncio
import threading
import time
import uuid
from datetime import timedelta
from typing import Any

import pytest
from channels.db import database_sync_to_async as sync_to_async
from django.utils.timezone import now

from portal.core import jobs
from portal.core.audit import Actor
from portal.core.models import Job, JobFile
from portal.db import contexts
from sbc import ingest, protocol, services, tasks
from sbc.models import Alarm, Drift, Node, Revision
from sbc.tests.fake_node import FakeNode, event, record
from tenants.models import Customer, Region
from voice.calls import exports, rollups
from voice.calls.models import LiveCall, Rollup
from voice.calls.tasks import sample_concurrency
from voice.carriers.models import Trunk

pytestmark = pytest.mark.django_db(transaction=True)
LAB = Actor.system("tests")


@pytest.fixture
def node(region: Region) -> Node:
    return services.add_node(Node(region=region, name="sbc-lab-1"), by=LAB)[0]


@pytest.fixture
def trunk(acme: Customer) -> Trunk:
    with contexts.msp(acme.msp):
        trunk = Trunk(msp=acme.msp, name="Carrier A", host="127.0.9.1")
        trunk.save()
    return trunk


def gauges(**changed: Any) -> protocol.Gauges:
    ms = int(time.time() * 1000)
    facts: dict[str, Any] = {
        "at": ms, "engine": "memory", "calls": 1, "cps": 0, "kamailio": True, "daemons": {"haproxy": True},
        "trunks": {}, "microsoft": {}, "drift": [], "waiting": {}, "spooled": 0,
    }  # fmt: skip
    return protocol.Gauges(**(facts | changed))


def alarms(kind: str) -> list[str]:
    with contexts.ingest():
        return list(Alarm.objects.open().filter(kind=kind).values_list("text", flat=True))


def live_calls(customer: Customer) -> int:
    with contexts.customer(customer):
        return LiveCall.objects.count()


def show(node: Node, *items: dict[str, Any]) -> None:
    ingest.take_events(node, protocol.Events(items=list(items)))


@pytest.mark.parametrize(("up", "health"), [(True, "up"), (False, "down")])
def test_a_trunk_is_as_its_nodes_find_it(node: Node, trunk: Trunk, up: bool, health: str) -> None:
    ms = int(time.time() * 1000)
    ingest.take_gauges(
        node, gauges(trunks={f"g{trunk.pk}": {"up": up, "code": 200 if up else 0, "since": ms, "checked": ms}})
    )
    with contexts.msp(trunk.msp):
        trunk.refresh_from_db()
    assert trunk.health == health


def test_a_trunk_that_one_node_still_reaches_is_up(node: Node, region: Region, trunk: Trunk) -> None:
    other = services.add_node(Node(region=region, name="sbc-lab-2"), by=LAB)[0]
    ms = int(time.time() * 1000)
    for each, up in ((node, True), (other, False)):
        health = {"up": up, "code": 200 if up else 0, "since": ms, "checked": ms}
        ingest.take_gauges(each, gauges(trunks={f"g{trunk.pk}": health}))
    with contexts.msp(trunk.msp):
        trunk.refresh_from_db()
    assert trunk.health == "up"


def test_a_change_by_hand_is_noted_and_alarmed(node: Node) -> None:
    at = int(time.time() * 1000)
    found = {"table": "rt", "key": "17.3.00:44", "scope": "cust:17", "found": "different", "healed": True, "at": at}
    ingest.take_gauges(node, gauges(drift=[found]))
    assert Drift.objects.get().key == "17.3.00:44"
    assert "by hand" in alarms("drift")[0]


def test_a_part_that_is_down_is_alarmed_until_it_is_back(node: Node) -> None:
    ingest.take_gauges(node, gauges(daemons={"haproxy": False}))
    ingest.take_gauges(node, gauges(daemons={"haproxy": False}))
    assert len(alarms("daemon")) == 1
    ingest.take_gauges(node, gauges())
    assert alarms("daemon") == []


def test_events_of_nobody_and_nonsense_are_left_out(node: Node, acme: Customer) -> None:
    good, call = event(str(uuid.uuid4()), "start", acme.pk), str(uuid.uuid4())
    show(node, event(call, "start", 999_999), event("x" * 40, "start", acme.pk), {"at": "no"}, good)
    assert live_calls(acme) == 1


def test_a_node_cannot_show_a_call_to_another_msp(node: Node, acme: Customer, initech: Customer) -> None:
    show(node, event(str(uuid.uuid4()), "start", acme.pk, msp=initech.msp_id))
    with contexts.msp(initech.msp):
        assert not LiveCall.objects.exists()
    with contexts.msp(acme.msp):
        assert LiveCall.objects.count() == 1


def test_a_node_shows_nothing_of_customers_and_trunks_of_other_regions(acme: Customer, trunk: Trunk) -> None:
    other = Region(name="Elsewhere", slug="elsewhere")
    other.save()
    far = services.add_node(Node(region=other, name="sbc-far-1"), by=LAB)[0]
    ms = int(time.time() * 1000)

    show(far, event(str(uuid.uuid4()), "start", acme.pk))
    show(far, event(str(uuid.uuid4()), "alarm", acme.pk, kind="wrong_trunk"))
    dead = {"up": False, "code": 0, "since": ms, "checked": ms}
    ingest.take_gauges(far, gauges(trunks={f"g{trunk.pk}": dead, "g99999999999999999999": dead}))

    assert live_calls(acme) == 0
    with contexts.ingest():
        assert list(Alarm.objects.open().filter(kind="call").values_list("tenant", "msp")) == [(None, None)]
    with contexts.msp(trunk.msp):
        trunk.refresh_from_db()
    assert trunk.health == "unknown"


def test_an_internal_call_is_live_at_both_ends(node: Node, acme: Customer, globex: Customer) -> None:
    show(node, event(str(uuid.uuid4()), "start", acme.pk, peer=globex.pk, direction="internal"))
    assert (live_calls(acme), live_calls(globex)) == (1, 1)


def test_many_strangers_are_one_alarm(node: Node) -> None:
    for number in range(20):
        stranger = {"kind": "unknown_source", "source": f"127.0.9.{number}", "host": "", "reason": f"from {number}"}
        show(node, event(str(uuid.uuid4()), "alarm", 0, **stranger))
    assert len(alarms("call")) == 1


def test_a_stored_record_ends_the_live_call(node: Node, acme: Customer) -> None:
    ended = record(1, acme.pk)
    show(node, event(ended["id"], "start", acme.pk))
    with contexts.ingest():
        spool = node.spools.create(id=uuid.uuid4())
    ingest.take_records(node, spool.pk, protocol.Records(first=1, items=[ended]))
    assert live_calls(acme) == 0


def test_calls_of_a_node_that_fell_silent_go_after_a_minute(node: Node, acme: Customer) -> None:
    ingest.take_gauges(node, gauges())
    show(node, event(str(uuid.uuid4()), "start", acme.pk))
    services.expire_nodes()
    assert live_calls(acme) == 1
    with contexts.ingest():
        Node.objects.update(last_seen=now() - timedelta(minutes=2), state="connected")
    services.expire_nodes()
    assert live_calls(acme) == 0
    node.refresh_from_db()
    assert node.state == "away"


def test_the_peak_of_a_minute_is_kept(node: Node, acme: Customer) -> None:
    show(node, *[event(str(uuid.uuid4()), "start", acme.pk) for _ in range(3)])
    rollups.note_concurrency()
    with contexts.customer(acme):
        assert set(Rollup.objects.values_list("grain", "peak")) == {("minute", 3), ("hour", 3), ("day", 3)}


def test_many_calls_are_exported_in_the_background(node: Node, acme: Customer, globex: Customer) -> None:
    with contexts.ingest():
        spool = node.spools.create(id=uuid.uuid4())
    items = [record(seq, (acme, globex)[seq % 2].pk, called="=1+1" if seq == 2 else "+4930") for seq in range(1, 8)]
    ingest.take_records(node, spool.pk, protocol.Records(first=1, items=items))
    with contexts.customer(acme):
        job = jobs.start("calls.export", {"query": "direction=out"}, by=LAB)
        job = Job.objects.get(pk=job.pk)
        assert (job.state, job.result and job.result["calls"]) == ("done", 3)
        lines = bytes(JobFile.objects.get(job=job).content).decode().splitlines()
    assert len(lines) == 4
    assert not any("\n=" in line or ",=1" in line for line in lines)
    assert exports.MOST > 0


def test_the_clocks_tasks_run(node: Node, acme: Customer) -> None:
    tasks.make_partitions()
    tasks.sweep()
    sample_concurrency()
    with contexts.ingest():
        assert Revision.objects.filter(tenant=acme).exists()


async def test_a_node_with_a_broken_spool_is_cut_off(region: Region) -> None:
    _, token = await sync_to_async(services.add_node)(Node(region=region, name="sbc-lab-1"), by=LAB)
    fake = FakeNode(token, spool="nonsense")
    await fake.line.connect(timeout=5)
    await fake.hello()
    assert isinstance(await fake.hear(), int)
    assert "not understood" in (await sync_to_async(alarms)("message"))[0]
    await fake.line.disconnect()


async def test_records_that_wait_are_stored_together_as_far_as_they_follow(
    region: Region, acme: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What comes while a batch is read is one batch; a hole in the numbers is still a hole."""
    _, token = await sync_to_async(services.add_node)(Node(region=region, name="sbc-lab-1"), by=LAB)
    go, sizes, sort = threading.Event(), [], ingest.sort_records

    def slow(node: Node, records: protocol.Records) -> Any:
        sizes.append((records.first, len(records.items)))
        assert go.wait(10)
        return sort(node, records)

    monkeypatch.setattr(ingest, "sort_records", slow)
    fake = FakeNode(token)
    await fake.dial()
    for first, last in ((1, 2), (3, 4), (5, 5), (8, 8), (9, 10)):
        items = [record(seq, acme.pk) for seq in range(first, last + 1)]
        await fake.say(protocol.Records(first=first, items=items))
    await asyncio.sleep(0.2)
    go.set()

    acknowledged = [(await fake.hear()).last_sequence for _ in range(3)]

    assert (sizes, acknowledged) == ([(1, 2), (3, 3), (8, 3)], [2, 5, 10])
    assert len(await sync_to_async(alarms)("gap")) == 1
    await fake.line.disconnect()
