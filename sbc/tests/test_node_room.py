"""What the node writes beside records: logs of its daemons, which may not fill its disk."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from sbc.node import room
from sbc.node.engines.kamailio import KamailioEngine
from sbc.node.settings import NodeSettings


def test_a_long_log_is_begun_anew_under_its_writer_and_its_end_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "LOG_MOST", 1000)
    monkeypatch.setattr(room, "LOG_KEPT", 60)
    path = tmp_path / "kamailio.log"
    with path.open("a") as writer:
        for number in range(100):
            writer.write(f"line {number:04}\n")
        writer.flush()
        room.shorten(path)
        assert path.stat().st_size == 1000
        writer.write("one more\n")
        writer.flush()
        room.shorten(path)
        writer.write("and then\n")

    assert path.read_text() == "and then\n"
    assert path.with_suffix(".log.1").read_text().splitlines()[-2:] == ["line 0099", "one more"]
    room.shorten(tmp_path / "no.log")


async def test_what_is_held_back_is_given_up_when_the_disk_is_full_and_taken_again_when_it_has_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "LOOK_EVERY", 0.0)
    settings = NodeSettings(directory=tmp_path)
    watched = room.Room(tmp_path, KamailioEngine(settings), [])
    reserve = tmp_path / "reserve"

    seen = []
    for free in (10**6, 60, 99, 49, 60, 99, 101, 60, 0):
        monkeypatch.setattr(room.os, "statvfs", lambda _path, free=free: Left(f_bavail=free))
        monkeypatch.setattr(room, "NONE", 50)
        monkeypatch.setattr(room, "LITTLE", 1000)
        await watched.look()
        seen.append((watched.little, watched.none, reserve.exists()))

    held, given_up = (True, False, True), (True, True, False)
    assert seen == [(False, False, True), held, held, given_up, given_up, given_up, held, held, given_up]


async def test_a_disk_that_cannot_be_looked_at_is_said_once_and_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(room, "LOOK_EVERY", 0.0)
    gone = tmp_path / "gone"
    watched = room.Room(gone, KamailioEngine(NodeSettings(directory=gone)), [])
    for _ in range(3):
        await watched.look()

    assert watched.little and not watched.none and caplog.text.count("No such file") == 1


@dataclass(frozen=True)
class Left:
    f_bavail: int
    f_frsize: int = 1
