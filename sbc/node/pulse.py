"""Whether each daemon answers: one that hangs is no better than one that has died, and does not start itself anew."""

import asyncio
import logging
import time

from sbc.node.daemons import DataPlane
from sbc.node.engines.base import EngineDown
from sbc.node.engines.kamailio import DatagramRpc
from sbc.node.haproxy import HaproxyRefused
from sbc.node.options import is_answered

log = logging.getLogger("strowger.node")

LOOK_EVERY = 2.0
PATIENCE = 1.5  # for one answer
MISSED = 4.0  # seconds after which it is said that it does not answer
HUNG_AFTER = 30.0  # and after which it is ended: a busy SBC answers late, but it answers


class Pulse:
    """Asks each daemon what only a live one can answer."""

    def __init__(self, plane: DataPlane) -> None:
        self.plane = plane
        # One of its own: the engine's is taken for as long as a large change is being written.
        self.rpc = DatagramRpc(plane.settings.rpc_socket, plane.settings.run)
        self._silent: dict[str, float] = {}  # since when
        self._next = 0.0

    async def look(self) -> list[str]:
        """Ask those that run; give those that have not answered for too long."""
        if time.monotonic() < self._next:
            return []
        names = [name for name, daemon in self.plane.daemons.items() if daemon.pid is not None]
        answers = await asyncio.gather(*(self._answers(name) for name in names))
        now = time.monotonic()
        self._next = now + LOOK_EVERY
        for name, answered in zip(names, answers, strict=True):
            if answered:
                self.forget(name)
            elif name not in self._silent:
                self._silent[name] = now
                log.warning("%s runs and does not answer", name)
        return [name for name in names if now - self._silent.get(name, now) > HUNG_AFTER]

    def misses(self, name: str) -> bool:
        """Tell whether a daemon has not answered for a while."""
        return time.monotonic() - self._silent.get(name, time.monotonic()) > MISSED

    def forget(self, name: str) -> None:
        """Begin anew with a daemon that answers, or was started again."""
        self._silent.pop(name, None)

    async def _answers(self, name: str) -> bool:
        s = self.plane.settings
        try:
            async with asyncio.timeout(2 * PATIENCE):
                if name == "rtpengine":
                    return await self.plane.rtpengine.answers()
                if name == "haproxy":
                    return "Uptime" in await self.plane.haproxy.command("show info")
                if await asyncio.to_thread(is_answered, s, PATIENCE):
                    return True
                # Whoever floods that port keeps our question out, but must not have us end everybody's calls.
                return bool(await self.rpc.call_many([("core.uptime", [])]))
        except (HaproxyRefused, EngineDown, TimeoutError):
            return False
