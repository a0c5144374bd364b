"""What decks do in the background."""

from typing import Any

from django.utils.translation import gettext as _

from portal.core import jobs
from portal.core.models import Job
from voice.rating import imports
from voice.rating.models import DeckImport

State = DeckImport.State


@jobs.kind("rating.check")
def check(job: Job, progress: jobs.Progress) -> dict[str, Any]:
    """Read a file of rates and compare it with its deck."""
    file = DeckImport.objects.select_related("version__deck").get(pk=job.params["file"])
    try:
        imports.check(file, progress)
    except Exception:
        words = _("The file could not be read to its end. Try it once more.")
        DeckImport.objects.filter(pk=file.pk).update(state=State.FAILED, message=words)
        raise
    return {"good": file.good, "bad": file.bad}


@jobs.kind("rating.activate")
def activate(job: Job, progress: jobs.Progress) -> dict[str, Any]:
    """Make a draft a part of its deck."""
    file = DeckImport.objects.select_related("version__deck").get(pk=job.params["file"])
    try:
        version = imports.activate(file, by=jobs.actor_of(job))
    except Exception:
        # Nothing of it is in the deck: it waits for somebody again.
        DeckImport.objects.filter(pk=file.pk, state=State.ACTIVATING).update(state=State.CHECKED)
        raise
    return {"version": version.number}
