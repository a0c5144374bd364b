"""What happens to the stock by itself or in the background."""

from typing import Any

from celery import shared_task
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.core import jobs
from portal.core.models import Job
from portal.db import contexts
from tenants.models import Msp
from voice.exports import write_list
from voice.inventory import imports, services
from voice.inventory.models import StockImport
from voice.inventory.pages import StockList


def _import_of(job: Job) -> StockImport:
    draft = StockImport.objects.filter(pk=job.params["import"], job_id=job.pk).first()
    if draft is None:
        raise ValidationError(_("Another worker has taken this import over."))
    return draft


@jobs.kind("inventory.check", stopped=imports.check_stopped)
def check(job: Job, progress: jobs.Progress) -> dict[str, Any]:
    """Check an import line by line."""
    draft = _import_of(job)
    imports.check_import(draft, progress)
    return {"good": draft.good, "bad": draft.bad}


@jobs.kind("inventory.store", stopped=imports.storing_stopped)
def store(job: Job, progress: jobs.Progress) -> dict[str, Any]:
    """Store a confirmed import."""
    draft = _import_of(job)
    imports.store_import(draft, progress, by=jobs.actor_of(job))
    return {"stored": draft.stored}


@jobs.kind("inventory.export")
def export(job: Job, progress: jobs.Progress) -> dict[str, Any]:
    """Write the stock as CSV."""
    return write_list(StockList, job, progress)


@shared_task(ignore_result=True)
def end_cooling(**_options: Any) -> None:
    """Free the numbers of every MSP whose cooling time is over."""
    now = timezone.now()
    for msp in Msp.objects.order_by("pk"):
        with contexts.msp(msp):
            services.end_cooling(msp, now=now)
