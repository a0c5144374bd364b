"""The stream of live steps between whoever hears them from the nodes and whoever shows them.

Every process reads the whole stream once and fans it out itself. Nothing that must last goes this way.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any, Protocol
from weakref import WeakKeyDictionary

import redis
import redis.asyncio
from django.conf import settings
from django.utils.module_loading import import_string

STREAM = "strowger:live"
KEPT = 20_000
BLOCK = 5
Step = dict[str, Any]


class Feed(Protocol):
    """Carries batches of steps from publishers to every reader."""

    def publish(self, steps: list[Step]) -> None: ...

    def read(self) -> AsyncIterator[list[Step]]: ...


class RedisFeed:
    """One Redis or Valkey stream, cut at a fixed length."""

    def __init__(self) -> None:
        self.client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=1)

    def publish(self, steps: list[Step]) -> None:
        try:
            self.client.xadd(STREAM, {"steps": json.dumps(steps)}, maxlen=KEPT, approximate=True)
        except redis.RedisError:
            # The table of live calls has it; dashboards catch up with their next snapshot.
            return

    async def read(self) -> AsyncIterator[list[Step]]:
        # The client's own time-out is as long as our wait, and would break off every quiet stream.
        client = redis.asyncio.Redis.from_url(settings.REDIS_URL, decode_responses=True, socket_timeout=BLOCK * 3)
        try:
            newest: Any = await client.xrevrange(STREAM, count=1)
            last: str = newest[0][0] if newest else "0-0"
            yield []  # from here on nothing is missed
            while True:
                answer: Any = await client.xread({STREAM: last}, count=200, block=BLOCK * 1000)
                for _stream, entries in answer or []:
                    last = entries[-1][0]
                    yield [step for _id, fields in entries for step in json.loads(fields["steps"])]
        finally:
            await client.aclose()


class MemoryFeed:
    """Carries steps inside one process: for tests, and for a portal without Redis."""

    def __init__(self) -> None:
        self.readers: WeakKeyDictionary[asyncio.Queue[list[Step]], asyncio.AbstractEventLoop] = WeakKeyDictionary()

    def publish(self, steps: list[Step]) -> None:
        for queue, loop in list(self.readers.items()):
            if not loop.is_closed():
                loop.call_soon_threadsafe(queue.put_nowait, steps)

    async def read(self) -> AsyncIterator[list[Step]]:
        queue: asyncio.Queue[list[Step]] = asyncio.Queue()
        self.readers[queue] = asyncio.get_running_loop()
        try:
            yield []
            while True:
                yield await queue.get()
        finally:
            self.readers.pop(queue, None)


_feeds: dict[str, Feed] = {}


def feed() -> Feed:
    """Return this process's feed, of the kind that the settings name."""
    path = getattr(settings, "LIVE_FEED", "voice.calls.feed.RedisFeed")
    if path not in _feeds:
        _feeds[path] = import_string(path)()
    return _feeds[path]
