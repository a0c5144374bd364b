"""The itemised calls of an invoice as a file, in the background."""

from functools import partial
from typing import Any

from django.http import HttpRequest

from portal.core import jobs
from portal.core.models import Job
from voice.billing.models import Bill
from voice.calls.masking import Sight
from voice.exports import write_list
from voice.receivables.models import Invoice
from voice.receivables.pages_calls import BilledCallList


@jobs.kind("bills.export")
def export(job: Job, progress: jobs.Progress) -> dict[str, Any]:
    """Write the calls of an invoice, or of one of its lines, with numbers as who asked for them may see them."""
    documents: Any = Bill.objects if job.tenant_id else Invoice.objects
    document = documents.get(pk=job.params["document"])
    page = partial(_page, document, job.params["position"], job.params.get("sight", Sight.SHORT))
    return write_list(page, job, progress)  # type: ignore[arg-type]  # makes such a page


def _page(document: Invoice | Bill, position: int, sight: str, request: HttpRequest) -> BilledCallList:
    request.sight = sight  # type: ignore[attr-defined]
    request.can = frozenset().__contains__  # type: ignore[attr-defined]
    shown = BilledCallList(request, document, position)
    shown.in_file = True
    return shown
