"""The page that asks before something that cannot be undone; where JavaScript runs it opens as a dialog."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Model
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from portal.core.whole import whole

Words = str | Promise


@dataclass(frozen=True)
class Question:
    """What is asked: a title that is a question, what will happen line by line, and the name to type, if any.

    `about` is the row that it is asked of, where rows of its kind count their changes: what is confirmed is the row as
    the question was asked of it, so that its service refuses what somebody else saved since.
    """

    title: Words
    effects: Sequence[Words] = ()
    button: Words = ""
    type_name: str = ""
    danger: bool = True
    reason: bool = False
    about: Model | None = None


def confirm_page(request: HttpRequest, question: Question, *, cancel: str, error: str = "") -> TemplateResponse:
    """Answer with the question; the form posts to the same address with `confirmed=1`."""
    context = {"question": question, "cancel": cancel, "error": error}
    return TemplateResponse(request, "components/confirm_page.html", context, status=400 if error else 200)


def is_confirmed(request: HttpRequest, question: Question) -> bool:
    """Tell whether the reader has confirmed, with the name typed where the question asks for it."""
    typed, seen = request.POST.get("typed", "").strip(), whole(request.POST.get("row_version", ""))
    if question.about is not None and seen is not None:
        question.about.row_version = seen  # type: ignore[attr-defined]
    return request.method == "POST" and "confirmed" in request.POST and typed == question.type_name


def refusal(request: HttpRequest, question: Question) -> str:
    """Return what to tell a reader who posted the form without typing the name."""
    return _("Type %(name)s to confirm.") % {"name": question.type_name} if request.method == "POST" else ""
