"""The export of many calls, in the background."""

import re
from typing import Any

from django.http import HttpRequest, QueryDict
from django.utils.timezone import localdate
from django.utils.translation import gettext as _

from portal.core import audit, jobs
from portal.core.models import Job
from portal.ui.export import BYTE_ORDER_MARK, csv_lines
from tenants.models import Customer, Msp
from voice.calls.lists import CallList
from voice.calls.masking import Sight, without

DIGITS = re.compile(r"[0-9]")
MOST = 1_000_000


@jobs.kind("calls.export")
def export_calls(job: Job, progress: jobs.Progress) -> dict[str, Any]:
    """Write the calls that the list's filters leave into a file, as CSV."""
    request = HttpRequest()
    request.GET = QueryDict(job.params.get("query", ""))
    # The context of the job is its owner's: what it may not see is not there.
    request.tenant = Customer.objects.get(pk=job.tenant_id) if job.tenant_id else None  # type: ignore[attr-defined]
    request.msp = Msp.objects.get(pk=job.msp_id) if job.msp_id else None  # type: ignore[attr-defined]
    request.can = frozenset(job.params.get("may", ())).__contains__  # type: ignore[attr-defined]
    request.sight = job.params.get("sight", Sight.SHORT)  # type: ignore[attr-defined]
    calls = CallList(request)
    calls.in_file = True
    found = calls.found.order_by("-invited", "id")[:MOST]
    total = found.count()
    lines = [BYTE_ORDER_MARK]
    columns = [column for column in calls.visible_columns() if column.export]
    progress(0, total, _("Writing the calls"))
    for done, line in enumerate(csv_lines(columns, found.iterator(chunk_size=2000))):
        lines.append(line)
        if done % 2000 == 0:
            progress(min(done, total), total)
    name = f"calls-{localdate():%Y-%m-%d}.csv"
    file = jobs.attach(job, name, "text/csv; charset=utf-8", "".join(lines).encode())
    # Whoever reads the audit log need not learn which number was looked for.
    query = job.params.get("query", "")
    query = without(query, ["".join(DIGITS.findall(request.GET.get("q", "")))])
    audit.record(jobs.actor_of(job), "calls.exported", None, calls=total, query=query)
    progress(total, total)
    return {"file": str(file.pk), "calls": total}
