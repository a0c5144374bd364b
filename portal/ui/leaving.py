"""The way from a form to another host of ours."""

from django.http import HttpRequest
from django.template.response import TemplateResponse


def leave_page(request: HttpRequest, url: str, name: str) -> TemplateResponse:
    """Answer with a page that goes on to the address by itself, and has a link for who does not.

    A redirect would not do: `form-action 'self'` forbids a form to end on another host, also by way of a redirect.
    """
    response = TemplateResponse(request, "components/leave.html", {"url": url, "name": name})
    response["Cache-Control"] = "no-store"
    return response
