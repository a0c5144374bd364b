"""What proposals do in the background."""

from functools import partial
from typing import Any

from celery import shared_task
from django.utils.timezone import now
from django.utils.translation import gettext as _

from portal.core import jobs
from portal.core.models import Job
from tenants.models import Msp
from voice.exports import write_list
from voice.rating import asides
from voice.rerating import deciding, services, views_decide
from voice.rerating.deciding import Verdict
from voice.rerating.models import Proposal, ProposalSum
from voice.rerating.pages import CallList, SumList

State = Proposal.State


@jobs.kind("rerating.rate")
def rate(job: Job, progress: jobs.Progress) -> dict[str, Any]:
    """Rate the calls of a proposal."""
    proposal = Proposal.objects.select_related("msp").get(pk=job.params["proposal"])
    if proposal.state != State.RATING or proposal.round != job.params["round"]:
        return {}
    try:
        proposal = services.rate(proposal, progress)
    except Exception:
        words = _("The calls could not be rated to their end. Nothing was posted; try it once more.")
        mine = Proposal.objects.filter(pk=proposal.pk, state=State.RATING, round=proposal.round)
        mine.update(state=State.FAILED, message=words)
        raise
    return {"calls": proposal.calls, "changed": proposal.changed}


@jobs.kind("rerating.apply")
def apply(job: Job, progress: jobs.Progress) -> dict[str, Any]:
    """Post what a proposal found."""
    proposal = Proposal.objects.get(pk=job.params["proposal"])
    progress(0, None, _("Posting the entries"))
    try:
        proposal = services.apply(proposal, by=jobs.actor_of(job))
    except Exception:
        # All or nothing: it waits for somebody again.
        Proposal.objects.filter(pk=proposal.pk, state=State.APPLYING).update(state=State.READY)
        raise
    return {"changed": proposal.changed, "priced": proposal.priced}


@jobs.kind("rerating.decide")
def decide_job(job: Job, progress: jobs.Progress) -> dict[str, Any]:
    """Decide on calls that wait for a price."""
    assert job.msp_id is not None
    msp = Msp.objects.get(pk=job.msp_id)
    if "query" in job.params:
        waiting = views_decide.matching(msp, job.params["query"])
    else:
        waiting = asides.charges_aside(msp).filter(id__in=job.params["calls"])
    verdict = Verdict(**job.params["verdict"])
    return dict(deciding.decide(msp, waiting, verdict, by=jobs.actor_of(job), told=progress))


@jobs.kind("rerating.export")
def export(job: Job, progress: jobs.Progress) -> dict[str, Any]:
    """Write what a proposal comes to as CSV."""
    proposal = Proposal.objects.get(pk=job.params["proposal"])
    return write_list(partial(_seen_by(SumList, job), proposal=proposal), job, progress)  # type: ignore[arg-type]


@jobs.kind("rerating.export_calls")
def export_calls(job: Job, progress: jobs.Progress) -> dict[str, Any]:
    """Write the calls of one line of a proposal as CSV."""
    lines = ProposalSum.objects.select_related("proposal", "tenant")
    line = lines.get(proposal=job.params["proposal"], number=job.params["number"])
    return write_list(partial(CallList, line=line), job, progress)  # type: ignore[arg-type]  # makes such a page


def _seen_by(page: type[SumList], job: Job) -> type[SumList]:
    """Return the list as whoever asked for the export saw it: with costs or without."""
    costs = bool(job.params["costs"])

    class Seen(page):  # type: ignore[misc, valid-type]
        def may(self, capability: str) -> bool:
            return costs or capability != "costs.view"

    return Seen


@shared_task(ignore_result=True)  # type: ignore[untyped-decorator]
def expire(**_options: Any) -> None:
    """Drop the calls of proposals whose time is over."""
    services.expire(now())
