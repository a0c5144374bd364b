"""Numbers without a gap: two runs at once, runs that die, and what the database itself refuses."""

import os
import subprocess
import sys
import threading
from datetime import date, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, connections, transaction

from portal.db import contexts
from tenants.models import Customer, Msp
from voice.receivables.models import BillingProfile, Entry, Invoice, NumberSeries, Posting
from voice.receivables.numbering import check_pattern, number_text, period_of
from voice.receivables.services import approve, credit, draft, issue
from voice.receivables.services.ledger import Books
from voice.receivables.tests import make
from voice.receivables.tests.test_ledger import commit

EACH = 8
# A run in a process of its own: it issues one invoice and dies before its transaction ends.
DOOMED = """
import sys, time, django
django.setup()
from datetime import date
from django.db import transaction
from portal.db import contexts
from tenants.models import Msp
from voice.receivables.models import Invoice
from voice.receivables.services import issue
from voice.receivables.tests.make import BY, TODAY
with contexts.public():
    msp = Msp.objects.get(slug="northwind")
with contexts.msp(msp), transaction.atomic():
    print(issue(Invoice.objects.get(pk=int(sys.argv[1])), on=TODAY, by=BY).number, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def ground(transactional_db):
    """Northwind's company and its two customers' profiles, stored for every connection to see."""
    with contexts.public():
        msp = Msp.objects.get(slug="northwind")
    contexts.use_msp(msp)
    company = make.entity(msp)
    profiles = [make.profile(company, customer) for customer in Customer.objects.filter(msp=msp).order_by("pk")]
    yield msp, company, profiles
    contexts.use_public()


def approved(profile, name):
    fees = make.Fees(10_000_000, name=name)
    return approve(draft(profile, fees, begins=make.OCTOBER[0], ends=make.OCTOBER[1], by=make.BY), by=make.BY)


def numbers(company):
    return list(
        Invoice.objects.filter(entity=company, state="issued").order_by("sequence").values_list("number", flat=True)
    )


def test_two_runs_at_once_leave_no_gap_and_no_double(ground):
    msp, company, profiles = ground
    piles = [[approved(profile, f"run {n}").pk for n in range(EACH)] for profile in profiles]
    start, wrong = threading.Barrier(len(piles)), []

    def run(pile):
        try:
            start.wait()
            for pk in pile:
                with contexts.msp(msp):
                    issue(Invoice.objects.get(pk=pk), on=make.TODAY, by=make.BY)
        except Exception as error:
            wrong.append(error)
        finally:
            connections.close_all()

    runs = [threading.Thread(target=run, args=[pile]) for pile in piles]
    for each in runs:
        each.start()
    for each in runs:
        each.join(60)

    assert wrong == []
    assert numbers(company) == [f"2026-{n:05}" for n in range(1, 2 * EACH + 1)]


def test_two_runs_over_the_same_customer_bill_it_once(ground):
    msp, _company, profiles = ground
    start, made, refused = threading.Barrier(2), [], []

    def run():
        try:
            start.wait()
            with contexts.msp(msp):
                made.append(
                    draft(profiles[0], make.Fees(1_000_000), begins=make.OCTOBER[0], ends=make.OCTOBER[1], by=make.BY)
                )
        except (IntegrityError, ValidationError) as error:
            refused.append(error)
        finally:
            connections.close_all()

    runs = [threading.Thread(target=run) for _ in range(2)]
    for each in runs:
        each.start()
    for each in runs:
        each.join(60)

    assert (len(made), len(refused), Invoice.objects.count()) == (1, 1, 1)


def test_a_run_that_is_killed_takes_its_number_back(ground):
    _msp, company, profiles = ground
    doomed, next_one = approved(profiles[0], "doomed"), approved(profiles[1], "next")
    run = subprocess.Popen(
        [sys.executable, "-c", DOOMED, str(doomed.pk)], stdout=subprocess.PIPE, text=True, env=os.environ | child()
    )
    assert run.stdout.readline().strip() == "2026-00001"

    # It holds the number now; whoever comes next waits for it, and gets it when it dies.
    threading.Timer(1.0, run.kill).start()
    assert issue(next_one, on=make.TODAY, by=make.BY).number == "2026-00001"

    run.wait()
    run.stdout.close()
    doomed.refresh_from_db()
    assert (doomed.state, doomed.number) == ("approved", "")
    assert issue(doomed, on=make.TODAY, by=make.BY).number == "2026-00002"
    assert numbers(company) == ["2026-00001", "2026-00002"]


def child():
    """Return the environment of a process that works on this test's database."""
    at = connection.settings_dict
    url = f"postgresql://{at['USER']}:{at['PASSWORD']}@/{at['NAME']}?host={at['HOST']}&port={at['PORT']}"
    return {"DJANGO_SETTINGS_MODULE": "portal.settings_test", "DATABASE_URL": url}


