"""Who does not see the last digits of numbers finds them nowhere, and cannot find them out."""

import asyncio
import json
import re
import time
import uuid
from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import pytest
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.core.cache import cache
from django.utils.timezone import now

from portal.core import jobs
from portal.core.audit import Actor
from portal.core.models import AuditEntry, Job, JobFile
from portal.db import contexts
from portal.db.partitions import ensure_days
from portal.ui import values
from tenants import services
from tenants.models import ApiToken, Customer, Membership, Msp, User
from tenants.services import create_token
from tenants.tests.clients import client_of, visitor
from tests import walk
from voice.calls import exports, feed, masking
from voice.calls.masking import Sight
from voice.calls.models import Cdr, LiveCall
from voice.calls.sockets import websocket_urlpatterns
from voice.calls.tests.make import cdr

pytestmark = pytest.mark.django_db(transaction=True)
BY = Actor(email="tests")
OUR, THEIR = "+493012345678", "+442079460018"
# However a number is written: its end stands in none of what a masked reader gets.
ENDS = ("345678", "5678", "460018", "46 0018", "0018", "12345678")
CALL_ID = f"{THEIR}-77a@pbx.example"


@pytest.fixture(autouse=True)
def _in_memory(settings: Any) -> None:
    settings.LIVE_FEED = "voice.calls.feed.MemoryFeed"
    feed._feeds.clear()


@pytest.fixture
def call(acme: Customer) -> Iterator[Cdr]:
    """A call, and another in progress, whose numbers stand wherever a device may write them."""
    at = now() - timedelta(minutes=5)
    ensure_days("calls_cdr", {at.date()})
    tried = [{"trunk": "g1", "sent": int(at.timestamp() * 1000), "ended": None, "code": 503, "name": "",
              "reason": "no way to 00442079460018"}]  # fmt: skip
    with contexts.ingest():
        made = cdr(acme, at, call_id=CALL_ID, reason="User 02079460018 busy", attempts=tried, answered=None, code=486)
        Cdr.objects.bulk_create([made])
        LiveCall(
            call=uuid.uuid4(), tenant=acme, msp=acme.msp, node_name="n", direction="out", caller=OUR, called=THEIR,
            state="start", started=now(), updated=now(),
        ).save()  # fmt: skip
    cache.clear()
    yield made


def staff(where: Customer | Msp, role: str) -> User:
    user = User.objects.create_user(f"{role}@mask.example", "x", name=role)
    with contexts.msp(getattr(where, "msp", where)):
        Membership(
            user=user, role=role, **({"tenant": where} if isinstance(where, Customer) else {"msp": where})
        ).save()
    return user


# What has digits of its own: a UUID, and a time in seconds or milliseconds (1795956780, say).
OTHER_DIGITS = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?<![\d+])1[789]\d{8}(?:\d{3})?(?!\d)")


def told(text: str) -> list[str]:
    text = OTHER_DIGITS.sub("", text)
    return [end for end in ENDS if end in text]


READERS = [("customer", "viewer"), ("customer", "acting"), ("msp", "support")]


@pytest.mark.parametrize(("place", "role"), READERS)
def test_no_page_no_answer_and_no_export_says_a_whole_number(
    call: Cdr, acme: Customer, northwind: Msp, nadia: User, place: str, role: str
) -> None:
    acting = None
    where: Customer | Msp = acme if place == "customer" else northwind
    if role == "acting":
        with contexts.msp(northwind):
            acting, _secret = services.start_acting(acme, user=nadia, reason="a look", by=None)
    browser = client_of(nadia if acting else staff(where, role), where, acting=acting)
    opened = 0
    for leaf in walk.leaves(place):
        if "get" not in leaf.methods:
            continue
        for template in leaf.paths([acme.pk]):
            path = template.replace(walk.NOWHERE["uuid"], str(call.id))
            cache.clear()
            answer = browser.get(path)
            if answer.status_code == 200 and not answer.streaming:
                opened += 1
                assert told(answer.content.decode("utf-8", "replace")) == [], path
    assert opened > 20
    for path in ("/calls/?export=csv", "/calls/live.json", f"/objects/calls/{call.id}/api/", "/search/?q=%2B442079"):
        assert told(browser.get(path).content.decode()) == [], path
    # It shows the rest: the test looked at the right call.
    assert "+44 20 7946 0***" in browser.get(f"/calls/{call.id}/").content.decode()


