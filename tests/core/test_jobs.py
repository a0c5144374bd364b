"""Jobs: their progress is a row, they run as whoever asked, and a failure says so."""

import datetime as dt

import pytest
from celery import shared_task
from django.core.exceptions import ValidationError
from django.utils.timezone import now

from portal.core import jobs
from portal.core.models import Job, JobFile
from portal.core.tasks import sweep
from portal.db import contexts
from tenants.models import Customer


@pytest.fixture
def kinds(monkeypatch):
    monkeypatch.setattr(jobs, "KINDS", {})
    return jobs.kind


def test_a_job_runs_as_whoever_asked_and_keeps_what_it_made(acme, alice, kinds, django_capture_on_commit_callbacks):
    seen = []

    @kinds("test.export")
    def export(job, progress):
        seen.append((contexts.current(), jobs.actor_of(job).email))
        progress(1, 2, "half")
        jobs.attach(job, "numbers.csv", "text/csv", b"+49")
        progress(2)
        return {"rows": 2}

    with django_capture_on_commit_callbacks(execute=True):
        job = jobs.start("test.export", {"all": True}, by=alice)

    job.refresh_from_db()
    assert seen == [(contexts.current(), alice.email)]
    assert (job.state, job.done, job.total, job.percent, job.result) == ("done", 2, 2, 100, {"rows": 2})
    assert bytes(job.files.get().content) == b"+49"


def test_jobs_and_files_are_seen_by_their_owner_only(acme, globex, alice, kinds):
    job = jobs.start("test.export", {}, by=alice, file=("in.csv", "text/csv", b"1"))

    assert Job.objects.filter(pk=job.pk).exists()
    with contexts.customer(globex):
        assert not Job.objects.exists()
        assert not JobFile.objects.exists()


@pytest.mark.parametrize(
    ("error", "told"),
    [(ValidationError("Row 5,317 is broken."), "Row 5,317 is broken."), (KeyError("x"), "did not work")],
)
def test_a_job_that_fails_says_why(acme, alice, kinds, error, told, caplog):
    @kinds("test.import")
    def fail(job, progress):
        raise error

    job = jobs.start("test.import", {}, by=alice)
    jobs.run(str(job.pk))

    job.refresh_from_db()
    assert job.state == "failed"
    assert told in job.message


@pytest.mark.parametrize(
    ("state", "said", "unsaid"),
    [
        ("running", ["31,500 of 148,000", "You can close this page"], ["Back to", "Download"]),
        ("done", ["148,000 rows", "Download calls.csv", "Back to: Calls"], ["You can close this page"]),
        ("failed", ["Try it once more.", "Back to: Calls", "support"], ["148,000", "Download"]),
    ],
)
def test_the_page_of_a_job_says_how_far_it_is_and_leads_on(acme, alice, client_of, state, said, unsaid):
    words = "Try it once more." if state == "failed" else ""
    with contexts.customer(acme):
        facts = {"done": 31_500, "total": 148_000, "message": words, "tenant_id": acme.pk, "msp_id": acme.msp_id}
        job = Job.objects.create(kind="calls.export", state=state, **facts)
        jobs.attach(job, "calls.csv", "text/csv", b"1")

        text = client_of(alice, acme).get(f"/jobs/{job.pk}/").content.decode()

    assert [words for words in said if words not in text] == []
    assert [words for words in unsaid if words in text] == []
    assert 'href="/calls/"' in text
    # What the page selects for itself would leave nothing of the progress that is polled inside it.
    assert 'hx-disinherit="hx-select"' in text


def test_a_program_reads_how_far_a_job_is_and_nobody_elses(acme, globex, alice, mallory, kinds, client_of):
    kinds("test.import")(lambda job, progress: progress(3, 7, "Reading") or {"rows": 7})
    job = jobs.start("test.import", {}, by=alice)
    waiting = client_of(alice, acme).get(f"/api/v1/jobs/{job.pk}/").json()
    with contexts.customer(acme):
        jobs.run(str(job.pk))
    done = client_of(alice, acme).get("/api/v1/jobs/?state=done").json()["results"]

    assert (waiting["state"], waiting["result"]) == ("queued", None)
    assert [(each["id"], each["done"], each["total"], each["result"]) for each in done] == [
        (str(job.pk), 3, 7, {"rows": 7})
    ]
    others = client_of(mallory, globex)
    assert others.get(f"/api/v1/jobs/{job.pk}/").status_code == 404
    assert others.get("/api/v1/jobs/").json()["results"] == []


