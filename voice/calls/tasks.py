"""What Celery's beat does for the dashboards."""

from datetime import UTC, datetime, timedelta
from typing import Any

from celery import shared_task

from voice.calls import exports, peaks, rollups

# The worker has to know the kinds of jobs, too.
__all__ = [
    "exports",
    "note_busy_minutes",
    "note_peaks",
    "sample_concurrency",
]  # the worker has to know the kinds of jobs, too


@shared_task(ignore_result=True)
def sample_concurrency(**_: Any) -> None:
    """Note how many calls each customer has at this moment."""
    rollups.note_concurrency()


@shared_task(ignore_result=True)
def note_busy_minutes(**_: Any) -> None:
    """Note how busy the minutes of today and yesterday were: records may come a day late."""
    rollups.note_busy_minutes(datetime.now(UTC) - timedelta(days=1))


@shared_task(ignore_result=True)
def note_peaks(**_: Any) -> None:
    """Note the most calls at the same time of the hours that are over, from their records."""
    peaks.note_recent_peaks(datetime.now(UTC))
