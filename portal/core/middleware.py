"""Gives each request an id that error pages, logs and audit rows share."""

import uuid
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse


class RequestId:
    """Names the request before anything else happens to it, so that every error page can name it too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.id = uuid.uuid4().hex[:16]  # type: ignore[attr-defined]
        response = self.get_response(request)
        response["X-Request-Id"] = request.id  # type: ignore[attr-defined]
        return response
