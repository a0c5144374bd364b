"""Processes of a bench run: started with an environment, waited for, and gone again whatever happens."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

PATIENCE = 30.0
TICKS = os.sysconf("SC_CLK_TCK")


@contextmanager
def running(command: Sequence[str], environment: dict[str, str] | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program until the block ends; what it says goes to standard error."""
    process = subprocess.Popen(
        list(command), env=environment or dict(os.environ), stdin=subprocess.DEVNULL, stdout=sys.stderr
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def daphne(application: str, environment: dict[str, str]) -> Iterator[int]:
    """Serve an ASGI application and give its port."""
    port = free_port()
    command = [sys.executable, "-m", "daphne", "-v", "0", "-b", "127.0.0.1", "-p", str(port), application]
    with running(command, environment) as server:
        wait_for(lambda: server.poll() is not None or _answers(port), application)
        assert server.poll() is None, f"{application} ended"
        yield port


def wait_for(ready: Callable[[], object], what: str, patience: float = PATIENCE, every: float = 0.05) -> None:
    """Return when it is ready; raises AssertionError after a while."""
    until = time.monotonic() + patience
    while not ready():
        assert time.monotonic() < until, f"waited {patience:.0f} s for {what}"
        time.sleep(every)


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody uses now."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def cpu_seconds(group: int) -> float:
    """Return the processor time that a process group has used so far, its children that still run included."""
    spent = 0
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == group:
            spent += int(fields[11]) + int(fields[12])
    return spent / TICKS


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
