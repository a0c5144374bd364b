"""The panel at the right of a list, in which one of its things is changed without leaving the list.

A page whose list has one includes `components/list_panel.html`. The rows' links then open there what the thing's own
view answers when `asked_for`, and `saved` is its answer when all is well.
"""

from typing import Any

from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.functional import Promise

from portal.ui.cursor import Page
from portal.ui.lists import ListPage

BODY = "list-panel-body"


def asked_for(request: HttpRequest) -> bool:
    """Tell whether the answer goes into the list's panel."""
    return getattr(getattr(request, "htmx", None), "target", None) == BODY


def saved(page: ListPage, row: Any, words: str | Promise) -> TemplateResponse:
    """Answer with the row as the list shows it now, and with what to say of it."""
    page.page = Page([row], "", "")
    return TemplateResponse(page.request, "components/list_panel_saved.html", {"list": page, "words": words})
