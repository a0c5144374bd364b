"""Who may call, how often, with what, and in what pages. Named in the settings, so nothing here may import a view."""

from typing import Any

from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.pagination import CursorPagination
from rest_framework.parsers import JSONParser
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle


class Pages(CursorPagination):
    """Pages by cursor: `?limit=` up to 200, `?cursor=` from the links `next` and `previous`."""

    page_size_query_param = "limit"
    max_page_size = 200

    def get_ordering(self, request: Request, queryset: Any, view: Any) -> tuple[str, ...]:
        return tuple(getattr(view, "ordering", ("pk",)))


class Json(JSONParser):
    """JSON as deep as anybody could mean it."""

    def parse(self, *args: Any, **facts: Any) -> Any:
        try:
            return super().parse(*args, **facts)
        except RecursionError:
            raise ParseError(_("JSON parse error - this is nested too deeply.")) from None


class CapabilityPermission(BasePermission):
    """Lets a caller through who has the view's capability here; a view that names none lets nobody through."""

    def has_permission(self, request: Request, view: Any) -> bool:
        place = getattr(view, "place", None)
        if place is not None and place != getattr(request._request, "place", None):
            raise Http404
        needed = capability_of(view, request.method or "")
        can = getattr(request._request, "can", None)
        return bool(needed and can and can("api.use") and can(needed))


def capability_of(view: Any, method: str) -> str | None:
    """Return what a view demands: `routing.view` for reads, `routing.change` for writes, or its own word."""
    action = getattr(view, "action", None)
    own = getattr(view, "capabilities", {}).get(action)
    capability: str | None = own or getattr(view, "capability", None)
    if capability is None or "." in capability:
        return capability
    return f"{capability}.{'view' if method in SAFE_METHODS else 'change'}"


class TokenThrottle(SimpleRateThrottle):
    """Counts a token's requests; people in browsers are counted by user."""

    scope = "token"

    def get_cache_key(self, request: Request, view: Any) -> str | None:
        token = getattr(request._request, "api_token", None)
        if token is not None:
            return f"throttle:token:{token.pk}"
        user = getattr(request._request, "user", None)
        return f"throttle:user:{user.pk}" if user is not None and user.is_authenticated else None
