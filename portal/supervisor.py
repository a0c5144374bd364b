"""Starts programs, prefixes and keeps what they say, starts crashed ones again, and leaves nothing behind."""

import ctypes
import os
import re
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import IO

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
FIRST_WAIT, LONGEST_WAIT = 1.0, 30.0
# A program that ran this long has recovered: its next crash waits from the beginning.
STEADY = 60.0
COLOURS = (36, 33, 32, 35, 34, 96, 93, 92, 95, 94)
LOG_LIMIT = 20_000_000
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@dataclass
class Program:
    """One child: what to run, and how it has been doing."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    # Told to stop last, because the others need it until the end.
    ground: bool = False
    patience: float = 10.0
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    wait: float = FIRST_WAIT
    again_at: float | None = None
    pending: bytes = b""
    last_line: str = ""
    log: IO[bytes] | None = None

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None


class Supervisor:
    """Holds the children of one run. Their grandchildren come to us when they lose their parent, and end with us."""

    def __init__(self, logs: Path, environment: Mapping[str, str]) -> None:
        self.logs, self.environment = logs, environment
        self.programs: list[Program] = []
        self.stopping = False
        self._selector = selectors.DefaultSelector()
        self._colours = sys.stdout.isatty()
        logs.mkdir(parents=True, exist_ok=True)
        _prctl(PR_SET_CHILD_SUBREAPER, 1)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._asked)

    def start(self, program: Program) -> Program:
        """Start a program and keep it running."""
        self.programs.append(program)
        self._launch(program)
        return program

    def work(self, seconds: float) -> None:
        """Pass on what the programs say and start crashed ones again, for this long."""
        until = time.monotonic() + seconds
        while not self.stopping and (left := until - time.monotonic()) > 0:
            self._read(min(left, 0.25))
            self._look_after()

    def run(self) -> None:
        """Work until somebody asks us to stop."""
        while not self.stopping:
            self.work(3600)

    def stop(self) -> None:
        """Stop everything: the programs, then what they stand on, then whatever is left of either."""
        self.stopping = True
        for ground in (False, True):
            group = [program for program in self.programs if program.ground == ground]
            for program in reversed(group):
                # It alone, and not its group: a program that has workers of its own stops them itself.
                if program.alive and program.process:
                    program.process.terminate()
            until = time.monotonic() + max((program.patience for program in group), default=0)
            while any(program.alive for program in group) and time.monotonic() < until:
                self._read(0.05)
            for program in group:
                if program.alive:
                    self._say(program, "does not stop: killed")
                    _signal(program, signal.SIGKILL)
            self._end_orphans()
        self._read(0)
        for program in self.programs:
            if program.log:
                program.log.close()

    def _launch(self, program: Program) -> None:
        path = self.logs / f"{program.name}.log"
        if path.exists() and path.stat().st_size > LOG_LIMIT:
            path.replace(path.with_suffix(".log.1"))
        program.log = program.log or path.open("ab")
        program.started, program.again_at = time.monotonic(), None
        try:
            # A group of its own: Ctrl-C reaches us alone, and we stop things in the right order.
            program.process = subprocess.Popen(
                program.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                env={**self.environment, **program.environment}, start_new_session=True,
                preexec_fn=lambda: _prctl(PR_SET_PDEATHSIG, signal.SIGTERM),
            )  # fmt: skip
        except OSError as error:
            self._say(program, f"cannot be started: {error}")
            self._later(program)
            return
        if program.process.stdout:
            os.set_blocking(program.process.stdout.fileno(), False)
            self._selector.register(program.process.stdout, selectors.EVENT_READ, program)

    def _look_after(self) -> None:
        for program in self.programs:
            if program.again_at is not None:
                if time.monotonic() >= program.again_at:
                    self._launch(program)
            elif program.process is not None and program.process.poll() is not None and not self.stopping:
                self._say(program, f"ended with {program.process.returncode}")
                _signal(program, signal.SIGKILL)  # what it left behind holds its ports
                self._later(program)
        self._orphans()

    def _later(self, program: Program) -> None:
        if time.monotonic() - program.started > STEADY:
            program.wait = FIRST_WAIT
        program.again_at = time.monotonic() + program.wait
        self._say(program, f"starts again in {program.wait:.0f} s")
        program.wait = min(program.wait * 2, LONGEST_WAIT)

    def _orphans(self) -> list[int]:
        """Return the grandchildren that have come to us and still run."""
        own = {program.process.pid for program in self.programs if program.process}
        left = []
        for pid in set(_children()) - own:
            try:
                ended, _ = os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                continue
            if not ended:
                left.append(pid)
        return left

    def _end_orphans(self) -> None:
        """End what our programs started and left to us, such as daemons in sessions of their own."""
        for number, seconds in ((signal.SIGTERM, 3.0), (signal.SIGKILL, 1.0)):
            until = time.monotonic() + seconds
            told: set[int] = set()
            while (left := self._orphans()) and time.monotonic() < until:
                for pid in set(left) - told:
                    os.kill(pid, number)
                told.update(left)
                time.sleep(0.05)

    def _read(self, timeout: float) -> None:
        if not self._selector.get_map():
            time.sleep(timeout)
            return
        for key, _ in self._selector.select(timeout):
            program: Program = key.data
            data = os.read(key.fd, 65536)
            if not data:
                self._selector.unregister(key.fileobj)
                key.fileobj.close()  # type: ignore[union-attr]
                data, program.pending = program.pending + b"\n" if program.pending else b"", b""
            *lines, program.pending = (program.pending + data).split(b"\n")
            for line in lines:
                program.last_line = readable(line)
                self._say(program, program.last_line)

    def _say(self, program: Program, line: str) -> None:
        if program.log:
            program.log.write(line.encode() + b"\n")
            program.log.flush()
        label = f"{program.name:<10}"
        if self._colours:
            label = f"\x1b[{COLOURS[self.programs.index(program) % len(COLOURS)]}m{label}\x1b[0m"
        print(f"{label} {line}", flush=True)

    def _asked(self, number: int, frame: FrameType | None) -> None:
        if self.stopping:
            return
        self.stopping = True
        print("\nStopping everything …", flush=True)


def readable(line: bytes) -> str:
    """Return a line as it may be shown: the programs repeat what strangers send, and a terminal obeys such letters."""
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", line.decode(errors="replace").rstrip("\r"))


_libc = ctypes.CDLL(None)


def _prctl(option: int, value: int) -> None:
    if hasattr(_libc, "prctl"):  # Linux
        _libc.prctl(option, int(value))


def _signal(program: Program, number: signal.Signals) -> None:
    if program.process is None:
        return
    try:
        os.killpg(program.process.pid, number)
    except (ProcessLookupError, PermissionError):
        if program.alive:
            program.process.send_signal(number)


def _children() -> list[int]:
    try:
        return [int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()]
    except OSError:
        return []  # not Linux: no orphans come to us either
