"""Bulk actions: which rows of a list somebody picked, and carrying the choice through a form."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext as _

from portal.core.whole import whole
from portal.ui.lists import ListPage

MOST = 100_000


@dataclass(frozen=True)
class Selection:
    """The picked rows, and the fields that pick them again when the next form is posted."""

    ids: Sequence[int]
    hidden: Sequence[tuple[str, str]]

    def __len__(self) -> int:
        return len(self.ids)


def picked(request: HttpRequest, page: type[ListPage]) -> Selection:
    """Return the rows that the posted list names: ticked ones, or everything that its search and filters match."""
    if request.POST.get("every"):
        query = request.POST.get("query", "")
        request.GET = QueryDict(query)
        ids = list(page(request).found.values_list("pk", flat=True)[:MOST])
        return Selection(ids, [("every", "1"), ("query", query)])
    chosen = [pk for text in request.POST.getlist("pick") if (pk := whole(text)) is not None]
    return Selection(chosen, [("pick", str(pk)) for pk in chosen])


def refusal_words(error: ValidationError) -> str:
    """Return a service's refusal as one text for a message."""
    return " ".join(error.messages)


def nothing_picked() -> str:
    """Return what to say when no row was ticked."""
    return _("Tick at least one row first.")
