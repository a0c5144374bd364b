"""What margins do in the background."""

from datetime import UTC
from functools import partial
from typing import Any

from celery import shared_task
from django.utils.timezone import now
from django.utils.translation import gettext as _

from portal.core import jobs
from portal.core.models import Job
from portal.db import contexts
from tenants.models import Msp
from voice.exports import write_list
from voice.margin import carrier_checks, expecting
from voice.margin.models import CarrierInvoice
from voice.margin.pages_carriers import CarrierCallList


def _check_stopped(job: Job) -> None:
    words = _("The file could not be compared to its end. Try it once more.")
    stuck = CarrierInvoice.objects.filter(job_id=job.pk, stage=CarrierInvoice.Stage.CHECKING)
    stuck.update(stage=CarrierInvoice.Stage.FAILED, message=words)


@jobs.kind("margin.check", stopped=_check_stopped)
def check(job: Job, progress: jobs.Progress) -> dict[str, Any]:
    """Read a carrier's file and compare it with our costs."""
    invoice = CarrierInvoice.objects.select_related("carrier").get(pk=job.params["invoice"])
    carrier_checks.check(invoice, progress)
    return {"lines": invoice.total, "bad": invoice.bad}


@jobs.kind("margin.export")
def export(job: Job, progress: jobs.Progress) -> dict[str, Any]:
    """Write the calls of a carrier's invoice as CSV."""
    invoice = CarrierInvoice.objects.defer("content").select_related("carrier").get(pk=job.params["invoice"])
    page: Any = partial(CarrierCallList, invoice=invoice, sight=job.params["sight"])
    return write_list(page, job, progress)


@shared_task(ignore_result=True)
def expect(**_: Any) -> None:
    """Work out what each MSP's months without an invoice are expected to bring."""
    for msp in Msp.objects.order_by("pk"):
        with contexts.msp(msp):
            expecting.work_out(msp, now().astimezone(UTC).date())
