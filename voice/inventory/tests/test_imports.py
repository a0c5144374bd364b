from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from portal.core import jobs
from portal.core.audit import Actor
from portal.core.models import AuditEntry, Job
from portal.core.tasks import sweep
from portal.db import contexts
from voice.inventory import imports, services, tasks  # noqa: F401  registers the jobs
from voice.inventory.models import StockImport, StockNumber
from voice.inventory.parsing import Fault
from voice.inventory.selectors import digits_pattern, search

BY = Actor(email="nadia@northwind.example")


def bring(msp, text, **facts):
    draft = StockImport(msp=msp, name="numbers.csv", content=text.encode(), default_country="DE", **facts)
    imports.start_import(draft, by=BY)
    imports.check_import(draft, lambda *_: None)
    return draft


def store(draft):
    imports.store_import(draft, lambda *_: None, by=BY)
    return draft


def test_nothing_reaches_the_stock_before_it_is_confirmed(northwind, django_capture_on_commit_callbacks):
    with contexts.msp(northwind):
        with django_capture_on_commit_callbacks(execute=True):
            draft = imports.start_import(
                StockImport(msp=northwind, name="a.csv", content=b"+49301234500-09\nnonsense", default_country="DE"),
                by=BY,
            )
        draft.refresh_from_db()
        assert (draft.state, draft.good, draft.bad, StockNumber.objects.count()) == ("checked", 10, 1, 0)
        assert [(each.row, each.column) for each in draft.errors.all()] == [(2, "number")]

        with django_capture_on_commit_callbacks(execute=True):
            imports.confirm_import(draft, by=BY)

        draft.refresh_from_db()
        assert (draft.state, draft.stored, StockNumber.objects.count()) == ("done", 10, 10)
        with pytest.raises(ValidationError, match="already confirmed"):
            imports.confirm_import(draft, by=BY)
        assert AuditEntry.objects.filter(verb="stock.imported").count() == 1


def lose_worker(draft):
    """Leave the import's job as a worker does that was killed at it."""
    Job.objects.filter(pk=draft.job_id).update(state="running", updated_at=timezone.now() - timedelta(hours=1))
    with contexts.public():
        sweep()
    draft.refresh_from_db()


def test_an_import_whose_check_was_killed_can_be_checked_again(northwind, django_capture_on_commit_callbacks):
    with contexts.msp(northwind):
        draft = imports.start_import(
            StockImport(msp=northwind, name="a.csv", content=b"+49301234500\nnonsense", default_country="DE"), by=BY
        )
        with pytest.raises(ValidationError, match="worked on"):
            imports.check_again(draft, by=BY)
        imports._keep_errors(draft, [Fault(2, "number", "nonsense", "Found before it was killed.")])
        lose_worker(draft)
        assert (draft.state, "Check it again" in draft.message) == ("failed", True)

        with django_capture_on_commit_callbacks(execute=True):
            imports.check_again(draft, by=BY)
        draft.refresh_from_db()
        assert (draft.state, draft.message, draft.good, draft.bad) == ("checked", "", 1, 1)
        assert draft.errors.count() == 1


def test_an_import_whose_storing_was_killed_waits_to_be_confirmed_again(northwind, django_capture_on_commit_callbacks):
    with contexts.msp(northwind):
        draft = bring(northwind, "+49301234500-09")
        imports.confirm_import(draft, by=BY)
        killed = draft.job_id
        lose_worker(draft)
        assert (draft.state, "nothing of it" in draft.message) == ("checked", True)

        with django_capture_on_commit_callbacks(execute=True):
            imports.confirm_import(draft, by=BY)
        draft.refresh_from_db()
        assert (draft.state, draft.message, draft.stored) == ("done", "", 10)

        # The worker of before was only slow, and has come back.
        Job.objects.filter(pk=killed).update(state="queued")
        jobs.run(str(killed))
        draft.refresh_from_db()
        assert (draft.state, draft.stored, StockNumber.objects.count()) == ("done", 10, 10)
        assert AuditEntry.objects.filter(verb="stock.imported").count() == 1


