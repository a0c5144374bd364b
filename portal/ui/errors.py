"""The pages for requests that fail: the request's id, the cause in words, and a way on."""

from typing import Any
from urllib.parse import urlsplit

from django.http import Http404, HttpRequest, HttpResponse
from django.template import loader
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _


def page(request: HttpRequest, code: int, title: str, cause: str, **more: Any) -> HttpResponse:
    """Answer with an error page in the portal's own frame, or a plain one where the frame itself may be the fault.

    Who is not logged in gets the frame of the log-in: there is nothing yet to navigate.
    """
    framed = bool(getattr(request, "place", "")) and code != 500
    context = {"code": code, "title": title, "cause": cause, "request_id": getattr(request, "id", ""), **more}
    if not framed:
        return HttpResponse(loader.render_to_string("errors/plain.html", context), status=code)
    logged_in = getattr(getattr(request, "user", None), "is_authenticated", False)
    template = "errors/page.html" if logged_in else "errors/door.html"
    return HttpResponse(
        loader.render_to_string(template, {**context, "back": _came_from(request)}, request), status=code
    )


def _came_from(request: HttpRequest) -> str:
    """Return the address on this host that led here, or nothing where that is the page that fails."""
    came = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(came, {request.headers.get("Host", "")}):
        return ""
    parts = urlsplit(came)
    address = f"{parts.path}?{parts.query}" if parts.query else parts.path
    # A link that fails would only fail again; a form that was refused can be opened anew.
    return "" if request.method == "GET" and address == request.get_full_path() else address


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


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 500 without asking the database for anything, for it may be the fault."""
    return page(
        request,
        500,
        _("Something broke on our side"),
        _("Calls are not affected: they never depend on this portal. Try again in a minute."),
    )


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form whose protection token is missing or old."""
    cause = _("It was open for too long, or your browser keeps no cookies. Go back and send it again.")
    return page(request, 403, _("This form has expired"), cause)
