"""The MSP's invoice runs: a month from collecting to issuing."""

from functools import partial

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from portal.core.access import requires
from portal.core.models import Job
from portal.ui.confirm import Question, confirm_page, is_confirmed
from portal.ui.forms import refuse
from portal.ui.status import status
from voice.receivables import findings, tasks  # noqa: F401  registers the jobs
from voice.receivables.forms import IssueForm, RunForm
from voice.receivables.models import Invoice, InvoiceRun, RunCustomer, RunFinding
from voice.receivables.pages_runs import (
    RunCustomerList,
    RunList,
    lead_of_customer,
    lead_of_run,
    month_of,
    state_of_customer,
    state_of_run,
    totals_of,
    with_figures,
    with_standing,
)
from voice.receivables.services import runs
from voice.receivables.services.months import is_closed_without_invoice
from voice.selection import nothing_picked, picked, refusal_words


def _run(request: HttpRequest, pk: int) -> InvoiceRun:
    return get_object_or_404(with_figures(InvoiceRun.objects.filter(msp=request.msp)), pk=pk)


def _job(run: InvoiceRun) -> Job | None:
    return Job.objects.filter(pk=run.job_id).first() if run.job_id else None


@requires("bills.view")
def run_list(request: HttpRequest) -> HttpResponse:
    return RunList(request).response()


@requires("bills.change")
def run_new(request: HttpRequest) -> HttpResponse:
    form = RunForm(request.POST or None, today=timezone.localdate())
    if request.method == "POST" and form.is_valid():
        try:
            made = runs.start_run(request.msp, form.cleaned_data["month"], by=request.actor)
        except ValidationError as error:
            refuse(form, error)
        else:
            return redirect("invoices:run", pk=made.pk)
    return TemplateResponse(request, "voice/receivables/run_new.html", {"form": form})


@requires("bills.view")
def run(request: HttpRequest, pk: int) -> HttpResponse:
    row = _run(request, pk)
    job = _job(row) if row.is_working else None
    # A worker that gave up: the sweep takes the run up again, and what is done stays done.
    stopped = job is not None and job.state == Job.State.FAILED
    whole = RunFinding.objects.filter(run=row, customer=None).select_related("customer", "run")
    context = {
        "lead": lead_of_run(row),
        "state": status("attention", word=_("Stopped")) if stopped else state_of_run(row),
        "job": job,
        "stopped": stopped,
        "whole": [findings.told(each) for each in whole],
        "totals": totals_of(row.customers.all()),
        "warnings": runs.open_warnings(row).filter(customer__isnull=False).values("customer").distinct().count(),
        "can_change": request.can("bills.change"),
    }
    return RunCustomerList(request, row, **context).response()


@requires("bills.view")
def progress(request: HttpRequest, pk: int) -> HttpResponse:
    row = _run(request, pk)
    job = _job(row)
    if job is None:
        raise Http404
    response = render(request, "components/job.html", {"job": job, "url": reverse("invoices:run_progress", args=[pk])})
    if not job.is_open:
        response["HX-Refresh"] = "true"
    return response


@requires("bills.view")
def customer(request: HttpRequest, pk: int, customer: int) -> HttpResponse:
    row = _run(request, pk)
    each = get_object_or_404(with_standing(row.customers.all()), pk=customer)
    found = [findings.told(one) for one in each.findings.select_related("customer", "run").order_by("pk")]
    context = {
        "run": row,
        "month": month_of(row),
        "row": each,
        "lead": lead_of_customer(row, each),
        "state": state_of_customer(each),
        "findings": found,
        "is_held": any(one.finding.is_open for one in found),
        "can_change": request.can("bills.change") and not row.is_working,
        "is_less": each.findings.filter(code="again_less").exists(),
        "is_closed": each.state == RunCustomer.State.NOTHING and is_closed_without_invoice(each.tenant, row.begins),
    }
    return TemplateResponse(request, "voice/receivables/run_customer.html", context)


