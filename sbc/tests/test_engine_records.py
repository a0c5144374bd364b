"""Record lines: what Kamailio wrote, cut anywhere, in any order, is read as what happened."""

import itertools
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbc.node import records
from sbc.node.records import Answered, Ended, Failed, Leg, Orphan, merge
from sbc.tests.reading import parse_chunk

ID = "11111111-2222-3333-4444-555555555555"
FACTS = (
    "&t=17&pe=0&m=3&d=out&in=teams&r=7&g=43&iv=1700000000.000001&ci=a%7Cb%40c&ua=%3Cscript%3E&cr=%2B4930111&cd=%2B44207"
)
SAID = "&sc=own&at=A&rg=1700000001.5&eg=g2&ls=1700000000.750000&cs=%2B4930111&ce=%2b44207"


def line(kind: str, rest: str, acc: str = "INVITE|tag|totag|a&124;b@c|200|OK|1700000000") -> bytes:
    return f"{acc}|k={kind}&{rest}&z=1\n".encode()


LEG = line("l", f"ts=1700000000.700000&id={ID}&eg=g1&ls=1700000000.100000&co=503&re=Service%20Unavailable")
ANSWER = line("a", f"ts=1700000002.250000&id={ID}&co=200{FACTS}{SAID}")
END = line(
    "e",
    f"ts=1700000062.000000&id={ID}&by=called&ca=16&re=Q.850%3Bcause%3D16"
    "&tmos=4.3&tjitter=2&tloss=0&roundtrip=31234&cmos=3.0&cjitter=15&closs=6",
)
LATE = line("o", f"ts=1700000099.000000&id={ID}&ci=a%7Cb%40c&re=")
FAIL = line("f", f"ts=1700000003.000000&id={ID}&co=486&re=Busy&ca=17&li=&by=called{FACTS}{SAID}")


def lines(*raw: bytes) -> list[Leg | Answered | Failed | Ended | Orphan]:
    found, consumed, bad = parse_chunk(b"".join(raw))
    assert consumed == sum(map(len, raw)) and not bad
    return found


def test_an_answered_call_in_any_order_of_its_lines():
    for order in itertools.permutations((LEG, ANSWER, END)):
        record = merge(lines(*order))

        assert record is not None
        assert (
            record
            | {
                "id": ID,
                "kind": "cdr",
                "tenant": 17,
                "msp": 3,
                "direction": "out",
                "call_id": "a|b@c",
                "user_agent": "<script>",
                "caller": "+4930111",
                "called": "+44207",
                "invited": 1700000000000,
                "ringing": 1700000001500,
                "answered": 1700000002250,
                "ended": 1700000062000,
                "cause": 16,
                "released_by": "called",
                "egress": "g2",
                "media": {
                    "mos": 3.6,
                    "jitter": 8.5,
                    "loss": 3.0,
                    "roundtrip": 31234.0,
                    "from_teams": {"mos": 4.3, "jitter": 2.0, "loss": 0.0},
                    "from_trunk": {"mos": 3.0, "jitter": 15.0, "loss": 6.0},
                },
                "end_unknown": False,
            }
            == record
        )
        assert [(leg["trunk"], leg["code"], leg["ended"]) for leg in record["attempts"]] == [
            ("g1", 503, 1700000000700),
            ("g2", 200, 1700000062000),
        ]


def test_a_running_call_has_no_record_until_its_end_is_known_to_be_unknown():
    assert merge(lines(LEG, ANSWER)) is None

    record = merge(lines(LEG, ANSWER), end_unknown=True, last_seen=1700000050000)

    assert record is not None
    assert (record["end_unknown"], record["ended"], record["last_seen"]) == (True, None, 1700000050000)


def test_an_end_before_the_answer_is_none():
    early = END.replace(b"ts=1700000062", b"ts=1700000001")

    record = merge(lines(LEG, ANSWER, early))

    assert record is not None
    assert (record["end_unknown"], record["ended"], record["last_seen"]) == (True, None, record["answered"])


def test_a_call_that_was_never_answered():
    record = merge(lines(FAIL, LEG))

    assert record is not None
    assert (record["answered"], record["code"], record["cause"], record["released_by"]) == (None, 486, 17, "called")
    assert merge(lines(LEG)) is None


@pytest.mark.parametrize("more", [(), (END,), (LATE,)])
def test_an_answer_to_a_call_that_has_failed_makes_no_answered_one(more: tuple[bytes, ...]):
    for order in itertools.permutations((FAIL, ANSWER, *more)):
        record = merge(lines(*order), end_unknown=True)
        assert record is not None and (record["answered"], record["code"]) == (None, 486)


