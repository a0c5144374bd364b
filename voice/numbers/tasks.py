"""What happens to numbers in the background."""

from typing import Any

from celery import shared_task

from portal.core import jobs
from portal.core.audit import Actor
from portal.core.models import Job
from voice.exports import write_list
from voice.numbers import closing
from voice.numbers.pages import NumberList


@jobs.kind("numbers.export")
def export(job: Job, progress: jobs.Progress) -> dict[str, Any]:
    """Write the customer's numbers as CSV."""
    return write_list(NumberList, job, progress)


@shared_task(ignore_result=True)
def take_back(**_: Any) -> None:
    """Take back what closed customers still hold."""
    closing.take_back(by=Actor.system("closing"))