def test_nothing_is_posted_to_an_entry_of_an_earlier_transaction(ground):
    _msp, company, profiles = ground
    make.issued(profiles[0], 10_000_000)
    entry, books = Entry.objects.get(), Books(company, profiles[0].tenant, "EUR")
    with pytest.raises(IntegrityError, match="is closed"), transaction.atomic():
        for kind, debit, credit in (("receivable", 5, 0), ("revenue", 0, 5)):
            account = books.account(kind)
            Posting.objects.create(
                msp=company.msp, tenant=account.tenant, entry=entry, account=account, debit=debit, credit=credit
            )


@pytest.mark.django_db
class TestSeries:
    def test_each_year_and_each_kind_begins_at_one(self, billed):
        first = make.issued(billed, 1_000_000, name="a", on=date(2026, 12, 31))
        second = make.issued(billed, 1_000_000, name="b", on=date(2027, 1, 1))

        assert (first.number, second.number) == ("2026-00001", "2027-00001")

    def test_a_mistyped_year_does_not_end_the_series(self, billed):
        with pytest.raises(ValidationError, match="later numbers cannot have earlier dates"):
            make.issued(billed, 1_000_000, name="a", on=date(2206, 11, 20))
        assert make.issued(billed, 1_000_000, name="b").number.endswith("00001")

    def test_a_day_of_another_time_begins_no_series(self, billed):
        for year in (2016, 2025):
            with pytest.raises(ValidationError, match="of no such time"):
                make.issued(billed, 1_000_000, name=str(year), on=date(year, 11, 20))

    def test_a_year_that_another_has_followed_is_closed(self, billed):
        make.issued(billed, 1_000_000, name="a", on=date(2027, 1, 4))
        with pytest.raises(ValidationError, match="4 January 2027"):
            make.issued(billed, 1_000_000, name="b", on=date(2026, 12, 31))

    def test_a_credit_note_is_not_of_a_day_before_its_invoice(self, billed):
        invoice = make.issued(billed, 1_000_000)
        note = approve(credit(invoice, reason="Wrong", by=make.BY), by=make.BY)
        with pytest.raises(ValidationError, match="no earlier day"):
            issue(note, on=make.TODAY - timedelta(days=1), by=make.BY)

    def test_a_later_number_has_no_earlier_date(self, billed):
        make.issued(billed, 1_000_000, name="a", on=date(2026, 12, 2))
        with pytest.raises(ValidationError, match="earlier date"):
            make.issued(billed, 1_000_000, name="b", on=date(2026, 12, 1))

    @pytest.mark.parametrize("last", [0, 1, 3])
    def test_a_series_counts_on_by_one(self, billed, last):
        make.issued(billed, 1_000_000)
        with pytest.raises(IntegrityError, match="counts on"), transaction.atomic():
            NumberSeries.objects.update(last=last)

    def test_a_number_that_no_document_has_is_refused_at_commit(self, billed):
        make.issued(billed, 1_000_000)
        with pytest.raises(IntegrityError, match="taken and not used"), transaction.atomic():
            NumberSeries.objects.update(last=2)
            commit()

    def test_a_series_is_not_dropped(self, billed):
        make.issued(billed, 1_000_000)
        with pytest.raises(IntegrityError, match="counts on"), transaction.atomic():
            NumberSeries.objects.all().delete()


@pytest.mark.parametrize("good", ["{number}", "{year}-{number:05}", "INV/{year}/{number:04}", "A_{number:09}.x"])
def test_patterns(good):
    check_pattern(good)


@pytest.mark.parametrize(
    "bad",
    [
        *("", "INV", "{year}", "{number}{number}", "{year}{year}{number}", "{number:5}", "{number.real}", "{0}"),
        *("{number!r}", "{number:05}}", "{", "{{x}}{number}", "INV {number}", "ä{number}", "{number:0100}"),
        *("A" * 30 + "{number}", "{number}{}"),
    ],
)
def test_patterns_that_are_refused(bad):
    with pytest.raises(ValidationError):
        check_pattern(bad)


def test_the_year_counts_only_where_it_is_printed():
    assert (period_of("{year}-{number}", 2026), period_of("{number}", 2026)) == (2026, 0)
    assert number_text("INV-{year}-{number:05}", 2026, 7) == "INV-2026-00007"


def test_profiles_are_read_by_nobody_else(billed, initech):
    with contexts.msp(initech.msp):
        assert BillingProfile.objects.count() == 0
