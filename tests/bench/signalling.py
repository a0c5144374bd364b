"""What a call costs with everything on, beside a Kamailio that does nothing but relay it."""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from sbc.node.daemons import MODULES, Daemon
from sbc.tests.sip.stage import ACME, Stage
from tests.bench.figure import Figure, emit, note
from tests.bench.processes import cpu_seconds
from tests.bench.sbc import HERE, Caller, answering, everything, new_stage, tls_client

RATE = 500
HOLD_MS = 1000
ROUNDS = 6
SECONDS = 5  # of everything in a round: 30 in all
BARE_SECONDS = 4
WARM_SECONDS = 5  # of each, not counted: memory is touched for the first time, connections are made


@dataclass(frozen=True)
class Cost:
    """What calls took: how many, how many failed, how long they were offered, and processor seconds by program."""

    calls: int = 0
    failed: int = 0
    seconds: float = 0.0
    cpu: Mapping[str, float] = field(default_factory=dict)

    def __add__(self, other: "Cost") -> "Cost":
        cpu = {name: self.cpu.get(name, 0.0) + other.cpu.get(name, 0.0) for name in {**self.cpu, **other.cpu}}
        return Cost(self.calls + other.calls, self.failed + other.failed, self.seconds + other.seconds, cpu)

    @property
    def rate(self) -> float:
        return self.calls / self.seconds

    def milliseconds(self, program: str) -> float:
        """Return this program's processor time a call."""
        return self.cpu[program] * 1000 / self.calls


def run() -> list[Figure]:
    """Print failed calls and the processor time a call, Kamailio's beside that of a bare relay."""
    return asyncio.run(_figures())


async def _figures() -> list[Figure]:
    ours, bare, missing = await _costs()
    offered = "" if ours.rate > 0.97 * RATE else f"this machine could not offer more than {ours.rate:.0f} CPS"
    return [
        emit(
            f"failed calls of {ours.calls} at {ours.rate:.0f} CPS, everything on",
            ours.failed,
            "calls",
            at_most=0,
            baseline=bare.failed,
            remark=offered,
        ),
        emit(f"calls without a record of {ours.calls}", missing, "calls", at_most=0),
        emit(
            "Kamailio's CPU a call, everything on",
            ours.milliseconds("kamailio"),
            "ms",
            ratio_at_most=3,
            baseline=bare.milliseconds("kamailio"),
        ),
        emit("HAProxy's CPU a call", ours.milliseconds("haproxy"), "ms", baseline=bare.milliseconds("haproxy")),
        emit("rtpengine's CPU a call", ours.milliseconds("rtpengine"), "ms"),
    ]


async def _costs() -> tuple[Cost, Cost, int]:
    """Return what everything cost, what the bare relay cost, and how many calls have no record.

    What else this machine does changes from minute to minute: both stay up, are warmed up alike and take turns, and
    the sums are compared.
    """
    ours, bare = Cost(), Cost()
    async with AsyncExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (directory / "bare").mkdir()
        (directory / "everything").mkdir()
        stage, portal = await stack.enter_async_context(everything(directory / "everything"))
        relay = new_stage(directory / "bare")
        while relay.net == stage.net:
            relay = new_stage(directory / "bare")
        relay_daemons = await stack.enter_async_context(_bare(relay))
        note(f"signalling: {WARM_SECONDS} s each to warm up")
        warm = await _measured(stage, stage.plane.daemons, WARM_SECONDS)
        await _measured(relay, relay_daemons, WARM_SECONDS)
        for turn in range(1, ROUNDS + 1):
            note(f"signalling: round {turn} of {ROUNDS} at {RATE} CPS")
            bare += (cost := await _measured(relay, relay_daemons, BARE_SECONDS))
            note(f"signalling: bare {cost}")
            ours += (cost := await _measured(stage, stage.plane.daemons, SECONDS))
            note(f"signalling: everything {cost}")
        calls = warm.calls + ours.calls
        with suppress(TimeoutError):
            async with asyncio.timeout(20):
                while len(portal.records) < calls:
                    await asyncio.sleep(0.2)
        return ours, bare, calls - len(portal.records)


@asynccontextmanager
async def _bare(stage: Stage) -> AsyncIterator[dict[str, Daemon]]:
    """Run a Kamailio that relays between HAProxy and carrier A and does nothing else."""
    stage.plane.write_files(stage.rows())
    daemons = {"haproxy": stage.plane.daemons["haproxy"], "kamailio": _relay(stage)}
    async with AsyncExitStack() as stack:
        for daemon in daemons.values():
            stack.push_async_callback(daemon.stop)
            daemon.start()
        await asyncio.sleep(1)
        await stack.enter_async_context(answering(stage))
        await stack.enter_async_context(tls_client(stage, 1))
        yield daemons


def _relay(stage: Stage) -> Daemon:
    s = stage.settings
    values = {
        "ADDRESS": s.address,
        "INSIDE": s.inside,
        "CARRIER_PORT": str(s.carrier_port),
        "PROXIED_PORT": str(s.proxied_port),
        "WORKERS": str(s.udp_workers),
        "CARRIER": f"{stage.net}.65",
        "MODULES": next(path for path in MODULES if Path(path).is_dir()),
    }
    text = (HERE / "bare.cfg").read_text()
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    config = s.run / "bare.cfg"
    config.write_text(text)
    memory = ["-m", str(s.shared_memory_mb), "-M", str(s.private_memory_mb), "-x", "fm", "-X", "fm"]
    return Daemon("bare", [s.kamailio, "-DD", "-E", *memory, "-f", str(config), "-w", str(s.run)], s.run)


async def _measured(stage: Stage, daemons: Mapping[str, Daemon], seconds: int) -> Cost:
    caller = Caller(stage, 1, rate=RATE, calls=RATE * seconds, customer=ACME, caller="+4930111")
    for statistics in caller.folder.glob("*.csv"):
        statistics.unlink()
    groups = {name: daemon.pid for name, daemon in daemons.items()}
    before = {name: cpu_seconds(pid) for name, pid in groups.items() if pid}
    began = time.monotonic()
    await caller.run(hold_ms=HOLD_MS)
    took = time.monotonic() - began - HOLD_MS / 1000
    cpu = {name: cpu_seconds(pid) - before[name] for name, pid in groups.items() if pid}
    return Cost(caller.made, caller.failed, max(1.0, took), cpu)
