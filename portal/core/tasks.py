"""What happens to jobs without anybody asking."""

import datetime as dt

from celery import shared_task
from django.utils.timezone import now

from portal.db import contexts

from .jobs import give_up, run_job, send_again
from .models import IdempotencyKey

__all__ = ["run_job", "sweep"]

# A running job says something far more often than this.
SILENT = dt.timedelta(minutes=15)
# One that waits for so long waits for other jobs, or its message is lost.
WAITING = dt.timedelta(minutes=2)
KEYS_KEPT = dt.timedelta(days=2)


@shared_task  # type: ignore[untyped-decorator]
def sweep(**_: object) -> None:
    """Send lost jobs again, give up those whose worker is gone, forget keys of API writes that nobody will repeat."""
    with contexts.owner():
        send_again(now() - WAITING)
        give_up(now() - SILENT)
        IdempotencyKey.objects.filter(created_at__lt=now() - KEYS_KEPT).delete()