@pytest.mark.parametrize(("place", "role"), READERS[::2])
def test_searching_digit_by_digit_finds_nothing_out(
    call: Cdr, acme: Customer, northwind: Msp, place: str, role: str
) -> None:
    where: Customer | Msp = acme if place == "customer" else northwind
    browser = client_of(staff(where, role), where)

    def finds(text: str) -> set[bool]:
        cache.clear()
        page = browser.get("/calls/", {"q": text}).content.decode()
        return {str(call.id) in page, bool(browser.get("/api/v1/calls/", {"number": text}).json()["results"])}

    assert finds("+442079460") == finds("020 7946 0") == finds("30 12345") == {True}
    hidden = ("+4420794600", "+442079460018", "0018", "60018", "460018", "345678", "02079460018", "+493012345678")
    for text in (*hidden, "18-77a", f"{THEIR}-77", "0018-77a@pbx"):
        assert finds(text) == {False}, text
    # Nor by the order of a list: none is offered.
    cache.clear()
    page = browser.get("/calls/").content.decode()
    assert "sort=" in page and "sort=called" not in page and "sort=caller" not in page


def test_a_customer_hides_its_numbers_from_its_provider(
    call: Cdr, acme: Customer, northwind: Msp, alice: User, nadia: User
) -> None:
    own, desk, bills = (
        client_of(alice, acme),
        client_of(nadia, northwind),
        client_of(staff(acme, "billing_contact"), acme),
    )
    pages = [browser.get(f"/calls/{call.id}/").content.decode() for browser in (own, desk, bills)]
    assert [bool(told(page)) for page in pages] == [True, True, True]

    saved = own.post("/settings/privacy/", {"hide_numbers": "on"})

    assert saved.status_code == 302
    pages = [browser.get(f"/calls/{call.id}/").content.decode() for browser in (own, desk, bills)]
    assert [bool(told(page)) for page in pages] == [True, False, False]
    # The MSP's other customers' calls are found as before, this one's only by what is shown.
    assert str(call.id) not in desk.get("/calls/", {"q": "60018"}).content.decode()
    assert str(call.id) in desk.get("/calls/", {"q": "7946"}).content.decode()
    with contexts.customer(acme):
        assert AuditEntry.objects.get(verb="customer.numbers_hidden").email == alice.email


def test_a_token_sees_no_more_than_its_maker(call: Cdr, acme: Customer, victor: User, alice: User) -> None:
    for user, whole in ((victor, False), (alice, True)):
        with contexts.customer(acme):
            token = ApiToken(
                name="t", scopes=["calls.view"], expires_at=now() + timedelta(days=1), user=user, tenant=acme
            )
            secret = create_token(token, grantable=frozenset({"calls.view", "api.use"}), by=BY)
        cache.clear()
        answer = visitor(acme).get("/api/v1/calls/", headers={"authorization": f"Bearer {secret}"}).content.decode()
        assert bool(told(answer)) is whole


@pytest.mark.parametrize("kind", ["rerating.export_calls", "margin.check"])
def test_every_file_of_a_job_is_for_whoever_asked(northwind: Msp, nadia: User, kind: str) -> None:
    """An MSP's open pages are told the ids of all its jobs, its support's too, who may not see costs."""
    with contexts.msp(northwind):
        job = Job(kind=kind, state=Job.State.DONE, actor={"user_id": nadia.pk}, msp_id=northwind.pk)
        job.save(force_insert=True)
        file = jobs.attach(job, "calls.csv", "text/csv", b"costs")
    answers = [client_of(who, northwind).get(f"/jobs/files/{file.pk}/") for who in (nadia, staff(northwind, "support"))]
    assert [answer.status_code for answer in answers] == [200, 404]


def test_a_file_is_worth_no_more_than_the_role_and_the_token_of_who_opens_it(northwind: Msp, nadia: User) -> None:
    with contexts.msp(northwind):
        job = Job(kind="margin.export", state=Job.State.DONE, actor=asdict(Actor(nadia.pk, roles=("owner",))))
        job.msp_id = northwind.pk
        job.save(force_insert=True)
        file = jobs.attach(job, "margin.csv", "text/csv", b"costs")
        tomorrow = now() + timedelta(days=1)
        token = ApiToken(name="t", scopes=["jobs.view"], expires_at=tomorrow, user=nadia, msp=northwind)
        secret = create_token(token, grantable=frozenset({"jobs.view"}), by=BY)
    browser, address = client_of(nadia, northwind), f"/jobs/files/{file.pk}/"
    assert visitor(northwind).get(address, headers={"authorization": f"Bearer {secret}"}).status_code == 404
    assert browser.get(address).status_code == 200

    with contexts.msp(northwind):
        Membership.objects.filter(user=nadia).update(role="support")
    assert browser.get(address).status_code == 404


