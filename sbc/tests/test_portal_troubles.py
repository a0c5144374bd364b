"""What is wrong with nodes and trunks: one alarm each, in words that say what to do, over when it is over."""

import time
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.utils.timezone import now

from portal.core.audit import Actor
from portal.db import contexts
from sbc import ingest, protocol, services
from sbc.models import Alarm, Node
from sbc.selectors.home import todos_of_msp, todos_of_operator
from sbc.services import nodes, troubles
from sbc.tests.fake_node import event, record
from sbc.tests.test_portal_reports import gauges
from tenants.models import Customer, Region
from voice.carriers.models import Trunk

pytestmark = pytest.mark.django_db(transaction=True)
LAB = Actor.system("tests")


@pytest.fixture
def node(region: Region) -> Node:
    troubles._in_a_row.clear()
    return services.add_node(Node(region=region, name="sbc-lab-1"), by=LAB)[0]


def alarms(kind: str = "node") -> list[str]:
    with contexts.ingest():
        return list(Alarm.objects.open().filter(kind=kind).order_by("pk").values_list("text", flat=True))


def calls(node: Node, *items: dict[str, Any]) -> None:
    with contexts.ingest():
        spool = node.spools.create(id=uuid.uuid4())
    records = [item | {"seq": number} for number, item in enumerate(items, 1)]
    ingest.take_records(node, spool.pk, protocol.Records(first=1, items=records))


def test_a_sbc_that_is_not_ready_is_alarmed_though_its_daemons_run(node: Node) -> None:
    running = {"kamailio": True, "rtpengine": True, "haproxy": True, "disk": True}
    ingest.take_gauges(node, gauges(kamailio=False, daemons=running))
    assert [each.split(" on ")[0] for each in alarms("daemon")] == ["Kamailio"]
    ingest.take_gauges(node, gauges(kamailio=False, daemons=running | {"haproxy": False, "disk": False}))
    assert [each.split(" on ")[0] for each in alarms("daemon")] == ["HAProxy"]
    assert "less than 1 GB" in alarms()[0]
    ingest.take_gauges(node, gauges(daemons=running))
    assert alarms("daemon") == alarms() == []


def test_a_node_that_starts_is_no_alarm(node: Node) -> None:
    assert nodes.take_line(node, "channel", instead_of="")
    ingest.take_gauges(node, gauges(kamailio=False, daemons={"kamailio": False}))
    assert alarms("daemon") == []
    with contexts.ingest():
        Node.objects.update(connected_since=now() - timedelta(seconds=11))
    ingest.take_gauges(node, gauges(kamailio=False, daemons={"kamailio": False}))
    assert len(alarms("daemon")) == 1


def test_what_comes_and_goes_is_one_alarm(node: Node) -> None:
    for _ in range(3):
        ingest.take_gauges(node, gauges(daemons={"rtpengine": False}))
        ingest.take_gauges(node, gauges(daemons={"rtpengine": True}))
    with contexts.ingest():
        alarm = Alarm.objects.get(kind="daemon")
        assert alarm.until is not None and alarm.count == 3
        Alarm.objects.update(until=now() - timedelta(hours=1))
    ingest.take_gauges(node, gauges(daemons={"rtpengine": False}))
    with contexts.ingest():
        assert Alarm.objects.filter(kind="daemon").count() == 2


@pytest.mark.parametrize(("seconds", "says"), [(-90, "90 s slow"), (40, "40 s fast"), (10, ""), (-10, "")])
def test_a_clock_that_is_wrong_is_alarmed(node: Node, seconds: int, says: str) -> None:
    ingest.take_gauges(node, gauges(at=int((time.time() + seconds) * 1000)))
    assert [says in each for each in alarms()] == ([True] if says else [])
    ingest.take_gauges(node, gauges())
    assert alarms() == []


def test_microsoft_that_neither_answers_nor_asks_is_alarmed(node: Node) -> None:
    def say(**up: bool) -> None:
        found = {"up": True, "code": 0, "since": 0, "checked": 0}
        names = {"ms1": "ms1:a.example", "ms2": "ms2:a.example", "other": "ms1:b.example", "asks": "asks:a.example"}
        microsoft = {names[name]: found | {"up": is_up} for name, is_up in up.items()}
        ingest.take_gauges(node, gauges(microsoft=microsoft))

    say(ms1=False, ms2=True, other=True, asks=True)
    assert alarms() == []
    say(ms1=False, ms2=False, other=True, asks=True)
    assert ["answers none" in each for each in alarms()] == [True]
    say(ms1=True, ms2=False, other=True, asks=False)
    assert ["has not asked" in each for each in alarms()] == [True]
    say(ms1=True, ms2=True)
    assert len(alarms()) == 1, "a Kamailio that has just started does not know whether it is asked"
    say(ms1=True, asks=True)
    assert alarms() == []


