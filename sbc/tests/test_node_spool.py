import os
import random
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlencode

import pytest

from sbc import protocol
from sbc.node import spool
from sbc.node.begun import Begun
from sbc.node.follow import STRAY_END, Follower
from sbc.node.spool import OpenCall, Spool, storable

T = 1_770_000_000_000


def line(kind: str, call: str, at: int = T, **more) -> bytes:
    times = {name: f"{value // 1000}.{value % 1000:03}000" for name, value in more.items() if name in ("ls", "iv")}
    said = {"k": kind, "id": call, "ts": f"{at // 1000}.{at % 1000:03}000"} | more | times | {"z": 1}
    return b"0|INVITE|a|b|c|200|OK|" + urlencode(said).encode() + b"\n"


def answered(call: str, at: int = T) -> bytes:
    facts = {"t": 17, "m": 3, "d": "out", "ci": f"sip-{call}", "cr": "+4930", "cd": "+441", "iv": at - 900, "eg": "g1"}
    return line("a", call, at, co=200, ls=at - 500, **facts)


def ended(call: str, at: int = T + 60_000) -> bytes:
    return line("e", call, at, ca=16, by="caller")


def orphan(call: str, at: int = T + 60_000) -> bytes:
    return line("o", call, at, ci=f"sip-{call}")


class Desk:
    """A spool, the files that it follows, and somebody who reads the records."""

    def __init__(self, root: Path):
        self.root, self.files = root, root / "records"
        self.files.mkdir(exist_ok=True)
        self.open()

    def open(self) -> None:
        self.spool = Spool(self.root / "spool.sqlite")
        self.follower = Follower(self.files, self.spool, unknown_after=5)
        self.follower.started = T

    def restart(self) -> None:
        self.spool.close()
        self.open()

    def write(self, data: bytes, name: str = "calls_1.log") -> None:
        with (self.files / name).open("ab") as file:
            file.write(data)

    def passes(self, now: int = T, count: int = 2) -> None:
        for _ in range(count):
            self.follower.run_pass(now)

    def records(self) -> list[dict]:
        first, texts = self.spool.after(0, 10**6, most_bytes=10**9)
        message = protocol.decode(f'{{"type":"records","first":{first},"items":[{",".join(texts)}]}}')
        return [dict(protocol.check_record(item)) for item in message.items]


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


def test_a_call_is_one_record_that_the_protocol_takes(desk):
    desk.write(line("l", "c1", T - 400, eg="g2", ls=T - 900, co=503))
    desk.write(answered("c1"))
    desk.passes()
    assert desk.records() == []

    desk.write(ended("c1"), "calls_2.log")
    desk.passes()

    (record,) = desk.records()
    assert (record["seq"], record["id"], record["end_unknown"]) == (1, "c1", False)
    assert record["ended"] - record["answered"] == 60_000
    assert [each["trunk"] for each in record["attempts"]] == ["g2", "g1"]


def test_lines_of_other_workers_are_waited_for(desk):
    desk.write(line("f", "c1", co=503), "calls_1.log")
    desk.passes(count=1)
    desk.write(line("l", "c1", T - 5, eg="g2", ls=T - 900, co=503), "calls_0.log")
    desk.passes(count=1)

    (record,) = desk.records()
    assert [each["code"] for each in record["attempts"]] == [503]


def test_an_unfinished_line_is_read_when_it_is_whole(desk):
    data = answered("c1") + ended("c1")
    for cut in range(1, len(data), 7):
        desk.write(data[cut - 7 if cut > 7 else 0 : cut])
        desk.passes()
        desk.restart()
    desk.write(data[cut:])
    desk.passes()

    assert [each["id"] for each in desk.records()] == ["c1"]
    assert desk.follower.bad_lines == 0


def test_a_line_cut_by_a_crash_does_not_swallow_the_next(desk):
    desk.write(answered("c1") + ended("c1")[:-20])
    desk.write(answered("c2") + ended("c2"))
    desk.passes()

    assert [each["id"] for each in desk.records()] == ["c2"]


def test_rotated_files_are_read_to_their_end_and_then_removed(desk):
    desk.write(answered("c1"))
    desk.passes()
    (desk.files / "calls_1.log").rename(desk.files / "calls_1.7.old")
    desk.write(ended("c1"), "calls_1.7.old")
    desk.write(answered("c2") + ended("c2"))
    assert desk.follower.remove_finished(int(time.time() * 1000) + 10**7) == []
    desk.passes()

    assert sorted(each["id"] for each in desk.records()) == ["c1", "c2"]
    removed = desk.follower.remove_finished(int(time.time() * 1000) + 10**7)
    assert [path.name for path in removed] == ["calls_1.7.old"]


def test_a_file_made_anew_under_the_same_name_is_read_from_its_beginning(desk):
    desk.write(answered("c1") + ended("c1"))
    desk.passes()
    path = desk.files / "calls_1.log"
    with path.open("r+b") as file:  # the same inode
        file.truncate()
        file.write(answered("c2") + ended("c2") + answered("c3") + ended("c3"))
    desk.passes()

    assert sorted(each["id"] for each in desk.records()) == ["c1", "c2", "c3"]


