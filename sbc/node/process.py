"""One node: its daemons, its tables, its spool and its line, each in a loop that outlives the others' troubles."""

import asyncio
import logging
import sqlite3
import time
import uuid
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from sbc.node import drift, schedules
from sbc.node.applier import Applier
from sbc.node.begun import Begun
from sbc.node.engines.base import Engine, EngineError
from sbc.node.follow import Follower
from sbc.node.link import Link, LinkSettings
from sbc.node.meter import Meter
from sbc.node.rows import SET_ORDER
from sbc.node.silence import Media, Silence
from sbc.node.snapshot import opened
from sbc.node.spool import Spool
from sbc.protocol import Certificate, CertificateState, Drift, Gauges, Row, Running, TrunkHealth

log = logging.getLogger("strowger.node")

EVENTS_EVERY = 0.05
RECORDS_EVERY = 0.05
WATCH_EVERY = 0.05
GAUGES_EVERY = 1.0
ALIVE_EVERY = 2.0
SYNC_EVERY = 0.1
CLEANUP_EVERY = 60.0
METER_EVERY = 1.0
MEDIA_EVERY = 0.5
INTERIM_LOOK = 30.0
INTERIM_EVERY = 900_000  # ms between two words about a running call
INTERIM_AT_ONCE = 500
SILENCE_LOOK = 60.0
ROTATE_AT = 64_000_000  # bytes of one record file


class Daemons(Media, drift.Door, Protocol):
    """What the node process asks of whatever starts Kamailio, rtpengine and HAProxy."""

    proven: bool  # every listener answers, as far as is known

    async def start(self, rows: list[Row]) -> bool:
        """Bring everything up with these rows loaded; tell whether Kamailio was running already."""
        ...

    async def watch(self, rows: Callable[[], list[Row]]) -> tuple[list[str], bool]:
        """Start again what has died, and name it; tell whether calls died with it."""
        ...

    async def restart_kamailio(self, rows: Callable[[], list[Row]]) -> None:
        """Start Kamailio anew as planned; running calls survive."""
        ...

    async def stop(self) -> None:
        """Take everything down; dialogs are kept for the next start."""
        ...

    def certificate_state(self, nonce: str = "", reason: str = "") -> CertificateState:
        """Say which certificates are in force."""
        ...

    async def take_certificate(self, asked: Certificate, rows: Callable[[], list[Row]]) -> str:
        """Show this certificate, and dial with it if that is asked; give the reason why not, or nothing."""
        ...

    def running(self) -> dict[str, bool]:
        """Tell which daemons run."""
        ...


@dataclass(frozen=True)
class Files:
    """Where a node keeps what must last."""

    directory: Path
    records: Path

    @property
    def snapshot(self) -> Path:
        return self.directory / "snapshot.sqlite"

    @property
    def spool(self) -> Path:
        return self.directory / "spool.sqlite"


