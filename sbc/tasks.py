"""What Celery's beat does for the rollout: everything that a nudge does, for certainty."""

from datetime import UTC, datetime, timedelta
from typing import Any

from celery import shared_task
from django.core.exceptions import ValidationError

from portal.core import jobs
from portal.core.audit import Actor
from portal.core.models import Job
from portal.db.partitions import ensure_days
from sbc import services
from sbc.services import certificates, elsewhere, erasure, pricing, reconciling, running
from sbc.sorting import BY_DAY

DAYS_AHEAD = 7


@shared_task(ignore_result=True)
def sweep(**_: Any) -> None:
    """Compile what is behind and note the nodes that have fallen silent."""
    services.compile_revisions()
    services.expire_nodes()


@shared_task(ignore_result=True)
def rank(**_: Any) -> None:
    """Make the tables of prices anew that a change of a deck, a policy or the clock has made stale."""
    if pricing.make_price_tables():
        services.compile_revisions()


@shared_task(ignore_result=True)
def follow_numbers(**_: Any) -> None:
    """Tell each region's SBCs how numbers begin that customers elsewhere have got or given back."""
    if elsewhere.follow_numbers():
        services.compile_revisions()


@shared_task(ignore_result=True)
def warn_of_certificates(**_: Any) -> None:
    """Raise an alarm before what a node presents to Microsoft ends, and where it lacks a base domain."""
    certificates.warn_of_ends()
    certificates.warn_of_names()


@shared_task(ignore_result=True)
def make_partitions(**_: Any) -> None:
    """Make the partitions of call records, charges and costs for the coming week."""
    today = datetime.now(UTC).date()
    for table in BY_DAY:
        ensure_days(table, [today + timedelta(days=step) for step in range(-1, DAYS_AHEAD)])


@shared_task(ignore_result=True)
def reconcile(**_: Any) -> None:
    """Hold what nodes counted against what the portal has."""
    reconciling.reconcile(datetime.now(UTC))


@shared_task(ignore_result=True)
def settle_lost_calls(**_: Any) -> None:
    """Make records of long calls whose node has not been heard of for a day."""
    running.settle(datetime.now(UTC))


@shared_task(ignore_result=True)
def erase(**_: Any) -> None:
    """Erase what has outlived its time, once in each month."""
    try:
        erasure.erase_if_due(at=datetime.now(UTC), by=Actor.system("erasure"))
    except erasure.Running:
        return  # somebody asked for one at this moment; the next day sees to the month


@jobs.kind("retention.erase")
def erase_now(job: Job, progress: jobs.Progress) -> dict[str, Any]:
    """Erase what has outlived its time because the operator wants it now."""
    try:
        run = erasure.erase(at=datetime.now(UTC), by=jobs.actor_of(job), told=progress)
    except erasure.Running as error:
        raise ValidationError(str(error)) from error
    return {"erasure": run.pk}
