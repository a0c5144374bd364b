"""The pages beside the MSP's invoices: how they are made, what is asked about them, and what they rest on."""

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from portal.ui.navigation import page_url
from portal.ui.parts import Tab

PAGES = (
    (_("Invoices"), "invoices:list"),
    (_("Runs"), "invoices:runs"),
    (_("Questions"), "invoices:questions"),
    (_("How customers are billed"), "invoices:profiles"),
    (_("Your companies"), "invoices:entities"),
    (_("Taxes"), "invoices:taxes"),
    (_("Exchange rates"), "currencies:list"),
)


def tabs(request: HttpRequest, here: str) -> list[Tab]:
    """Return the tabs, as seen from one of these pages, of those that there are."""
    return [Tab(label, url, name == here) for label, name in PAGES if (url := page_url(name, request))]
