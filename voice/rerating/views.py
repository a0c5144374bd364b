"""The MSP's pages of rating again."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from portal.core.access import requires
from portal.core.models import Job
from portal.ui.confirm import Question, confirm_page, is_confirmed
from portal.ui.forms import refuse
from voice.calls.masking import hidden_in
from voice.calls.models import Cdr
from voice.rating.prices import sight_of_call
from voice.rerating import selectors, services, tasks  # noqa: F401  registers the jobs
from voice.rerating.explaining import compared
from voice.rerating.forms import ApplyForm, ProposalForm
from voice.rerating.models import Line, Proposal, ProposalSum, Side
from voice.rerating.pages import CallList, ProposalList, SumList, difference, signed, state_of
from voice.selection import refusal_words

State = Proposal.State
# A worker that rates says that it is there far more often than this; one that posts does it within this.
SILENT = timedelta(minutes=5)


def _proposal(request: HttpRequest, pk: int) -> Proposal:
    return get_object_or_404(selectors.proposals(request.msp), pk=pk)


def _line(request: HttpRequest, pk: int, number: int) -> ProposalSum:
    lines = ProposalSum.objects.filter(msp=request.msp).select_related(
        "tenant", "proposal__sell_version", "proposal__buy_version"
    )
    found = get_object_or_404(lines, proposal=pk, number=number)
    if found.side == Side.BUY and not request.can("costs.view"):
        raise Http404
    return found


@requires("rates.view")
def proposal_list(request: HttpRequest) -> HttpResponse:
    return ProposalList(request).response()


@requires("rates.change")
def new(request: HttpRequest) -> HttpResponse:
    form = ProposalForm(request.POST or None, msp=request.msp, costs=request.can("costs.view"))
    if request.method == "POST" and form.is_valid():
        try:
            made = services.propose(form.proposal(), by=request.actor)
        except ValidationError as error:
            refuse(form, _renamed(error))
        else:
            return redirect("rerating:detail", pk=made.pk)
    return TemplateResponse(request, "voice/rerating/new.html", {"form": form})


def _renamed(error: ValidationError) -> ValidationError:
    """Return a refusal under the names of the form's fields."""
    if not hasattr(error, "error_dict"):
        return error
    names = {"begins": "first", "ends": "last"}
    return ValidationError({names.get(name, name): errors for name, errors in error.error_dict.items()})


@requires("rates.view")
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    row = _proposal(request, pk)
    working = row.state in (State.RATING, State.APPLYING)
    job = Job.objects.filter(pk=row.job_id).first() if working and row.job_id else None
    totals = [
        {**each, "label": Side(each["side"]).label,
         "difference": signed(each["micros"] - each["was_micros"], each["currency"])}
        for each in row.totals
        if each["side"] == Side.SELL or request.can("costs.view")
    ]  # fmt: skip
    context = {
        "state": state_of(row),
        "working": working,
        "job": job,
        "silent": working and (job is None or now() - job.updated_at > SILENT),
        "totals": totals,
        "bys": selectors.bys_of(row, costs=request.can("costs.view")),
        "customers": selectors.customers_of(row),
        "can_change": request.can("rates.change"),
        "moves": row.changed + row.priced,
    }
    response = SumList(request, row, **context).response()
    if request.htmx and not working and request.htmx.target != "list":
        # The page polls its progress; at the end its state and what was found have to come, too.
        response["HX-Refresh"] = "true"
    return response


@requires("rates.view")
def calls(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    return CallList(request, _line(request, pk, number)).response()


@requires("rates.view")
def call(request: HttpRequest, pk: int, number: int, key: UUID) -> HttpResponse:
    line = _line(request, pk, number)
    row = Line.objects.filter(proposal=line.proposal_id, number=number, id=key).first()
    if row is None:
        raise Http404
    record = Cdr.objects.filter(tenant_id=row.tenant_id, invited=row.invited, id=row.id)
    seen = record.shown_to(hidden_in(request)).first()
    whole = record.first()
    both = compared(line, row, whole, sight_of_call(seen)) if whole is not None and seen is not None else None
    context: dict[str, Any] = {
        "line": line,
        "proposal": line.proposal,
        "call": seen,
        "both": both,
        "difference": difference(row.was_micros, line.was_currency, row.micros, line.currency),
    }
    return TemplateResponse(request, "voice/rerating/call.html", context)


@requires("rates.change")
def apply(request: HttpRequest, pk: int) -> HttpResponse:
    row = _proposal(request, pk)
    form = ApplyForm(request.POST or None, initial={"round": row.round})
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            services.ask_to_apply(row, round=given["round"], reason=given["reason"], by=request.actor)
        except ValidationError as error:
            refuse(form, error)
        else:
            return redirect("rerating:detail", pk=pk)
    costs = request.can("costs.view")
    told = [
        (Side(each["side"]).label, signed(each["micros"] - each["was_micros"], each["currency"]))
        for each in row.totals
        if each["side"] == Side.SELL or costs
    ]
    context = {"form": form, "proposal": row, "told": told, "moves": row.changed + row.priced}
    return TemplateResponse(request, "voice/rerating/apply.html", context)


@require_POST
@requires("rates.change")
def again(request: HttpRequest, pk: int) -> HttpResponse:
    try:
        services.rate_again(_proposal(request, pk), by=request.actor)
    except ValidationError as error:
        messages.error(request, refusal_words(error))
    return redirect("rerating:detail", pk=pk)


@requires("rates.change")
def discard(request: HttpRequest, pk: int) -> HttpResponse:
    row = _proposal(request, pk)
    question = Question(
        _("Discard this proposal?"),
        [_("Nothing of it was posted, and nothing will be."), _("Its calls are dropped; what it came to stays.")],
        _("Discard"),
    )
    if not is_confirmed(request, question):
        return confirm_page(request, question, cancel=reverse("rerating:detail", args=[pk]))
    try:
        services.discard(row, by=request.actor)
    except ValidationError as error:
        messages.error(request, refusal_words(error))
    else:
        messages.success(request, _("Proposal discarded."))
    return redirect("rerating:detail", pk=pk)
