"""The page by which the MSP takes a payment back that it noted itself."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from portal.core.access import requires
from portal.ui.forms import refuse
from voice.payments.forms_by_hand import TakeBackForm
from voice.payments.services import by_hand
from voice.receivables import selectors
from voice.receivables.models import Payment


@requires("payments.change")
def take_back(request: HttpRequest, pk: int) -> HttpResponse:
    found = Payment.objects.filter(msp=request.msp).select_related("tenant", "entity")
    payment = get_object_or_404(found, pk=pk)
    form = TakeBackForm(request.POST or None, payment=payment, kept=selectors.kept_of(payment))
    if request.method == "POST" and form.is_valid():
        try:
            by_hand.take_back(payment, **form.cleaned_data, by=request.actor)
        except ValidationError as error:
            refuse(form, error)
        else:
            messages.success(request, _("Booked. What it had paid is open again."))
            return redirect("payments:payment", pk=payment.pk)
    return TemplateResponse(request, "voice/payments/take_back.html", {"form": form, "payment": payment})
