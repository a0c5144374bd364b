"""The customer's trunks: those shared with it, and its own."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse

from portal.core.access import requires
from voice.carriers import selectors
from voice.carriers.forms import new_trunk
from voice.carriers.models import Trunk
from voice.carriers.pages import CustomerTrunkList, answer_of, limits_of, state_of
from voice.carriers.views import close_trunk, edit_trunk


def _own(request: HttpRequest, pk: int) -> Trunk:
    return get_object_or_404(Trunk.objects.open(), pk=pk, tenant=request.tenant)


@requires("carriers.view")
def trunk_list(request: HttpRequest) -> HttpResponse:
    return CustomerTrunkList(request).response()


@requires("carriers.view")
def trunk(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(selectors.trunks_for(request.tenant), pk=pk)
    own = row.tenant_id is not None
    context = {
        "trunk": row,
        "own": own,
        "state": state_of(row),
        "answer": answer_of(row),
        "limits": limits_of(row),
        "can_change": own and request.can("carriers.change"),
    }
    return TemplateResponse(request, "voice/carriers/trunk.html", context)


@requires("carriers.change")
def trunk_edit(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    row = _own(request, pk) if pk is not None else new_trunk(request.tenant.msp, request.tenant)
    return edit_trunk(request, row, back=reverse("carriers:list"))


@requires("carriers.change")
def trunk_delete(request: HttpRequest, pk: int) -> HttpResponse:
    return close_trunk(request, _own(request, pk), back=reverse("carriers:list"))
