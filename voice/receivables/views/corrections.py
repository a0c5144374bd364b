"""The pages by which the MSP writes claims off and takes entries back."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from portal.core.access import requires
from portal.ui.forms import refuse
from voice.receivables import selectors, services
from voice.receivables.forms_corrections import CorrectForm, WriteOffForm
from voice.receivables.models import Entry


@requires("bills.change")
def write_off(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(selectors.invoices().filter(msp=request.msp), pk=pk)
    form = WriteOffForm(request.POST or None, invoice=row)
    if request.method == "POST" and form.is_valid():
        try:
            services.write_off(row, **form.cleaned_data, by=request.actor)
        except ValidationError as error:
            refuse(form, error)
        else:
            messages.success(request, _("Written off."))
            return redirect("invoices:detail", pk=pk)
    return TemplateResponse(request, "voice/receivables/write_off.html", {"form": form, "invoice": row})


@requires("bills.change")
def correct(request: HttpRequest, pk: int) -> HttpResponse:
    entry = get_object_or_404(
        Entry.objects.filter(msp=request.msp, tenant__isnull=False).select_related("tenant"), pk=pk
    )
    form = CorrectForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            services.correct(entry, reason=form.cleaned_data["reason"], by=request.actor)
        except ValidationError as error:
            refuse(form, error)
        else:
            messages.success(request, _("Taken back."))
            return redirect("invoices:profile", pk=entry.tenant_id)
    context = {"form": form, "entry": entry, "amount": selectors.owed_by(entry)}
    return TemplateResponse(request, "voice/receivables/correct.html", context)
