"""What happens to numbers in the background."""

from typing import Any

from portal.core import jobs
from portal.core.models import Job
from voice.exports import write_list
from voice.numbers.pages import NumberList


@jobs.kind("numbers.export")
def export(job: Job, progress: jobs.Progress) -> dict[str, Any]:
    """Write the customer's numbers as CSV."""
    return write_list(NumberList, job, progress)
