"""The MSP's carriers, trunks and who may use them."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from portal.core.access import requires
from portal.core.errors import StaleEdit
from portal.core.whole import whole
from portal.ui.confirm import Question, confirm_page, is_confirmed
from portal.ui.forms import refuse
from tenants.models import Customer
from voice.carriers import selectors, services
from voice.carriers.forms import CarrierForm, GrantForm, new_trunk
from voice.carriers.models import Carrier, Trunk
from voice.carriers.pages import CarrierList, MspTrunkList, answer_of, limits_of, state_of, trunk_url
from voice.carriers.tabs import carrier_tabs
from voice.carriers.views import close_trunk, edit_trunk
from voice.selection import refusal_words

LIVING = (Customer.State.ACTIVE, Customer.State.SUSPENDED, Customer.State.CLOSING)


def _shared(request: HttpRequest, pk: int) -> Trunk:
    return get_object_or_404(selectors.shared_trunks(request.msp), pk=pk)


@requires("carriers.view")
def carrier_list(request: HttpRequest) -> HttpResponse:
    return CarrierList(request, tabs=carrier_tabs(request, "carriers:list")).response()


@requires("carriers.change")
def carrier_edit(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    carrier = get_object_or_404(Carrier, pk=pk, msp=request.msp) if pk is not None else Carrier(msp=request.msp)
    form = CarrierForm(request.POST or None, instance=carrier)
    if request.method == "POST" and form.is_valid():
        try:
            services.save_carrier(carrier, by=request.actor)
        except ValidationError as error:
            refuse(form, error)
        else:
            messages.success(request, _("Carrier saved."))
            return redirect("carriers:list")
    trunks = selectors.shared_trunks(request.msp).filter(carrier=pk).in_name_order() if pk is not None else []
    context = {"form": form, "carrier": carrier, "trunks": [(trunk, state_of(trunk)) for trunk in trunks]}
    return TemplateResponse(request, "voice/carriers/carrier_form.html", context)


@requires("carriers.change")
def carrier_delete(request: HttpRequest, pk: int) -> HttpResponse:
    carrier = get_object_or_404(Carrier, pk=pk, msp=request.msp)
    question = Question(
        _("Remove the carrier %(name)s?") % {"name": carrier.name},
        [_("It goes only if it has no trunk and no number."), _("This cannot be undone.")],
        button=_("Remove"),
        about=carrier,
    )
    if not is_confirmed(request, question):
        return confirm_page(request, question, cancel=reverse("carriers:carrier", args=[pk]))
    try:
        services.delete_carrier(carrier, by=request.actor)
    except ValidationError as error:
        messages.error(request, refusal_words(error))
        return redirect("carriers:carrier", pk=pk)
    messages.success(request, _("Carrier removed."))
    return redirect("carriers:list")


@requires("carriers.view")
def trunk_list(request: HttpRequest) -> HttpResponse:
    waiting = selectors.trunks_to_approve(request.msp).in_name_order()
    return MspTrunkList(request, waiting=waiting, tabs=carrier_tabs(request, "carriers:trunks")).response()


@requires("carriers.view")
def trunk(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(Trunk.objects.select_related("carrier", "tenant"), pk=pk, msp=request.msp)
    change = request.can("carriers.change")
    context = {
        "trunk": row,
        "own": True,
        "state": state_of(row),
        "answer": answer_of(row),
        "limits": limits_of(row),
        "can_change": change and row.tenant_id is None and row.closed_at is None,
        "can_approve": change and not row.approved,
        "grants": None if row.tenant_id else row.grants.open().select_related("tenant").order_by("tenant__name"),
    }
    return TemplateResponse(request, "voice/carriers/trunk.html", context)


@requires("carriers.change")
def trunk_edit(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    row = _shared(request, pk) if pk is not None else new_trunk(request.msp)
    return edit_trunk(request, row, back=reverse("carriers:trunks"))


@requires("carriers.change")
def trunk_delete(request: HttpRequest, pk: int) -> HttpResponse:
    return close_trunk(request, _shared(request, pk), back=reverse("carriers:trunks"))


@requires("carriers.change")
def trunk_grant(request: HttpRequest, pk: int) -> HttpResponse:
    row = _shared(request, pk)
    form = GrantForm(request.POST or None, trunk=row)
    if request.method == "POST" and form.is_valid():
        try:
            for customer in form.cleaned_data["customers"]:
                services.grant_trunk(row, customer, by=request.actor)
        except ValidationError as error:
            refuse(form, error)
        else:
            messages.success(request, _("The customers can use the trunk now."))
            return redirect(trunk_url(row))
    return TemplateResponse(request, "voice/carriers/grant.html", {"form": form, "trunk": row})


@requires("carriers.change")
def trunk_revoke(request: HttpRequest, pk: int, customer: int) -> HttpResponse:
    row = _shared(request, pk)
    holder = get_object_or_404(Customer, pk=customer, msp=request.msp)
    uses = services.uses_at(row, holder) if holder.state in LIVING else []
    words = _("%(customer)s still names it: %(uses)s. Lines skip it from now on; calls handed to it are refused.")
    question = Question(
        title=_("Take %(trunk)s from %(customer)s?") % {"trunk": row.name, "customer": holder.name},
        effects=[
            *([words % {"customer": holder.name, "uses": ", ".join(uses)}] if uses else []),
            _("Calls of this customer that would take the trunk go to the next one of their line, or fail."),
            _("Other customers notice nothing."),
        ],
        button=_("Take it back"),
    )
    if not is_confirmed(request, question):
        return confirm_page(request, question, cancel=trunk_url(row))
    services.revoke_trunk(row, holder, by=request.actor)
    messages.success(request, _("%(customer)s cannot use the trunk any more.") % {"customer": holder.name})
    return redirect(trunk_url(row))


@require_POST
@requires("carriers.change")
def trunk_approve(request: HttpRequest, pk: int) -> HttpResponse:
    """Approve the trunk as the page showed it: its customer may have changed the address since."""
    row = get_object_or_404(Trunk.objects.open(), pk=pk, msp=request.msp, tenant__isnull=False)
    seen = whole(request.POST.get("row_version", ""))
    # Whoever does not say what was seen has seen nothing.
    row.row_version = -1 if seen is None else seen
    try:
        services.approve_trunk(row, by=request.actor)
    except StaleEdit as error:
        messages.error(request, refusal_words(error))
    else:
        messages.success(request, _("Approved. The trunk goes live in a moment."))
    return redirect(trunk_url(row))
