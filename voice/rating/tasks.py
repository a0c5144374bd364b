"""What decks do in the background."""

from functools import partial
from typing import Any

from celery import shared_task
from django.utils.timezone import now
from django.utils.translation import gettext as _

from portal.core import jobs
from portal.core.audit import Actor
from portal.core.models import Job
from voice.exports import write_list
from voice.rating import imports, warnings
from voice.rating.models import DeckImport, DeckVersion, RateDeck
from voice.rating.pages_decks import LineList, RateList

State = DeckImport.State


def _check_stopped(job: Job) -> None:
    words = _("The file could not be read to its end. Try it once more.")
    DeckImport.objects.filter(job_id=job.pk, state=State.CHECKING).update(state=State.FAILED, message=words)


def _activating_stopped(job: Job) -> None:
    # Nothing of it is in the deck: it waits for somebody again.
    DeckImport.objects.filter(job_id=job.pk, state=State.ACTIVATING).update(state=State.CHECKED)


@jobs.kind("rating.check", stopped=_check_stopped)
def check(job: Job, progress: jobs.Progress) -> dict[str, Any]:
    """Read a file of rates and compare it with its deck."""
    file = DeckImport.objects.select_related("version__deck").get(pk=job.params["file"])
    imports.check(file, progress)
    return {"good": file.good, "bad": file.bad}


@jobs.kind("rating.activate", stopped=_activating_stopped)
def activate(job: Job, progress: jobs.Progress) -> dict[str, Any]:
    """Make a draft a part of its deck."""
    file = DeckImport.objects.select_related("version__deck").get(pk=job.params["file"])
    version = imports.activate(file, by=jobs.actor_of(job))
    return {"version": version.number}


@jobs.kind("rating.export")
def export(job: Job, progress: jobs.Progress) -> dict[str, Any]:
    """Write the rates of a deck as CSV."""
    deck = RateDeck.objects.get(pk=job.params["deck"])
    return write_list(partial(RateList, deck=deck), job, progress)  # type: ignore[arg-type]  # makes such a page


@jobs.kind("rating.export_lines")
def export_lines(job: Job, progress: jobs.Progress) -> dict[str, Any]:
    """Write what a version changes as CSV."""
    version = DeckVersion.objects.select_related("deck").get(pk=job.params["version"])
    return write_list(partial(LineList, version=version), job, progress)  # type: ignore[arg-type]  # makes such a page


@shared_task(ignore_result=True)
def warn_of_limits(**_kwargs: Any) -> None:
    """Warn who pays of limits that their calls have come near to or reached."""
    warnings.look(at=now())


@shared_task(ignore_result=True)
def expire_drafts(**_options: Any) -> None:
    """Drop the drafts of decks that nobody activated in their time."""
    imports.expire_drafts(now(), by=Actor.system("decks"))
