"""A whole installation of its own for the system tests: what `make run` starts, beside whatever else runs here."""

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import psycopg

from lab.control import ask
from portal.embedded import ROOT_HOME
from portal.run import ROOT

READY = "Ctrl-C stops everything."
PASSWORD = "strowger-demo"


class Installation:
    """Portal, database, workers, SBC node and lab, in a folder and on loopback addresses of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # As root the servers run as a user of their own, who cannot reach a temporary folder of ours.
        self.data = ROOT_HOME / "test" / f"installation-{os.getpid()}" if os.geteuid() == 0 else folder / "data"
        self.var, self.log = folder / "var", folder / "launch.log"
        self.portal, self.nodes = _free_port(), _free_port()
        # Every process has a /16 of loopback to itself, so that runs do not meet.
        self.network = f"127.{60 + os.getpid() % 120}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, patience: float = 300.0) -> None:
        """Start everything and wait until it says that it is ready and every customer is live."""
        with self.log.open("wb") as log:
            command = [sys.executable, "-m", "portal.launch", "--calm"]
            self._process = subprocess.Popen(
                command, cwd=ROOT, env=self._environment(), stdout=log, stderr=subprocess.STDOUT
            )
        self.wait(lambda: READY in self.log.read_text(errors="replace"), patience, "the installation to start")
        self.wait(self.is_live, patience, "every scope to be live")

    def stop(self) -> None:
        """Stop everything and check that nothing stays behind."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGINT)
        self._process.wait(60)
        shutil.rmtree(self.data, ignore_errors=True)
        left = self.pids()
        assert not left, f"still running: {left}"

    def wait(self, ready: Callable[[], Any], patience: float, what: str) -> Any:
        """Return the first true answer; fails with the end of the log when there is none in time."""
        until = time.monotonic() + patience
        while time.monotonic() < until:
            if self._process is not None and self._process.poll() is not None:
                raise AssertionError(f"ended while waiting for {what}:\n{self._tail()}")
            if answer := ready():
                return answer
            time.sleep(0.2)
        raise AssertionError(f"waited {patience:.0f} s for {what}:\n{self._tail()}")

    def url(self, place: str, path: str = "/") -> str:
        """Return the address of a page; `place` is what stands before `.localhost`."""
        return f"http://{place}.localhost:{self.portal}{path}"

    def is_live(self) -> bool:
        """Return whether every scope runs its newest version everywhere."""
        # Nobody runs what a region wants whose last node has gone; numbers follow by the clock, also just after that.
        served = "EXISTS (SELECT FROM sbc_node n WHERE n.region_id = tenants_region.id AND n.state <> 'disabled')"
        counts = (
            f"SELECT count(*) FROM {table} WHERE live_version < config_version AND {condition}"
            for table, condition in (("tenants_region", served), ("tenants_msp", "true"), ("tenants_customer", "true"))
        )
        try:
            return all(self.query(count)[0][0] == 0 for count in counts)
        except psycopg.OperationalError:
            return False

    def wait_until_live(self, patience: float, what: str) -> None:
        """Wait until every scope runs its newest version everywhere; fails with what does not, and why."""
        try:
            self.wait(self.is_live, patience, what)
        except AssertionError as error:
            behind = self.query(
                "SELECT scope, node_id, wanted, sent, running, state, error FROM sbc_deployment WHERE running < wanted"
            )
            alarms = self.query("SELECT kind, text FROM sbc_alarm WHERE until IS NULL")
            raise AssertionError(f"{behind}\n{alarms}\n{error}") from None

    def manage(self, module: str, *words: str) -> str:
        """Run a module of ours beside the installation's own processes, with what they know; return what it printed."""
        known = json.loads((self.var / "run" / "environment.json").read_text())
        known.pop("DATABASE_ADMIN_URL", None)
        environment = self._environment() | known | {"LOG_LEVEL": "WARNING"}
        done = subprocess.run(
            [sys.executable, "-m", module, *words], cwd=ROOT, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
        return done.stdout

    def query(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Ask the database as its superuser, whom no policy holds back."""
        environment = json.loads((self.var / "run" / "environment.json").read_text())
        url = environment["DATABASE_ADMIN_URL"].replace("/postgres?", "/strowger?")
        with psycopg.connect(url, autocommit=True) as connection:
            return connection.execute(statement, values).fetchall()  # type: ignore[arg-type]

    def place(self, wishes: Iterable[dict[str, Any]], gap: float = 0.0) -> list[dict[str, Any]]:
        """Place calls at the same time, `gap` seconds apart, and return their outcomes in order."""
        return asyncio.run(self.placed(list(wishes), gap))

    async def placed(self, wishes: list[dict[str, Any]], gap: float = 0.0) -> list[dict[str, Any]]:
        """Place calls; see `place`."""
        path = self.var / "lab" / "lab.sock"

        async def one(place: int, wish: dict[str, Any]) -> dict[str, Any]:
            await asyncio.sleep(place * gap)
            return await ask(path, {"do": "call", **wish}, lambda _step: None)

        return await asyncio.gather(*(one(place, wish) for place, wish in enumerate(wishes)))

    def pids(self, *words: str) -> list[int]:
        """Return this installation's processes whose command holds all the words."""
        mine = (str(self.folder), str(self.data), self.network, f"-p {self.portal} ", f"-p {self.nodes} ")
        return [
            pid
            for pid, command, environment in _processes()
            if all(word in command for word in words)
            and (any(mark in command for mark in mine) or f"STROWGER_VAR={self.var}\0" in environment)
        ]

    def kill(self, *words: str) -> int:
        """Kill them as a power cut would; returns how many."""
        pids = self.pids(*words)
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        return len(pids)

    def _environment(self) -> dict[str, str]:
        environment = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
        return environment | {
            "STROWGER_VAR": str(self.var),
            "STROWGER_DATA": str(self.data),
            "STROWGER_LAB_NETWORK": self.network,
            "STROWGER_ENGINE": "kamailio",
            "STROWGER_DEMO": "1",
            "PORTAL_PORT": str(self.portal),
            "NODES_PORT": str(self.nodes),
            "DJANGO_SETTINGS_MODULE": "portal.settings",
        }

    def _tail(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-25:])


def _processes() -> Iterable[tuple[int, str, str]]:
    """Yield each process with its command and its environment, as far as they are ours to read."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command, environment = ((entry / name).read_bytes() for name in ("cmdline", "environ"))
            except OSError:
                continue
            yield (
                int(entry.name),
                command.replace(b"\0", b" ").decode(errors="replace"),
                environment.decode(errors="replace"),
            )


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])
