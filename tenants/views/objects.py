"""The tabs *History* and *API* of every object, made from the API's own resources."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.views.decorators.http import require_safe

from portal.core import api_object
from portal.core.access import requires, signed_in_page
from portal.ui.history import LATEST, history
from portal.ui.navigation import page_url
from portal.ui.objects import Kind, kind_of
from tenants.audit_sight import seen_by


@require_safe
@signed_in_page  # What reading the object takes is asked of its resource.
def object_history(request: HttpRequest, resource: str, pk: str) -> HttpResponse:
    """Show who changed the object, when, and from what to what."""
    kind = _kind(request, resource)
    if not kind.changes:
        raise Http404
    row = api_object.find(request, resource, pk)
    # What a provider shares with a customer has its history at the provider's.
    shared = request.tenant is not None and getattr(row, "tenant_id", request.tenant.pk) != request.tenant.pk
    # What the log keeps from the reader stands not here either: by which buying deck a trunk costs, for example.
    events = [] if shared else history(row, lambda found: seen_by(found, request.can))  # type: ignore[attr-defined]
    context = {"events": events, "shared": shared, "latest": LATEST}
    return _page(request, kind, row, "history", (resource, pk), context)


@require_safe
@requires("api.use")
def object_api(request: HttpRequest, resource: str, pk: str) -> HttpResponse:
    """Show the object as the API gives it to this reader, and how a program reads and changes it."""
    kind = _kind(request, resource)
    row = api_object.find(request, resource, pk)
    context = {"shown": api_object.show(request, resource, pk)}
    return _page(request, kind, row, "api", (resource, pk), context)


def _page(
    request: HttpRequest, kind: Kind, row: Any, name: str, address: tuple[str, str], context: dict[str, Any]
) -> TemplateResponse:
    resource, pk = address
    facts = {
        "name": kind.name(row),
        "resource": resource,
        # As it stands in the address: the key of a call's row is more than its id.
        "pk": pk,
        "list_label": kind.list_label,
        "list_url": page_url(kind.list_page, request),
    }
    return TemplateResponse(request, f"components/object_{name}.html", facts | context)


def _kind(request: HttpRequest, resource: str) -> Kind:
    kind = kind_of(request, resource)
    if kind is None:
        raise Http404
    return kind
