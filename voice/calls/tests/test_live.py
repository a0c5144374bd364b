"""Live steps from table and feed to the socket of a page, and to nobody else's."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from channels.db import database_sync_to_async as sync_to_async
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator

from portal.core import nudges
from portal.db import contexts
from tenants.models import Customer, Msp
from voice.calls import feed, live
from voice.calls.models import LiveCall
from voice.calls.sockets import websocket_urlpatterns

pytestmark = pytest.mark.django_db(transaction=True)
db = sync_to_async
Open = Callable[..., Any]


@pytest.fixture(autouse=True)
def _in_memory(settings: Any) -> None:
    settings.LIVE_FEED = "voice.calls.feed.MemoryFeed"
    feed._feeds.clear()


def step(kind: str, customer: Customer, call: str, **changed: Any) -> dict[str, Any]:
    facts = {
        "at": int(time.time() * 1000), "type": kind, "call": call, "tenant": customer.pk, "msp": customer.msp_id,
        "direction": "out", "caller": "+491", "called": "+492", "trunk": "", "route": 0, "code": 0, "reason": "",
    }  # fmt: skip
    return facts | changed


@db
def tell(*steps: dict[str, Any]) -> None:
    with contexts.ingest():
        live.take_steps(steps, node_name="sbc-lab-1")


@pytest.fixture
async def page() -> AsyncIterator[Open]:
    opened = []

    async def open_page(customer: Customer | None = None, msp: Msp | None = None, dashboard: bool = True) -> Any:
        place = "customer" if customer else "msp"
        scope = {"place": place, "tenant": customer, "msp": customer.msp if customer else msp}
        scope |= {"user": None, "can": lambda capability: True, "headers": []}

        async def application(inner: Any, receive: Any, send: Any) -> None:
            await URLRouter(websocket_urlpatterns)({**inner, **scope}, receive, send)

        socket = WebsocketCommunicator(application, "/ws/")
        assert (await socket.connect(timeout=5))[0]
        opened.append(socket)
        if dashboard:
            await socket.send_json_to({"want": "dashboard"})
        return socket

    yield open_page
    for socket in opened:
        await socket.disconnect(timeout=5)


async def frame_with(socket: Any, call: str, field: str = "live") -> Any:
    async with asyncio.timeout(5):
        while True:
            frame = await socket.receive_json_from(timeout=5)
            ids = [row["id"] if isinstance(row, dict) else row for row in frame.get(field, [])]
            if any(each.startswith(call) for each in ids):
                return frame


async def test_a_call_appears_and_goes(page: Open, acme: Customer) -> None:
    socket = await page(acme)
    assert (await socket.receive_json_from(timeout=5))["type"] == "snapshot"
    call = str(uuid.uuid4())

    began = time.monotonic()
    await tell(step("start", acme, call))
    frame = await frame_with(socket, call)
    assert time.monotonic() - began < 0.2, "the first event is shown at once"
    assert frame["now"]["calls"] == 1

    await tell(step("answered", acme, call))
    await tell(step("ended", acme, call))
    gone = await frame_with(socket, call, "removed")
    assert (gone["now"]["calls"], gone["now"]["answered_share"]) == (0, 1.0)


async def test_a_dashboard_that_comes_later_finds_the_calls(page: Open, acme: Customer) -> None:
    call = str(uuid.uuid4())
    await tell(step("start", acme, call))

    snapshot = await (await page(acme)).receive_json_from(timeout=5)

    assert [row["id"] for row in snapshot["live"]] == [call]
    assert snapshot["now"]["calls"] == 1


async def test_frames_of_one_customer_never_reach_another(
    page: Open, acme: Customer, globex: Customer, initech: Customer, northwind: Msp, fabrikam: Msp
) -> None:
    sockets = {
        "acme": await page(acme),
        "globex": await page(globex),
        "initech": await page(initech),
        "northwind": await page(msp=northwind),
        "fabrikam": await page(msp=fabrikam),
    }
    calls = {"acme": str(uuid.uuid4()), "globex": str(uuid.uuid4()), "initech": str(uuid.uuid4())}
    for socket in sockets.values():
        assert (await socket.receive_json_from(timeout=5))["type"] == "snapshot"

    await tell(*[step("start", customer, calls[customer.label]) for customer in (acme, globex, initech)])

    expected = {
        "acme": {"acme"}, "globex": {"globex"}, "initech": {"initech"}, "northwind": {"acme", "globex"},
        "fabrikam": {"initech"},
    }  # fmt: skip
    for name, socket in sockets.items():
        seen = set()
        deadline = time.monotonic() + 1.5
        while time.monotonic() < deadline:
            frame = await socket.receive_json_from(timeout=3)
            seen |= {row["id"].partition(".")[0] for row in frame["live"]}
        assert seen == {calls[each] for each in expected[name]}, name


async def test_many_steps_are_few_frames(page: Open, acme: Customer) -> None:
    socket = await page(acme)
    await socket.receive_json_from(timeout=5)
    calls = [str(uuid.uuid4()) for _ in range(60)]
    frames = 0
    began = time.monotonic()
    for call in calls:
        await tell(step("start", acme, call))
    lasted = time.monotonic() - began
    while not await socket.receive_nothing(0.5, 0.02):
        frame = await socket.receive_json_from(timeout=1)
        frames += 1
        if frame["now"]["calls"] == 60:
            break
    assert frames <= lasted / 0.2 + 3


async def test_a_page_without_a_dashboard_hears_topics_only(page: Open, acme: Customer, globex: Customer) -> None:
    socket, other = await page(acme, dashboard=False), await page(globex, dashboard=False)

    await db(nudges.topic)(acme.pk, None, "routing")
    await tell(step("start", acme, str(uuid.uuid4())))

    assert await socket.receive_json_from(timeout=5) == {"topic": "routing"}
    assert await socket.receive_nothing(0.3)
    assert await other.receive_nothing(0.3)


async def test_calls_of_a_dead_node_are_gone(page: Open, acme: Customer) -> None:
    call = str(uuid.uuid4())
    await tell(step("start", acme, call))
    socket = await page(acme)
    await frame_with(socket, call)

    @db
    def die() -> None:
        with contexts.ingest():
            live.forget_node("sbc-lab-1", at=datetime.now(UTC))

    await die()

    assert (await frame_with(socket, call, "removed"))["now"]["calls"] == 0


def test_the_table_keeps_the_newest_state(acme: Customer) -> None:
    call = str(uuid.uuid4())
    with contexts.ingest():
        for kind in ("start", "answered", "ringing"):
            live.take_steps([step(kind, acme, call, trunk="g1" if kind == "answered" else "")], node_name="n")
    with contexts.customer(acme):
        row = LiveCall.objects.get()
    assert (row.state, row.trunk, row.answered is not None) == ("answered", "g1", True)
