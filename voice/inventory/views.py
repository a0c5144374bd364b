"""The MSP's number stock: list, one number, imports, reserving and closing."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from portal.core.access import requires
from portal.core.models import Job
from portal.ui.confirm import Question, is_confirmed
from portal.ui.forms import refuse
from portal.ui.parts import Event
from tenants.countries import country_name
from voice.inventory import imports, services, tasks  # noqa: F401  registers the jobs
from voice.inventory.forms import ImportForm, ReserveForm, StockNumberForm
from voice.inventory.models import StockImport, StockNumber
from voice.inventory.pages import ImportErrors, StockList, state_of
from voice.selection import nothing_picked, picked, refusal_words


@requires("stock.view")
def stock_list(request: HttpRequest) -> HttpResponse:
    return StockList(request).response()


@requires("stock.view")
def number(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(StockNumber.objects.select_related("tenant", "carrier"), pk=pk, msp=request.msp)
    form = StockNumberForm(request.POST or None, instance=row)
    if request.method == "POST" and request.can("stock.change") and form.is_valid():
        try:
            services.save_stock_number(row, by=request.actor)
        except ValidationError as error:
            refuse(form, error)
        else:
            messages.success(request, _("Saved."))
            return redirect("inventory:number", pk=pk)
    context = {
        "number": row,
        "country": country_name(row.country),
        "form": form,
        "state": state_of(row),
        "holders": _holders(row),
        "can_change": request.can("stock.change"),
    }
    return TemplateResponse(request, "voice/inventory/number.html", context)


def _holders(row: StockNumber) -> list[Event]:
    events = [Event(row.created_at, _("Came into the stock"), icon="hash")]
    for held in row.allocations.select_related("tenant").order_by("since"):
        events.append(
            Event(held.since, _("Given to %(customer)s") % {"customer": held.tenant}, icon="user-plus", tone="good")
        )
        if held.until:
            events.append(
                Event(held.until, _("Taken back from %(customer)s") % {"customer": held.tenant}, icon="arrow-back-up")
            )
    return events[::-1]


@requires("stock.change")
def start_import(request: HttpRequest) -> HttpResponse:
    form = ImportForm(request.POST or None, request.FILES or None, msp=request.msp)
    if request.method == "POST" and form.is_valid():
        try:
            draft = imports.start_import(form.draft(), by=request.actor)
        except ValidationError as error:
            refuse(form, error)
        else:
            return redirect("inventory:import_detail", pk=draft.pk)
    recent = StockImport.objects.filter(msp=request.msp).defer("content").order_by("-pk")[:5]
    return TemplateResponse(request, "voice/inventory/import_new.html", {"form": form, "recent": recent})


@requires("stock.view")
def import_detail(request: HttpRequest, pk: int) -> HttpResponse:
    draft = get_object_or_404(StockImport.objects.defer("content"), pk=pk, msp=request.msp)
    job = Job.objects.filter(pk=draft.job_id).first() if draft.job_id else None
    working = draft.state in (StockImport.State.CHECKING, StockImport.State.IMPORTING)
    context = {"job": job, "working": working, "can_change": request.can("stock.change")}
    response = ImportErrors(request, draft, **context).response()
    if request.htmx and not working and request.htmx.target != "list":
        # The page polls its progress; at the end the list of errors below has to come, too.
        response["HX-Refresh"] = "true"
    return response


@require_POST
@requires("stock.change")
def confirm_import(request: HttpRequest, pk: int) -> HttpResponse:
    draft = get_object_or_404(StockImport, pk=pk, msp=request.msp)
    try:
        imports.confirm_import(draft, by=request.actor)
    except ValidationError as error:
        messages.error(request, refusal_words(error))
    return redirect("inventory:import_detail", pk=pk)


@require_POST
@requires("stock.change")
def check_again(request: HttpRequest, pk: int) -> HttpResponse:
    draft = get_object_or_404(StockImport.objects.defer("content"), pk=pk, msp=request.msp)
    try:
        imports.check_again(draft, by=request.actor)
    except ValidationError as error:
        messages.error(request, refusal_words(error))
    return redirect("inventory:import_detail", pk=pk)


@require_POST
@requires("stock.change")
def cancel_import(request: HttpRequest, pk: int) -> HttpResponse:
    draft = get_object_or_404(StockImport, pk=pk, msp=request.msp)
    try:
        imports.cancel_import(draft, by=request.actor)
    except ValidationError as error:
        messages.error(request, refusal_words(error))
    else:
        messages.success(request, _("Import dropped. Nothing reached the stock."))
    return redirect("inventory:import")


@require_POST
@requires("stock.change")
def reserve(request: HttpRequest) -> HttpResponse:
    chosen = picked(request, StockList)
    if not chosen:
        messages.error(request, nothing_picked())
        return redirect("inventory:list")
    form = ReserveForm(request.POST if "confirmed" in request.POST else None, msp=request.msp)
    if form.is_bound and form.is_valid():
        try:
            count = services.reserve(
                chosen.ids, msp=request.msp, customer=form.cleaned_data["customer"], by=request.actor
            )
        except ValidationError as error:
            refuse(form, error)
        else:
            messages.success(request, ngettext("%d number reserved.", "%d numbers reserved.", count) % count)
            return redirect("inventory:list")
    context = {"form": form, "chosen": chosen, "title": _("Reserve numbers"), "submit": _("Reserve")}
    return TemplateResponse(request, "voice/inventory/bulk.html", context)


@require_POST
@requires("stock.change")
def unreserve(request: HttpRequest) -> HttpResponse:
    try:
        count = services.unreserve(picked(request, StockList).ids, msp=request.msp, by=request.actor)
    except ValidationError as error:
        messages.error(request, refusal_words(error))
    else:
        messages.success(request, ngettext("%d number is free again.", "%d numbers are free again.", count) % count)
    return redirect("inventory:list")


@require_POST
@requires("stock.change")
def close(request: HttpRequest) -> HttpResponse:
    chosen = picked(request, StockList)
    question = Question(
        title=ngettext("Close %d number?", "Close %d numbers?", len(chosen)) % len(chosen),
        effects=[_("Closed numbers leave the stock for good, for example because they went back to the carrier.")],
        button=_("Close"),
    )
    if not is_confirmed(request, question):
        context = {"chosen": chosen, "title": question.title, "submit": question.button, "effects": question.effects}
        return TemplateResponse(request, "voice/inventory/bulk.html", context)
    try:
        count = services.close_numbers(chosen.ids, msp=request.msp, by=request.actor)
    except ValidationError as error:
        messages.error(request, refusal_words(error))
    else:
        messages.success(request, ngettext("%d number closed.", "%d numbers closed.", count) % count)
    return redirect("inventory:list")
