"""Runs over several connections: two at once, two workers at one, and a worker that is killed."""

import os
import subprocess
import sys
import threading
from datetime import date, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connections, transaction

from portal.db import contexts
from tenants.models import Customer, Msp
from voice.plans import ordering
from voice.plans.tests import make as agreed
from voice.receivables.models import BilledCharge, BillingProfile, Invoice, InvoiceLine, InvoiceRun
from voice.receivables.services import drop, runs
from voice.receivables.services.months import draft_month
from voice.receivables.tests import make
from voice.receivables.tests.charges import NOON, charges
from voice.receivables.tests.test_numbers import child

EUR = 1_000_000
BEGINS, ENDS = make.OCTOBER
# A worker in a process of its own that dies while the second customer's month is written.
DOOMED = """
import sys, time, django
django.setup()
from portal.db import contexts
from tenants.models import Msp
from voice.receivables.models import InvoiceRun
from voice.receivables.services import runs
with contexts.public():
    msp = Msp.objects.get(slug="northwind")
real, seen = runs._note, []
def note(run, each, findings):
    real(run, each, findings)
    seen.append(each)
    if len(seen) == 3:
        print("dying", flush=True)
        time.sleep(60)
runs._note = note
with contexts.msp(msp):
    runs.collect(InvoiceRun.objects.get(pk=int(sys.argv[1])))
"""


@pytest.fixture
def ground(transactional_db, monkeypatch):
    """Northwind's two customers with calls, stored for every connection to see; jobs wait."""
    monkeypatch.setattr("portal.core.jobs.run_job.apply_async", lambda *_args, **_facts: None)
    with contexts.public():
        msp = Msp.objects.get(slug="northwind")
    contexts.use_msp(msp)
    company = make.entity(msp)
    customers = list(Customer.objects.filter(msp=msp).order_by("pk"))
    for customer in customers:
        make.profile(company, customer)
        charges(customer, 10 * EUR, 5 * EUR)
    yield msp, customers
    contexts.use_public()


def at_once(msp, *acts):
    """Do these things at the same moment, each over a connection of its own; return what they raised."""
    start, raised = threading.Barrier(len(acts)), []

    def run(act):
        try:
            with contexts.msp(msp):
                start.wait()
                act()
        except ValidationError as error:
            raised.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[act]) for act in acts]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    return raised


def begin(msp):
    return runs.start_run(msp, BEGINS, by=make.BY, now=make.NOW)


def test_two_runs_at_once_of_one_msp_and_one_is_told(ground):
    msp, customers = ground
    raised = at_once(msp, lambda: begin(msp), lambda: begin(msp))

    assert [error.messages for error in raised] == [["Another run is at work: wait until it is through."]]
    assert InvoiceRun.objects.get().customers.count() == len(customers)


def test_two_workers_share_a_run_and_bill_nothing_twice(ground):
    msp, customers = ground
    for customer in customers:
        make.contract(customer)
    run = begin(msp)
    assert at_once(msp, *[lambda: runs.collect(InvoiceRun.objects.get(pk=run.pk))] * 2) == []

    run.refresh_from_db()
    assert (run.state, Invoice.objects.count(), BilledCharge.objects.count()) == ("ready", 2, 4)
    runs.approve_customers(run, None, by=make.BY)
    run.refresh_from_db()
    runs.start_issuing(run, on=make.TODAY, by=make.BY)
    assert at_once(msp, *[lambda: runs.issue_approved(InvoiceRun.objects.get(pk=run.pk))] * 2) == []
    numbers = Invoice.objects.order_by("sequence").values_list("number", flat=True)
    assert list(numbers) == ["2026-00001", "2026-00002"]


