"""What happens to payments by itself: reminders at night, saved cards on the due day, calls that go on again."""

import logging
from typing import Any

from celery import shared_task
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.core import jobs
from portal.core.audit import Actor
from portal.core.models import Job
from portal.db import contexts
from tenants.models import Msp
from voice.payments.models import CardAccount, DunningSetting
from voice.payments.services import bank, cards, dunning
from voice.receivables.models import LegalEntity

logger = logging.getLogger(__name__)
BY = Actor.system("payments")


@jobs.kind("payments.import")
def import_statement(job: Job, progress: jobs.Progress) -> dict[str, Any]:
    """Store the statements of the file that somebody brought; what the bank says is in them then, and the file goes."""
    file = job.files.get()
    entity = LegalEntity.objects.get(pk=job.params["entity"])
    stored = bank.import_statements(entity, bytes(file.content), by=jobs.actor_of(job), told=progress)
    file.delete()
    return {"statements": [statement.pk for statement in stored]}


@jobs.kind("payments.book_sure")
def book_sure(job: Job, progress: jobs.Progress) -> dict[str, Any]:
    """Book the entries of which it is sure what they are."""
    assert job.msp_id is not None
    msp = Msp.objects.get(pk=job.msp_id)
    done, left = bank.book_sure(msp, by=jobs.actor_of(job), told=progress)
    words = _("%(done)d booked, %(left)d to look at.") % {"done": done, "left": left}
    return {"booked": done, "left": left, "words": words}


@shared_task(ignore_result=True)
def remind(**_options: Any) -> None:
    """Charge the cards that are due, then propose reminders of the rest, and send them where a setting says so."""
    today = timezone.localdate()
    for msp in Msp.objects.order_by("pk"):
        with contexts.msp(msp):
            for account in CardAccount.objects.filter(msp=msp, is_on=True, collects=True).select_related("entity"):
                cards.collect_due(account, today=today, by=BY)
            dunning.propose(msp, today=today, by=BY)
            if DunningSetting.objects.filter(msp=msp, releases_itself=True).exists():
                dunning.release_all(msp, today=today, by=BY)


@shared_task(ignore_result=True)
def sweep(**_options: Any) -> None:
    """Let call again who has paid, however it came in; ask again for charges whose answer was lost."""
    for msp in Msp.objects.order_by("pk"):
        with contexts.msp(msp):
            dunning.resume_all_paid(msp, by=BY)
            cards.resume_charges(by=BY)
