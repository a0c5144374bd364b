"""What a page demands of whoever opens it: a capability, a log-in, or nothing. Naming none means it is refused."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase

P = ParamSpec("P")
View = TypeVar("View", bound=Callable[..., HttpResponseBase])

PUBLIC = "public"
LOGGED_IN = "logged-in"


def requires(capability: str) -> Callable[[View], View]:
    """Guard a page by a capability: visitors go to the log-in page, everybody else who lacks it gets 403."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return login_first(request)
            if not _may(request, capability):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        guarded.capability = capability  # type: ignore[attr-defined]
        return cast(View, guarded)

    return decorate


def _may(request: HttpRequest, capability: str) -> bool:
    if capability == LOGGED_IN:
        # A person's own pages are for the person: a token has its scopes and nothing beside them.
        return getattr(request, "api_token", None) is None
    return bool(request.can(capability))  # type: ignore[attr-defined]


def signed_in_page(view: View) -> View:
    """Guard a page that everybody may open who has logged in here; a program's token does not."""
    return requires(LOGGED_IN)(view)


def public_page(view: View) -> View:
    """Mark a page that needs no log-in; what it shows must be fit for strangers."""
    view.capability = PUBLIC  # type: ignore[attr-defined]
    return view


def login_first(request: HttpRequest) -> HttpResponse:
    """Send the visitor to the log-in page and back here afterwards; a htmx part makes the whole page go there."""
    if getattr(request, "htmx", False):
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    return redirect_to_login(request.get_full_path() if request.method == "GET" else "/")
