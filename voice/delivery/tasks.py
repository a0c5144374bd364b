"""What keeps the feed up to date and its messages on their way."""

import logging
from collections.abc import Callable
from typing import Any

from celery import shared_task
from django.utils import timezone

from portal.db import contexts
from tenants.models import Msp
from voice.delivery import feed, pump

logger = logging.getLogger(__name__)


@shared_task(ignore_result=True)
def deliver(**_: Any) -> None:
    """Put what happened into the feeds, and send what is due."""
    feed.all_feeds(timezone.now())
    _for_each(pump.send_due)


@shared_task(ignore_result=True)
def put_files(**_: Any) -> None:
    """Put the files that are due into their stores."""
    _for_each(pump.put_due)


@shared_task(ignore_result=True)
def sweep(**_: Any) -> None:
    """Look back three days for calls that no message tells."""
    feed.all_feeds(timezone.now(), swept=True)


def _for_each(work: Callable[[Msp], object]) -> None:
    for msp in Msp.objects.order_by("pk"):
        try:
            with contexts.msp(msp):
                work(msp)
        except Exception:
            # What one MSP's messages or receivers break stays its own trouble.
            logger.exception("What waits for systems of %s could not be delivered", msp)
