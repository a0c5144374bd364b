"""Pages of the interface itself."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from portal.core.access import public_page, signed_in_page
from portal.ui import gallery as samples
from portal.ui import search
from portal.ui.context import THEMES

YEAR = 365 * 24 * 3600


@public_page
@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Remember the reader's choice of light, dark or the system's theme."""
    chosen, back = request.POST.get("theme", ""), request.POST.get("next", "/")
    safe = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    response = HttpResponseRedirect(back if safe else "/")
    if chosen in THEMES:
        response.set_cookie("theme", chosen, max_age=YEAR, samesite="Lax", secure=request.is_secure())
    return response


@signed_in_page
@require_GET
def find(request: HttpRequest) -> HttpResponse:
    """Answer with what the search text finds, as a page or as the palette's list."""
    text = request.GET.get("q", "")
    template = "components/search_hits.html" if getattr(request, "htmx", False) else "components/search_page.html"
    return TemplateResponse(request, template, {"hits": list(search.find(request, text)), "text": text})


@public_page
@require_GET
def gallery(request: HttpRequest) -> HttpResponse:
    """Show every component, while developing."""
    if not settings.DEBUG:
        raise Http404
    return TemplateResponse(request, "components/gallery.html", samples.context(request))
