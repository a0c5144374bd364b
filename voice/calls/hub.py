"""From one stream of steps to many dashboards: each process reads once, keeps a board a watch, encodes a frame once."""

import asyncio
import json
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from weakref import WeakKeyDictionary

from channels.db import database_sync_to_async

from voice.calls.board import Board
from voice.calls.feed import Step, feed
from voice.calls.masking import Sight
from voice.calls.watching import Watch, board_for, refresh

FRAME_SECONDS = 0.2
REFRESH_SECONDS = 10.0
WAITING_FRAMES = 8
RETRY_SECONDS = 3.0
logger = logging.getLogger(__name__)


class Subscriber:
    """One dashboard's place in the queue: a slow one loses frames and is given a fresh snapshot instead."""

    def __init__(self) -> None:
        self.frames: asyncio.Queue[str | None] = asyncio.Queue(WAITING_FRAMES)
        self.missed = False

    def offer(self, frame: str) -> None:
        if self.missed:
            return
        try:
            self.frames.put_nowait(frame)
        except asyncio.QueueFull:
            self.missed = True

    def start_over(self) -> None:
        """Tell the dashboard that its board is no longer kept: it has to join again."""
        while not self.frames.empty():
            self.frames.get_nowait()
        self.frames.put_nowait(None)


class Channel:
    """A watch with its board and those who look at it."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.board: Board | None = None
        self.early: list[Step] = []
        self.subscribers: set[Subscriber] = set()
        self.filled = asyncio.Event()
        self.woken = asyncio.Event()
        self.task: asyncio.Task[None] | None = None

    def take(self, step: Step) -> None:
        if self.board is None:
            self.early.append(step)  # heard while the board was being read
            return
        self.board.take(step)
        if self.board.dirty:
            self.woken.set()

    async def run(self) -> None:
        """Send the first change at once, then at most one frame every 200 ms, as long as somebody looks."""
        self.board = await database_sync_to_async(board_for)(self.watch, datetime.now(UTC))
        for step in self.early:
            self.board.take(step)
        self.board.delta(_now())
        self.filled.set()
        refreshed = time.monotonic()
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self.woken.wait(), 1.0)
            self.woken.clear()
            if time.monotonic() - refreshed > REFRESH_SECONDS:
                await database_sync_to_async(refresh)(self.board, self.watch)
                refreshed = time.monotonic()
            self.board.tick(_now())
            self.board.dirty |= bool(self.board.attempts)  # calls a minute falls by itself
            if self.board.dirty:
                self._send()
                await asyncio.sleep(FRAME_SECONDS)

    def _send(self) -> None:
        assert self.board is not None
        frame = json.dumps(self.board.delta(_now()), separators=(",", ":"))
        for subscriber in self.subscribers:
            subscriber.offer(frame)

    def snapshot(self) -> str | None:
        """Return the whole picture as a frame, or None where the board could not be filled."""
        if self.board is None:
            return None
        return json.dumps(self.board.snapshot(_now()), separators=(",", ":"))


class Hub:
    """This event loop's reader of the feed and its channels."""

    def __init__(self) -> None:
        self.channels: dict[Watch, Channel] = {}
        self.reader: asyncio.Task[None] | None = None
        self.listening = asyncio.Event()

    async def join(self, watch: Watch) -> tuple[Channel, Subscriber]:
        """Begin to look; the board is filled and its snapshot can be sent when this returns."""
        if self.reader is None or self.reader.done():
            self.listening.clear()
            self.reader = asyncio.create_task(self._read())
        await self.listening.wait()
        channel = self.channels.get(watch)
        if channel is None or (channel.task is not None and channel.task.done()):
            channel = self.channels[watch] = Channel(watch)
            channel.task = asyncio.create_task(self._guarded(channel))
        subscriber = Subscriber()
        channel.subscribers.add(subscriber)
        await channel.filled.wait()
        return channel, subscriber

    def leave(self, channel: Channel, subscriber: Subscriber) -> None:
        """Stop to look; nobody left, the board goes, and with the last board the reader."""
        channel.subscribers.discard(subscriber)
        if not channel.subscribers and channel.task is not None:
            channel.task.cancel()
            if self.channels.get(channel.watch) is channel:
                del self.channels[channel.watch]
        if not self.channels and self.reader is not None:
            self.reader.cancel()
            self.reader = None

    async def _guarded(self, channel: Channel) -> None:
        try:
            await channel.run()
        except asyncio.CancelledError:
            raise
        except Exception:
            logger.exception("the board of %s stopped; its dashboards join again", channel.watch)
            await asyncio.sleep(RETRY_SECONDS)
            self._abandon(channel)

    async def _read(self) -> None:
        while True:
            try:
                async for steps in feed().read():
                    self.listening.set()
                    self._take(steps)
            except asyncio.CancelledError:
                raise
            except Exception:
                logger.exception("the feed of live calls broke off; trying again")
            self.listening.set()  # without the feed a dashboard still gets its snapshots
            await asyncio.sleep(RETRY_SECONDS)
            # Whatever was said meanwhile is lost: every board starts afresh.
            for channel in list(self.channels.values()):
                self._abandon(channel)

    def _take(self, steps: list[Step]) -> None:
        for step in steps:
            for sight in Sight:
                for watch in (Watch(step["msp"], step["tenant"], sight), Watch(step["msp"], None, sight)):
                    channel = self.channels.get(watch)
                    if channel is not None:
                        channel.take(step)

    def _abandon(self, channel: Channel) -> None:
        if self.channels.get(channel.watch) is channel:
            del self.channels[channel.watch]
        for subscriber in channel.subscribers:
            subscriber.start_over()
        channel.filled.set()
        if channel.task is not None and channel.task is not asyncio.current_task():
            channel.task.cancel()


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def hub(make: Callable[[], Hub] = Hub) -> Hub:
    """Return the hub of this event loop."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        _hubs[loop] = make()
    return _hubs[loop]


def _now() -> int:
    return time.time_ns() // 1_000_000
