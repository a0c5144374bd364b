"""The MSP's pages of margins."""

from datetime import UTC
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils.timezone import now
from django.utils.translation import gettext as _

from portal.core.access import requires
from portal.ui.forms import refuse
from tenants.models import Customer
from voice.margin import overview as reads
from voice.margin import selectors, services
from voice.margin.forms import TargetForm
from voice.margin.months import asked_lens, months, offered_currencies
from voice.margin.pages import CustomerMarginList, RouteMarginList, calls_url, disputes_query, tabs
from voice.margin.words import COSTLY, MEANINGS, percent, standing


@requires("margin.view")
def overview(request: HttpRequest) -> HttpResponse:
    lens = asked_lens(request)
    today = now().astimezone(UTC).date()
    found = reads.overview(lens, today)
    context = {
        "tabs": tabs(request, "overview"),
        "lens": lens,
        "query": f"month={lens.key}&currency={lens.currency}",
        "disputes_query": disputes_query(lens),
        "months": months(),
        "currencies": offered_currencies(request),
        "meanings": MEANINGS,
        "is_now": lens.month == today.replace(day=1),
        "wanted": percent(selectors.target_of(lens.msp)),
        "share": percent(found["result"].per_mille),
        "can_change": request.can("margin.change"),
        **found,
    }
    for row in found["losing"]:
        row["url"] = calls_url(
            request, lens, direction=row["direction"], destination=row["destination"], trunk=row["trunk_name"]
        )
    for row in found["nothing"]:
        row["words"] = COSTLY[row["kind"]]
        aside = row["kind"] == "aside"
        row["url"] = calls_url(request, lens, **({"charge": "aside"} if aside else {"direction": row["kind"]}))
    return TemplateResponse(request, "voice/margin/overview.html", context)


@requires("margin.view")
def customer_list(request: HttpRequest) -> HttpResponse:
    return CustomerMarginList(request, tabs=tabs(request, "customers")).response()


@requires("margin.view")
def route_list(request: HttpRequest) -> HttpResponse:
    return RouteMarginList(request, tabs=tabs(request, "routes")).response()


@requires("margin.view")
def customer(request: HttpRequest, pk: int) -> HttpResponse:
    row = _customer(request, pk)
    page = RouteMarginList(request)
    page.customer, page.template = row, "voice/margin/customer.html"
    page.title = row.name  # type: ignore[assignment]  # words of either kind
    found = selectors.customers(page.lens).filter(pk=pk).first()
    page.context = {
        "customer": row,
        "found": found,
        "disputes_query": disputes_query(page.lens, pk),
        "lens": page.lens,
        "meanings": MEANINGS,
        "share": percent(found.per_mille) if found else "–",
        "wanted": percent(page.wanted),
        "standing": standing(found, page.wanted) if found else None,
        "can_change": request.can("margin.change"),
    }
    return page.response()


@requires("margin.change")
def target(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    row = _customer(request, pk) if pk is not None else None
    known = selectors.own_target(request.msp, row)
    form = TargetForm(request.POST or None, initial={"percent": known / 10 if known is not None else None})
    if request.method == "POST" and form.is_valid():
        try:
            services.set_target(request.msp, row, form.per_mille(), by=request.actor)
        except ValidationError as error:
            refuse(form, error)
        else:
            messages.success(request, _("Target saved."))
            return redirect("margin:customer", pk) if row else redirect("margin:overview")
    return TemplateResponse(request, "voice/margin/target.html", {"form": form, "customer": row})


def _customer(request: HttpRequest, pk: int) -> Customer:
    found: Any = get_object_or_404(Customer, pk=pk, msp=request.msp)
    return found