def test_an_import_that_was_dropped_while_it_was_checked_stays_dropped(northwind):
    with contexts.msp(northwind):
        draft = StockImport(msp=northwind, name="a.csv", content=b"+49301234500", default_country="DE")
        imports.start_import(draft, by=BY)

        imports.check_import(draft, lambda *_: imports.cancel_import(draft, by=BY))

        stored = StockImport.objects.get()
        assert (stored.state, bytes(stored.content)) == ("cancelled", b"")


def test_another_msps_number_is_refused_without_saying_whose_it_is(northwind, fabrikam):
    with contexts.msp(fabrikam):
        store(bring(fabrikam, "+49301234500"))

    with contexts.msp(northwind):
        draft = bring(northwind, "+49301234500\n+49301234501")
        words = draft.errors.get().words
        store(draft)

        assert words == "This number cannot be added. If it is yours, ask the operator to check it."
        assert list(StockNumber.objects.values_list("e164", flat=True)) == ["+49301234501"]


def test_a_number_that_is_there_already_is_said_to_be(northwind):
    with contexts.msp(northwind):
        store(bring(northwind, "+49301234500"))

        assert bring(northwind, "030 1234500").errors.get().words == "This number is in your stock already."


def test_a_carrier_that_is_unknown_is_named(northwind):
    with contexts.msp(northwind):
        draft = bring(northwind, "number;carrier\n+49301234500;Nobody")

        assert (draft.good, draft.errors.get().column) == (0, "carrier")


@pytest.mark.parametrize("content", [b"", b"  \n "])
def test_an_empty_file_is_refused(northwind, content):
    with contexts.msp(northwind), pytest.raises(ValidationError, match="empty"):
        imports.start_import(StockImport(msp=northwind, name="x", content=content, default_country="DE"), by=BY)


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("030 123", True),
        ("+4930123", True),
        ("+49 (30) 123-4500", True),
        ("004930 123", True),
        ("4500", True),
        ("301234500", True),
        ("+30123", False),
        ("089 123", False),
        ("9999", False),
    ],
)
def test_search_takes_any_format(northwind, typed, found):
    with contexts.msp(northwind):
        store(bring(northwind, "+49301234500"))

        assert search(StockNumber.objects.all(), typed).exists() is found
    assert digits_pattern("Müller") == ""


def test_states_move_only_where_they_may(northwind, acme):
    with contexts.msp(northwind):
        store(bring(northwind, "+49301234500-02"))
        ids = list(StockNumber.objects.in_number_order().values_list("pk", flat=True))

        services.reserve(ids[:2], msp=northwind, customer=acme, by=BY)
        with pytest.raises(ValidationError, match=r"\+49301234500 \(reserved\)"):
            services.reserve(ids, msp=northwind, customer=None, by=BY)
        services.unreserve(ids[:1], msp=northwind, by=BY)
        services.close_numbers(ids[:1], msp=northwind, by=BY)
        with pytest.raises(ValidationError, match="closed"):
            services.reserve(ids[:1], msp=northwind, customer=None, by=BY)

        assert list(StockNumber.objects.in_number_order().values_list("state", flat=True)) == [
            "closed", "reserved", "available",
        ]  # fmt: skip


def test_cooling_ends_when_its_time_is_over(northwind):
    with contexts.msp(northwind):
        store(bring(northwind, "+49301234500"))
        now = timezone.now()
        StockNumber.objects.update(state="cooling", cooling_until=now)

        assert services.end_cooling(northwind, now=now) == 1
        assert StockNumber.objects.get().state == "available"


def test_an_msp_sees_its_own_stock_only(northwind, fabrikam, acme):
    with contexts.msp(northwind):
        store(bring(northwind, "+49301234500"))
        pk = StockNumber.objects.get().pk

    assert not StockNumber.objects.exists()
    with contexts.msp(fabrikam):
        assert not StockNumber.objects.exists()
        with pytest.raises(ValidationError, match="not in your stock"):
            services.close_numbers([pk], msp=fabrikam, by=BY)
