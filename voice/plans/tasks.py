"""The background's part of plans: contracts that go over to another version."""

from datetime import date
from typing import Any

from portal.core import jobs
from portal.core.models import Job
from voice.plans import moving
from voice.plans.models import PlanVersion


@jobs.kind(moving.KIND)
def move(job: Job, progress: jobs.Progress) -> dict[str, Any]:
    """Move the contracts of a job to its version."""
    version = PlanVersion.objects.select_related("plan", "deck").get(pk=job.params["version"])
    on, contracts = date.fromisoformat(job.params["on"]), job.params["contracts"]
    return moving.move(version, on, contracts, by=jobs.actor_of(job), progress=progress)
