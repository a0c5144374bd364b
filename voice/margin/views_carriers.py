"""Carriers' invoices: the list, one with its calls, how its file is read, what was decided."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from portal.core.access import requires
from portal.core.models import Job
from portal.ui.confirm import Question, confirm_page, is_confirmed
from portal.ui.forms import refuse
from voice.margin import carrier_checks, tasks  # noqa: F401  registers the jobs
from voice.margin.forms_carriers import CarrierInvoiceForm, CarrierTotalsForm, DecideForm, ReadForm
from voice.margin.models import CarrierCall, CarrierInvoice
from voice.margin.pages import tabs
from voice.margin.pages_carriers import KINDS, CarrierCallList, CarrierInvoiceList, FaultList, state_of, words_of
from voice.selection import refusal_words

Stage = CarrierInvoice.Stage
SHOWN_DESTINATIONS = 12


@requires("margin.view")
def invoice_list(request: HttpRequest) -> HttpResponse:
    return CarrierInvoiceList(request, tabs=tabs(request, "carrier_invoices")).response()


@requires("margin.change")
def invoice_new(request: HttpRequest) -> HttpResponse:
    fresh = CarrierInvoice(msp=request.msp)
    form = CarrierInvoiceForm(request.POST or None, request.FILES or None, instance=fresh, msp=request.msp)
    if request.method == "POST" and form.is_valid():
        try:
            made = carrier_checks.start(fresh, form.cleaned_data["file"].read(), by=request.actor)
        except ValidationError as error:
            refuse(form, error)
        else:
            return redirect("margin:carrier_invoice", made.pk)
    return TemplateResponse(request, "voice/margin/carrier_invoice_new.html", {"form": form})


@requires("margin.change")
def totals_new(request: HttpRequest) -> HttpResponse:
    fresh = CarrierInvoice(msp=request.msp)
    form = CarrierTotalsForm(request.POST or None, request.FILES or None, instance=fresh, msp=request.msp)
    if request.method == "POST" and form.is_valid():
        content, typed = form.content()
        try:
            made = carrier_checks.start_totals(
                fresh, content, typed=typed, decimal=form.cleaned_data["decimal"], by=request.actor
            )
        except ValidationError as error:
            refuse(form, error)
        else:
            return redirect("margin:carrier_invoice", made.pk)
    return TemplateResponse(request, "voice/margin/carrier_totals_new.html", {"form": form})


@requires("margin.view")
def invoice(request: HttpRequest, pk: int) -> HttpResponse:
    row = _invoice(request, pk)
    working = row.stage == Stage.CHECKING
    if row.stage == Stage.ASKING and request.can("margin.change"):
        url = reverse("margin:carrier_invoice_read", args=[pk])
        return HttpResponse(headers={"HX-Redirect": url}) if request.htmx else redirect(url)
    context = {
        "state": state_of(row),
        "working": working,
        "job": Job.objects.filter(pk=row.job_id).first() if row.job_id else None,
        "kinds": _kinds(row),
        "counted": _("Destinations") if row.options.get("totals") else _("Calls"),
        "destinations": _destinations(row),
        "findings": [words_of(each, row.currency) for each in row.summary.get("findings", [])],
        "form": DecideForm(instance=row),
        "can_change": request.can("margin.change"),
    }
    response = CarrierCallList(request, row, **context).response()
    if request.htmx and not working and request.htmx.target != "list":
        # The page polls its progress; at the end what was found has to come, too.
        response["HX-Refresh"] = "true"
    return response


@requires("margin.view")
def faults(request: HttpRequest, pk: int) -> HttpResponse:
    return FaultList(request, _invoice(request, pk)).response()


@requires("margin.change")
def read(request: HttpRequest, pk: int) -> HttpResponse:
    row = _invoice(request, pk)
    if row.options.get("totals"):
        # Its marks were settled when it was taken in, and it has no columns of calls.
        return redirect("margin:carrier_invoice", pk)
    form = ReadForm(request.POST or None, invoice=row)
    if request.method == "POST" and form.is_valid():
        try:
            carrier_checks.read_again(row, form.options(), by=request.actor, **form.facts())
        except ValidationError as error:
            refuse(form, error)
        else:
            return redirect("margin:carrier_invoice", pk)
    shown = {
        name: [each for each in row.options.get(f"{name}_shown", []) if each] for name in ("decimal", "dates")
    }  # fmt: skip
    context = {
        "form": form, "invoice": row, "asked": row.options.get("asked", []), "shown": shown,
        "sample": row.options.get("sample", []),
    }  # fmt: skip
    return TemplateResponse(request, "voice/margin/carrier_invoice_read.html", context)


@requires("margin.change")
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    row = _invoice(request, pk)
    form = DecideForm(request.POST or None, instance=row)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            carrier_checks.decide(row, data["state"], data["note"], by=request.actor)
        except ValidationError as error:
            refuse(form, error)
        else:
            messages.success(request, _("Saved."))
            return redirect("margin:carrier_invoice", pk)
    return TemplateResponse(request, "voice/margin/carrier_invoice_decide.html", {"form": form, "invoice": row})


@requires("margin.change")
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    row = _invoice(request, pk)
    question = Question(
        _("Drop the file of %(name)s?") % {"name": row.carrier},
        effects=[_("What was compared goes with it. Your own calls and costs stay as they are.")],
        button=_("Drop it"),
        about=row,
    )
    cancel = reverse("margin:carrier_invoice", args=[pk])
    if not is_confirmed(request, question):
        return confirm_page(request, question, cancel=cancel)
    try:
        carrier_checks.remove(row, by=request.actor)
    except ValidationError as error:
        messages.error(request, refusal_words(error))
        return redirect(cancel)
    messages.success(request, _("Dropped."))
    return redirect("margin:carrier_invoices")


def _invoice(request: HttpRequest, pk: int) -> CarrierInvoice:
    rows = CarrierInvoice.objects.defer("content").select_related("carrier")
    return get_object_or_404(rows, pk=pk, msp=request.msp)


def _kinds(row: CarrierInvoice) -> list[dict[str, Any]]:
    told = row.summary.get("kinds", {})
    names = ("calls", "theirs", "ours", "difference")
    return [
        {"kind": kind, "status": status, **dict(zip(names, told.get(kind, (0, 0, 0, 0)), strict=True))}
        for kind, status in KINDS.items()
        if kind != CarrierCall.Kind.DURATION or not row.options.get("totals")
    ]


def _destinations(row: CarrierInvoice) -> list[dict[str, Any]]:
    names = ("name", "calls", "theirs", "ours", "difference")
    return [dict(zip(names, each, strict=True)) for each in row.summary.get("destinations", [])[:SHOWN_DESTINATIONS]]
