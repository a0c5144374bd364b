"""Long lists as files, written in the background with the search and filters that the page had."""

from typing import Any

from django.http import HttpRequest, QueryDict
from django.utils.timezone import localdate

from portal.core import audit, jobs
from portal.core.models import Job
from portal.ui.export import BYTE_ORDER_MARK, csv_lines
from portal.ui.lists import ListPage
from tenants.models import Customer, Msp

EVERY = 2_000


def write_list(page: type[ListPage], job: Job, progress: jobs.Progress) -> dict[str, Any]:
    """Write the rows that the list's search and filters leave into the job's file, as CSV."""
    request = HttpRequest()
    request.GET = QueryDict(job.params.get("query", ""))
    # The context of the job is its owner's: what it may not see is not there.
    request.tenant = Customer.objects.get(pk=job.tenant_id) if job.tenant_id else None  # type: ignore[attr-defined]
    request.msp = Msp.objects.get(pk=job.msp_id) if job.msp_id else None  # type: ignore[attr-defined]
    shown = page(request)
    columns = [column for column in shown.visible_columns() if column.export]
    total = shown.found.count()
    lines = [BYTE_ORDER_MARK]
    for done, line in enumerate(csv_lines(columns, shown.in_order().iterator(EVERY))):
        lines.append(line)
        if done % EVERY == 0:
            progress(min(done, total), total)
    name = f"{shown.export_name}-{localdate():%Y-%m-%d}.csv"
    file = jobs.attach(job, name, "text/csv; charset=utf-8", "".join(lines).encode())
    audit.record(jobs.actor_of(job), f"{shown.export_name}.exported", rows=total, query=job.params.get("query", ""))
    progress(total, total)
    return {"file": str(file.pk), "rows": total}