def test_a_worker_that_looked_before_another_was_through_leaves_what_is_issued(ground, monkeypatch):
    msp, customers = ground
    for customer in customers:
        make.contract(customer)
    run = begin(msp)
    runs.collect(run)
    runs.approve_customers(run, None, by=make.BY)
    run.refresh_from_db()
    runs.start_issuing(run, on=make.TODAY, by=make.BY)
    runs.issue_approved(InvoiceRun.objects.get(pk=run.pk))
    # What a statement saw that began before the other worker's commit and got the lock after it.
    left, seen = runs._left, [run.customers.order_by("pk")]
    monkeypatch.setattr(runs, "_left", lambda *facts: seen.pop() if seen else left(*facts))
    runs.issue_approved(InvoiceRun.objects.get(pk=run.pk))

    assert set(Invoice.objects.values_list("state", flat=True)) == {"issued"}


def test_a_killed_worker_leaves_whole_customers_and_the_next_one_goes_on(ground):
    msp, _customers = ground
    run = begin(msp)
    worker = subprocess.Popen(
        [sys.executable, "-c", DOOMED, str(run.pk)], stdout=subprocess.PIPE, text=True, env=os.environ | child()
    )
    assert worker.stdout.readline().strip() == "dying"
    worker.kill()
    worker.wait()
    worker.stdout.close()

    assert sorted(run.customers.values_list("state", flat=True)) == ["drafted", "waiting"]
    assert (Invoice.objects.count(), BilledCharge.objects.count()) == (1, 2)
    runs.collect(run)
    run.refresh_from_db()
    assert (run.state, Invoice.objects.count(), BilledCharge.objects.count()) == ("ready", 2, 4)


def test_a_draft_is_not_thrown_away_while_a_later_month_draws_on_it(ground):
    msp, (customer, _other) = ground
    minutes = {"kind": "minutes", "name": "Included minutes", "minutes": 10, "roll_over": 1}
    agreed.contract(customer, agreed.published(msp, minutes), starts=BEGINS)
    charges(customer, EUR, at=NOON + timedelta(days=31))
    profile = BillingProfile.objects.select_related("tenant", "entity").get(tenant=customer)
    october, _found = draft_month(profile, BEGINS, ENDS, by=make.BY)
    other = threading.Thread(target=at_once, args=(msp, lambda: refused.extend(_refusal(october))))
    refused = []
    with transaction.atomic():
        draft_month(profile, ENDS, date(2026, 12, 1), by=make.BY)
        other.start()
        other.join(0.5)
        assert refused == []
    other.join(20)

    assert refused == ["November 2026 counts on what this month left of included minutes: throw its draft away first."]
    assert Invoice.objects.filter(pk=october.pk).exists()


def _refusal(invoice):
    try:
        drop(invoice, by=make.BY)
    except ValidationError as error:
        return error.messages
    return ["none"]


def test_a_draft_waits_for_a_change_of_the_contract_and_bills_what_holds_then(ground):
    msp, (customer, _other) = ground
    version = agreed.published(msp, {"kind": "monthly", "name": "Fee", "amount": 10 * EUR}, since=date(2026, 1, 1))
    dearer = agreed.published(msp, {"kind": "monthly", "name": "Fee", "amount": 31 * EUR}, name="Dearer")
    contract = agreed.contract(customer, version, starts=date(2026, 9, 1))
    profile = BillingProfile.objects.select_related("tenant", "entity").get(tenant=customer)
    made = []

    def write():
        with contexts.msp(msp):
            made.append(draft_month(profile, BEGINS, ENDS, by=make.BY)[0].pk)
        connections.close_all()

    other = threading.Thread(target=write)
    with transaction.atomic():
        ordering.change_plan(contract, dearer, on=BEGINS, by=make.BY)
        other.start()
        other.join(1)
        assert made == []
    other.join(20)

    assert list(InvoiceLine.objects.filter(invoice__in=made, kind="fee").values_list("net", flat=True)) == [31 * EUR]
    with pytest.raises(ValidationError, match="are billed"):
        ordering.change_plan(contract, version, on=BEGINS + timedelta(days=1), by=make.BY)