class NodeProcess:
    """Runs until cancelled."""

    def __init__(
        self,
        files: Files,
        link: LinkSettings,
        engine: Engine,
        daemons: Daemons | None = None,
        unknown_after: float = 30.0,
        drift_every: float = drift.EVERY,
        interim_every: int = INTERIM_EVERY,
        is_own: Callable[[str], bool] = lambda address: False,
    ):
        self.leave_daemons = False
        files.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.engine, self.daemons, self.drift_every = engine, daemons, drift_every
        self.interim_every = interim_every
        self.snapshot = opened(files.snapshot)
        self.spool = Spool(files.spool)
        self.follower = Follower(files.records, self.spool, unknown_after)
        self.link = Link(link, self.spool, boot=str(uuid.uuid4()), gauges=self.gauges)
        self.applier = Applier(engine, self.snapshot, self.link.send, is_own=is_own)
        self.link.applier = self.applier
        self.meter = Meter(engine, self.applier, self.follower, self.spool)
        self.silence = Silence(engine, self.follower, daemons) if daemons else None
        self.follower.end_media = daemons.end_media if daemons else None
        self.link.credit_changed = self._meter_now
        self.link.welcomed = self._tell_running_anew
        self.link.certificate_state, self.link.take_certificate = self.certificate_state, self.take_certificate
        self._rotate: Callable[[], Awaitable[Any]] | None = getattr(engine, "rotate_records", None)
        self._remember: Callable[[], Awaitable[Any]] | None = getattr(engine, "remember_names", None)
        self.begun = Begun()
        self.is_up = False
        self._started = asyncio.Event()
        self._measured: dict[str, Any] = {}
        self._drift: list[Drift] = []
        self._sweeps = 0
        self._told_running: dict[str, int] = {}
        self._starts: deque[float] = deque()

    async def run(self) -> None:
        """Start from the snapshot, then keep everything going."""
        # The line and the spool do not wait for Kamailio; what asks Kamailio does.
        steps = (
            (self._records, RECORDS_EVERY),
            (self._events, EVENTS_EVERY),
            (self._measure, GAUGES_EVERY),
            (self._sync_snapshot, SYNC_EVERY),
            (self._note_alive, ALIVE_EVERY),
            (self._watch, WATCH_EVERY),
            (self._sweep, self.drift_every),
            (self._clean_up, CLEANUP_EVERY),
            (self.meter.tick, METER_EVERY),
            (self._tell_running, INTERIM_LOOK),
            (self._end_silent, SILENCE_LOOK),
            (self._take_media, MEDIA_EVERY),
        )
        tasks = [asyncio.create_task(self._forever(step, every)) for step, every in steps]
        tasks += [asyncio.create_task(each) for each in (self._start(), self._flip_schedules(), self.link.run())]
        try:
            await asyncio.gather(*tasks)
        except Exception:
            # Whatever is wrong here, the calls are not: the next node process adopts what runs.
            self.leave_daemons = True
            raise
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._stop()

    async def restart_kamailio(self) -> None:
        """Start Kamailio anew as planned, with the certificates and settings of now."""
        if self.daemons:
            began = _millis()
            await self.daemons.restart_kamailio(self.applier.rows_in_force)
            await self._lose_begun(began)
            await self._restore()
            self.link.tell_certificate()

    def certificate_state(self) -> CertificateState | None:
        """Say which certificates are in force; before everything has been started once, nobody knows."""
        return self.daemons.certificate_state() if self.daemons and self._started.is_set() else None

    async def take_certificate(self, asked: Certificate) -> CertificateState | None:
        """Put a certificate of the portal's in force, and say which ones are afterwards."""
        if not self.daemons:
            return None
        before, began = self.daemons.certificate_state().dialled, _millis()
        reason = await self.daemons.take_certificate(asked, self.applier.rows_in_force)
        if asked.restart and (reason or self.daemons.certificate_state().dialled != before):
            await self._lose_begun(began)
            await self._restore()
        return self.daemons.certificate_state(asked.nonce, reason)

    def gauges(self) -> Gauges:
        """Give the node's pulse for the portal."""
        found, self._drift = self._drift, []
        while self._starts and self._starts[0] < time.monotonic() - 1:
            self._starts.popleft()
        return Gauges(
            at=_millis(),
            engine="memory" if self.engine.name == "memory" else "kamailio",
            calls=int(self._measured.get("calls", 0)),
            cps=len(self._starts),
            kamailio=self.is_up,
            daemons=self.daemons.running() if self.daemons else {},
            trunks=_health(self._measured.get("trunks", {})),
            microsoft=_health(self._measured.get("microsoft", {})),
            drift=found,
            waiting=self.applier.waiting,
            spooled=len(self.spool),
        )

    async def _start(self) -> None:
        was_running = False
        if self.daemons:
            was_running = await self.daemons.start(self.applier.rows_in_force())
        if not was_running and self.spool.noted("stopped") != "cleanly":
            await self._lose_open_calls()
        self.spool.note("stopped", "no")
        await self._restore()
        self._started.set()
        self.link.tell_certificate()

    async def _stop(self) -> None:
        if self.daemons and not self.leave_daemons:
            began = _millis()
            await self.daemons.stop()
            await self._lose_begun(began)
            self.spool.note("stopped", "cleanly")
        await asyncio.to_thread(self.follower.run_pass, _millis())
        await asyncio.to_thread(self.follower.run_pass, _millis())
        self.spool.close()
        self.snapshot.close()

    async def _lose_open_calls(self) -> None:
        """Kamailio was killed: read all that it wrote, then note which calls it was carrying."""
        died = _millis()
        last_seen = int(self.spool.noted("alive") or 0)
        lost = await asyncio.to_thread(self.follower.lose_open_calls, last_seen, died)
        begun = await asyncio.to_thread(self.follower.spool_unanswered, self.begun.lost(died, last_seen))
        if lost or begun:
            log.error("Kamailio was killed while it carried %d answered calls and set up %d", lost, begun)
            self.link.records_spooled()

    async def _lose_begun(self, died: int) -> None:
        """Kamailio was stopped as planned: answered calls go on, those that were being set up have come to nothing."""
        await asyncio.to_thread(self.follower.run_pass, _millis())
        if await asyncio.to_thread(self.follower.spool_unanswered, self.begun.lost(died, died)):
            self.link.records_spooled()

    async def _restore(self) -> None:
        """See that the engine holds what it should; a Kamailio that loaded its rows when it started does."""
        began = time.perf_counter()
        self.meter.forget()
        try:
            if await self._counts_fit():
                await self.applier.flip_schedules(everything=True)
                self._drift += await drift.sweep(self.engine, self.applier)
            else:
                count = await self.applier.restore()
                log.info("%d rows loaded in %.0f ms", count, (time.perf_counter() - began) * 1000)
            self.is_up = True
            await self.applier.retry()
        except EngineError as error:
            self.is_up = False
            log.error("the rows could not be loaded: %s", error)

    async def _counts_fit(self) -> bool:
        wanted = Counter(row.table for row in self.applier.rows_in_force())
        held = await self.engine.counts()
        return all(held.get(table, 0) == wanted[table] for table in SET_ORDER)

    async def _watch(self) -> None:
        if self.daemons:
            died, killed = await self.daemons.watch(self.applier.rows_in_force)
            if killed:
                await self._lose_open_calls()
            if "kamailio" in died:
                await self._restore()
                self.link.tell_certificate()
        elif not self.is_up:
            await self._restore()

    async def _events(self) -> None:
        events = await self.engine.fetch_events()
        now = time.monotonic()
        self.begun.follow(events)
        self._starts.extend(now for event in events if event.get("type") == "start")
        self.link.add_events(events)

    async def _records(self) -> None:
        if await asyncio.to_thread(self.follower.run_pass, _millis()):
            self.link.records_spooled()

    async def _measure(self) -> None:
        try:
            self._measured = await self.engine.gauges()
            self.is_up = bool(self._measured.get("up", True)) and (self.daemons is None or self.daemons.proven)
        except EngineError:
            self._measured, self.is_up = {}, False
            raise
        if self.applier.waits_for_engine:
            await self.applier.retry()

    async def _tell_running_anew(self) -> None:
        """Tell a portal that has just welcomed us of every long call: it may never have heard of them."""
        self._told_running = {}
        await self._tell_running()

    async def _tell_running(self) -> None:
        """Tell of each long call that goes on, once in each interval of it."""
        if not self.link.connected:
            return
        calls = await asyncio.to_thread(self.follower.running, _millis(), self.interim_every)
        turns = {each["id"]: (each["seen"] - each["answered"]) // self.interim_every for each in calls}
        news = [each for each in calls if self._told_running.get(each["id"]) != turns[each["id"]]]
        for first in range(0, len(news), INTERIM_AT_ONCE):
            self.link.send(Running(items=news[first : first + INTERIM_AT_ONCE]))
        self._told_running = turns

    async def _end_silent(self) -> None:
        if self.silence and self.is_up:
            await self.silence.look(_millis(), int(SILENCE_LOOK * 1000))

    async def _take_media(self) -> None:
        """Have Kamailio leave the media of ended calls to us, as long as we keep up with their record lines."""
        if self.daemons and self.is_up and self.follower.caught_up:
            await self.daemons.take_media(int(self._measured.get("calls", 0)))

    async def _meter_now(self) -> None:
        """Take a new credit into account at once; where that fails, the next second does."""
        with suppress(EngineError):
            await self.meter.tick()

    async def _sync_snapshot(self) -> None:
        if self.snapshot.unsynced:
            await asyncio.to_thread(self.snapshot.sync)

    async def _note_alive(self) -> None:
        if self.is_up:
            await asyncio.to_thread(self.spool.note, "alive", str(_millis()))

    async def _sweep(self) -> None:
        await self.applier.flip_schedules()
        self._sweeps += 1
        self._drift += await drift.sweep(self.engine, self.applier, part=self._sweeps % drift.PARTS)
        if self.daemons:
            self._drift += await drift.sweep_door(self.daemons, self.applier)
        await self.applier.retry()

    async def _clean_up(self) -> None:
        if self._rotate and self.follower.largest() > ROTATE_AT:
            await self._rotate()
        if self._remember:
            await self._remember()
        await asyncio.to_thread(self.follower.remove_finished, _millis())

    async def _flip_schedules(self) -> None:
        while True:
            await asyncio.sleep(schedules.next_minute(datetime.now(UTC)) + 0.01)
            try:
                await self.applier.flip_schedules()
            except EngineError as error:
                log.error("opening hours could not be switched, the sweep will: %s", error)

    async def _forever(self, step: Callable[[], Awaitable[None]], every: float) -> None:
        """Take the step again and again; a trouble is said once, until it is over."""
        trouble = ""
        if step != self._records:
            await self._started.wait()
        while True:
            try:
                await step()
                trouble = ""
            except (EngineError, OSError, sqlite3.Error) as error:
                if str(error) != trouble:
                    log.error("%s: %s", step.__name__, error)
                trouble = str(error)
                await asyncio.sleep(0.2)
            except Exception:
                log.exception("%s failed", step.__name__)
                await asyncio.sleep(1)
            await asyncio.sleep(every)


def _health(said: dict[str, dict[str, Any]]) -> dict[str, TrunkHealth]:
    return {
        name: TrunkHealth(
            up=bool(each.get("up")),
            code=int(each.get("code") or 0),
            since=int(each.get("since") or 0),
            checked=int(each.get("checked") or 0),
        )
        for name, each in said.items()
    }


def _millis() -> int:
    return int(time.time() * 1000)
