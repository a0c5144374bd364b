"""How nudges wait for a worker: a short list in Valkey, one round trip to put one in and one to take it out."""

import asyncio
import json
import logging
from typing import Any
from weakref import WeakKeyDictionary

from channels.layers import BaseChannelLayer
from redis.asyncio import Redis
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)
# A nudge makes a worker do all that there is: a few that wait stand for the rest, and each wakes one worker.
MOST_WAITING = 10
KEPT_SECONDS = 30
PATIENCE = 5
AGAIN_AFTER = 1.0


class NudgeLayer(BaseChannelLayer):
    """A channel layer for workers; what one took and did not finish is gone, and the sweep does it."""

    extensions: list[str] = []

    def __init__(self, address: str, **options: Any) -> None:
        super().__init__()
        self._address, self._options = address, options
        self._clients: WeakKeyDictionary[asyncio.AbstractEventLoop, Redis] = WeakKeyDictionary()

    async def send(self, channel: str, message: dict[str, Any]) -> None:
        """Put a message into the worker's list."""
        async with self._client().pipeline(transaction=False) as steps:
            steps.lpush(_key(channel), json.dumps(message))
            steps.ltrim(_key(channel), 0, MOST_WAITING - 1)
            steps.expire(_key(channel), KEPT_SECONDS)
            await steps.execute()

    async def receive(self, channel: str) -> dict[str, Any]:
        """Wait for the next message to the worker, through failures of Valkey too."""
        while True:
            try:
                found = await self._client().brpop([_key(channel)], timeout=PATIENCE)
            except (RedisError, OSError):
                logger.warning("No nudges for now; the sweep does the work.", exc_info=True)
                await asyncio.sleep(AGAIN_AFTER)
                continue
            if found:
                message: dict[str, Any] = json.loads(found[1])
                return message

    def _client(self) -> Redis:
        loop = asyncio.get_running_loop()
        if loop not in self._clients:
            self._clients[loop] = Redis.from_url(self._address, **self._options)
        return self._clients[loop]


def _key(channel: str) -> str:
    return f"strowger:nudges:{channel}"
