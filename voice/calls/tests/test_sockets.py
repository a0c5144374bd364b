"""A page's socket lasts no longer than what let it in."""

from datetime import timedelta

import pytest
from channels.db import database_sync_to_async as sync_to_async
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.utils import timezone

from portal.db import contexts
from tenants import hosts
from tenants import sockets as tenants_sockets
from tenants.models import Acting, Membership
from tenants.services import start_acting
from tenants.sockets import REFUSED, PageSocketMiddleware
from tenants.tests.clients import client_of, host_of
from voice.calls import sockets

pytestmark = pytest.mark.django_db(transaction=True)
application = PageSocketMiddleware(URLRouter(sockets.websocket_urlpatterns))


@pytest.fixture(autouse=True)
def _often(monkeypatch):
    monkeypatch.setattr(sockets, "CHECK_SECONDS", 0.05)
    hosts.forget()
    contexts.use_public()


def open_socket(browser, place):
    host = host_of(place).encode()
    cookie = f"session={browser.cookies['session'].value}".encode()
    return WebsocketCommunicator(
        application, "/ws/", headers=[(b"host", host), (b"origin", b"http://" + host), (b"cookie", cookie)]
    )


async def closes(socket):
    message = await socket.receive_output(timeout=5)
    while message["type"] == "websocket.send":
        message = await socket.receive_output(timeout=5)
    assert message["type"] == "websocket.close"
    return message["code"]


def leave(customer, user):
    with contexts.customer(customer):
        Membership.objects.filter(user=user).delete()


def deactivate(customer, user):
    user.is_active = False
    user.save()


def close_customer(customer, user):
    with contexts.msp(customer.msp):
        type(customer).objects.filter(pk=customer.pk).update(state="closed")


@pytest.mark.parametrize("end", [leave, deactivate, close_customer])
async def test_who_may_not_look_any_more_is_shown_nothing_any_more(acme, alice, end):
    browser = await sync_to_async(client_of)(alice, acme)
    socket = open_socket(browser, acme)
    assert (await socket.connect(timeout=5))[0]
    assert await socket.receive_nothing(timeout=0.3), "it stays open while nothing has changed"

    await sync_to_async(end)(acme, alice)
    assert await closes(socket) == REFUSED


async def test_a_log_out_ends_the_socket(acme, alice):
    browser = await sync_to_async(client_of)(alice, acme)
    socket = open_socket(browser, acme)
    assert (await socket.connect(timeout=5))[0]
    await sync_to_async(browser.session.flush)()
    assert await closes(socket) == REFUSED


async def test_a_stay_at_a_customer_ends_with_its_socket(acme, northwind, nadia):
    def begin():
        with contexts.msp(northwind):
            acting, _secret = start_acting(acme, user=nadia, reason="ticket 7", by=None)
        return acting, client_of(nadia, acme, acting=acting)

    def expire():
        with contexts.msp(northwind):
            Acting.objects.filter(pk=acting.pk).update(expires_at=timezone.now() - timedelta(seconds=1))

    acting, browser = await sync_to_async(begin)()
    socket = open_socket(browser, acme)
    assert (await socket.connect(timeout=5))[0]
    await sync_to_async(expire)()
    assert await closes(socket) == REFUSED


async def test_who_talks_and_talks_is_hung_up_on(acme, alice):
    browser = await sync_to_async(client_of)(alice, acme)
    for words in (["["] * (sockets.MOST_SAID + 1), ["x" * (sockets.LONGEST_SAID + 1)]):
        socket = open_socket(browser, acme)
        assert (await socket.connect(timeout=5))[0]
        for each in words:
            await socket.send_to(text_data=each)
        assert await closes(socket) == REFUSED
        await socket.wait()


async def test_one_person_holds_only_so_many_sockets(acme, alice, victor, monkeypatch):
    monkeypatch.setattr(tenants_sockets, "MOST_OPEN", 2)
    browser, other = [await sync_to_async(client_of)(who, acme) for who in (alice, victor)]
    held = [open_socket(browser, acme) for _ in range(3)]
    assert [(await socket.connect(timeout=5))[0] for socket in held] == [True, True, False]
    another = open_socket(other, acme)
    assert (await another.connect(timeout=5))[0], "what one holds is not another's loss"

    await held[0].disconnect(timeout=5)
    fresh = open_socket(browser, acme)
    assert (await fresh.connect(timeout=5))[0]
    for socket in (held[1], another, fresh):
        await socket.disconnect(timeout=5)
    assert not application.open
