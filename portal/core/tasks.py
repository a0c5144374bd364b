"""What happens to jobs without anybody asking."""

import datetime as dt

from celery import shared_task
from django.utils.timezone import now

from portal.db import contexts

from .jobs import run_job
from .models import IdempotencyKey, Job

__all__ = ["run_job", "sweep"]

# A running job says something far more often than this.
SILENT = dt.timedelta(minutes=15)
KEYS_KEPT = dt.timedelta(days=2)


@shared_task  # type: ignore[untyped-decorator]
def sweep(**_: object) -> None:
    """Give up jobs whose worker is gone, and forget the keys of API writes that nobody will repeat."""
    with contexts.owner():
        silent = Job.objects.filter(state=Job.State.RUNNING, updated_at__lt=now() - SILENT)
        silent.update(state=Job.State.FAILED, finished_at=now(), message="The worker was stopped. Start it again.")
        IdempotencyKey.objects.filter(created_at__lt=now() - KEYS_KEPT).delete()