def test_reading_twice_doubles_nothing(desk):
    desk.write(answered("c1") + answered("c1") + ended("c1") + ended("c1") + line("f", "c2", co=486) * 2)
    desk.passes(count=5)

    assert sorted(each["id"] for each in desk.records()) == ["c1", "c2"]


def test_a_killed_kamailio_leaves_a_record_of_every_answered_call(desk):
    for number in range(300):
        desk.write(answered(f"c{number}"), f"calls_{number % 4}.log")
    desk.passes()
    desk.spool.note("alive", str(T + 3_000))

    assert desk.follower.lose_open_calls(T + 3_000, T + 3_500) == 300
    desk.write(answered("later", T + 3_600))  # by the next Kamailio
    desk.write(orphan("c7", T + 4_000))  # its phone hung up in time
    desk.restart()
    desk.passes(T + 4_500)
    assert [each["id"] for each in desk.records()] == ["c7"]
    desk.passes(T + 9_000, count=3)

    records = {each["id"]: each for each in desk.records()}
    assert len(records) == len(desk.records()) == 300
    assert records["c7"]["ended"] == T + 4_000 and not records["c7"]["end_unknown"]
    assert records["c8"]["end_unknown"] and records["c8"]["last_seen"] == T + 3_000
    assert [call.id for call in desk.spool.open_calls()] == ["later"]


def event(kind: str, call: str, at: int = T, **more) -> dict:
    return {"at": at, "call": call, "type": kind, "tenant": 17, "peer": 0, "msp": 3, "direction": "out", "route": 7,
            "caller": "+4930", "called": "+441", "trunk": "teams", "code": 0, "reason": ""} | more  # fmt: skip


def test_calls_that_rang_when_kamailio_was_killed_leave_a_record_too(desk):
    begun = Begun()
    begun.follow(event("start", f"c{number}") for number in range(6))
    begun.follow([event("ringing", "c1", T + 500, trunk="g1"), event("answered", "c2"), event("refused", "c3")])
    begun.follow([event("start", "later", T + 9_000), event("start", "stale", T - 10**6), event("start", "")])
    # The last events are lost with Kamailio, its lines are not: c4 was answered, c5 had failed.
    desk.write(line("l", "c0", T + 100, eg="g2", ls=T, co=503) + answered("c4") + line("f", "c5", co=486))
    desk.passes()

    assert desk.follower.spool_unanswered(begun.lost(T + 8_000, T + 7_000)) == 2

    records = {each["id"]: each for each in desk.records()}
    assert set(records) == {"c0", "c1", "c5"}
    assert records["c1"]["ringing"] == T + 500 and records["c1"]["egress"] == "g1"
    assert records["c0"]["end_unknown"] and records["c0"]["last_seen"] == T + 7_000
    assert [each["code"] for each in records["c0"]["attempts"]] == [503]
    assert begun.lost(T + 8_000, T) == [] and len(begun) == 1
    assert [call.id for call in desk.spool.open_calls()] == ["c4"]


def test_an_end_that_comes_after_all_is_an_orphan(desk):
    desk.write(answered("c1"))
    desk.passes()
    desk.follower.lose_open_calls(T, T + 1)
    desk.passes(T + 9_000)
    desk.write(orphan("c1", T + 70_000) + orphan("", T + 80_000) + ended("c9", T + 90_000))
    desk.passes(T + 90_000)
    desk.passes(T + 90_000 + STRAY_END + 2_000)

    kinds = [(each["kind"], each["id"]) for each in desk.records()]
    assert kinds[0] == ("cdr", "c1")
    assert {kind for kind, _ in kinds[1:]} == {"orphan_end"}
    assert {"c1", "c9"} < {call for _, call in kinds[1:]} and len(kinds) == 4


def test_a_call_longer_than_any_is_ended_by_nobody(desk):
    desk.write(answered("c1"))
    desk.spool.note("alive", str(T + 40_000_000))
    desk.passes(T + 13 * 3600 * 1000)

    assert [(each["end_unknown"], each["last_seen"]) for each in desk.records()] == [(True, T + 40_000_000)]


def test_a_failed_store_loses_nothing(desk, monkeypatch):
    desk.write(answered("c1") + ended("c1"))
    desk.passes(count=1)
    store, calls = desk.spool.store, []

    def full(*args, **more):
        calls.append(1)
        raise OSError("No space left on device")

    monkeypatch.setattr(desk.spool, "store", full)
    desk.write(answered("c2") + ended("c2") + orphan(""))
    for _ in range(2):
        with pytest.raises(OSError):
            desk.follower.run_pass(T)
    monkeypatch.setattr(desk.spool, "store", store)
    desk.passes()

    assert sorted(each["id"] for each in desk.records() if each["kind"] == "cdr") == ["c1", "c2"]
    assert len(desk.records()) == 3


