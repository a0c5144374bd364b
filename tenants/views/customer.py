"""The customer's own settings."""

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from portal.core.access import requires
from tenants.countries import country_name


@requires("settings.view")
def company(request: HttpRequest) -> HttpResponse:
    """Show what the MSP has set for this customer."""
    customer = request.tenant
    context = {
        "customer": customer,
        "names": customer.customer_regions.order_by("fqdn"),
        "country": country_name(customer.country),
    }
    return TemplateResponse(request, "tenants/company.html", context)
