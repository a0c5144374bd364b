"""A little traffic for the demo: people call, talk, are busy, give up."""

import asyncio
import contextlib
import random
from collections.abc import Coroutine
from typing import Any

from lab.exchange import Lab
from lab.scenario import Customer
from lab.session import Call

# Numbers that regulators keep free for films and books.
WORLD = ("+4930231250", "+442079460", "+4477009001", "+121255501", "+33199004", "+4312345600")
# Endings at which the lab's carriers do something else than answer.
ODD = ("9486", "9486", "9480", "9404", "9603", "9180", "9503")
ODD_SHARE = 0.12
MOST_AT_ONCE = 6


class Traffic:
    """Places calls for every customer until it is stopped."""

    def __init__(self, lab: Lab, seed: int | None = None) -> None:
        self.lab = lab
        self.placed = 0
        self._random = random.Random(seed)
        self._tasks: set[asyncio.Task[None]] = set()
        self._running: dict[str, int] = {}

    async def run(self) -> None:
        """Place calls for ever; a cancelled task hangs all of them up."""
        self.lab.microsoft.refusing = ODD_SHARE
        try:
            while True:
                customers = [one for one in self.lab.scenario.customers if one.numbers and one.calls_per_minute > 0]
                rate = sum(one.calls_per_minute for one in customers) / 60
                await asyncio.sleep(self._random.expovariate(rate) if rate else 1)
                if customers:
                    weights = [one.calls_per_minute for one in customers]
                    self.begin(self._random.choices(customers, weights)[0])
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def begin(self, customer: Customer) -> None:
        """Begin one call of a customer, unless it has many already."""
        if self._running.get(customer.name, 0) >= MOST_AT_ONCE:
            return
        self.placed += 1
        task = asyncio.create_task(self._one(customer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _one(self, customer: Customer) -> None:
        self._running[customer.name] = self._running.get(customer.name, 0) + 1
        try:
            inbound = bool(self.lab.carriers) and self._random.random() < 0.5
            await (self._inbound(customer) if inbound else self._outbound(customer))
        finally:
            self._running[customer.name] -= 1

    async def _outbound(self, customer: Customer) -> None:
        call, extra, body = self.lab.microsoft.call(
            customer.fqdn, self._random.choice(customer.numbers), self._destination(customer)
        )
        if self.lab.is_told(call.remote.uri.number):
            return
        await self._live(call, call.place(*extra, body=body))

    async def _inbound(self, customer: Customer) -> None:
        names = [name for name in customer.carriers if name in self.lab.carriers] or list(self.lab.carriers)
        carrier = self.lab.carriers[self._random.choice(names)]
        call = carrier.call(self._number(), self._random.choice(customer.numbers))
        if not self.lab.is_told(call.remote.uri.number):
            await self._live(call, call.place())

    async def _live(self, call: Call, placing: Coroutine[Any, Any, int]) -> None:
        calling = asyncio.create_task(placing)
        try:
            # A caller has some patience.
            await asyncio.wait({calling}, timeout=self._random.uniform(12, 25))
            if not calling.done():
                await call.cancel()
            await calling
            if call.answered.is_set():
                await self._talk(call)
        finally:
            await call.wind_up(calling)

    async def _talk(self, call: Call) -> None:
        shortest, longest = self.lab.settings.clocks.talk
        duration = self._random.triangular(shortest, longest, shortest + (longest - shortest) / 4)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(call.ended.wait(), duration)
        if not call.ended.is_set() and self._random.random() < 0.5:
            others = [self.lab.microsoft, *self.lab.carriers.values()]
            found = [other for one in others if (other := one.newest(call.called)) not in (None, call)]
            if len(found) == 1 and found[0] is not None:
                await found[0].hang_up()

    def _destination(self, customer: Customer) -> str:
        if self._random.random() < ODD_SHARE:
            return "+493023125" + self._random.choice(ODD)
        return self._random.choice(customer.destinations) if customer.destinations else self._number()

    def _number(self) -> str:
        start = self._random.choice(WORLD)
        return start + "".join(self._random.choices("0123456", k=max(2, 12 - len(start))))
