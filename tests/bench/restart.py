"""How long nobody gets through while Kamailio starts anew with 20,000 routes, as it does for a new certificate."""

import asyncio
import tempfile
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from sbc.tests.sip.stage import Stage
from tests.bench.figure import Figure, emit, note, percentile
from tests.bench.sbc import new_stage

ROUTES = 20_000
TIMES = 7
TRY_EVERY = 0.005


def run() -> list[Figure]:
    """Print the seconds from the order to restart, and from the new start, to the first call at its carrier."""
    note(f"restart: {TIMES} restarts with {ROUTES} routes")
    took = asyncio.run(_measure())
    return [
        emit(
            f"Kamailio restart with {ROUTES} routes to the first routed call, median of {TIMES}",
            percentile([whole for whole, _ in took], 0.5),
            "s",
            at_most=0.5,
        ),
        emit("of it, from the new Kamailio's start", percentile([start for _, start in took], 0.5), "s"),
    ]


async def _measure() -> list[tuple[float, float]]:
    with tempfile.TemporaryDirectory() as directory:
        stage = new_stage(Path(directory))
        rows = [*stage.rows(), *(("rt", f"17.1.00:99{n:05}", f"r={n};g=g1") for n in range(ROUTES))]
        try:
            await stage.plane.start(rows)
            return [await _restart(stage, rows) for _ in range(TIMES)]
        finally:
            await stage.hang_up()
            await stage.plane.stop()


async def _restart(stage: Stage, rows: Iterable[tuple[str, str, str]]) -> tuple[float, float]:
    carrier = await stage.carrier(1)
    calling = asyncio.create_task(_keep_calling(stage))
    try:
        await carrier.expect("INVITE")
        began = time.perf_counter()
        await stage.plane.daemons["kamailio"].stop()
        stopped = time.perf_counter()
        # What the old one still relayed is not what we wait for.
        carrier.inbox.clear()
        restarting = asyncio.create_task(stage.plane.restart_kamailio(rows))
        await carrier.expect("INVITE")
        answered = time.perf_counter()
        await restarting
    finally:
        calling.cancel()
        with suppress(asyncio.CancelledError):
            await calling
        await stage.hang_up()
    return answered - began, answered - stopped


async def _keep_calling(stage: Stage) -> None:
    """Dial as Microsoft does, over TLS, one call after the other until one gets through."""
    microsoft = await stage.microsoft(listens=False, dials=False)
    number = 0
    while True:
        with suppress(OSError):
            await microsoft.connect()
            number += 1
            stage.invite_from_teams(microsoft, f"+99{number % ROUTES:05}")
            await asyncio.sleep(TRY_EVERY)
            if microsoft.writer is not None:
                await asyncio.sleep(TRY_EVERY)
                microsoft.writer.close()
