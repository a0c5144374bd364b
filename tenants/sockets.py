"""WebSockets of pages: the same host, session and membership that a page needs, before anything is accepted."""

from collections import Counter
from collections.abc import Awaitable, Callable
from http.cookies import CookieError, SimpleCookie
from importlib import import_module
from typing import Any

from channels.db import database_sync_to_async
from django.conf import settings
from django.contrib.auth import SESSION_KEY, get_user

from tenants import hosts, identity
from tenants.middleware import SESSION_HOST

Scope = dict[str, Any]
Application = Callable[[Scope, Any, Any], Awaitable[None]]
REFUSED = 4403
# Each open page of a person has one socket, and each socket asks every half minute whether it may stay.
MOST_OPEN = 100


class PageSocketMiddleware:
    """Lets a socket through to its consumer only for somebody who is logged in at that host, and not without end.

    It adds place, msp, tenant, user, roles, acting and can() to the scope.
    """

    def __init__(self, application: Application) -> None:
        self.application = application
        self.open: Counter[int] = Counter()

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        found = await database_sync_to_async(person_of)(scope)
        if found is None or self.open[found["user"].pk] >= MOST_OPEN:
            await receive()  # websocket.connect; closing before accepting answers 403
            await send({"type": "websocket.close", "code": REFUSED})
            return
        person = found["user"].pk
        self.open[person] += 1
        try:
            await self.application({**scope, **found}, receive, send)
        finally:
            self.open[person] -= 1
            self.open += Counter()  # forgets who has none open any more


class _SessionRequest:
    """As much of a request as Django's `get_user` reads."""

    def __init__(self, session: Any) -> None:
        self.session = session


def person_of(scope: Scope) -> Scope | None:
    """Return who opens this socket and where, or None where a page would refuse them too."""
    headers = scope["headers"]
    authority = _only(headers, b"host")
    origin = _only(headers, b"origin")
    if authority is None or origin is None or not hosts.origin_matches(origin, authority):
        return None
    place = hosts.place_of(authority)
    ground = hosts.ground_of(place) if place else None
    key = _session_key(headers)
    if place is None or ground is None or key is None:
        return None
    with hosts.inside(ground):
        session = import_module(settings.SESSION_ENGINE).SessionStore(key)
        if session.get(SESSION_HOST) != place.host or session.get(SESSION_KEY) is None:
            return None
        user = get_user(_SessionRequest(session))  # type: ignore[arg-type]
        if not user.is_authenticated:
            return None
        caller = identity.caller_by_session(user, session, place.host, place.kind, ground.msp, ground.tenant)
    if not caller.roles:
        return None
    return {
        "place": place.kind,
        "msp": ground.msp,
        "tenant": ground.tenant,
        "user": user,
        "roles": caller.roles,
        "acting": caller.acting,
        "can": caller.can,
    }


def _only(headers: list[tuple[bytes, bytes]], name: bytes) -> str | None:
    values = [value for key, value in headers if key.lower() == name]
    return values[0].decode("latin1") if len(values) == 1 else None


def _session_key(headers: list[tuple[bytes, bytes]]) -> str | None:
    try:
        cookies = SimpleCookie(_only(headers, b"cookie") or "")
    except CookieError:
        return None
    morsel = cookies.get(settings.SESSION_COOKIE_NAME)
    return morsel.value if morsel else None
