"""The one WebSocket of a page: what changed in the configuration, and on dashboards the calls as they happen."""

import asyncio
import json
from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.db import DatabaseError
from django.urls import path

from tenants.sockets import REFUSED, person_of
from voice.calls.hub import hub
from voice.calls.masking import sight_of
from voice.calls.watching import Watch

CHECK_SECONDS = 30.0
# A page says once that it wants frames. Who talks on is no page of ours, and takes time from all the others.
MOST_SAID = 20
LONGEST_SAID = 200


class PageConsumer(AsyncJsonWebsocketConsumer):
    """Tells one open page what changed in its own customer or MSP, and nothing of anybody else's.

    Dashboards are sent frames with data; every other page is told a topic and fetches its own part.
    """

    groups: list[str] = []

    async def connect(self) -> None:
        self.tasks: list[asyncio.Task[None]] = []
        self.names = self._group_names()
        for name in self.names:
            await self.channel_layer.group_add(name, self.channel_name)
        await self.accept()
        self.showing, self.said = False, 0
        self.tasks.append(asyncio.create_task(self._stay_allowed()))

    async def disconnect(self, code: int) -> None:
        for task in getattr(self, "tasks", []):
            task.cancel()
        for name in getattr(self, "names", []):
            await self.channel_layer.group_discard(name, self.channel_name)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None, **_: Any) -> None:
        """Begin to send frames to a page that says it has a dashboard; pages say nothing else here."""
        self.said += 1
        if self.said > MOST_SAID or text_data is None or len(text_data) > LONGEST_SAID:
            await self.close(REFUSED)
            return
        if _wants_frames(text_data) and not self.showing and self.scope["can"]("dashboard.view"):
            self._begin()

    def _begin(self) -> None:
        """Send frames with as much of the numbers as the reader may see now."""
        watch = self._watch()
        if watch is not None:
            self.showing, self.watch = True, watch
            self.show = asyncio.create_task(self._show(watch))
            self.tasks.append(self.show)

    async def nudge(self, message: dict[str, Any]) -> None:
        await self.send_json({"topic": "nodes"})

    async def topic_changed(self, message: dict[str, Any]) -> None:
        await self.send_json({"topic": message["topic"]})

    def _group_names(self) -> list[str]:
        if self.scope["place"] == "customer":
            return [f"tenant.{self.scope['tenant'].pk}"]
        if self.scope["place"] == "msp":
            return [f"msp.{self.scope['msp'].pk}"]
        return ["operator"]

    def _watch(self) -> Watch | None:
        sight = sight_of(self.scope.get("roles", ()))
        if self.scope["place"] == "customer":
            return Watch(self.scope["tenant"].msp_id, self.scope["tenant"].pk, sight)
        return Watch(self.scope["msp"].pk, None, sight) if self.scope["place"] == "msp" else None

    async def _show(self, watch: Watch) -> None:
        while True:
            channel, subscriber = await hub().join(watch)
            try:
                snapshot = channel.snapshot()
                if snapshot is not None:
                    await self.send(snapshot)
                while (frame := await subscriber.frames.get()) is not None:
                    await self.send(frame)
                    if subscriber.missed and subscriber.frames.empty():
                        subscriber.missed = False
                        if (snapshot := channel.snapshot()) is not None:
                            await self.send(snapshot)
            finally:
                hub().leave(channel, subscriber)

    async def _stay_allowed(self) -> None:
        """Close the socket when its session, membership or stay at the customer has ended while the page was open."""
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            try:
                found = await database_sync_to_async(person_of)(self.scope)
            except DatabaseError:
                continue  # a database that is away throws nobody out; the next round asks again
            if found is None or (self.showing and not found["can"]("dashboard.view")):
                await self.close(REFUSED)
                return
            self.scope.update(found)
            if self.showing and self._watch() != self.watch:
                self.show.cancel()
                self._begin()


def _wants_frames(text: str) -> bool:
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(said, dict) and said.get("want") == "dashboard"


websocket_urlpatterns = [path("ws/", PageConsumer.as_asgi())]
