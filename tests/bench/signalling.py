"""What a call costs with everything on, beside a Kamailio that does nothing but relay it."""

import asyncio
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from sbc.node.daemons import MODULES, Daemon
from sbc.tests.sip.stage import ACME, Stage
from tests.bench.figure import Figure, emit, note
from tests.bench.processes import cpu_seconds
from tests.bench.sbc import HERE, Caller, answering, everything, new_stage, tls_client

RATE = 500
SECONDS = 30


@dataclass(frozen=True)
class Cost:
    """What one run took: calls, how fast they really came, and processor time by program in ms a call."""

    calls: int
    failed: int
    rate: float
    cpu: dict[str, float]


def run() -> list[Figure]:
    """Print failed calls and the processor time a call, Kamailio's beside that of a bare relay."""
    return asyncio.run(_figures())


async def _figures() -> list[Figure]:
    # Half of the baseline before and half after: what else this machine does changes from minute to minute.
    before = await _bare(SECONDS // 2)
    note(f"signalling: everything on at {RATE} CPS for {SECONDS} s")
    ours, records = await _ours()
    note(f"signalling: everything {ours}, {records} records")
    bare = _together(before, await _bare(SECONDS - SECONDS // 2))
    note(f"signalling: bare {bare}")
    offered = "" if ours.rate > 0.97 * RATE else f"this machine could not offer more than {ours.rate:.0f} CPS"
    each = {name: (ours.cpu[name], bare.cpu.get(name)) for name in ours.cpu}
    figures = [
        emit(
            f"failed calls of {ours.calls} at {ours.rate:.0f} CPS, everything on",
            ours.failed,
            "calls",
            at_most=0,
            baseline=bare.failed,
            remark=offered,
        ),
        emit(f"calls without a record of {ours.calls}", ours.calls - records, "calls", at_most=0),
        emit(
            "Kamailio's CPU a call, everything on",
            each["kamailio"][0],
            "ms",
            ratio_at_most=3,
            baseline=each["kamailio"][1],
        ),
        emit("HAProxy's CPU a call", each["haproxy"][0], "ms", baseline=each["haproxy"][1]),
        emit("rtpengine's CPU a call", each["rtpengine"][0], "ms"),
    ]
    return figures


async def _ours() -> tuple[Cost, int]:
    with tempfile.TemporaryDirectory() as directory:
        async with everything(Path(directory)) as (stage, portal):
            cost = await _measured(stage, stage.plane.daemons, SECONDS)
            try:
                async with asyncio.timeout(20):
                    while len(portal.records) < cost.calls:
                        await asyncio.sleep(0.2)
            except TimeoutError:
                note("signalling: records are missing")
            return cost, len(portal.records)


async def _bare(seconds: int) -> Cost:
    note(f"signalling: baseline, a bare relay at {RATE} CPS for {seconds} s")
    with tempfile.TemporaryDirectory() as directory:
        stage = new_stage(Path(directory))
        stage.plane.write_files(stage.rows())
        daemons = {"haproxy": stage.plane.daemons["haproxy"], "kamailio": _relay(stage)}
        async with AsyncExitStack() as stack:
            for daemon in daemons.values():
                stack.push_async_callback(daemon.stop)
                daemon.start()
            await asyncio.sleep(1)
            await stack.enter_async_context(answering(stage))
            await stack.enter_async_context(tls_client(stage, 1))
            return await _measured(stage, daemons, seconds)


def _together(one: Cost, other: Cost) -> Cost:
    """Return two runs as one."""
    calls = one.calls + other.calls

    def mean(first: float, second: float) -> float:
        return (first * one.calls + second * other.calls) / calls

    cpu = {name: mean(spent, other.cpu[name]) for name, spent in one.cpu.items()}
    return Cost(calls, one.failed + other.failed, mean(one.rate, other.rate), cpu)


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


async def _measured(stage: Stage, daemons: dict[str, Daemon], seconds: int) -> Cost:
    caller = Caller(stage, 1, rate=RATE, calls=RATE * seconds, customer=ACME, caller="+4930111")
    groups = {name: daemon.pid for name, daemon in daemons.items()}
    before = {name: cpu_seconds(pid) for name, pid in groups.items() if pid}
    began = time.monotonic()
    await caller.run(hold_ms=1000)
    took = time.monotonic() - began
    cpu = {name: (cpu_seconds(pid) - before[name]) * 1000 / caller.made for name, pid in groups.items() if pid}
    return Cost(caller.made, caller.failed, caller.made / max(1.0, took - 1.0), cpu)
