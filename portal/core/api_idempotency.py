"""Writes that may be sent again: with an `Idempotency-Key` the second one gets the first one's answer."""

import hashlib
import json
from typing import Any, ClassVar

from django.db import IntegrityError, transaction
from rest_framework.exceptions import ValidationError
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.api_errors import KeyReused
from portal.core.models import IdempotencyKey
from portal.db import contexts

HEADER = "Idempotency-Key"
LONGEST = 200
WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
KEPT_HEADERS = ("Location", "ETag")


class Replay(Exception):
    """This request was answered before; what was answered is in `row`."""

    def __init__(self, row: IdempotencyKey) -> None:
        self.row = row


class Idempotent:
    """A view whose writes and their answers are stored in one transaction, under the caller's key.

    `shown_once` names what an answer holds that nobody may read again, from our tables neither: it is left out of what
    is stored, so that a repeated request gets the answer without it.
    """

    shown_once: ClassVar[frozenset[str]] = frozenset()
    _key_row: IdempotencyKey | None = None
    request: Request

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        if request.method not in WRITES or HEADER not in request.headers:
            return super().dispatch(request, *args, **kwargs)  # type: ignore[misc]
        _ = request.body  # read before the parser takes the stream: the key stands for this very body
        with transaction.atomic():
            response = super().dispatch(request, *args, **kwargs)  # type: ignore[misc]
            if self._key_row is not None:
                if response.status_code < 400:
                    self._keep(self._key_row, response)
                else:
                    # A refused write has changed nothing and may be put right and sent again.
                    transaction.set_rollback(True)
        return response

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)  # type: ignore[misc]
        key = request.headers.get(HEADER)
        if key is None or request.method not in WRITES:
            return
        if not key or len(key) > LONGEST or not key.isprintable():
            raise ValidationError({HEADER: f"Use 1 to {LONGEST} printable characters."})
        self._claim(request, key)

    def handle_exception(self, error: Exception) -> Response:
        if isinstance(error, Replay):
            data = json.loads(error.row.body) if error.row.body else None
            return Response(data, status=error.row.status, headers={**error.row.headers, "Idempotent-Replayed": "true"})
        return super().handle_exception(error)  # type: ignore[misc, no-any-return]

    def _claim(self, request: Request, key: str) -> None:
        digest = hashlib.sha256(f"{request.method} {request.get_full_path()}\n".encode() + request._request.body)
        context = contexts.current()
        row = IdempotencyKey(
            owner=_owner(request), key=key, digest=digest.hexdigest(), tenant_id=context.tenant, msp_id=context.msp
        )
        try:
            # A second request with the same key waits here until the first has committed.
            with transaction.atomic():
                row.save(force_insert=True)
        except IntegrityError:
            stored = IdempotencyKey.objects.filter(owner=row.owner, key=key).first()
            if stored is None or stored.digest != row.digest:
                raise KeyReused
            raise Replay(stored)
        self._key_row = row

    def _keep(self, row: IdempotencyKey, response: Response) -> None:
        row.status = response.status_code
        row.headers = {name: response[name] for name in KEPT_HEADERS if response.has_header(name)}
        kept = response.data
        if self.shown_once and isinstance(kept, dict):
            kept = {name: value for name, value in kept.items() if name not in self.shown_once}
        row.body = JSONRenderer().render(kept).decode() if kept is not None else ""
        row.save(update_fields=["status", "headers", "body"])


def _owner(request: Request) -> str:
    token = getattr(request._request, "api_token", None)
    if token is not None:
        return f"token:{token.pk}"
    # A token opens one place; a person may be at home in several, and a key is the place's.
    context = contexts.current()
    return f"user:{request.user.pk} tenant:{context.tenant or ''} msp:{context.msp or ''}"
