"""Keeps Kamailio, rtpengine and HAProxy running and answering, and Kamailio loaded with the node's rows."""

import asyncio
import logging
import os
import signal
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from sbc.node.certificates import CertificateRefused, Certificates
from sbc.node.daemons import DataPlane, NotProven
from sbc.node.engines.base import EngineDown, Row
from sbc.node.haproxy import HaproxyRefused
from sbc.node.pulse import Pulse
from sbc.node.room import Room
from sbc.node.rows import Kind
from sbc.node.rtpengine import Over
from sbc.protocol import Certificate, CertificateState

log = logging.getLogger("strowger.node")

PROVE_EVERY = 0.005
PROVE_AGAIN = 2.0
FIRST_ANSWER = 5.0
TOO_OFTEN = 1.0  # seconds to wait before a daemon that died at once is started again


class Supervisor:
    """Starts what has died; says when it was Kamailio, because running calls died with it."""

    def __init__(self, plane: DataPlane):
        self.plane = plane
        self.certificates = Certificates(plane)
        self.pulse = Pulse(plane)
        self.room = Room(plane.settings.directory, plane.engine, [each.log for each in plane.daemons.values()])
        self.proven = self._begun = False
        self._trouble = ""
        self._next_proof = 0.0
        self._turn = asyncio.Lock()
        self._started: dict[str, float] = {}
        self._died: set[str] = set()  # since somebody asked what runs

    async def start(self, rows: Iterable[Row]) -> bool:
        """Bring everything up with these rows loaded; tell whether Kamailio was running already."""
        was_running = self.plane.daemons["kamailio"].pid is not None
        if not was_running:
            self._end_orphans()
        async with self._turn:
            await self._begin(rows)
        return was_running

    async def watch(self, rows: Callable[[], Iterable[Row]]) -> tuple[list[str], bool]:
        """Start again what has died, and name it; tell whether calls died with it."""
        async with self._turn:
            if not self._begun:
                return await self._begin_again(rows), False
            await self.room.look()
            for name in await self.pulse.look():
                self._end_hung(name)
            died = [name for name, daemon in self.plane.daemons.items() if daemon.pid is None]
            killed = "kamailio" in died and not self.plane.daemons["kamailio"].ended_well
            for name in died:
                await self._start_again(name, rows)
            if not self.proven and time.monotonic() > self._next_proof:
                await self._prove()
        return died, killed

    async def restart_kamailio(self, rows: Callable[[], Iterable[Row]]) -> None:
        """Start Kamailio anew as planned, as after a new certificate; running calls survive."""
        async with self._turn:
            self.plane.write_files(list(rows()))
            await self.plane.restart_kamailio(rows())
            try:
                await self.plane.haproxy.set_certificate("node", self.plane.certificate.read_text())
            except (HaproxyRefused, OSError) as trouble:
                log.error("HAProxy keeps the certificate that it had: %s", trouble)

    def certificate_state(self, nonce: str = "", reason: str = "") -> CertificateState:
        """Say which certificates are in force."""
        return self.certificates.state(nonce, reason)

    async def networks_held(self) -> set[str]:
        """Return the source networks that HAProxy lets in now."""
        return await self.plane.haproxy.networks_held()

    async def set_networks(self, networks: Iterable[str]) -> None:
        """Let these source networks in, and no others."""
        await self.plane.haproxy.set_networks(networks)

    async def put_certificates_right(self) -> Mapping[str, Kind]:
        """Show again what should be shown and nothing else; say by name what was otherwise."""
        async with self._turn:
            return await self.certificates.put_right()

    async def take_certificate(self, asked: Certificate, rows: Callable[[], Iterable[Row]]) -> str:
        """Show this certificate, and dial with it if that is asked; give the reason why not, or nothing."""
        async with self._turn:
            try:
                await self.certificates.take(asked)
                if asked.restart and self.certificate_state().dialled != asked.fingerprint:
                    await self._dial_with(asked.fingerprint, rows)
            except (CertificateRefused, HaproxyRefused, OSError) as trouble:
                log.error("the certificate %s is not taken: %s", asked.fingerprint[:16], trouble)
                return str(trouble)
        log.info("the certificate %s is in force", asked.fingerprint[:16])
        return ""

    async def stop(self) -> None:
        """Take everything down; dialogs are kept for the next start."""
        self.pulse.rpc.close()
        await self.plane.stop()

    async def carried(self, call_ids: Iterable[str]) -> Mapping[str, bool]:
        """Tell by Call-ID whether its media is carried; a call that nothing is known of is left out."""
        return await self.plane.rtpengine.carried(call_ids)

    async def take_media(self, calls: int) -> None:
        """Have Kamailio leave the media of calls that end in the next two seconds to us.

        Not where so many `calls` run that ports might become scarce.
        """
        if calls <= self.plane.settings.most_calls // 2:
            await self.plane.engine.take_media()

    def end_media(self, calls: list[Over]) -> dict[str, dict[str, str]]:
        """End the media of calls; give by Call-ID how it was, where rtpengine tells."""
        return self.plane.rtpengine.end(calls)

    def running(self) -> dict[str, bool]:
        """Tell which daemons run and answer, and whether the disk has room; what died since the last time counts."""
        died, self._died = self._died, set()
        down = died | {name for name in self.plane.daemons if self.pulse.misses(name)}
        found = {name: daemon.pid is not None and name not in down for name, daemon in self.plane.daemons.items()}
        return found | {"disk": not self.room.little}

    async def _dial_with(self, fingerprint: str, rows: Callable[[], Iterable[Row]]) -> None:
        before = self.plane.dialled.read_text()
        try:
            await self.plane.restart_kamailio(rows())
        except (NotProven, EngineDown) as trouble:
            await self.certificates.take_back(fingerprint, before)
            try:
                await self.plane.restart_kamailio(rows())
            except (NotProven, EngineDown):
                log.exception("Kamailio does not start with the old certificate either")
            raise CertificateRefused(f"Kamailio did not start with it: {trouble}") from None

    async def _begin(self, rows: Iterable[Row]) -> None:
        rtpengine = self.plane.rtpengine
        try:
            if self.plane.daemons["rtpengine"].pid is None and not rtpengine.is_alone():
                raise NotProven(f"{rtpengine.inside}:{rtpengine.port} is taken: does another node run on this machine?")
            await self.plane.start(rows)
            self._begun = True
            self._is_proven()
        except (NotProven, EngineDown, OSError) as trouble:
            self._next_proof = time.monotonic() + PROVE_AGAIN
            self._is_not_proven(self._reason(trouble))

    async def _begin_again(self, rows: Callable[[], Iterable[Row]]) -> list[str]:
        if time.monotonic() > self._next_proof:
            await self._begin(rows())
        return ["kamailio"] if self._begun else []

    async def _start_again(self, name: str, rows: Callable[[], Iterable[Row]]) -> None:
        daemon = self.plane.daemons[name]
        self._died.add(name)
        self.pulse.forget(name)
        log.error("%s has died: %s", name, daemon.last_words()[-500:] or "its log is empty")
        if time.monotonic() - self._started.get(name, 0.0) < TOO_OFTEN:
            await asyncio.sleep(TOO_OFTEN)
        self._started[name] = time.monotonic()
        if name == "kamailio":
            self._end_orphans()
            self.plane.write_files(list(rows()))
        try:
            daemon.start()
        except OSError as error:
            return self._is_not_proven(f"{name} does not start: {error}")
        self.proven = False
        if name == "kamailio":
            await self._first_answer()

    def _end_hung(self, name: str) -> None:
        log.error("%s runs and answers nobody: it is ended and started again", name)
        if (pid := self.plane.daemons[name].pid) is not None:
            with suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)

    async def _prove(self) -> None:
        self._next_proof = time.monotonic() + PROVE_AGAIN
        try:
            await self.plane.prove(patience=1.0)
            self._is_proven()
        except (NotProven, EngineDown, OSError) as trouble:
            self._is_not_proven(self._reason(trouble))

    def _reason(self, trouble: Exception) -> str:
        """Give the last words of what has ended: that it does not answer is no news then."""
        ended = [name for name, daemon in self.plane.daemons.items() if daemon.pid is None and daemon.log.exists()]
        words = [f"{name} ended: {self.plane.daemons[name].last_words()}" for name in ended]
        return "\n".join(words) or str(trouble)

    def _is_proven(self) -> None:
        log.info("Kamailio, rtpengine and HAProxy run, and every listener answers")
        self.proven, self._trouble = True, ""

    def _is_not_proven(self, trouble: str) -> None:
        self.proven = False
        if trouble != self._trouble:
            log.error("the SBC is not ready: %s", trouble)
        self._trouble = trouble

    async def _first_answer(self) -> None:
        until = time.monotonic() + FIRST_ANSWER
        while time.monotonic() < until and self.plane.daemons["kamailio"].pid is not None:
            try:
                return await self.plane.engine.prove()
            except (EngineDown, NotProven):
                await asyncio.sleep(PROVE_EVERY)
        log.error("kamailio does not answer: %s", self.plane.daemons["kamailio"].last_words()[-500:])

    def _end_orphans(self) -> None:
        """End the workers of a killed Kamailio: they would keep the ports."""
        ours = str(self.plane.kamailio_cfg).encode()
        for entry in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                words = (entry / "cmdline").read_bytes().split(b"\0")
                if ours in words and b"kamailio" in words[0]:
                    os.kill(int(entry.name), signal.SIGKILL)
