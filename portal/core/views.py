"""A job's page: how far it is, and what came of it. The database decides whose jobs there are."""

import uuid
from http import HTTPStatus

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from . import jobs
from .access import requires
from .models import Job, JobFile

# Jobs of other kinds are named by what they do in the trade's words, from their kind.
TITLES = {
    "export": _("Export"),
    "import": _("Import"),
    "check": _("Check"),
    "store": _("Import"),
    "erase": _("Erasure"),
    "book_sure": _("Booking what is sure"),
}
# The list that a job of an app was asked for from.
LISTS = {
    "calls": ("calls:list", _("Calls")),
    "margin": ("margin:carrier_invoices", _("Carrier invoices")),
    "numbers": ("numbers:list", _("Numbers")),
    "inventory": ("inventory:list", _("Number stock")),
    "payments": ("payments:bank", _("Bank statements")),
    "retention": ("retention:runs", _("What was erased")),
}


@requires("jobs.view")
def job_detail(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Show a job, wherever it stands."""
    job = get_object_or_404(Job, pk=pk)
    list_name, list_label = LISTS.get(job.kind.partition(".")[0], ("", ""))
    facts = {
        "job": job,
        "list_name": list_name,
        "list_label": list_label,
        "title": TITLES.get(job.kind.rsplit(".", 1)[-1], _("Job")),
        "files": job.files.defer("content").order_by("created_at"),
        "url": reverse("jobs:progress", args=[pk]),
        "topic": f"job-{pk}",
    }
    return TemplateResponse(request, "core/job.html", facts)


@requires("jobs.view")
def job_progress(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Answer with the progress alone; the page is asked to load itself again when the job has ended."""
    job = get_object_or_404(Job, pk=pk)
    response = render(request, "components/job.html", {"job": job, "url": reverse("jobs:progress", args=[pk])})
    if not job.is_open:
        response["HX-Refresh"] = "true"
    return response


@requires("jobs.view")
def job_file(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Hand out a file that a job was given or has made, to who asked for it and still is what they were then."""
    file = get_object_or_404(JobFile.objects.select_related("job"), pk=pk, job__state=Job.State.DONE)
    asked, actor = jobs.actor_of(file.job), request.actor  # type: ignore[attr-defined]
    if (asked.user_id, bool(asked.acting_for)) != (actor.user_id, bool(actor.acting_for)):
        raise Http404  # for the eyes of who asked, who may see more; every open page is told the ids of jobs
    if not set(asked.roles) <= set(actor.roles) or actor.token_id not in (None, asked.token_id):
        raise Http404  # it holds what that role saw, such as costs and whole numbers, and a token may do less than that
    response = HttpResponse(bytes(file.content), content_type=file.content_type, status=HTTPStatus.OK)
    # As a download only: what somebody imported must never be shown as a page of ours.
    response.headers["Content-Disposition"] = f'attachment; filename="{_safe(file.name)}"'
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _safe(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in name) or "file"
