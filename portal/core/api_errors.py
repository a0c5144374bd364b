"""The API's errors, as RFC 9457 problem details: what happened, at which field, and the request's id for support."""

from typing import Any

from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db.models import ProtectedError
from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import exceptions, status
from rest_framework.response import Response

from portal.core.errors import StaleEdit

CONTENT_TYPE = "application/problem+json"


class PreconditionFailed(exceptions.APIException):
    status_code = status.HTTP_412_PRECONDITION_FAILED
    default_code = "precondition_failed"


class KeyReused(exceptions.APIException):
    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY
    default_code = "idempotency_key_reused"
    default_detail = "This Idempotency-Key was used with another request."


def problem(error: Exception, context: dict[str, Any]) -> Response | None:
    """Return the problem document for an error that we expect; None lets the 500 page answer."""
    request = context["request"]
    code, title, detail, errors = _facts(error)
    if code is None:
        return None
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": title,
        "status": code,
        "detail": detail,
        "instance": request.path,
        "request_id": getattr(request._request, "id", ""),
    }
    if errors:
        body["errors"] = errors
    headers: dict[str, str] = {}
    if isinstance(error, exceptions.APIException):
        if getattr(error, "auth_header", None):
            headers["WWW-Authenticate"] = error.auth_header  # type: ignore[attr-defined]
        if isinstance(error, exceptions.Throttled) and error.wait is not None:
            headers["Retry-After"] = str(max(1, round(error.wait)))
    return Response(body, status=code, headers=headers, content_type=CONTENT_TYPE)


def _facts(error: Exception) -> tuple[int | None, str, str, dict[str, list[str]]]:
    if isinstance(error, StaleEdit):
        return status.HTTP_409_CONFLICT, _("Somebody else saved in between"), " ".join(error.messages), {}
    if isinstance(error, DjangoValidationError):
        fields = error.message_dict if hasattr(error, "error_dict") else {"non_field_errors": error.messages}
        return status.HTTP_400_BAD_REQUEST, _("Some values cannot be used"), " ".join(error.messages), _named(fields)
    if isinstance(error, exceptions.ValidationError):
        found = _named(error.detail if isinstance(error.detail, dict) else {"non_field_errors": error.detail})
        flat = " ".join(message for messages in found.values() for message in messages)
        return status.HTTP_400_BAD_REQUEST, _("Some values cannot be used"), flat, found
    if isinstance(error, Http404):
        return status.HTTP_404_NOT_FOUND, _("Not found"), _("There is no such thing here."), {}
    if isinstance(error, DjangoPermissionDenied | exceptions.PermissionDenied):
        reason = str(getattr(error, "detail", "")) or _("You may not do this.")
        return status.HTTP_403_FORBIDDEN, _("Not allowed"), reason, {}
    if isinstance(error, ProtectedError):
        return status.HTTP_409_CONFLICT, _("Still in use"), _("Something else still uses this."), {}
    if isinstance(error, exceptions.APIException):
        title = str(error.default_code).replace("_", " ").capitalize()
        return error.status_code, title, str(error.detail), {}
    return None, "", "", {}


def _named(fields: dict[str, Any]) -> dict[str, list[str]]:
    """Flatten nested errors to `field.index.name` so that every message has one place."""
    found: dict[str, list[str]] = {}
    for name, value in fields.items():
        name = "non_field_errors" if name == "__all__" else name
        if isinstance(value, dict):
            found |= {f"{name}.{inner}": messages for inner, messages in _named(value).items()}
        elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
            inner = {str(index): item for index, item in enumerate(value) if item}
            found |= {f"{name}.{key}": messages for key, messages in _named(inner).items()}
        else:
            found[str(name)] = [str(item) for item in (value if isinstance(value, list) else [value])]
    return found
