"""Every role at every place's socket: where it opens, and what its frames say. Only the calls are made up."""

import json
import uuid

import pytest
from channels.db import database_sync_to_async as sync_to_async
from channels.testing import WebsocketCommunicator
from django.utils.timezone import now

from portal.asgi import application
from portal.db import contexts
from tenants import hosts
from tenants.models import CUSTOMER_ROLES, MSP_ROLES, Customer, Membership
from tenants.services import start_acting
from tenants.tests.clients import client_of, host_of
from tests.test_walk import member
from voice.calls import feed, sockets
from voice.calls.models import LiveCall

pytestmark = pytest.mark.django_db(transaction=True)
pages = application.application_mapping["websocket"]
WHOLE = {"acme": "+493012345678", "globex": "+12025550199"}
CUT = {"acme": "345678", "globex": "550199"}
# Who sees whole numbers always, and who does as long as the customer has not hidden them. Nobody else ever does.
ALWAYS = {"admin", "voice_manager"}
UNLESS_HIDDEN = {"billing_contact", "owner", "engineer", "billing"}


@pytest.fixture(autouse=True)
def _calls(settings, acme, globex):
    settings.LIVE_FEED = "voice.calls.feed.MemoryFeed"
    feed._feeds.clear()
    hosts.forget()
    with contexts.ingest():
        for customer in (acme, globex):
            LiveCall(
                call=uuid.uuid4(), tenant=customer, msp=customer.msp, node_name="n", direction="out",
                caller=WHOLE[customer.label], called="112", state="ringing", started=now(), updated=now(),
            ).save(force_insert=True)  # fmt: skip
    contexts.use_public()


@sync_to_async
def logged_in(user, place, acting=None):
    """Return a socket at a place's host with the session of somebody who has logged in there."""
    host = host_of(place).encode()
    cookie = f"session={client_of(user, place, acting=acting).cookies['session'].value}".encode()
    headers = [(b"host", host), (b"origin", b"http://" + host), (b"cookie", cookie)]
    return WebsocketCommunicator(pages, "/ws/", headers=headers)


async def first_frame(socket):
    """Return what a dashboard is shown first, nothing where there are no frames."""
    await socket.send_json_to({"want": "dashboard"})
    return None if await socket.receive_nothing(0.3) else json.dumps(await socket.receive_json_from(timeout=5))


def digits(frame):
    return "".join(filter(str.isdigit, frame))


@pytest.mark.parametrize("hidden", [False, True])
async def test_each_role_is_heard_at_its_own_place_and_shown_no_more_than_it_may_see(
    hidden, acme, globex, northwind, fabrikam, operator, nadia
):
    @sync_to_async
    def cast():
        with contexts.msp(northwind):
            Customer.objects.filter(msp=northwind).update(hide_numbers=hidden)
            acting, _secret = start_acting(acme, user=nadia, reason="ticket 7", by=None)
        people = {role: (member(acme, role), acme, None) for role in CUSTOMER_ROLES}
        people |= {role: (member(northwind, role), northwind, None) for role in MSP_ROLES}
        return people | {"acting": (nadia, acme, acting), "operator": (operator, None, None)}

    for role, (user, own, acting) in (await cast()).items():
        for place in (acme, globex, northwind, fabrikam, None):
            if role == "acting" and place == northwind:
                continue  # her own desk, where she is an owner
            socket = await logged_in(user, place, acting)
            opened, _code = await socket.connect(timeout=5)
            assert opened is (place == own), (role, place)
            if not opened:
                continue
            frame = await first_frame(socket)
            await socket.disconnect(timeout=5)
            if role == "operator":
                assert frame is None, "calls are the MSPs', not the operator's"
                continue
            mine = ["acme", "globex"] if own == northwind else ["acme"]
            said = {label for label, number in WHOLE.items() if number[1:6] in digits(frame)}
            whole = {label for label, number in CUT.items() if number in digits(frame)}
            assert said == set(mine), role
            assert whole == (said if role in ALWAYS or (role in UNLESS_HIDDEN and not hidden) else set()), role


async def test_who_is_given_a_smaller_role_is_shown_less_from_then_on(acme, alice, monkeypatch):
    @sync_to_async
    def shrink():
        with contexts.customer(acme):
            Membership.objects.filter(user=alice).update(role="viewer")

    monkeypatch.setattr(sockets, "CHECK_SECONDS", 0.05)
    socket = await logged_in(alice, acme)
    assert (await socket.connect(timeout=5))[0]
    assert CUT["acme"] in digits(await first_frame(socket))

    await shrink()
    frame = await socket.receive_json_from(timeout=5)
    while frame["type"] != "snapshot":
        frame = await socket.receive_json_from(timeout=5)
    assert frame["live"] and CUT["acme"] not in digits(json.dumps(frame["live"]))
    await socket.disconnect(timeout=5)