def test_acknowledged_records_are_forgotten_and_numbers_never_used_again(tmp_path):
    spool = Spool(tmp_path / "spool.sqlite")
    assert spool.store([{"kind": "x"}] * 5) == 5
    assert spool.acknowledge(3) == 3
    assert spool.acknowledge(5) == 2
    uuid = spool.uuid
    spool.close()

    spool = Spool(tmp_path / "spool.sqlite")
    assert spool.uuid == uuid
    assert spool.store([{"kind": "x"}]) == 6
    assert spool.after(0, 10) == (6, ['{"seq":6,"kind":"x"}'])


def test_a_batch_is_limited_in_number_and_bytes(tmp_path):
    spool = Spool(tmp_path / "spool.sqlite")
    spool.store([{"kind": "x", "reason": "y" * 100}] * 50)

    assert len(spool.after(10, 20)[1]) == 20
    assert len(spool.after(0, 50, most_bytes=500)[1]) == 5


def test_no_batch_is_longer_than_what_daphne_takes_in_one_message(tmp_path):
    spool = Spool(tmp_path / "spool.sqlite")
    spool.store({"user_agent": "x" * 800} for _ in range(3_000))

    first, texts = spool.after(0, 3_000)

    assert first == 1 and len(texts) > 500 and len(",".join(texts)) < 1024 * 1024


def test_an_old_copy_of_a_spool_goes_on_as_another(tmp_path):
    spool = Spool(tmp_path / "spool.sqlite")
    spool.store([{"kind": "x"}] * 5)
    spool.acknowledge(3)
    uuid = spool.uuid

    spool.renew()

    assert spool.uuid != uuid
    assert spool.after(0, 10)[0] == 1 and spool.last_sequence == 2


def test_hostile_text_is_stored_so_that_any_database_takes_it():
    text = storable({"user_agent": 'a\0b\ud800c😀</script>"', "attempts": [{"reason": "\0"}]})

    assert "\\u0000" not in text and "d800" not in text
    assert "\\ud83d\\ude00" in text and "</script>" in text


def test_what_fails_half_way_is_not_stored_at_all(tmp_path):
    spool = Spool(tmp_path / "spool.sqlite")
    with pytest.raises(Exception, match="NOT NULL"):
        spool.store([{"kind": "x"}], [OpenCall("c1", None, 0)])

    assert (len(spool), spool.last_sequence, spool.open_calls()) == (0, 0, [])


CRASHING = """
import sys, time
from pathlib import Path
from sbc.node.follow import Follower
from sbc.node.spool import Spool
root = Path(sys.argv[1])
follower = Follower(root / "records", Spool(root / "spool.sqlite"))
print("up", flush=True)
while True:
    follower.run_pass(int(time.time() * 1000))
    time.sleep(0.002)
"""


def test_kill_9_at_any_moment_loses_no_call_and_doubles_none(tmp_path):
    (tmp_path / "records").mkdir()
    chance = random.Random(7)
    calls, pieces = 0, []
    for _ in range(12):
        node = subprocess.Popen([sys.executable, "-c", CRASHING, str(tmp_path)], stdout=subprocess.PIPE)
        node.stdout.readline()
        until = time.monotonic() + chance.uniform(0.02, 0.25)
        while time.monotonic() < until:
            calls += 1
            pieces += [(answered(f"c{calls}"), calls % 3), (ended(f"c{calls}"), (calls + 1) % 3)]
            while len(pieces) > 10:
                data, worker = pieces.pop(0)
                with (tmp_path / "records" / f"calls_{worker}.log").open("ab", buffering=0) as file:
                    cut = chance.randrange(len(data))
                    file.write(data[:cut])
                    file.write(data[cut:])
            time.sleep(0.0005)
        os.kill(node.pid, signal.SIGKILL)
        node.wait()
        node.stdout.close()
    desk = Desk(tmp_path)
    for data, worker in pieces:
        desk.write(data, f"calls_{worker}.log")
    desk.passes(int(time.time() * 1000), count=4)

    records = desk.records()
    assert len(records) == len({each["id"] for each in records}) == calls
    assert calls > 100


@pytest.mark.parametrize("room", [0, 300])  # none for the first byte of a transaction; none for its commit
def test_a_full_disk_costs_nothing_once_it_has_room_again(desk, room):
    desk.write(answered("c1") + ended("c1"))
    desk.passes()
    desk.write(answered("c2") + ended("c2"))
    log = desk.root / "spool.sqlite-wal"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (log.stat().st_size + room, before[1]))
    try:
        for _ in range(3):
            with pytest.raises(sqlite3.OperationalError):
                desk.passes()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    desk.passes()

    assert [(each["seq"], each["id"]) for each in desk.records()] == [(1, "c1"), (2, "c2")]


def test_the_disk_gets_back_what_a_long_time_without_the_portal_took(desk, monkeypatch):
    monkeypatch.setattr(spool, "SPARE", 500_000)
    desk.spool.store([{"id": str(number), "user_agent": "x" * 1000} for number in range(2000)])
    desk.spool.acknowledge(1999)
    file = desk.root / "spool.sqlite"
    desk.spool.acknowledge(2000)
    assert file.stat().st_size + file.with_name("spool.sqlite-wal").stat().st_size < 200_000
    assert desk.spool.store([{"id": "next"}]) == 2001
