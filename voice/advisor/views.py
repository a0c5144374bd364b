"""The MSP's pages of the connectivity advisor."""

from collections.abc import Callable
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
from voice.advisor import pages, selectors, services
from voice.advisor.forms import AssessmentForm, AssumptionsForm, GroupFormSet
from voice.advisor.models import Assessment
from voice.advisor.services import GROUP
from voice.advisor.ways import NEEDS

Store = Callable[[dict[str, Any]], None]


def _assessment(request: HttpRequest, pk: int) -> Assessment:
    return get_object_or_404(selectors.assessments(request.msp), pk=pk)


@requires("advice.view")
def assessment_list(request: HttpRequest) -> HttpResponse:
    return pages.AssessmentList(request).response()


@requires("advice.view")
def assessment(request: HttpRequest, pk: int) -> HttpResponse:
    row = _assessment(request, pk)
    # What is printed for the customer has no cost and no margin in it.
    with_costs = request.GET.get("for") != "customer"
    advice, values = selectors.advice_for(row), selectors.values_of(row)
    context = {
        "assessment": row,
        "advice": advice,
        "cards": pages.cards(advice, row),
        "best_name": pages.best_name(advice),
        "groups": row.groups.order_by("position"),
        "needs": [words for need, words in NEEDS.items() if need in row.needs],
        "assumed": pages.assumed(values, row.currency, with_costs=with_costs),
        "with_costs": with_costs,
        "can_change": request.can("advice.change"),
    }
    return TemplateResponse(request, "voice/advisor/assessment.html", context)


@requires("advice.change")
def assessment_edit(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    row = _assessment(request, pk) if pk is not None else selectors.new_assessment(request.msp)
    form = AssessmentForm(request.POST or None, instance=row, msp=request.msp)
    stored = list(row.groups.order_by("position").values(*GROUP)) if pk is not None else []
    posted = _with_more(request) if request.method == "POST" else None
    rows = GroupFormSet(posted, prefix="group", initial=stored, form_kwargs={"home": _home(request)})
    rows.extra = 0 if stored else 1
    if request.method == "POST" and request.POST.get("then") != "more" and form.is_valid() & rows.is_valid():
        told = [part for part in rows.cleaned_data if part and not part.get("DELETE")]
        try:
            saved = services.save_assessment(form.instance, told, by=request.actor)
        except ValidationError as error:
            refuse(form, error)
        else:
            return redirect("advisor:detail", pk=saved.pk)
    context = {"form": form, "rows": rows, "assessment": row}
    return TemplateResponse(request, "voice/advisor/assessment_form.html", context)


@requires("advice.change")
def assumptions(request: HttpRequest, pk: int) -> HttpResponse:
    row = _assessment(request, pk)
    form = AssumptionsForm(request.POST or None, values=selectors.values_of(row), row_version=row.row_version)

    def store(values: dict[str, Any]) -> None:
        row.row_version = form.cleaned_data["row_version"] or row.row_version
        services.assume(row, values, by=request.actor)

    return _assumptions(request, form, store, {"assessment": row}, reverse("advisor:detail", args=[pk]))


@requires("advice.change")
def first_values(request: HttpRequest) -> HttpResponse:
    first = selectors.first_values(request.msp)
    values = selectors.known(first.assumptions)
    form = AssumptionsForm(request.POST or None, values=values, row_version=first.row_version)

    def store(values: dict[str, Any]) -> None:
        first.row_version = form.cleaned_data["row_version"] or first.row_version
        services.save_first_values(first, values, by=request.actor)

    return _assumptions(request, form, store, {}, reverse("advisor:list"))


@requires("advice.change")
def assessment_delete(request: HttpRequest, pk: int) -> HttpResponse:
    row = _assessment(request, pk)
    question = Question(
        _("Throw away the question about %(name)s?") % {"name": row.name},
        effects=[_("Its assumptions and its answer are gone.")],
        button=_("Throw away"),
        about=row,
    )
    if not is_confirmed(request, question):
        return confirm_page(request, question, cancel=reverse("advisor:detail", args=[pk]))
    try:
        services.delete_assessment(row, by=request.actor)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("advisor:detail", pk=pk)
    messages.success(request, _("Thrown away."))
    return redirect("advisor:list")


def _assumptions(
    request: HttpRequest, form: AssumptionsForm, store: Store, facts: dict[str, Any], back: str
) -> HttpResponse:
    if request.method == "POST" and form.is_valid():
        try:
            store(form.values())
        except ValidationError as error:
            refuse(form, error)
        else:
            messages.success(request, _("Saved. Everything is worked out with these figures now."))
            return redirect(back)
    return TemplateResponse(request, "voice/advisor/assumptions.html", {"form": form, "back": back, **facts})


def _home(request: HttpRequest) -> str:
    """Return the country that most of the MSP's customers are in."""
    countries = [customer.country for customer in request.msp.customers.all()[:200]]
    return max(set(countries), key=countries.count) if countries else "DE"


def _with_more(request: HttpRequest) -> Any:
    """Return what was posted, with one more empty row where the button for it was pressed."""
    data = request.POST.copy()
    total = whole(data.get("group-TOTAL_FORMS", ""))
    if data.get("then") == "more" and total is not None:
        data["group-TOTAL_FORMS"] = str(min(total + 1, services.MOST_GROUPS))
    return data
