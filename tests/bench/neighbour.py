"""What one customer at a hundred times its limit takes from its neighbour: nothing that anybody could hear."""

import asyncio
import tempfile
from pathlib import Path

from sbc.tests.sip.stage import ACME, GLOBEX
from tests.bench.figure import Figure, emit, note, percentile
from tests.bench.sbc import Caller, everything

LIMIT = 5
FLOOD = 100 * LIMIT
RATE = 50
SECONDS = 20


def run() -> list[Figure]:
    """Print the neighbour's failed calls and its p99 from INVITE to ringing, beside the neighbour alone."""
    return asyncio.run(_figures())


async def _figures() -> list[Figure]:
    note(f"neighbour: baseline, {RATE} CPS alone for {SECONDS} s")
    alone, _ = await _neighbour(flood=False)
    note(f"neighbour: the same beside {FLOOD} CPS of a customer that may have {LIMIT}")
    beside, flooded = await _neighbour(flood=True)
    offered = flooded.made / SECONDS if flooded else 0.0
    taken = flooded.made - flooded.failed if flooded else 0
    remark = f"the other customer offered {offered:.0f} CPS and got {taken} calls through"
    return [
        emit(
            f"neighbour's failed calls of {beside.made} beside a customer at 100 times its limit",
            beside.failed,
            "calls",
            at_most=0,
            baseline=alone.failed,
            remark=remark,
        ),
        emit(
            "neighbour's set-up time, INVITE to ringing, p99",
            percentile(beside.set_up_ms(), 0.99),
            "ms",
            at_most=20,
            baseline=percentile(alone.set_up_ms(), 0.99),
            remark=remark,
        ),
    ]


class _Story:
    """What is left of a caller once its folder is gone."""

    def __init__(self, caller: Caller) -> None:
        self.made, self.failed, self._times = caller.made, caller.failed, caller.set_up_ms()

    def set_up_ms(self) -> list[float]:
        return self._times


async def _neighbour(*, flood: bool) -> tuple[_Story, _Story | None]:
    with tempfile.TemporaryDirectory() as directory:
        async with everything(Path(directory), globex_cps=LIMIT) as (stage, _portal):
            acme = Caller(stage, 1, rate=RATE, calls=RATE * SECONDS, customer=ACME, caller="+4930111")
            globex = Caller(stage, 2, rate=FLOOD, calls=FLOOD * SECONDS, customer=GLOBEX, caller="+4989222")
            both = [acme.run(), globex.run()] if flood else [acme.run()]
            await asyncio.gather(*both)
            return _Story(acme), _Story(globex) if flood else None
