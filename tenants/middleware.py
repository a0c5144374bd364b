"""From the request to its place, its session, its person: each step refuses what the next must not see."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone, translation

from portal.core.access import LOGGED_IN, login_first
from portal.core.audit import Actor
from tenants import hosts, identity
from tenants.permissions import NOT_WHILE_ACTING, PAGES_OF_LIBRARIES

Handler = Callable[[HttpRequest], HttpResponseBase]
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
SESSION_HOST = "host"


class KnownHostMiddleware:
    """Refuses a host that nobody here has, before a file of the pages or a redirect tells it what this machine is."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        # Remembered for a while: most files beside a page cost no statement.
        place = hosts.place_of(request.META.get("HTTP_HOST", ""))
        if place is None:
            return _nothing()
        request.known_place = place  # type: ignore[attr-defined]
        return self.get_response(request)


def _nothing() -> HttpResponse:
    return HttpResponse("Not found\n", status=404, content_type="text/plain")


class HostMiddleware:
    """Leads the request to its place, and gives the database that place's context."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        authority = request.META.get("HTTP_HOST", "")
        place: hosts.Place = request.known_place  # type: ignore[attr-defined]
        ground = hosts.ground_of(place, request.COOKIES.get(settings.SESSION_COOKIE_NAME))
        if ground is None:
            return _nothing()
        origin = request.META.get("HTTP_ORIGIN")
        if request.method not in SAFE_METHODS and origin is not None and not hosts.origin_matches(origin, authority):
            return HttpResponse(
                "Forbidden: this request came from another site.\n", status=403, content_type="text/plain"
            )
        request.place, request.msp, request.tenant = place.kind, ground.msp, ground.tenant  # type: ignore[attr-defined]
        request.host, request.brand = place.host, getattr(ground.msp, "brand", None)  # type: ignore[attr-defined]
        request.session_row = ground.session  # type: ignore[attr-defined]
        request.urlconf = f"portal.urls_{place.kind}"  # type: ignore[attr-defined]
        with hosts.inside(ground):
            return self.get_response(request)


class SessionHostMiddleware:
    """Binds each session to the host where it began: brought to another one, it is worth nothing."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request.session.read_along = request.session_row  # type: ignore[attr-defined]
        brought = settings.SESSION_COOKIE_NAME in request.COOKIES and not request.session.is_empty()
        if brought and request.session.get(SESSION_HOST) != request.host:  # type: ignore[attr-defined]
            # Emptied for this request only: the rightful owner's session, on its own host, lives on.
            request.session = type(request.session)()
        response = self.get_response(request)
        if request.session.modified and not request.session.is_empty():
            request.session.setdefault(SESSION_HOST, request.host)  # type: ignore[attr-defined]
        return response


class MembershipMiddleware:
    """Names the person, their roles in this place, and whom they act for; refuses every page that names no demand."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        caller = self._caller(request)
        request.roles, request.acting = caller.roles, caller.acting  # type: ignore[attr-defined]
        request.api_token = caller.token  # type: ignore[attr-defined]
        request.can = caller.can  # type: ignore[attr-defined]
        request.actor = Actor(  # type: ignore[attr-defined]
            user_id=caller.user_id,
            email=caller.email,
            acting_for=str(request.tenant) if caller.acting else "",  # type: ignore[attr-defined]
            reason=caller.acting.reason if caller.acting else "",
            ip=request.META.get("REMOTE_ADDR", ""),
            token_id=caller.token.pk if caller.token else None,
            roles=tuple(sorted(caller.roles)),
        )
        if not request.user.is_authenticated:
            return self.get_response(request)
        with timezone.override(request.user.time_zone), translation.override(request.user.language):
            response = self.get_response(request)
        # What somebody may see lies in no cache between us, and is asked for anew once they have left.
        response.headers.setdefault("Cache-Control", "private, no-cache")
        return response

    def _caller(self, request: HttpRequest) -> identity.Caller:
        ground = (request.place, request.msp, request.tenant)  # type: ignore[attr-defined]
        if "HTTP_AUTHORIZATION" in request.META:
            # A token stands alone: a session that comes along with it counts for nothing.
            caller = identity.caller_by_token(request.META["HTTP_AUTHORIZATION"], *ground)
            request.user = caller.user or AnonymousUser()
            return caller
        if not request.user.is_authenticated:
            return identity.NOBODY
        caller = identity.caller_by_session(request.user, request.session, request.host, *ground)  # type: ignore[attr-defined]
        if not caller.roles:
            logout(request)
        return caller

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponseBase | None:
        if getattr(view, "capability", None) or hasattr(view, "cls"):
            return None  # the page's own guard, or the API's permission class, decides
        name = request.resolver_match.url_name if request.resolver_match else None
        demand = PAGES_OF_LIBRARIES.get(name or "")
        if demand is None:
            raise Http404
        if demand == LOGGED_IN and not request.user.is_authenticated:
            return login_first(request)
        if (request.acting or request.api_token) and name in NOT_WHILE_ACTING:  # type: ignore[attr-defined]
            raise PermissionDenied
        return None
