"""Ends calls that nobody is in any more: their ends vanished without a BYE, and no packet comes from either.

rtpengine gives a call up after a minute in which neither end sent a packet, RTP or RTCP (two hours on hold). Nobody
hears anything in such a call, and nothing but a BYE or the longest call would ever end it. Only a call that rtpengine
was seen to carry is judged, a rtpengine that does not answer says nothing, and an emergency call is left alone.
"""

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from sbc.node.engines.base import Engine
from sbc.node.follow import Follower
from sbc.node.rtpengine import Over

log = logging.getLogger("strowger.node")

WHY = "no_media"
GONE_FOR = 240.0  # seconds without media, after those that rtpengine waits: time for a re-INVITE to bring it back


class Media(Protocol):
    """What carries the media of calls."""

    async def carried(self, call_ids: Iterable[str]) -> Mapping[str, bool]:
        """Tell by Call-ID whether its media is carried; a call that nothing is known of is left out."""
        ...

    async def take_media(self, calls: int) -> None:
        """Have Kamailio leave the media of calls that end in the next two seconds to us.

        Not where so many `calls` run that ports might become scarce.
        """
        ...

    def end_media(self, calls: list[Over]) -> dict[str, dict[str, str]]:
        """End it, and give by Call-ID how it was."""
        ...


class Silence:
    """Looks now and then at the calls that have lasted for a while."""

    def __init__(
        self, engine: Engine, follower: Follower, media: Media, gone_for: float = GONE_FOR,
        clock: Callable[[], float] = time.monotonic,
    ):  # fmt: skip
        self.engine, self.follower, self.media = engine, follower, media
        self.gone_for, self.clock = gone_for, clock
        self._carried: set[str] = set()  # calls whose media was seen
        self._gone: dict[str, float] = {}  # since when it is seen no more

    async def look(self, now: int, at_least: int) -> int:
        """End the calls whose media is gone; give how many. In ms: the time, and from what age on a call is judged."""
        calls = {
            call.id: call
            for call in self.follower.answered(now, at_least)
            if call.dialog and call.facts.direction != "emergency"
        }
        carried = await self.media.carried([call.facts.call_id for call in calls.values()])
        self._carried &= calls.keys()
        self._gone = {each: since for each, since in self._gone.items() if each in calls}
        for each, call in calls.items():
            is_carried = carried.get(call.facts.call_id)
            if is_carried:
                self._carried.add(each)
                self._gone.pop(each, None)
            elif is_carried is False and each in self._carried:
                self._gone.setdefault(each, self.clock())
        over = [calls[each] for each, since in self._gone.items() if self.clock() - since >= self.gone_for]
        for call in over:
            log.warning("call %s (%s): no media from either end any more, ended", call.id, call.facts.call_id)
        await self.engine.set_deadlines([(call.dialog, call.id, 1, WHY) for call in over])
        return len(over)