@pytest.mark.parametrize("cause", ["0", "128", "99999999999", "9" * 5000, "%C2%B2", "%D9%A1", "-1", "1.6", ""])
def test_a_cause_that_is_none_is_left_out_and_the_call_stays(cause: str):
    end, fail = (raw.replace(b"&ca=16", b"&ca=" + cause.encode()) for raw in (END, FAIL.replace(b"ca=17", b"ca=16")))

    for record in (merge(lines(ANSWER, end)), merge(lines(fail))):
        assert record is not None and record["cause"] is None and record["ended"]


def test_an_end_after_a_crash_finds_its_call_or_stands_alone():
    found = merge(lines(LATE, ANSWER))
    alone = merge(lines(LATE))

    assert found is not None and alone is not None
    assert (found["kind"], found["ended"], found["released_by"]) == ("cdr", 1700000099000, "unknown")
    assert (alone["kind"], alone["call_id"], alone["ended"]) == ("orphan_end", "a|b@c", 1700000099000)


def test_tries_within_one_millisecond_stay_in_their_order():
    legs = [
        line("l", f"ts=1700000000.1002{i}5&id={ID}&eg=g{i}&ls=1700000000.1002{i}0&co=500&re=Relay%20Failed")
        for i in range(1, 6)
    ]
    for order in itertools.permutations(legs):
        record = merge(lines(*order, FAIL))

        assert record is not None
        assert [leg["trunk"] for leg in record["attempts"]] == ["g1", "g2", "g3", "g4", "g5"]


def test_lines_that_come_twice_change_nothing():
    assert merge(lines(LEG, ANSWER, END)) == merge(lines(LEG, LEG, ANSWER, ANSWER, END, END))


@given(st.integers(0, len(LEG + ANSWER + END)))
def test_a_file_cut_anywhere_gives_whole_lines_and_says_where_it_stopped(cut: int):
    whole = LEG + ANSWER + END

    first, consumed, bad = parse_chunk(whole[:cut])
    rest, _, _ = parse_chunk(whole[consumed:])

    assert not bad and consumed <= cut
    assert first + rest == lines(LEG, ANSWER, END)


@given(st.integers(1, len(ANSWER) - 2))
def test_a_line_that_a_crash_cut_and_the_next_process_continued_is_not_taken_for_one(cut: int):
    found, _, bad = parse_chunk(ANSWER[:cut] + END)

    assert all(isinstance(each, Ended) for each in found)
    assert len(found) + len(bad) == 1


@given(st.binary(max_size=300))
def test_rubbish_is_handed_back_and_stops_nothing(rubbish: bytes):
    found, consumed, _ = parse_chunk(rubbish.replace(b"\n", b"") + b"\n" + END)

    assert consumed == len(rubbish.replace(b"\n", b"")) + 1 + len(END)
    assert isinstance(found[-1], Ended)


# What lines of records and events are put together from, one piece going into the other.
COMPOSED = """
    var(line) var(who) var(more) var(said) var(x) var(media) avp(line) avp(who) avp(more) dlg_var(who)
"""
# What goes into them as it is: times, ids, words and numbers of ours, and digits that were looked at.
OURS = """
    TV(Sn) var(now) var(iv) avp(rg) avp(ls) si rs dlg(h_entry) dlg(h_id) var(id) avp(id) dlg_var(id) var(t) var(pe)
    var(m) var(d) var(in) var(r) var(g) avp(eg) var(sc) var(at) var(li) avp(li) var(by) avp(by) var(code) avp(code)
    var(alarm) var(cd) avp(cd) var(cr) avp(show) var(ca) avp(ca) avp(tmos)
    var(tjitter) var(tloss) var(roundtrip) avp(cmos) var(cjitter) var(closs)
"""
ASSIGNED = re.compile(r"\s*\$(\w+\(\w+\)) = (.*);")
TOLD = re.compile(r'mq_add\("ev", "\w+", "(.*)"\)')
VALUE = re.compile(r"\$(?:\((\w+(?:\([^()]*\))?)((?:\{[^{}]*\})+)\)|(\w+\([^()]*\)|[a-zA-Z]+\b))")


def test_what_others_wrote_is_encoded_before_it_goes_into_a_line():
    """One bar or ampersand of theirs, and a record is lost or a line of theirs."""
    loose, seen, composed, ours = [], set(), set(COMPOSED.split()), set(OURS.split())
    for path in sorted((Path(records.__file__).parent / "etc" / "kamailio").glob("*.cfg")):
        for number, text in enumerate(path.read_text().splitlines(), 1):
            assigned, told = ASSIGNED.match(text), TOLD.search(text)
            line = told[1] if told else assigned[2] if assigned and assigned[1] in composed else ""
            for changed, how, plain in VALUE.findall(line.replace("$_s(", "(")):
                name = changed or plain
                seen.add(name)
                if "s.urlencode.param" not in how and name not in composed | ours:
                    loose.append(f"{path.name}:{number} ${name}")
    assert loose == []
    assert seen >= ours, "what is in no line any more need not be trusted"
