"""The MSP's bulk actions on numbers that change hands."""

from collections.abc import Callable

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from portal.core.access import requires
from portal.ui.forms import refuse
from tenants.models import Customer
from voice.inventory.pages import StockList
from voice.numbers import allocation
from voice.numbers.forms import CustomerForm, ReleaseForm
from voice.selection import Selection, nothing_picked, picked


@require_POST
@requires("stock.change")
def allocate(request: HttpRequest) -> HttpResponse:
    chosen = picked(request, StockList)
    form = CustomerForm(request.POST if "confirmed" in request.POST else None, msp=request.msp)

    def act() -> str:
        customer: Customer = form.cleaned_data["customer"]
        count = allocation.allocate(chosen.ids, customer, by=request.actor)
        words = ngettext("%(count)d number given to %(name)s.", "%(count)d numbers given to %(name)s.", count)
        return words % {"count": count, "name": customer.name}

    effects = [_("The customer sees the numbers at once, not active yet: it decides what to do with them.")]
    return _bulk(request, chosen, form, act, title=_("Give numbers to a customer"), submit=_("Give"), effects=effects)


@require_POST
@requires("stock.change")
def release(request: HttpRequest) -> HttpResponse:
    chosen = picked(request, StockList)
    form = ReleaseForm(request.POST if "confirmed" in request.POST else None)

    def act() -> str:
        days = form.cleaned_data["cooling_days"]
        count = allocation.release(chosen.ids, msp=request.msp, by=request.actor, cooling_days=days)
        return ngettext("%d number taken back.", "%d numbers taken back.", count) % count

    effects = [
        _("Calls to these numbers stop within seconds, and what the customer set for them is removed."),
        _("No other number of the customer changes."),
    ]
    return _bulk(request, chosen, form, act, title=_("Take numbers back"), submit=_("Take back"), effects=effects)


@require_POST
@requires("stock.change")
def move(request: HttpRequest) -> HttpResponse:
    chosen = picked(request, StockList)
    form = CustomerForm(request.POST if "confirmed" in request.POST else None, msp=request.msp)

    def act() -> str:
        customer: Customer = form.cleaned_data["customer"]
        count = allocation.move(chosen.ids, customer, by=request.actor)
        words = ngettext("%(count)d number moved to %(name)s.", "%(count)d numbers moved to %(name)s.", count)
        return words % {"count": count, "name": customer.name}

    effects = [
        _("The customers that have the numbers now lose them, and nothing else of theirs changes."),
        _("The new customer gets them not active, without cooling time."),
    ]
    return _bulk(
        request, chosen, form, act, title=_("Move numbers to another customer"), submit=_("Move"), effects=effects
    )


def _bulk(
    request: HttpRequest,
    chosen: Selection,
    form: forms.Form,
    act: Callable[[], str],
    *,
    title: str,
    submit: str,
    effects: list[str],
) -> HttpResponse:
    if not chosen:
        messages.error(request, nothing_picked())
        return redirect("inventory:list")
    if form.is_bound and form.is_valid():
        try:
            messages.success(request, act())
            return redirect("inventory:list")
        except ValidationError as error:
            refuse(form, error)
    context = {"form": form, "chosen": chosen, "title": title, "submit": submit, "effects": effects}
    return TemplateResponse(request, "voice/inventory/bulk.html", context)
