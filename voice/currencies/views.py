"""The MSP's exchange rates."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal.core.access import requires
from portal.ui.forms import refuse
from voice.currencies import services
from voice.currencies.ecb import MOST_BYTES
from voice.currencies.forms import ImportForm, RateForm
from voice.currencies.models import ExchangeRate
from voice.currencies.pages import RateList


@requires("bills.view")
def rate_list(request: HttpRequest) -> HttpResponse:
    return RateList(request).response()


@requires("bills.change")
def rate_new(request: HttpRequest) -> HttpResponse:
    rate = ExchangeRate(msp=request.msp, day=timezone.localdate(), base="EUR")
    form = RateForm(request.POST or None, instance=rate)
    if request.method == "POST" and form.is_valid():
        try:
            services.add_rate(rate, by=request.actor)
        except ValidationError as error:
            refuse(form, error)
        else:
            messages.success(request, _("Rate added."))
            return redirect("currencies:list")
    return TemplateResponse(request, "voice/currencies/new.html", {"form": form})


@requires("bills.change")
def rate_import(request: HttpRequest) -> HttpResponse:
    form = ImportForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            if file:
                added = services.import_file(request.msp, file.read(MOST_BYTES + 1), by=request.actor)
            else:
                added = services.import_latest(request.msp, by=request.actor)
        except ValidationError as error:
            refuse(form, error)
        else:
            words = ngettext("%(n)d rate added.", "%(n)d rates added.", added) % {"n": added}
            messages.success(request, words if added else _("All of these rates are here already."))
            return redirect("currencies:list")
    return TemplateResponse(request, "voice/currencies/import.html", {"form": form})
