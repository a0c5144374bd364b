"""How much room is left where records are written: little is said, and with none left no call is taken.

A call of which no record can be written is one that nobody can bill or prove, and another SBC can still take it.
"""

import logging
import os
import time
from collections.abc import Iterable
from pathlib import Path

from sbc.node.engines.base import EngineDown
from sbc.node.engines.kamailio import KamailioEngine

log = logging.getLogger("strowger.node")

LOOK_EVERY = 1.0
LITTLE = 1_000_000_000  # bytes: half a million calls
NONE = 50_000_000  # bytes: enough for the ends of all calls that run, and as much is held back for them
LOG_MOST, LOG_KEPT = 20_000_000, 5_000_000  # bytes of one daemon's log


class Room:
    """Looks once a second; Kamailio forgets within two seconds that it should take no call, should we be gone."""

    def __init__(self, directory: Path, engine: KamailioEngine, logs: Iterable[Path]) -> None:
        self.directory, self.engine, self.logs = directory, engine, list(logs)
        self.reserve = directory / "reserve"
        self.little = self.none = self._failed = False
        self._next = 0.0

    async def look(self) -> None:
        """Keep the daemons' logs short, and act on what is left."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + LOOK_EVERY
        try:
            for path in self.logs:
                shorten(path)
            left = os.statvfs(self.directory)
            self._note(left.f_bavail * left.f_frsize)
        except OSError as error:
            # A disk that has become read-only, perhaps: to start daemons again matters all the same.
            if not self._failed:
                log.error("%s: %s", self.directory, error)
            self._failed = self.little = True
        else:
            self._failed = False
        if self.none:
            try:
                await self.engine.refuse_calls()
            except EngineDown:
                return  # which takes no call either

    def _note(self, free: int) -> None:
        # Who fills a disk may fill it to the last byte at once: what is held back then is for the calls that run.
        none = free < 2 * NONE if self.none or not self.reserve.exists() else free < NONE
        if not none and not self.reserve.exists():
            none = not hold(self.reserve)
        if none:
            self.reserve.unlink(missing_ok=True)
        little = free < LITTLE
        if (little, none) == (self.little, self.none):
            return
        words = f"{self.directory} has {free // 1_000_000} MB left"
        if none:
            log.error("%s: no new calls but emergency calls until there is room", words)
        elif little:
            log.warning("%s: below %d MB no new calls are taken", words, NONE // 1_000_000)
        else:
            log.info("%s: enough", words)
        self.little, self.none = little, none


def hold(path: Path) -> bool:
    """Take room on the disk without using it; tell whether there was any."""
    try:
        with path.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, NONE)
    except OSError:
        return False
    return True


def shorten(path: Path) -> None:
    """Keep the end of a log that has grown long beside it, and begin it anew; who writes to it appends."""
    try:
        size = path.stat().st_size
        if size <= LOG_MOST:
            return
        with path.open("rb") as log_file:
            log_file.seek(size - LOG_KEPT)
            path.with_suffix(".log.1").write_bytes(log_file.read())
    except OSError:
        pass  # no room for its end: that it does not fill the rest matters more
    with path.open("ab") as log_file:
        log_file.truncate(0)
