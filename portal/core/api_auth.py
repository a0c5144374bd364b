"""Who calls the API. The middleware has found out already; these two classes tell Django REST framework."""

from typing import Any

from django.middleware.csrf import CsrfViewMiddleware
from django.utils.translation import gettext_lazy as _
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.request import Request


class TokenAuthentication(BaseAuthentication):
    """A program with `Authorization: Bearer stw_…`."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        if "HTTP_AUTHORIZATION" not in request.META:
            return None
        token = getattr(request._request, "api_token", None)
        if token is None:
            raise AuthenticationFailed(_("This token is unknown here, was revoked, or has expired."))
        return request._request.user, token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


class _Csrf(CsrfViewMiddleware):
    def _reject(self, request: Any, reason: str) -> str:  # type: ignore[override]
        return reason


class HostSessionAuthentication(BaseAuthentication):
    """A person in a browser who is logged in at this host; unsafe methods need the page's CSRF token."""

    def authenticate(self, request: Request) -> tuple[Any, None] | None:
        user = getattr(request._request, "user", None)
        if user is None or not user.is_authenticated:
            return None
        check = _Csrf(lambda _request: None)  # type: ignore[arg-type, return-value]
        check.process_request(request._request)
        if reason := check.process_view(request._request, lambda: None, (), {}):  # type: ignore[arg-type, return-value]
            raise PermissionDenied(f"CSRF: {reason}")
        return user, None
