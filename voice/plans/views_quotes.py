"""The MSP's quotes: price, cost and margin of plans side by side; the page to give away has the price only."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from portal.core.access import requires
from portal.core.whole import whole
from portal.ui.confirm import Question, confirm_page, is_confirmed
from portal.ui.forms import refuse
from voice.plans import quoting
from voice.plans.forms_quotes import QuoteForm
from voice.plans.models import Quote
from voice.plans.pages import QuoteList

SECRET = ("cost", "costs", "margin")


def _quote(request: HttpRequest, pk: int) -> Quote:
    return get_object_or_404(Quote.objects.select_related("tenant"), pk=pk, msp=request.msp)


@requires("plans.view")
def quote_list(request: HttpRequest) -> HttpResponse:
    return QuoteList(request).response()


@requires("plans.change")
def quote_new(request: HttpRequest) -> HttpResponse:
    chosen = whole(request.GET.get("customer", ""))
    initial = {"customer": chosen} if chosen else {}
    costs = request.can("costs.view")
    form = QuoteForm(request.POST or None, msp=request.msp, costs=costs, initial=initial)
    if request.method == "POST" and form.is_valid():
        row = Quote(msp=request.msp, title=form.cleaned_data["title"])
        try:
            quoting.save_quote(row, form.assumptions, list(form.cleaned_data["versions"]), by=request.actor)
        except ValidationError as error:
            refuse(form, error)
        else:
            return redirect("plans:quote", pk=row.pk)
    return TemplateResponse(request, "voice/plans/quote_form.html", {"form": form})


@requires("plans.view")
def quote(request: HttpRequest, pk: int) -> HttpResponse:
    row = _quote(request, pk)
    return TemplateResponse(request, "voice/plans/quote.html", _context(request, row, costs=request.can("costs.view")))


@requires("plans.view")
def quote_print(request: HttpRequest, pk: int) -> HttpResponse:
    row = _quote(request, pk)
    return TemplateResponse(request, "voice/plans/quote_print.html", _context(request, row, costs=False))


def _context(request: HttpRequest, row: Quote, *, costs: bool) -> dict[str, Any]:
    answers = [shown(each, costs=costs) for each in row.outcome]
    lowest = min((each["monthly"] for each in answers), default=0)
    for each in answers:
        each["is_lowest"] = len(answers) > 1 and each["monthly"] == lowest
        if each.get("margin") is not None and each["monthly"] > 0:
            each["share"] = each["margin"] / each["monthly"]
    return {
        "quote": row,
        "answers": answers,
        "assumed": row.assumptions,
        "costs": costs,
        "can_change": request.can("plans.change"),
    }


def shown(answer: dict[str, Any], *, costs: bool) -> dict[str, Any]:
    """Return an answer as its reader may see it."""
    return {name: value for name, value in answer.items() if costs or name not in SECRET}


@requires("plans.change")
def quote_remove(request: HttpRequest, pk: int) -> HttpResponse:
    row = _quote(request, pk)
    question = Question(
        _("Throw the quote “%(title)s” away?") % {"title": row.title}, effects=[], button=_("Throw away")
    )
    if not is_confirmed(request, question):
        return confirm_page(request, question, cancel=reverse("plans:quote", args=[pk]))
    quoting.remove_quote(row, by=request.actor)
    messages.success(request, _("Thrown away."))
    return redirect("plans:quotes")
