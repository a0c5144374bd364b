"""Everything starts, crashed programs come back, and nothing is left behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from portal.supervisor import readable

RUN = """
import sys
from pathlib import Path
from portal import supervisor
from portal.supervisor import Program, Supervisor
supervisor.FIRST_WAIT = 0.1
boss = Supervisor(Path(sys.argv[1]), dict(__import__("os").environ))
for number, text in enumerate(sys.argv[2:]):
    boss.start(Program(f"p{number}", ["sh", "-c", text], ground=number == 0, patience=2, wait=0.1))
boss.run()
boss.stop()
print("Stopped.")
"""


@pytest.fixture
def supervised(tmp_path):
    """Return a function that runs shell commands under a supervisor, and gives its process and its folder."""
    started = []

    def run(*commands):
        texts = [text.replace("DIR", str(tmp_path)) for text in commands]
        process = subprocess.Popen(
            [sys.executable, "-c", RUN, str(tmp_path / "log"), *texts],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=Path(__file__).parents[2],
        )  # fmt: skip
        started.append(process)
        return process, tmp_path

    yield run
    for process in started:
        process.kill()
        process.communicate()


def appears(path, seconds=5.0):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if path.exists() and path.read_text().strip():
            return path.read_text().split()
        time.sleep(0.02)
    raise AssertionError(f"{path} did not appear")


def runs(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_crashed_program_starts_again(supervised):
    process, folder = supervised("sleep 60", "echo once >> DIR/starts; [ $(wc -l < DIR/starts) -gt 2 ] && sleep 60")
    until = time.monotonic() + 5
    while len(appears(folder / "starts")) < 3 and time.monotonic() < until:
        time.sleep(0.05)

    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=10)[0]

    assert len(appears(folder / "starts")) == 3
    assert "p1         ended with 1" in said
    assert said.endswith("Stopped.\n")
    assert (folder / "log" / "p1.log").read_text().count("starts again in") == 2


@pytest.mark.parametrize("daemon", ["sleep 300", "trap '' TERM; sleep 300"])
def test_grandchildren_in_sessions_of_their_own_end_with_us(supervised, daemon):
    process, folder = supervised(
        "sleep 60", f"""setsid sh -c "echo \\$\\$ > DIR/pid; {daemon}" & setsid sleep 301 & echo $! > DIR/other; wait"""
    )
    pids = [int(appears(folder / name)[0]) for name in ("pid", "other")]

    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)

    assert [pid for pid in pids if runs(pid)] == []


def test_the_ground_stops_last(supervised):
    process, folder = supervised(
        "trap 'echo ground >> DIR/order; exit' TERM; touch DIR/a; sleep 60 & wait",
        "trap 'sleep 0.3; echo portal >> DIR/order; exit' TERM; echo up > DIR/up; sleep 60 & wait",
    )
    appears(folder / "up")

    process.send_signal(signal.SIGINT)
    process.communicate(timeout=10)

    assert (folder / "order").read_text().split() == ["portal", "ground"]


def test_children_end_even_if_we_are_killed(supervised):
    process, folder = supervised("sleep 60", "echo $$ > DIR/pid; exec sleep 60")
    pid = int(appears(folder / "pid")[0])

    os.kill(process.pid, signal.SIGKILL)
    process.wait()

    until = time.monotonic() + 5
    while runs(pid) and time.monotonic() < until:
        time.sleep(0.05)
    assert not runs(pid)


def test_a_terminal_obeys_no_stranger():
    said = b"ERROR: bad message \x1b]0;owned\x07\x1b[2J\xc2\x9b31m Gr\xc3\xbc\xc3\x9fe\tfrom \xff\r"
    assert readable(said) == "ERROR: bad message \\x1b]0;owned\\x07\\x1b[2J\\x9b31m Grüße\tfrom \ufffd"
