"""What happens to numbers in the background."""

from typing import Any

from celery import shared_task

from portal.core import jobs
from portal.core.audit import Actor
from portal.core.models import Job
from voice.exports import write_list
from voice.numbers import caller_ids, closing
from voice.numbers.pages import NumberList


@jobs.kind("numbers.export")
def export(job: Job, progress: jobs.Progress) -> dict[str, Any]:
    """Write the customer's numbers as CSV."""
    return write_list(NumberList, job, progress)


@shared_task(ignore_result=True)
def take_back(**_: Any) -> None:
    """Take back what closed customers still hold."""
    closing.take_back(by=Actor.system("closing"))


@shared_task(ignore_result=True)
def withdraw_caller_ids(**_: Any) -> None:
    """Withdraw the approvals of caller IDs that another customer has as its number by now."""
    caller_ids.withdraw_taken(by=Actor.system("numbers"))
