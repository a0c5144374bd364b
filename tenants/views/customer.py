"""The customer's own settings."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.core.access import requires
from tenants import services
from tenants.countries import country_name


class PrivacyForm(forms.Form):
    """How much of telephone numbers others see in lists of calls."""

    hide_numbers = forms.BooleanField(
        label=gettext_lazy("Hide the last 3 digits of numbers in call lists"),
        required=False,
        help_text=gettext_lazy(
            "From billing contacts and from your provider, too. Administrators and voice managers see whole numbers."
        ),
    )


@requires("settings.view")
def company(request: HttpRequest) -> HttpResponse:
    """Show what the MSP has set for this customer."""
    customer = request.tenant
    context = {
        "customer": customer,
        "names": customer.customer_regions.order_by("fqdn"),
        "country": country_name(customer.country),
        "may_change": request.can("settings.change"),
    }
    return TemplateResponse(request, "tenants/company.html", context)


@requires("settings.change")
def privacy(request: HttpRequest) -> HttpResponse:
    """Let the customer say who sees whole numbers."""
    customer = request.tenant
    # An unticked box posts nothing: an empty form is an answer.
    answer = request.POST if request.method == "POST" else None
    form = PrivacyForm(answer, initial={"hide_numbers": customer.hide_numbers})
    if form.is_valid():
        services.hide_numbers(customer, hide=form.cleaned_data["hide_numbers"], by=request.actor)
        messages.success(request, _("Saved. It holds for every list from now on."))
        return redirect("settings:company")
    return TemplateResponse(request, "tenants/privacy.html", {"form": form})
