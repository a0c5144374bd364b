import contextlib
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbc import protocol
from sbc.protocol import Ack, AckRecords, Apply, BadMessage, Drop, Gauges, Hello, Nack, Records, Row, RowKey, Welcome

APPLY = Apply(
    scope="cust:17",
    version=43,
    nonce="n1",
    needs={"msp:3": 12},
    after={},
    base=None,
    set=[Row("rt", "17.43.00:44", "r=7;g=g1,g2"), Row("fq", "acme.sbc.example", "17")],
    delete=[RowKey("rt", "17.42.00:44")],
    closing=False,
    approved=False,
)
HELLO = Hello(node="sbc-1", boot="b", spool="s", software="1", held={"region:1": 2}, next_sequence=9)
ACK = Ack(scope="cust:17", version=43, nonce="n1", took_ms=1.5)
NACK = Nack(scope="cust:17", version=43, nonce="n1", row={"table": "rt", "key": "x"}, reason="no")
GAUGES = Gauges(
    at=1, engine="memory", calls=0, cps=0, kamailio=True, daemons={"haproxy": True},
    trunks={"g12": {"up": True, "code": 200, "since": 1, "checked": 2}},
    microsoft={}, drift=[{"table": "rt", "key": "k", "scope": "cust:17", "found": "missing", "healed": True, "at": 3}],
    waiting={}, spooled=0,
)  # fmt: skip
CDR = {
    "seq": 1, "kind": "cdr", "id": "u", "tenant": 17, "peer": 0, "msp": 3, "direction": "out", "call_id": "c",
    "caller": "+49301", "caller_sent": "+49301", "called": "+441", "called_sent": "+441", "invited": 1, "ringing": None,
    "answered": 2, "ended": 3, "end_unknown": False, "last_seen": None, "code": 200, "cause": 16, "reason": "",
    "released_by": "caller", "ingress": "teams", "egress": "g12", "route": 7, "generation": 43,
    "attempts": [{"trunk": "g12", "sent": 1, "ended": None, "code": 200, "reason": ""}], "limit": "",
    "screening": "own", "attestation": "A", "user_agent": "", "media": None,
}  # fmt: skip


@pytest.mark.parametrize(
    "message",
    [
        APPLY,
        HELLO,
        replace(HELLO, addresses=["192.0.2.5"]),
        ACK,
        replace(ACK, left_out=[{"table": "ip", "key": "17:192.0.2.5", "reason": "its own"}]),
        NACK,
        GAUGES,
        Records(first=1, items=[CDR]),
        Welcome(last_sequence=0, node="sbc-1", now=5),
        AckRecords(last_sequence=3),
        Drop(scope="cust:17", nonce="d", approved=False),
    ],
)
def test_what_one_side_says_the_other_understands(message):
    assert protocol.decode(protocol.encode(message)) == message
    assert protocol.decode(protocol.encode(message).encode()) == message


def test_what_older_nodes_and_portals_do_not_know_is_not_said_without_need():
    assert "addresses" not in json.loads(protocol.encode(HELLO))
    assert "left_out" not in json.loads(protocol.encode(ACK))


def test_a_row_travels_as_three_texts_and_is_a_row_again():
    wire = json.loads(protocol.encode(APPLY))

    assert wire["set"][0] == ["rt", "17.43.00:44", "r=7;g=g1,g2"]
    assert protocol.decode(json.dumps(wire)).set[0].table == "rt"


@pytest.mark.parametrize(
    "change, says",
    [
        ({"scope": "cust:0"}, "apply.scope"),
        ({"scope": "cust:17;drop"}, "apply.scope"),
        ({"version": -1}, "apply.version"),
        ({"version": True}, "apply.version"),
        ({"version": 1.0}, "apply.version"),
        ({"needs": {"nobody": 1}}, "apply.needs"),
        ({"needs": []}, "apply.needs"),
        ({"set": [["rt", "key"]]}, "apply.set"),
        ({"set": [["rt", "key", 7]]}, "apply.set"),
        ({"base": "42"}, "apply.base"),
        ({"closing": 0}, "apply.closing"),
        ({"extra": 1}, "unknown ['extra']"),
        ({"type": "obey"}, "unknown type"),
        ({"nonce": "\0"}, "cannot be stored"),
        ({"nonce": "\ud800"}, "not JSON: no low surrogate"),
    ],
)
@pytest.mark.parametrize("as_frame", [str, str.encode])
def test_bad_input_is_refused_by_name(change, says, as_frame):
    wire = json.loads(protocol.encode(APPLY)) | change

    with pytest.raises(BadMessage) as refusal:
        protocol.decode(as_frame(json.dumps(wire)))

    assert says in str(refusal.value)


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "[]",
        "nul",
        "[" * 100_000,
        b"\xff",
        '{"type":"ack","took_ms":NaN}',
        '"x"',
        '{"type": []}',
        '{"type":"apply"}',
    ],
)
def test_what_is_no_message_is_refused(frame):
    with pytest.raises(BadMessage):
        protocol.decode(frame)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
wires = [
    json.loads(protocol.encode(message)) for message in (APPLY, HELLO, ACK, NACK, GAUGES, Records(first=1, items=[CDR]))
]


@given(wire=st.sampled_from(wires), data=st.data())
def test_a_frame_with_anything_in_any_field_is_a_message_or_refused(wire, data):
    field = data.draw(st.sampled_from(sorted(wire)))
    frame = json.dumps(wire | {field: data.draw(json_values)})

    try:
        message = protocol.decode(frame)
    except BadMessage:
        return
    assert protocol.decode(protocol.encode(message)) == message


@given(item=json_values, field=st.sampled_from(sorted(CDR)))
def test_a_record_with_anything_in_any_field_is_a_record_or_refused(item, field):
    with contextlib.suppress(BadMessage):
        assert protocol.check_record(CDR | {field: item})[field] == item


def test_records_are_numbered_without_a_gap():
    with pytest.raises(BadMessage, match="expected seq 2"):
        protocol.decode(protocol.encode(Records(first=1, items=[CDR, CDR | {"seq": 3}])))


def test_neither_side_may_speak_for_the_other():
    with pytest.raises(BadMessage, match="hello is not for the portal"):
        protocol.decode_from_portal(protocol.encode(HELLO))
    with pytest.raises(BadMessage, match="drop is not for a node"):
        protocol.decode_from_node(protocol.encode(Drop(scope="cust:1", nonce="d", approved=False)))


def test_an_alarm_says_more_than_another_event():
    event = {"at": 1, "call": "", "type": "alarm", "tenant": 0, "peer": 0, "msp": 3, "direction": "", "caller": "",
             "called": "", "trunk": "", "route": 0, "code": 403, "reason": "x", "kind": "unknown_source"}  # fmt: skip

    assert protocol.check_event(event) == event
    with pytest.raises(BadMessage, match=r"unknown \['colour'\]"):
        protocol.check_event(event | {"colour": "red"})


def test_a_record_is_checked_field_by_field():
    assert protocol.check_record(CDR) == CDR
    with pytest.raises(BadMessage, match=r"record\.released_by: expected one of 'caller'"):
        protocol.check_record(CDR | {"released_by": "nobody"})
    with pytest.raises(BadMessage, match=r"record\.attempts\.code"):
        protocol.check_record(CDR | {"attempts": [CDR["attempts"][0] | {"code": "x"}]})
    with pytest.raises(BadMessage, match=r"record: missing \['cause', 'ended', 'reason'\]"):
        protocol.check_record({"kind": "orphan_end", "seq": 1, "id": "u", "call_id": "c"})