def test_a_message_that_comes_twice_does_the_job_once(acme, alice, kinds):
    count = []
    kinds("test.once")(lambda job, progress: count.append(1))
    job = jobs.start("test.once", {}, by=alice)

    jobs.run(str(job.pk))
    jobs.run(str(job.pk))

    assert count == [1]


def test_a_job_whose_message_was_lost_is_sent_again_as_whoever_asked(acme, alice, kinds, monkeypatch):
    seen, sent = [], []
    kinds("test.lost")(lambda job, progress: seen.append(contexts.current()))
    mine = contexts.current()
    job, fresh = (jobs.start("test.lost", {"n": n}, by=alice) for n in range(2))
    Job.objects.filter(pk=job.pk).update(updated_at=now() - dt.timedelta(minutes=3))
    monkeypatch.setattr(jobs.run_job, "apply_async", lambda args, **options: sent.append((args, options)))

    sweep()
    sweep()

    ((args, options),) = sent
    assert args == (str(job.pk),)
    jobs.run_job.apply(args, **options)
    assert seen == [mine]
    assert Job.objects.get(pk=job.pk).state == "done" and Job.objects.get(pk=fresh.pk).state == "queued"


def test_a_job_is_stored_also_while_the_queue_is_away(
    acme, alice, kinds, monkeypatch, django_capture_on_commit_callbacks
):
    def away(*_args, **_options):
        raise ConnectionRefusedError

    monkeypatch.setattr(jobs.run_job, "apply_async", away)
    with django_capture_on_commit_callbacks(execute=True):
        job = jobs.start("test.later", {}, by=alice)

    assert Job.objects.get(pk=job.pk).state == "queued"


def test_a_job_whose_worker_is_gone_is_given_up(acme, alice, kinds):
    job = jobs.start("test.lost", {}, by=alice)
    Job.objects.filter(pk=job.pk).update(state="running", updated_at=now() - dt.timedelta(hours=1))

    sweep()

    job.refresh_from_db()
    assert job.state == "failed"


@pytest.mark.parametrize("end", ["silent", "refused", "broken"])
def test_a_job_that_comes_to_nothing_lets_go_of_what_it_worked_on(acme, alice, kinds, monkeypatch, end, caplog):
    seen = []
    monkeypatch.setattr(jobs, "STOPPED", {})

    @kinds("test.claim", stopped=lambda job: seen.append((job.pk, contexts.current())))
    def fail(job, progress):
        raise ValidationError("Row 5,317 is broken.") if end == "refused" else KeyError("x")

    mine = contexts.current()
    job = jobs.start("test.claim", {}, by=alice)
    if end == "silent":
        Job.objects.filter(pk=job.pk).update(state="running", updated_at=now() - dt.timedelta(hours=1))
        sweep()
        sweep()
    else:
        jobs.run(str(job.pk))

    assert seen == [(job.pk, mine)]
    job.refresh_from_db()
    assert job.state == "failed"


def test_a_silent_job_of_a_customer_that_is_closed_is_given_up_nevertheless(acme, alice, northwind, kinds, caplog):
    job = jobs.start("test.lost", {}, by=alice)
    Job.objects.filter(pk=job.pk).update(state="running", updated_at=now() - dt.timedelta(hours=1))
    with contexts.msp(northwind):
        Customer.objects.filter(pk=acme.pk).update(state="closed")

    sweep()

    job.refresh_from_db()
    assert job.state == "failed"


def test_tasks_run_in_the_senders_context(acme, northwind, globex):
    seen = []

    @shared_task
    def look(**_):
        seen.append(contexts.current())

    look.delay()
    with contexts.msp(northwind, customer=globex):
        look.delay()
    with contexts.public():
        look.delay()

    assert [(context.role, context.tenant, context.msp) for context in seen] == [
        ("app", acme.pk, None),
        ("msp", globex.pk, northwind.pk),
        ("app", None, None),
    ]
