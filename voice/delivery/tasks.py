"""What keeps the feed up to date and its messages on their way."""

from typing import Any

from celery import shared_task
from django.utils import timezone

from portal.db import contexts
from tenants.models import Msp
from voice.delivery import feed, pump


@shared_task(ignore_result=True)
def deliver(**_: Any) -> None:
    """Put what happened into the feeds, and send what is due."""
    feed.all_feeds(timezone.now())
    for msp in Msp.objects.order_by("pk"):
        with contexts.msp(msp):
            pump.send_due(msp)


@shared_task(ignore_result=True)
def put_files(**_: Any) -> None:
    """Put the files that are due into their stores."""
    for msp in Msp.objects.order_by("pk"):
        with contexts.msp(msp):
            pump.put_due(msp)


@shared_task(ignore_result=True)
def sweep(**_: Any) -> None:
    """Look back three days for calls that no message tells."""
    feed.all_feeds(timezone.now(), swept=True)
