import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from portal.core.audit import Actor
from portal.core.models import AuditEntry
from portal.db import contexts
from voice.inventory import imports, services, tasks  # noqa: F401  registers the jobs
from voice.inventory.models import StockImport, StockNumber
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
