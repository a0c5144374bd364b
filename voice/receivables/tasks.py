"""What happens to invoices by itself, and the background's part of invoice runs."""

from collections.abc import Iterable
from typing import Any

from celery import shared_task
from django.utils.timezone import now

from portal.core import jobs
from portal.core.audit import Actor
from portal.core.models import Job
from portal.db import contexts
from tenants.models import Msp
from voice.receivables import exports, services  # noqa: F401  registers a job
from voice.receivables.models import Invoice, InvoiceRun
from voice.receivables.services import follow, notices, runs

# So many documents are one task: several workers share a run's files.
FILES_AT_ONCE = 20


@jobs.kind("invoices.collect")
def collect(job: Job, progress: jobs.Progress) -> dict[str, Any]:
    """Collect the month of a run."""
    run = InvoiceRun.objects.select_related("msp").get(pk=job.params["run"])
    runs.collect(run, progress)
    return {"run": run.pk}


@jobs.kind("invoices.issue")
def issue(job: Job, progress: jobs.Progress) -> dict[str, Any]:
    """Issue the approved invoices of a run, then have their files made."""
    run = InvoiceRun.objects.select_related("msp").get(pk=job.params["run"])
    runs.issue_approved(run, progress)
    _make_files(services.without_files())
    return {"run": run.pk}


def _make_files(invoices: Iterable[int]) -> None:
    ids = list(invoices)
    for first in range(0, len(ids), FILES_AT_ONCE):
        store_files_of.delay(ids[first : first + FILES_AT_ONCE])


@shared_task(ignore_result=True)
def store_files_of(ids: list[int], **_: Any) -> None:
    """Store the files of these issued documents in the context of whoever asks, then tell whom they are for."""
    for invoice in Invoice.objects.issued().filter(pk__in=ids).select_related("corrects").order_by("pk"):
        services.store_files(invoice)
    notices.send_notices(ids)


@shared_task(ignore_result=True)
def store_files(**_: Any) -> None:
    """Make good what issued invoices lack: files, where whoever issued them died first; what is of early days."""
    for msp in Msp.objects.order_by("pk"):
        with contexts.msp(msp):
            services.store_missing_files()
            services.keep_missing_copies(msp)
            services.note_missing_months(msp, now().date())


@shared_task(ignore_result=True)
def take_up_runs(**_: Any) -> None:
    """Go on with invoice runs whose worker is gone."""
    for msp in Msp.objects.order_by("pk"):
        with contexts.msp(msp):
            runs.take_up_runs(msp, now())


@shared_task(ignore_result=True)
def follow_decks(**_: Any) -> None:
    """Let accounts go on in the currency of the deck that prices their calls."""
    for msp in Msp.objects.order_by("pk"):
        with contexts.msp(msp):
            follow.follow_decks(msp, now(), by=Actor.system("accounts"))


@shared_task(ignore_result=True)
def send_notices(**_: Any) -> None:
    """Send the mails about bills that wait."""
    for msp in Msp.objects.order_by("pk"):
        with contexts.msp(msp):
            notices.send_notices()
