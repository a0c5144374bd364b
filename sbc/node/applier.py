"""Carries out what the portal asks for: one change at a time, each whole or not at all."""

import asyncio
import logging
import sqlite3
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias

from sbc.node.derived import Derived
from sbc.node.engines.base import Engine, EngineDown, EngineError, RowRefused
from sbc.node.rows import DERIVED, SECRET, rank
from sbc.node.snapshot import Snapshot
from sbc.node.state import Plan, Refused, State, Stopped
from sbc.protocol import Ack, Apply, Drop, Held, Nack, Row, RowKey, RowName

log = logging.getLogger("strowger.node")

Receipt: TypeAlias = Ack | Nack | Held


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Parked:
    """An apply that waits: for other scopes' versions, or for Kamailio."""

    apply: Apply
    why: str
    for_engine: bool = False


class Applier:
    """Sets rows, reads them back, switches, deletes; answers each apply with a receipt as soon as it is decided."""

    def __init__(
        self,
        engine: Engine,
        snapshot: Snapshot,
        send: Callable[[Receipt], None],
        now: Callable[[], datetime] = _now,
        is_own: Callable[[str], bool] = lambda address: False,
    ):
        self.engine, self.snapshot, self.now = engine, snapshot, now
        self.send = send
        self.state = State(is_own)
        self.lock = asyncio.Lock()  # held while rows change: the sweep must not take half a change for drift
        self._parked: dict[str, Parked] = {}
        self._last: dict[str, Receipt] = {}
        self._behind = False  # the snapshot, after a write that failed
        for intent in snapshot.load(self.state):
            self._parked[intent.scope] = Parked(intent, "was begun before a restart", for_engine=True)
        self.derived = Derived(self.state.in_force())
        self.derived.flip(self.derived.flips(now()))

    @property
    def waiting(self) -> dict[str, str]:
        """Say why applies wait, by scope."""
        return {scope: each.why for scope, each in self._parked.items() if not scope.startswith("credit:")}

    @property
    def waits_for_engine(self) -> bool:
        """Tell whether an apply waits for Kamailio to answer."""
        return any(parked.for_engine for parked in self._parked.values())

    async def apply(self, apply: Apply) -> None:
        """Bring the scope to this version, or say why not."""
        async with self.lock:
            await self._apply(apply)
            await self._follow_up()

    async def drop(self, drop: Drop) -> None:
        """Remove a scope that is no longer this node's, or say why not."""
        scope, nonce = drop.scope, drop.nonce
        async with self.lock:
            self._settle(scope)
            if scope in self.state.scopes:
                try:
                    await self._carry_out(self.state.plan_drop(scope, approved=drop.approved))
                except Stopped as stop:
                    return self._receipt(Held(scope=scope, version=0, nonce=nonce, reason=str(stop)))
                except (EngineDown, RowRefused) as error:
                    return self._receipt(
                        Nack(scope=scope, version=0, nonce=nonce, row=_row_of(error), reason=str(error))
                    )
            self._receipt(Ack(scope=scope, version=0, nonce=nonce, took_ms=0.0))
            await self._follow_up()

    async def forget_credit(self, scope: str) -> None:
        """Take a customer's credit away with the customer."""
        of = scope.replace("cust:", "credit:")
        async with self.lock:
            if scope not in self.state.scopes and of != scope and of in self.state.scopes:
                with suppress(EngineDown, RowRefused):
                    await self._carry_out(self.state.plan_drop(of, approved=True))

    def resend(self, scope: str) -> None:
        """Repeat the scope's last receipt, or tell the version held."""
        version = self.state.versions.get(scope, 0)
        self.send(self._last.get(scope) or self._ack(scope, version, "", 0.0))

    async def retry(self) -> None:
        """Try again what waits: once Kamailio is back, and with each sweep."""
        async with self.lock:
            await self._follow_up(retry=True)

    async def restore(self) -> int:
        """Load everything into a Kamailio that has just started; give the number of rows."""
        async with self.lock:
            self.derived.flip(self.derived.flips(self.now()))
            rows = self.rows_in_force()
            await self.engine.set_rows(rows)
            return len(rows)

    async def flip_schedules(self, everything: bool = False) -> None:
        """Write the states of hours and prices that have changed, or all: an adopted Kamailio has those of then."""
        async with self.lock:
            flipped = self.derived.flips(self.now())
            if everything:
                self.derived.flip(flipped)
                flipped = [row for row in self.derived.in_force() if row.table != "sr"]
            if flipped:
                await self.engine.set_rows(flipped)
                self.derived.flip(flipped)

    def rows_in_force(self) -> list[Row]:
        """Give every row that the engine should hold, in setting order."""
        return sorted([*self.derived.in_force(), *self.state.in_force()], key=rank)

    def expected(self, key: RowKey) -> str | None:
        """Give the value that the engine should hold for a row."""
        return self.derived.value(key) if key.table in DERIVED else self.state.value(key)

    async def _apply(self, apply: Apply) -> None:
        began = time.perf_counter()
        held = self.state.versions.get(apply.scope, 0)
        waiting = self._parked.get(apply.scope)
        if apply.version <= held:
            # Late, repeated or from an earlier boot: the answer is what runs.
            self.send(self._ack(apply.scope, held, apply.nonce, 0.0))
            return
        if waiting is not None and waiting.apply.version > apply.version:
            return
        unmet = self.state.unmet(apply.needs)
        if unmet:
            self._parked[apply.scope] = Parked(apply, unmet)
            return

        def in_force() -> None:
            took = round((time.perf_counter() - began) * 1000, 3)
            self._receipt(self._ack(apply.scope, apply.version, apply.nonce, took))

        try:
            await self._bring(apply, in_force)
        except (Refused, RowRefused) as error:
            self._settle(apply.scope)
            self._receipt(
                Nack(
                    scope=apply.scope, version=apply.version, nonce=apply.nonce, row=_row_of(error), reason=error.reason
                )
            )
        except Stopped as stop:
            self._settle(apply.scope)
            self._receipt(Held(scope=apply.scope, version=apply.version, nonce=apply.nonce, reason=str(stop)))
        except EngineError as error:
            # Kamailio starts again with the last good rows, then this is tried again.
            self._parked[apply.scope] = Parked(apply, f"waits for the SBC: {error}", for_engine=True)
        except Exception as error:
            log.exception("version %s of %s failed", apply.version, apply.scope)
            self._settle(apply.scope)
            reason = f"the node failed: {error!r:.200}"
            self._receipt(Nack(scope=apply.scope, version=apply.version, nonce=apply.nonce, row=None, reason=reason))
        else:
            self._parked.pop(apply.scope, None)

    def _ack(self, scope: str, version: int, nonce: str, took: float) -> Ack:
        return Ack(scope=scope, version=version, nonce=nonce, took_ms=took, left_out=self.state.left_out(scope))

    async def _bring(self, apply: Apply, in_force: Callable[[], None]) -> None:
        """Carry out the apply, without accounts that Kamailio refuses: they hold whatever text somebody chose."""
        unfit: dict[RowKey, str] = {}
        while True:
            plan = self.state.plan(apply, unfit)
            self.snapshot.intend(apply)
            try:
                return await self._carry_out(plan, in_force)
            except RowRefused as error:
                key = RowKey(*error.row)
                if key.table not in SECRET or key in unfit:
                    raise
                unfit[key] = error.reason

    async def _carry_out(self, plan: Plan, in_force: Callable[[], None] = lambda: None) -> None:
        """Change what runs; `in_force` is called as soon as calls go by the plan and a restart would, too."""
        at = self.now()
        derived, orphaned = self.derived.sets(plan, at), self.derived.deletes(plan)
        first, switches = [*derived, *plan.first], plan.switches
        try:
            await self._set_and_read_back(first)
            await self._set_and_read_back(switches)
        except EngineDown:
            raise
        except Exception:
            await self._undo(plan, derived)
            raise
        superseded = plan.superseded
        await self._delete([key for key in [*plan.deletes, *orphaned] if key not in superseded])
        self.state.commit(plan)
        self.derived.commit(plan, at)
        self._keep(plan)
        in_force()
        # Whoever waits for the answer gets it now; nobody waits for what a call can no longer meet.
        await asyncio.sleep(0)
        with suppress(EngineDown):
            # A Kamailio that starts anew is given what is in force, and nothing else.
            await self._delete(list(superseded))

    async def _delete(self, keys: list[RowKey]) -> None:
        try:
            if keys:
                await self.engine.delete_rows(keys)
        except RowRefused as error:
            log.error("a row would not go, the sweep will see to it: %s", error)

    def _keep(self, plan: Plan) -> None:
        try:
            if self._behind:
                self.snapshot.rewrite(self.state)
            else:
                self.snapshot.commit(plan)
            self._behind = False
        except sqlite3.Error:
            # Kamailio runs it and the intent is on disk: a restart carries it out again.
            log.exception("the snapshot is behind, and is written anew with the next change")
            self._behind = True

    async def _set_and_read_back(self, rows: list[Row]) -> None:
        if not rows:
            return
        await self.engine.set_rows(rows)
        keys = [RowKey(row.table, row.key) for row in rows]
        for row, value in zip(rows, await self.engine.get_rows(keys), strict=True):
            if value != row.value:
                raise RowRefused((row.table, row.key), "reads back otherwise than it was written")

    async def _undo(self, plan: Plan, derived: Iterable[Row]) -> None:
        """Put back what the plan has changed so far, switches first."""
        touched = [RowKey(row.table, row.key) for row in [*derived, *plan.sets]][::-1]
        held = await self.engine.get_rows(touched)
        pairs = [(key, value, self.expected(key)) for key, value in zip(touched, held, strict=True)]
        changed = [(key, wanted) for key, value, wanted in pairs if value != wanted]
        try:
            await self.engine.set_rows([Row(*key, wanted) for key, wanted in changed if wanted is not None])
            await self.engine.delete_rows([key for key, wanted in changed if wanted is None])
        except RowRefused as error:
            log.error("a change could not be taken back, the sweep will see to it: %s", error)

    async def _follow_up(self, retry: bool = False) -> None:
        """Carry out the deletes, and the applies, that waited for what is here now."""
        progress = True
        while progress:
            progress = False
            try:
                for plan in list(self.state.plan_release()):
                    await self._carry_out(plan)
            except (EngineDown, RowRefused) as error:
                log.warning("deletes that are due wait for the next sweep: %s", error)
            for scope, parked in list(self._parked.items()):
                if self.state.unmet(parked.apply.needs) is None and (retry or not parked.for_engine):
                    await self._apply(parked.apply)
                    progress |= scope not in self._parked
            retry = False

    def _settle(self, scope: str) -> None:
        self._parked.pop(scope, None)
        try:
            self.snapshot.forget(scope)
        except sqlite3.Error as error:
            log.error("the snapshot cannot be written: %s", error)

    def _receipt(self, receipt: Receipt) -> None:
        self._last[receipt.scope] = receipt
        self.send(receipt)


def _row_of(error: Exception) -> RowName | None:
    if isinstance(error, RowRefused):
        return RowName(table=error.row[0], key=error.row[1])
    return error.row if isinstance(error, Refused) else None
