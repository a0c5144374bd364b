"""What Celery's beat does for the dashboards."""

from typing import Any

from celery import shared_task

from voice.calls import exports, rollups

__all__ = ["exports", "sample_concurrency"]  # the worker has to know the kinds of jobs, too


@shared_task(ignore_result=True)
def sample_concurrency(**_: Any) -> None:
    """Note how many calls each customer has at this moment."""
    rollups.note_concurrency()
