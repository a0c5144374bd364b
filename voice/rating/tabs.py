"""The tabs that the MSP's pages of prices share: each where its page exists, whoever offers it."""

from django.http import HttpRequest
from django.utils.translation import gettext as _

from portal.ui.navigation import page_url
from portal.ui.parts import Tab


def rating_tabs(request: HttpRequest, current: str) -> list[Tab]:
    """Return the tabs of decks, unrated calls, decisions and rating again; `current` is the name of the page."""
    named = [
        ("decks:list", _("Decks")), ("unrated:list", _("Unrated calls")), ("rerating:decisions", _("Decisions")),
        ("rerating:list", _("Rating again")),
    ]  # fmt: skip
    found = [(name, label, page_url(name, request)) for name, label in named]
    return [Tab(label, url, name == current) for name, label, url in found if url]
