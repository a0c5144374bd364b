"""The tabs that the MSP's pages of carriers share."""

from django.http import HttpRequest
from django.utils.translation import gettext as _

from portal.ui.navigation import page_url
from portal.ui.parts import Tab


def carrier_tabs(request: HttpRequest, current: str) -> list[Tab]:
    """Return carriers, trunks, emergency trunks and the block list; `current` is the name of the page."""
    named = [
        ("carriers:list", _("Carriers")), ("carriers:trunks", _("Trunks")),
        ("carriers:emergency", _("Emergency trunks")), ("carriers:blocked", _("Block list")),
    ]  # fmt: skip
    return [Tab(label, page_url(name, request), name == current) for name, label in named]
