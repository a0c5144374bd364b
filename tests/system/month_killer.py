"""Kills processes at random, and keeps the month's own node going."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from portal.run import ROOT
from tests.system.installation import Installation

# What each kind of process is known by among those of an installation.
KINDS: dict[str, Sequence[str]] = {
    "portal": ("daphne", "portal.asgi:"),
    "portal for nodes": ("daphne", "portal.asgi_nodes:"),
    "compiler": ("runworker", "sbc"),
    "worker": ("celery", " worker "),
    "clock": ("celery", " beat "),
    "PostgreSQL": ("postgres", "-D"),
    "Valkey": ("valkey",),
    "Kamailio": ("kamailio", "-DD"),
    "rtpengine": ("rtpengine",),
    "HAProxy": ("haproxy", "-db"),
    "lab": ("-m lab ",),
    "lab's node": ("sbc.node", "--settings"),
}
# Those on the way of a record die more often than once.
OFTEN = ("portal for nodes", "PostgreSQL", "month's node")


class Node:
    """The process of a node that follows record files; it has no Kamailio of its own."""

    def __init__(self, installation: Installation, folder: Path, name: str, token: str) -> None:
        self.log, self.records, proof = folder / "node.log", folder / "node" / "records", folder / "token"
        (folder / "node").mkdir(mode=0o700)
        self.records.mkdir()
        proof.write_text(token)
        self.command = [
            sys.executable, "-m", "sbc.node", "--engine", "memory", "--node", name, "--directory", str(folder / "node"),
            "--portal", f"ws://127.0.0.1:{installation.nodes}", "--token-file", str(proof),
        ]  # fmt: skip
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(self.command, cwd=ROOT, stdout=log, stderr=log)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End the process in this way; return how many ran."""
        if self._process is None or self._process.poll() is not None:
            return 0
        self._process.send_signal(number)
        self._process.wait(30)
        return 1

    def kill(self) -> int:
        """Kill the process and start the next one."""
        killed = self.stop(signal.SIGKILL)
        self.start()
        return killed

    def write(self, data: bytes) -> None:
        """Append lines as Kamailio does, all in one."""
        file = os.open(self.records / "calls_1.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(file, data)
        finally:
            os.close(file)


class Killer(threading.Thread):
    """Kills each kind of process at least once, in an order that the seed decides."""

    def __init__(self, installation: Installation, node: Node, chance: random.Random, pause: float) -> None:
        super().__init__(name="killer")
        self.killed: Counter[str] = Counter()
        self.over = threading.Event()
        self._kill = _ways(installation, node)
        self._order = [*self._kill, *OFTEN]
        chance.shuffle(self._order)
        self._pauses = [chance.uniform(pause / 2, 3 * pause / 2) for _each in self._order]

    def run(self) -> None:
        """Kill one after the other; one that is just coming back is waited for."""
        for kind, pause in zip(self._order, self._pauses, strict=True):
            until = time.monotonic() + 30
            while not (killed := self._kill[kind]()) and time.monotonic() < until and not self.over.wait(0.1):
                pass
            self.killed[kind] += killed
            if self.over.wait(pause):
                return

    @property
    def spared(self) -> list[str]:
        """Return the kinds of which none was killed."""
        return sorted(kind for kind in self._kill if not self.killed[kind])


def _ways(installation: Installation, node: Node) -> Mapping[str, Callable[[], int]]:
    def way(words: Sequence[str]) -> Callable[[], int]:
        return lambda: installation.kill(*words)

    return {kind: way(words) for kind, words in KINDS.items()} | {"month's node": node.kill}
