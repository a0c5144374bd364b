"""What the node writes beside records: logs of its daemons, which may not fill its disk."""

from pathlib import Path

import pytest

from sbc.node import room


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
