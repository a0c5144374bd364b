"""The tabs that a customer's pages of money share: each where its page exists, whoever offers it."""

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from portal.ui.navigation import page_url
from portal.ui.parts import Tab

PAGES = (
    (_("Bills"), "bills:list"),
    (_("Usage"), "usage:list"),
    (_("Balance and limits"), "account:home"),
    (_("Your plan"), "plan:home"),
    (_("Payments"), "pay:payments"),
    (_("Statement of account"), "pay:statement"),
    (_("Your questions"), "bills:questions"),
)


def money_tabs(request: HttpRequest, here: str) -> list[Tab]:
    """Return the tabs, as seen from the page of this name."""
    return [Tab(label, url, name == here) for label, name in PAGES if (url := page_url(name, request))]
