"""The permission walk: every URL, every method, every role. Other people's ids are tried in test_strangers.py."""

import re
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.core.signals import got_request_exception
from django.db import transaction
from django.http import HttpResponse
from django.utils.timezone import now

from portal.core.access import LOGGED_IN, PUBLIC
from portal.db import contexts
from tenants.models import CUSTOMER_ROLES, MSP_ROLES, ApiToken, Membership, User
from tenants.permissions import CAPABILITIES, NOT_WHILE_ACTING
from tenants.services import create_token, start_acting
from tenants.tests.clients import client_of, host_of, visitor
from tests import extremes, walk

pytestmark = pytest.mark.django_db
LEAVES = [leaf for place in walk.PLACES for leaf in walk.leaves(place)]
TOKEN = re.compile(rb"(?<![0-9A-Za-z])[0-9A-Za-z]{64}(?![0-9A-Za-z])")


@contextmanager
def undone():
    """Let a request do what it does, and take it back."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def ask(browser, method, path):
    """Ask as a browser would; what it did is undone, also that it logged out."""
    facts = {} if method == "get" else {"data": {}}
    if path.startswith("/api/") and facts:
        facts["content_type"] = "application/json"
    cache.clear()  # no limit on how often may end the walk
    browser.raise_request_exception = False
    session = browser.cookies.get("session")
    kept = session.value if session else None
    with undone():
        answer = getattr(browser, method)(path, **facts)
    if kept is not None:
        browser.cookies["session"] = kept
    return answer


def body(answer):
    """Return what the answer says in lower case, without tokens against forgery: chance writes names into those."""
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return TOKEN.sub(b"", content).lower()


def visitors(acme, northwind):
    """Return the browser of a stranger at each place."""
    return {"operator": visitor(None), "msp": visitor(northwind), "customer": visitor(acme)}


def member(place, role):
    user = User.objects.create_user(f"{role}@walk.example", "x", name=role.title())
    with contexts.msp(getattr(place, "msp", place)):
        here = {"tenant": place} if hasattr(place, "label") else {"msp": place}
        Membership(user=user, role=role, **here).save()
    return user


def test_every_url_names_what_it_demands_or_does_not_exist(acme, northwind):
    browsers, wrong = visitors(acme, northwind), []
    for leaf in LEAVES:
        demands = {leaf.demand(method) for method in leaf.methods}
        if all(walk.known(demand) for demand in demands):
            continue
        gone = not leaf.is_api and demands == {None}
        if not gone or browsers[leaf.place].get(next(leaf.paths([1]))).status_code != 404:
            wrong.append((leaf.place, leaf.template, demands))
    assert wrong == []


def test_every_capability_is_somebodys():
    assert all(CAPABILITIES.values())


def test_strangers_see_public_pages_and_the_way_to_log_in(world, acme, northwind):
    browsers, wrong = visitors(acme, northwind), []
    for leaf in LEAVES:
        for method in leaf.methods:
            demand = leaf.demand(method)
            if demand in (PUBLIC, None):
                continue
            answer = ask(browsers[leaf.place], method, next(leaf.paths([1])))
            allowed = (401, 403, 404) if leaf.is_api else (302, 405)
            to_log_in = answer.status_code != 302 or "/account/" in answer["Location"]
            if answer.status_code not in allowed or not to_log_in:
                wrong.append((leaf.place, method, leaf.template, answer.status_code))
    assert wrong == []


@pytest.mark.parametrize("role", [*CUSTOMER_ROLES, "acting", *MSP_ROLES, "operator"])
def test_each_role_gets_what_the_table_says_and_nothing_breaks(world, role, acme, northwind, nadia, operator):
    acting = None
    if role == "acting":
        kind, place, user = "customer", acme, nadia
        with contexts.msp(northwind):
            acting, _secret = start_acting(acme, user=nadia, reason="the walk", by=None)
    elif role == "operator":
        kind, place, user = "operator", None, operator
    else:
        kind, place = ("customer", acme) if role in CUSTOMER_ROLES else ("msp", northwind)
        user = member(place, role)
    browser, ids, wrong = client_of(user, place, acting=acting), walk.ids_of(acme)[:1], []
    for leaf in walk.leaves(kind):
        for method in leaf.methods:
            demand = leaf.demand(method)
            for path in leaf.paths(ids):
                code = ask(browser, method, path).status_code
                if demand in CAPABILITIES and role not in CAPABILITIES[demand]:
                    right = code in (403, 404, 405)
                elif acting and leaf.name in NOT_WHILE_ACTING:
                    right = code == 403
                else:
                    right = code < 500 and (code not in (401, 403) or demand in (PUBLIC, LOGGED_IN))
                if not right:
                    wrong.append((method, path, demand, code))
    assert wrong == []


@pytest.mark.parametrize("kind", walk.PLACES)
def test_a_token_opens_what_its_scope_names_and_nothing_else(world, kind, acme, northwind, alice, nadia, operator):
    user, place = {"customer": (alice, acme), "msp": (nadia, northwind), "operator": (operator, None)}[kind]
    here = {"customer": {"tenant": acme}, "msp": {"msp": northwind}, "operator": {}}[kind]
    token = ApiToken(user=user, name="walk", expires_at=now() + timedelta(days=1), scopes=["audit.view"], **here)
    with contexts.public() if place is None else getattr(contexts, kind)(place):
        secret = create_token(token, grantable=frozenset({"audit.view"}), by=None)
    program, opened, wrong, ids = visitor(place), set(), [], walk.ids_of(acme)[:1]
    program.defaults["HTTP_AUTHORIZATION"] = f"Bearer {secret}"
    for leaf in walk.leaves(kind):
        for method in leaf.methods:
            demand, path = leaf.demand(method), next(leaf.paths(ids))
            if demand == PUBLIC:
                continue
            # A person's own pages, which ask for no more than a log-in, are for no program.
            code = ask(program, method, path).status_code
            if demand not in ("audit.view", "api.use"):
                wrong += [(method, path, demand, code)] if code not in (403, 404, 405) else []
            elif code == 200:
                opened.add(leaf.template)
    assert wrong == []
    assert opened >= {"api/v1/audit/", "api/v1/me/"}


def test_the_walk_does_not_take_a_token_for_a_leak():
    page = HttpResponse(f'<input value="{"x" * 30}AcMe{"y" * 30}"><p>Acme</p>')
    assert body(page) == b'<input value=""><p>acme</p>'


def test_a_session_opens_nothing_at_another_host(world, acme, globex, northwind, mallory):
    stolen = client_of(mallory, globex).cookies["session"].value
    for kind, place in (("customer", acme), ("msp", northwind), ("operator", None)):
        browser = visitor(place)
        for leaf in walk.leaves(kind):
            if leaf.demand("get") in (PUBLIC, None):
                continue
            browser.cookies["session"] = stolen
            answer = ask(browser, "get", next(leaf.paths([1])))
            assert answer.status_code in (302, 401, 403, 404, 405), (kind, leaf.template)


def test_sockets_open_only_for_who_is_logged_in_at_that_very_host(world, acme, globex, alice, mallory):
    from tenants.sockets import person_of

    def scope(host, user_place, origin=None):
        user, place = user_place
        cookie = client_of(user, place).cookies["session"].value
        origin = f"http://{host}" if origin is None else origin
        headers = [(b"host", host.encode()), (b"origin", origin.encode()), (b"cookie", f"session={cookie}".encode())]
        return {"type": "websocket", "path": "/ws/", "headers": [pair for pair in headers if pair[1]]}

    here = host_of(acme)
    found = person_of(scope(here, (alice, acme)))
    assert found and found["tenant"] == acme and found["user"] == alice and found["can"]("routing.change")
    refused = [
        scope(here, (mallory, globex)),
        scope(here, (mallory, acme)),
        scope(host_of(globex), (alice, acme)),
        scope(here, (alice, acme), origin="http://evil.example"),
        scope(here, (alice, acme), origin="null"),
        scope("evil.example", (alice, acme)),
        {"type": "websocket", "headers": [(b"host", here.encode()), (b"origin", f"http://{here}".encode())]},
        {"type": "websocket", "headers": scope(here, (alice, acme))["headers"][::2]},
    ]
    assert [person_of(one) for one in refused] == [None] * len(refused)
    assert contexts.current() == contexts.NOBODY


def test_every_socket_of_the_portal_stands_behind_that_check():
    from portal.asgi import application
    from tenants.sockets import PageSocketMiddleware

    assert isinstance(application.application_mapping["websocket"], PageSocketMiddleware)


@pytest.mark.parametrize("kind", walk.PLACES)
def test_no_page_breaks_on_numbers_that_no_row_can_have(world, kind, acme, northwind, operator):
    place, role = {"customer": (acme, "admin"), "msp": (northwind, "owner"), "operator": (None, "")}[kind]
    browser, broken = client_of(member(place, role) if place else operator, place), []
    browser.raise_request_exception = False
    # More digits than Python reads, and digits of another writing.
    for number in ("9" * 4_500, "٣" * 30):
        asked = dict.fromkeys(
            ("size", "cursor", "customer", "address", "version", "bill", "after", "what", "month"), number
        )
        for leaf in walk.leaves(kind):
            if not leaf.is_api and "get" in leaf.methods and leaf.demand("get") is not None:
                path = next(leaf.paths([1]))
                cache.clear()
                broken += [path] if browser.get(path, asked).status_code >= 500 else []
    assert broken == []


@pytest.fixture(params=[extremes.LARGEST, extremes.SMALLEST], ids=["largest", "smallest"])
def filled(request, monkeypatch):
    """Let every field of the API find a value in a body that has none."""
    for cls in extremes.GIVEN:

        def get_value(self, body, own=cls.get_value):
            # A version that is another one would end most writes before they begin.
            left = self.read_only or self.field_name == "row_version"
            return own(self, body) if left else extremes.extreme(self, request.param)

        monkeypatch.setattr(cls, "get_value", get_value)


@pytest.mark.parametrize("kind", walk.PLACES)
def test_no_write_of_the_api_breaks_on_extreme_values(world, filled, kind, acme, northwind, operator):
    place, role = {"customer": (acme, "admin"), "msp": (northwind, "owner"), "operator": (None, "")}[kind]
    browser, ids = client_of(member(place, role) if place else operator, place), walk.ids_of(acme)[:2]
    broken, now_asked = [], ""

    def note(**_facts):
        broken.append(now_asked)

    got_request_exception.connect(note)
    for leaf in walk.leaves(kind):
        for method in leaf.methods if leaf.is_api else []:
            for path in leaf.paths(ids) if method in ("post", "put", "patch") else []:
                now_asked = f"{method} {path}"
                ask(browser, method, path)
    got_request_exception.disconnect(note)
    assert broken == []
