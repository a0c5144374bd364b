"""Jobs: work in the background whose progress is a row, so that a closed tab loses nothing."""

import logging
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import Any, Protocol

from celery import shared_task
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.timezone import now
from django.utils.translation import gettext as _

from portal.db import contexts
from portal.db.context import Context, ContextRefused

from . import nudges
from .audit import Actor, as_actor
from .models import Job, JobFile
from .task_context import headers, restored

logger = logging.getLogger(__name__)
EVERY = 0.2


class Progress(Protocol):
    """Told by a running job how far it is."""

    def __call__(self, done: int, total: int | None = None, message: str = "") -> None: ...


Work = Callable[[Job, Progress], dict[str, Any] | None]
Stopped = Callable[[Job], object]
KINDS: dict[str, Work] = {}
STOPPED: dict[str, Stopped] = {}


def kind(name: str, *, stopped: Stopped | None = None) -> Callable[[Work], Work]:
    """Register the function that does jobs of this kind; its result becomes the job's, `words` in it stand there.

    `stopped` lets go of what such a job works on where it comes to nothing, its worker's death included. A worker that
    was taken for dead may go on meanwhile.
    """

    def register(work: Work) -> Work:
        KINDS[name] = work
        if stopped is not None:
            STOPPED[name] = stopped
        return work

    return register


@transaction.atomic
def start(name: str, params: dict[str, Any], by: Any, *, file: tuple[str, str, bytes] | None = None) -> Job:
    """Queue a job in the current context; `file` is what it is to read: name, content type, content."""
    context = contexts.current()
    job = Job(kind=name, params=params, actor=asdict(as_actor(by)), tenant_id=context.tenant, msp_id=context.msp)
    job.save(force_insert=True)
    if file is not None:
        attach(job, *file)
    # Whoever asked has the job, also while the queue is away: a sweep sends again what nobody has begun.
    transaction.on_commit(lambda: _send(job), robust=True)
    return job


def send_again(before: datetime) -> int:
    """Send the messages of jobs once more that wait since before then: the queue may have lost them.

    Return how many. A job whose message comes twice is done once.
    """
    waiting = Job.objects.filter(state=Job.State.QUEUED, updated_at__lt=before)
    found = list(waiting.order_by("created_at"))
    for job in found:
        _send(job)
    waiting.filter(pk__in=[job.pk for job in found]).update(updated_at=now())
    return len(found)


def give_up(before: datetime) -> int:
    """Give up the running jobs that have said nothing since before then: their worker is gone. Return how many.

    Runs as the owner of the tables; what a job worked on is let go of as whoever asked for it.
    """
    silent = Job.objects.filter(state=Job.State.RUNNING, updated_at__lt=before)
    found = list(silent.order_by("created_at"))
    for job in found:
        try:
            with restored(job.tenant_id, job.msp_id), transaction.atomic():
                # Whose row is locked is being written to by a worker that lives.
                row = silent.select_for_update(skip_locked=True).filter(pk=job.pk).first()
                if row is not None:
                    _fail(row, _("The worker was stopped. Start it again."))
        except ContextRefused:
            # The customer has been closed since, and nobody works on what is its any more.
            silent.filter(pk=job.pk).update(state=Job.State.FAILED, finished_at=now())
        except Exception:
            logger.exception("Job %s (%s) could not be given up", job.pk, job.kind)
    return len(found)


def _send(job: Job) -> None:
    run_job.apply_async((str(job.pk),), headers=headers(Context(tenant=job.tenant_id, msp=job.msp_id)))


def attach(job: Job, name: str, content_type: str, content: bytes) -> JobFile:
    """Store a file that belongs to the job."""
    file = JobFile(
        job=job, name=name, content_type=content_type, content=content, tenant_id=job.tenant_id, msp_id=job.msp_id
    )
    file.save(force_insert=True)
    return file


def actor_of(job: Job) -> Actor:
    """Return who asked for the job: the actor of every write that it makes."""
    return Actor(**job.actor)


@shared_task  # type: ignore[untyped-decorator]
def run_job(pk: str, **_: Any) -> None:
    """Do the queued job with this id."""
    run(pk)


def run(pk: str) -> None:
    """Do a queued job; a second worker that gets the same message does nothing."""
    if not Job.objects.filter(pk=pk, state=Job.State.QUEUED).update(state=Job.State.RUNNING, updated_at=now()):
        return
    job = Job.objects.get(pk=pk)
    _tell(job)
    try:
        result = KINDS[job.kind](job, _progress(job))
    except ValidationError as error:
        _fail(job, " ".join(error.messages))
    except Exception:
        logger.exception("Job %s (%s) failed", job.pk, job.kind)
        # Some kinds keep each piece as it is done; none does a piece twice.
        _fail(job, _("This did not work. Try it once more: nothing is done twice."))
    else:
        _finish(job, Job.State.DONE, message=(result or {}).get("words", ""), result=result)


def _progress(job: Job) -> Progress:
    last = 0.0

    def progress(done: int, total: int | None = None, message: str = "") -> None:
        nonlocal last
        job.done, job.total, job.message = done, total if total is not None else job.total, message or job.message
        if time.monotonic() - last >= EVERY:
            last = time.monotonic()
            job.save(update_fields=["done", "total", "message", "updated_at"])
            _tell(job)

    return progress


def _fail(job: Job, words: str) -> None:
    with transaction.atomic():
        if stopped := STOPPED.get(job.kind):
            stopped(job)
        _finish(job, Job.State.FAILED, message=words)


def _finish(job: Job, state: Job.State, *, message: str = "", result: dict[str, Any] | None = None) -> None:
    job.state, job.finished_at, job.result = state, now(), result
    job.message = message or ("" if state == Job.State.DONE else job.message)
    job.save(update_fields=["state", "finished_at", "result", "message", "done", "total", "updated_at"])
    _tell(job)


def _tell(job: Job) -> None:
    nudges.topic(job.tenant_id, job.msp_id, f"job.{job.pk}")