def test_a_long_export_and_its_file_are_for_whoever_asked(
    call: Cdr, acme: Customer, alice: User, victor: User, monkeypatch: Any
) -> None:
    manager = staff(acme, "voice_manager")
    for user, sight in ((manager, Sight.FULL), (victor, None)):
        with contexts.customer(acme):
            params = {"query": "q=%2B442079460018" if sight else "", **({"sight": sight} if sight else {})}
            job = Job(kind="calls.export", params=params, actor={"user_id": user.pk}, tenant_id=acme.pk)
            job.save(force_insert=True)
            assert exports.export_calls  # registered
            jobs.run(str(job.pk))
            file = JobFile.objects.get(job=job)
        assert bool(told(bytes(file.content).decode())) is (sight is not None)
        answers = {
            who.email: client_of(who, acme).get(f"/jobs/files/{file.pk}/").status_code for who in (manager, victor)
        }
        assert answers[user.email] == 200 and sorted(answers.values()) == [200, 404]
    with contexts.customer(acme):
        assert [told(str(entry.facts)) for entry in AuditEntry.objects.filter(verb="calls.exported")] == [[], []]


@pytest.mark.parametrize(("roles", "whole"), [({"viewer"}, False), ({"admin"}, True), ({"acting"}, False)])
async def test_frames_say_no_more_than_pages(call: Cdr, acme: Customer, roles: set[str], whole: bool) -> None:
    scope = {"place": "customer", "tenant": acme, "msp": acme.msp, "user": None, "headers": [], "roles": roles}

    async def application(inner: Any, receive: Any, send: Any) -> None:
        await URLRouter(websocket_urlpatterns)({**inner, **scope, "can": lambda capability: True}, receive, send)

    socket = WebsocketCommunicator(application, "/ws/")
    assert (await socket.connect(timeout=5))[0]
    await socket.send_json_to({"want": "dashboard"})
    frames = [json.dumps(await socket.receive_json_from(timeout=5))]
    step = {"at": int(time.time() * 1000), "type": "start", "call": str(uuid.uuid4()), "tenant": acme.pk,
            "msp": acme.msp_id, "direction": "out", "caller": OUR, "called": THEIR, "trunk": "", "route": 0, "code": 0,
            "reason": ""}  # fmt: skip
    feed.feed().publish([step])
    async with asyncio.timeout(5):
        while step["call"] not in frames[-1]:
            frames.append(json.dumps(await socket.receive_json_from(timeout=5)))
    await socket.disconnect(timeout=5)

    assert [bool(told(frame)) for frame in frames if "live" in frame and "+44" in frame] == [whole] * 2


def test_a_time_is_no_number_of_anybody() -> None:
    # 29 November 2026, 12:53, as it stands on the axis of a chart.
    assert told(f"[1795956780, 1795956780123, {uuid.UUID(int=0x5678)}]") == []
    assert told("tel:+493012345678") and told("02079460018")


def test_what_is_masked() -> None:
    assert masking.masked("+442079460018") == "+442079460***"
    assert [masking.masked(short) for short in ("112", "116117", "", "anonymous"[:6])] == [
        "112",
        "116117",
        "",
        "anonym",
    ]
    assert values.phone("+442079460***") == "+44 20 7946 0***"
    assert values.phone("+41443001***") == "+41 44 300 1* **"
    assert masking.sight_of({"viewer", "admin"}) == Sight.FULL
    assert [masking.sight_of({role}) for role in ("owner", "support", "")] == [
        Sight.UNLESS_HIDDEN, Sight.SHORT, Sight.SHORT,
    ]  # fmt: skip


def test_values_do_not_come_past_the_mask(acme: Customer) -> None:
    calls = Cdr.objects.filter(tenant=acme).shown_to(None)
    assert list(calls.values_list("code", flat=True)) == []
    for read in (lambda: calls.values("called"), lambda: calls.values(), lambda: calls.values_list("attempts")):
        with pytest.raises(TypeError, match="by row"):
            read()
