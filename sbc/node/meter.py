"""Holds calls to what their customer's money allows, second by second, with the portal or without it.

The portal says what is left, counted up to a record of this node. The meter takes off what calls since then and the
calls that run now cost, ends those that nothing is left for, and tells Kamailio how long the next one may last.
Kamailio itself ends each call at the last deadline that it was told: should this process die, the deadlines stand.
"""

import asyncio
import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from sbc.node import credit
from sbc.node.applier import Applier
from sbc.node.credit import Credit, Price
from sbc.node.engines.base import Engine
from sbc.node.follow import Follower
from sbc.node.records import Answered
from sbc.node.rows import parameters
from sbc.node.spool import Spool
from sbc.protocol import RowKey

log = logging.getLogger("strowger.node")

SPEND = "customer_spend"
NOTE = "credit spent"
EARLIER, LATER = 1, 10  # seconds by which a deadline must have moved before Kamailio is told
KEPT = 500  # ended calls of a customer that are remembered one by one


@dataclass
class Spent:
    """What a customer's ended calls cost since the portal counted: number of the record, micros."""

    ended: list[tuple[int, int]] = field(default_factory=list)

    def since(self, counted: int) -> int:
        """Return what calls after this record cost, and forget those before it."""
        self.ended = [each for each in self.ended if each[0] > counted]
        if len(self.ended) > KEPT:
            half = self.ended[: KEPT // 2]
            self.ended = [(half[-1][0], sum(micros for _number, micros in half)), *self.ended[KEPT // 2 :]]
        return sum(micros for _number, micros in self.ended)


class Meter:
    """Looks once a second at the customers that have a credit here; all others cost it nothing."""

    def __init__(
        self, engine: Engine, applier: Applier, follower: Follower, spool: Spool, longest_call: int = 12 * 3600,
        clock: Callable[[], float] = time.time,
    ):  # fmt: skip
        self.engine, self.applier, self.follower, self.spool = engine, applier, follower, spool
        self.longest_call, self.clock = longest_call, clock
        self._turn = asyncio.Lock()
        self._told: dict[int, str] = {}  # the `cp` rows that Kamailio has from us
        self._deadlines: dict[str, float] = {}  # by call: when Kamailio will end it
        self._spent: dict[int, Spent] = {}
        self._numbered_by = spool.uuid
        self._noted = spool.noted(NOTE) or ""
        noted = json.loads(self._noted or "{}")
        if noted.get("spool") == spool.uuid:
            for tenant, ended in noted["ended"].items():
                self._spent[int(tenant)] = Spent([(int(number), int(micros)) for number, micros in ended])

    def forget(self) -> None:
        """Kamailio was started anew: what it was told has to be told again."""
        self._told, self._deadlines = {}, {}

    async def tick(self) -> None:
        """Bring every customer's longest call, and the deadlines of its running calls, up to date."""
        async with self._turn:
            await self._tick()

    async def _tick(self) -> None:
        if self.spool.uuid != self._numbered_by:
            # The spool counts anew, so that these numbers say nothing any more; the portal tells all of it again.
            self._numbered_by, self._spent = self.spool.uuid, {}
        credits = self._credits()
        if not credits and not self._told and not self._deadlines:
            return
        # The customers whose credit was lifted are looked at once more: their calls get their full length again.
        running, ended = await asyncio.to_thread(self.follower.metered, frozenset(credits.keys() | self._told.keys()))
        by_customer: dict[int, list[Answered]] = {}
        for call in running:
            by_customer.setdefault(call.facts.tenant, []).append(call)
        for tenant, number, called, direction, seconds in ended:
            if tenant in credits and (price := self._price(tenant, credits[tenant], direction, called)):
                micros = -(-price.sixtieths(seconds) // 60)
                self._spent.setdefault(tenant, Spent()).ended.append((number, micros))
        now = self.clock()
        deadlines: list[tuple[Answered, int]] = []
        longest: dict[int, str] = {}
        for tenant, known in credits.items():
            calls = by_customer.get(tenant, [])
            left = known.left - self._spent.setdefault(tenant, Spent()).since(known.counted)
            deadlines += self._deadlines_of(tenant, known, left, calls, now)
            prices = [(price, lasted) for _call, price, lasted in self._priced(tenant, known, calls, now)]
            longest[tenant] = credit.longest_calls(left, prices, known.prices, self._most(tenant))
        for tenant in self._told.keys() - credits.keys():
            deadlines += [(call, self._rest(call, now)) for call in by_customer.get(tenant, [])]
        await self._tell(longest)
        await self._set(deadlines, now)
        self._deadlines = {call.id: self._deadlines[call.id] for call in running if call.id in self._deadlines}
        await self._note(credits)

    def _credits(self) -> dict[int, Credit]:
        found = {}
        for scope, holding in self.applier.state.scopes.items():
            kind, _, number = scope.partition(":")
            if kind == "credit" and (value := holding.rows.get(RowKey("cr", number))) is not None:
                found[int(number)] = credit.read(value)
        return found

    def _price(self, tenant: int, known: Credit, direction: str, called: str) -> Price | None:
        holding = self.applier.state.scopes[f"credit:{tenant}"]
        digits = called.lstrip("+")
        keys = {
            digits[:length]: RowKey("cr", f"{tenant}:{digits[:length]}") for length in range(1, credit.PREFIXES + 1)
        }
        prefixes = {prefix: holding.rows[key] for prefix, key in keys.items() if key in holding.rows}
        return known.price_of(direction, called, prefixes)

    def _priced(
        self, tenant: int, known: Credit, calls: list[Answered], now: float
    ) -> list[tuple[Answered, Price, int]]:
        priced = []
        for call in calls:
            price = self._price(tenant, known, call.facts.direction, call.facts.called)
            if price is not None:
                priced.append((call, price, max(0, int(now - call.at / 1000))))
        return priced

    def _deadlines_of(
        self, tenant: int, known: Credit, left: int, calls: list[Answered], now: float
    ) -> list[tuple[Answered, int]]:
        priced = self._priced(tenant, known, calls, now)
        if not priced:
            return []
        seconds = credit.lasts(left, [(price, lasted) for _call, price, lasted in priced], self._most(tenant))
        return [
            (call, self._rest(call, now) if seconds is None else min(seconds, self._rest(call, now)))
            for call, _price, _lasted in priced
        ]

    def _most(self, tenant: int) -> int:
        """Return how long a call of this customer may last at all."""
        longest = parameters(self.applier.state.value(RowKey("tn", str(tenant))) or "").get("mx", "")
        return min(int(longest), self.longest_call) if longest.isdigit() and int(longest) else self.longest_call

    def _rest(self, call: Answered, now: float) -> int:
        return max(0, self._most(call.facts.tenant) - int(now - call.at / 1000))

    async def _tell(self, longest: dict[int, str]) -> None:
        rows = [("cp", str(tenant), f"c={calls}") for tenant, calls in longest.items() if self._differs(tenant, calls)]
        gone = [("cp", str(tenant)) for tenant in self._told.keys() - longest.keys()]
        await self.engine.set_rows(rows)
        await self.engine.delete_rows(gone)
        for _table, tenant, value in rows:
            self._told[int(tenant)] = value.removeprefix("c=")
        for _table, tenant in gone:
            del self._told[int(tenant)]

    def _differs(self, tenant: int, calls: str) -> bool:
        """Tell whether a longest call is another one by more than a twentieth: seconds that pass are no news."""
        before = self._told.get(tenant, "").split(".")
        after = calls.split(".")
        return len(before) != len(after) or any(_is_other(one, two) for one, two in zip(before, after, strict=True))

    async def _set(self, deadlines: list[tuple[Answered, int]], now: float) -> None:
        moved = []
        for call, seconds in deadlines:
            until = self._deadlines.get(call.id)
            new = now + seconds
            if call.dialog and (until is None or new < until - EARLIER or new > until + LATER):
                moved.append((call, seconds))
        if not moved:
            return
        await self.engine.set_deadlines(
            [
                (call.dialog, call.id, max(1, seconds), SPEND if seconds < self._rest(call, now) else "")
                for call, seconds in moved
            ]
        )
        self._deadlines |= {call.id: now + seconds for call, seconds in moved}

    async def _note(self, credits: dict[int, Credit]) -> None:
        """Keep what was spent over a restart of this process: the portal may be away for longer."""
        self._spent = {tenant: spent for tenant, spent in self._spent.items() if tenant in credits}
        ended = {tenant: spent.ended for tenant, spent in self._spent.items() if spent.ended}
        text = json.dumps({"spool": self._numbered_by, "ended": ended}) if ended or self._noted else ""
        if text != self._noted:
            await asyncio.to_thread(self.spool.note, NOTE, text)
            self._noted = text


def _is_other(one: str, two: str) -> bool:
    if not (one.isdigit() and two.isdigit()):
        return one != two
    before, after = int(one), int(two)
    return (before == 0) != (after == 0) or abs(before - after) > max(1, before // 20)
