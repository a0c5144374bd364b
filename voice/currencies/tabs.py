"""The pages of what invoices rest on: the MSP's companies, the tax table and the exchange rates."""

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from portal.ui.navigation import page_url
from portal.ui.parts import Tab

PAGES = (
    (_("Your companies"), "invoices:entities"),
    (_("Taxes"), "invoices:taxes"),
    (_("Exchange rates"), "currencies:list"),
)


def tabs(request: HttpRequest, here: str) -> list[Tab]:
    """Return the tabs, as seen from one of these pages."""
    return [Tab(label, url, name == here) for label, name in PAGES if (url := page_url(name, request))]