@requires("bills.change")
def open_days(request: HttpRequest, pk: int, customer: int) -> HttpResponse:
    row = _run(request, pk)
    each = get_object_or_404(row.customers.select_related("tenant"), pk=customer)
    question = Question(
        _("Open the days of %(month)s again?") % {"month": month_of(row)},
        effects=[
            _("The contract of %(customer)s can be changed for these days.") % {"customer": each.tenant},
            _("It is not billed for them before the month is collected again."),
        ],
        button=_("Open them"),
    )
    back = reverse("invoices:run_customer", args=[pk, customer])
    if not is_confirmed(request, question):
        return confirm_page(request, question, cancel=back)
    try:
        runs.open_days(each, by=request.actor)
    except ValidationError as error:
        messages.error(request, refusal_words(error))
    return redirect(back)


@require_POST
@requires("bills.change")
def credit_again(request: HttpRequest, pk: int, customer: int) -> HttpResponse:
    row = _run(request, pk)
    each = get_object_or_404(row.customers.select_related("tenant"), pk=customer)
    try:
        made = runs.credit_again(each, by=request.actor)
    except ValidationError as error:
        messages.error(request, refusal_words(error))
        return redirect("invoices:run_customer", pk=pk, customer=customer)
    messages.success(request, _("Drafts of credit notes written. Look at them, approve and issue them."))
    return redirect("invoices:detail", pk=made[0].pk)


@require_POST
@requires("bills.change")
def collect(request: HttpRequest, pk: int) -> HttpResponse:
    row = _run(request, pk)
    try:
        runs.start_run(request.msp, row.begins, by=request.actor)
    except ValidationError as error:
        messages.error(request, refusal_words(error))
    return redirect("invoices:run", pk=pk)


@require_POST
@requires("bills.change")
def tick(request: HttpRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(RunFinding.objects.select_related("run"), pk=pk, msp=request.msp)
    try:
        runs.tick(found, by=request.actor)
    except ValidationError as error:
        messages.error(request, refusal_words(error))
    if found.customer_id:
        return redirect("invoices:run_customer", pk=found.run_id, customer=found.customer_id)
    return redirect("invoices:run", pk=found.run_id)


@require_POST
@requires("bills.change")
def tick_chosen(request: HttpRequest, pk: int) -> HttpResponse:
    row = _run(request, pk)
    chosen = picked(request, partial(RunCustomerList, run=row))  # type: ignore[arg-type]
    if not chosen.ids:
        messages.error(request, nothing_picked())
        return redirect("invoices:run", pk=pk)
    seen = runs.tick_customers(row, chosen.ids, by=request.actor)
    words = ngettext("%(n)d warning was ticked.", "%(n)d warnings were ticked.", seen) % {"n": seen}
    messages.success(request, words) if seen else messages.warning(request, _("There was no warning among them."))
    return redirect("invoices:run", pk=pk)


@require_POST
@requires("bills.change")
def approve(request: HttpRequest, pk: int) -> HttpResponse:
    row = _run(request, pk)
    everything = "all" in request.POST
    chosen = None if everything else picked(request, partial(RunCustomerList, run=row))  # type: ignore[arg-type]
    if chosen is not None and not chosen.ids:
        messages.error(request, nothing_picked())
        return redirect("invoices:run", pk=pk)
    try:
        done, held = runs.approve_customers(row, None if chosen is None else chosen.ids, by=request.actor)
    except ValidationError as error:
        messages.error(request, refusal_words(error))
        return redirect("invoices:run", pk=pk)
    if done:
        messages.success(request, ngettext("%(n)d invoice approved.", "%(n)d invoices approved.", done) % {"n": done})
    if held:
        words = ngettext(
            "%(n)d invoice has a warning that nobody has ticked.",
            "%(n)d invoices have warnings that nobody has ticked.",
            held,
        )
        messages.warning(request, words % {"n": held})
    if not done and not held:
        messages.warning(request, _("There was nothing to approve among them."))
    return redirect("invoices:run", pk=pk)


@requires("bills.change")
def issue(request: HttpRequest, pk: int) -> HttpResponse:
    row = _run(request, pk)
    form = IssueForm(request.POST or None, initial={"on": timezone.localdate()})
    if request.method == "POST" and form.is_valid():
        try:
            runs.start_issuing(row, on=form.cleaned_data["on"], by=request.actor)
        except ValidationError as error:
            refuse(form, error)
        else:
            return redirect("invoices:run", pk=pk)
    approved = row.customers.filter(invoice__state=Invoice.State.APPROVED)
    context = {"form": form, "run": row, "month": month_of(row), "totals": totals_of(approved)}
    return TemplateResponse(request, "voice/receivables/run_issue.html", context)
