"""The pages for requests that fail: the request's id, the cause in words, and a way on."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.template import loader
from django.utils.translation import gettext as _


def page(request: HttpRequest, code: int, title: str, cause: str, **more: Any) -> HttpResponse:
    """Answer with an error page in the portal's own frame, or a plain one where the frame itself may be the fault."""
    known = bool(getattr(request, "place", ""))
    template = "errors/page.html" if known and code != 500 else "errors/plain.html"
    context = {"code": code, "title": title, "cause": cause, "request_id": getattr(request, "id", ""), **more}
    return HttpResponse(
        loader.render_to_string(template, context, request if known and code != 500 else None), status=code
    )


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer 400."""
    return page(request, 400, _("This request cannot be read"), _("Something in the address or the form is malformed."))


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer 403 with the reason where the code that refused gave one."""
    cause = str(exception) if exception and str(exception) else _("Your role does not include this.")
    return page(request, 403, _("You may not do this here"), cause, ask=True)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer 404; a host that is not known gets a page that gives nothing away."""
    cause = _("There is no such page, or it is not yours to see.")
    if isinstance(exception, Http404) and exception.args and isinstance(exception.args[0], str):
        cause = exception.args[0] if not exception.args[0].startswith("No ") else cause
    return page(request, 404, _("Page not found"), cause)


def too_many(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer 429."""
    return page(
        request,
        429,
        _("Too many tries"),
        _("To keep accounts safe, we pause after several tries. Wait a minute, then try again."),
    )


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 500 without asking the database for anything, for it may be the fault."""
    return page(
        request, 500, _("Something broke on our side"), _("Calls are not affected: they never depend on this portal.")
    )


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form whose protection token is missing or old."""
    cause = _("The form was open for too long, or cookies are off. Go back, reload the page and send it again.")
    return page(request, 403, _("This form has expired"), cause)