@pytest.mark.parametrize(
    ("kind", "says"),
    [("unknown_name", "for “old.example”"), ("unknown_number", "at 127.0.9.1 sent a call to +493012***"),
     ("wrong_trunk", "no trunk at that address"), ("forged_microsoft", "certificate of “old.example”"),
     ("something", "to +493012*** was refused")],
)  # fmt: skip
def test_a_call_to_look_at_says_why(node: Node, kind: str, says: str) -> None:
    odd = {"kind": kind, "source": "127.0.9.1", "host": "old.example", "called": "+493012345"}
    ingest.take_events(node, protocol.Events(items=[event(str(uuid.uuid4()), "alarm", 0, **odd)]))
    (text,) = alarms("call")
    assert says in text and text.startswith("sbc-lab-1: ")


def test_a_silent_node_is_alarmed_once_until_it_is_heard_of(node: Node) -> None:
    ingest.take_gauges(node, gauges())
    with contexts.ingest():
        Node.objects.update(last_seen=now() - timedelta(minutes=2), state="connected")
    services.expire_nodes()
    services.expire_nodes()
    assert len(alarms()) == 1 and "Nothing has been heard of sbc-lab-1" in alarms()[0]
    with contexts.owner():
        assert [todo.text for todo in todos_of_operator()] == ["sbc-lab-1 is away."]
    assert nodes.take_line(node, "channel", instead_of="")
    assert alarms() == []


def test_calls_that_a_full_node_refused_are_alarmed_until_it_is_quiet(node: Node, acme: Customer) -> None:
    refused = {"answered": None, "code": 503, "limit": "node", "attempts": [], "egress": ""}
    calls(node, *[record(0, acme.pk, **refused) for _ in range(4)], record(0, acme.pk))
    with contexts.ingest():
        alarm = Alarm.objects.get(kind="node")
    assert "was full" in alarm.text and alarm.count == 4
    services.expire_nodes()
    assert len(alarms()) == 1
    with contexts.ingest():
        Alarm.objects.update(last=now() - timedelta(minutes=16))
    services.expire_nodes()
    assert alarms() == []


@pytest.mark.urls("portal.urls_msp")
def test_a_trunk_that_refuses_call_after_call_is_alarmed_until_one_passes(node: Node, acme: Customer) -> None:
    with contexts.msp(acme.msp):
        trunk = Trunk(msp=acme.msp, name="Carrier A", host="127.0.9.1")
        trunk.save()

    def call(*codes: int) -> dict[str, Any]:
        tries = [{"trunk": trunk.gateway, "sent": 1, "ended": 2, "code": code, "reason": "No"} for code in codes]
        return record(0, acme.pk, attempts=tries, egress=trunk.gateway)

    calls(node, *[call(503) for _ in range(6)], call(503, 486), *[call(403) for _ in range(9)])
    assert alarms("trunk") == [], "busy is the called party's answer: the trunk passed that call"
    calls(node, call(403))
    with contexts.msp(acme.msp):
        assert (
            "“Carrier A” refused 10 calls in a row from sbc-lab-1, the last with 403 No."
            in todos_of_msp(acme.msp)[0].text
        )
    calls(node, call(403), call(200))
    assert alarms("trunk") == []


def test_a_call_for_help_that_nobody_took_is_alarmed_until_somebody_has_looked(node: Node, acme: Customer) -> None:
    tries = [{"trunk": "g1", "sent": 1, "ended": 2, "code": code, "reason": "No"} for code in (403, 408)]
    lost: dict[str, Any] = {
        "direction": "emergency", "called": "112", "called_sent": "112", "answered": None, "code": 503,
        "released_by": "sbc", "attempts": tries,
    }  # fmt: skip

    calls(node, record(0, acme.pk, **lost | {"released_by": "caller", "code": 487}), record(0, acme.pk))
    calls(node, record(0, acme.pk, **lost | {"direction": "out"}))
    assert alarms("call") == []
    calls(node, record(0, acme.pk, **lost), record(0, acme.pk, direction="emergency", called="112", called_sent="112"))

    (text,) = alarms("call")
    assert "nobody took a call to the emergency number 112. Its trunks said: 403 No, 408 No." in text
    with contexts.ingest():
        assert Alarm.objects.open().get(kind="call").tenant_id == acme.pk
    calls(node, record(0, acme.pk, **lost | {"attempts": []}))
    assert "No trunk could be tried." in alarms("call")[0]


def test_a_copied_record_store_is_told_to_go_on_as_another(node: Node, region: Region, acme: Customer) -> None:
    copy = services.add_node(Node(region=region, name="sbc-lab-2"), by=LAB)[0]
    spool = str(uuid.uuid4())
    facts: dict[str, Any] = {"node": "x", "boot": "b", "software": "s", "held": {}}
    hello = protocol.Hello(spool=spool, next_sequence=1, **facts)
    assert nodes.welcome(node, hello).last_sequence == 0
    # It has records that the portal has not, under numbers that the other will give to its own.
    last = nodes.welcome(copy, protocol.Hello(spool=spool, next_sequence=8, **facts)).last_sequence
    assert last > 7, "a node that is told of later records than it has renews its store"
    assert "copied" in alarms("spool")[0]
    copy.refresh_from_db()
    nodes.welcome(copy, protocol.Hello(spool=str(uuid.uuid4()), next_sequence=8, **facts))
    assert len(alarms("spool")) == 1, "nothing was lost: it brings all that it has under the new name"
    assert nodes.welcome(node, hello).last_sequence == 0
