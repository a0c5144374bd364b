"""The table of billed calls: once each, fixed with the approval, and for whom to see."""

import uuid
from datetime import date, timedelta

import pytest
from django.db import IntegrityError, ProgrammingError, transaction

from portal.db import contexts
from voice.plans.bills import moments
from voice.receivables.models import BilledCharge, BilledMonth, RunCustomer, RunFinding
from voice.receivables.services import approve, drop, months, note_missing_months, runs
from voice.receivables.services.months import draft_month
from voice.receivables.tests import make
from voice.receivables.tests.charges import NOON, charges
from voice.receivables.tests.months import BEGINS, ENDS, EUR, invoices, issue, run_of
from voice.rerating.models import Adjustment

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("jobs_wait")]


class TestTheTableOfBilledCalls:
    def test_a_dropped_draft_lets_its_calls_go(self, served, northwind):
        charges(served.tenant, EUR)
        run = run_of(northwind)
        drop(invoices(served.tenant)[0], by=make.BY)

        assert not BilledCharge.objects.exists()
        assert run.customers.get(tenant=served.tenant).invoice is None

    def test_what_is_approved_or_issued_keeps_its_calls(self, served, northwind):
        charges(served.tenant, EUR)
        run_of(northwind)
        approve(invoices(served.tenant)[0], by=make.BY)
        for wrong in (
            lambda: BilledCharge.objects.all().delete(),
            lambda: BilledCharge.objects.update(micros=2 * EUR),
        ):
            with pytest.raises(IntegrityError, match="fixed"), transaction.atomic():
                wrong()

    def test_a_call_is_on_one_line(self, served, northwind):
        (charge,) = charges(served.tenant, EUR)
        run_of(northwind)
        with pytest.raises(IntegrityError), transaction.atomic():
            BilledCharge.objects.create(
                tenant_id=charge.tenant_id, msp_id=charge.msp_id, invited=charge.invited, id=charge.id,
                line=invoices(served.tenant)[0].lines.get(), micros=EUR,
            )  # fmt: skip

    def test_a_customer_sees_its_calls_once_they_are_issued_and_nobody_elses(self, served, globex, initech, northwind):
        charges(served.tenant, EUR)
        run = run_of(northwind)
        with contexts.customer(served.tenant):
            assert not BilledCharge.objects.exists()
        runs.approve_customers(run, None, by=make.BY)
        issue(run)
        with contexts.customer(served.tenant):
            assert BilledCharge.objects.count() == 1 and not RunCustomer.objects.exists()
        for other in (contexts.customer(globex), contexts.msp(initech.msp), contexts.customer(initech)):
            with other:
                assert not BilledCharge.objects.exists() and not RunFinding.objects.exists()

    def test_a_call_that_comes_in_between_two_looks_is_not_lost(self, served, northwind, monkeypatch):

        charges(served.tenant, EUR)
        real = months.unbilled
        stale = [real(served.tenant_id, northwind.pk, *moments(served.tenant_id, BEGINS, ENDS))]
        charges(served.tenant, 2 * EUR, at=NOON + timedelta(hours=1))
        monkeypatch.setattr(months, "unbilled", lambda *args: stale.pop() if stale else real(*args))
        invoice, _usage = draft_month(served, BEGINS, ENDS, by=make.BY)

        assert not stale and invoice.net == 3 * EUR and len(invoices(served.tenant)) == 1

    def test_an_issued_invoice_notes_what_it_bills_of_which_month(self, served, northwind):
        july = NOON.replace(month=7)
        charges(served.tenant, EUR, 2 * EUR)
        charges(served.tenant, 4 * EUR, at=july)
        with contexts.ingest():
            Adjustment.objects.create(
                tenant_id=served.tenant_id, msp_id=northwind.pk, invited=july, answered=july, calls=0, currency="EUR",
                call=uuid.uuid4(), direction="out", destination="Germany", micros=-EUR, proposal_id=1, made_at=july,
            )  # fmt: skip
        run = run_of(northwind)
        assert not BilledMonth.objects.exists()
        runs.approve_customers(run, None, by=make.BY)
        issue(run)

        found = BilledMonth.objects.order_by("month").values_list("month", "billed_in", "currency", "micros", "off")
        assert list(found) == [(date(2026, 7, 1), BEGINS, "EUR", 3 * EUR, 0), (BEGINS, BEGINS, "EUR", 3 * EUR, 0)]
        for place in (contexts.customer(served.tenant), contexts.ingest()):
            with place, pytest.raises(ProgrammingError), transaction.atomic():
                BilledMonth.objects.exists()

    def test_an_invoice_of_early_days_is_noted_later_and_once(self, served, northwind, monkeypatch):
        charges(served.tenant, EUR)
        run = run_of(northwind)
        runs.approve_customers(run, None, by=make.BY)
        monkeypatch.setattr("voice.receivables.services.issuing.note_months", lambda _invoice: None)
        issue(run)
        assert not BilledMonth.objects.exists()

        assert [note_missing_months(northwind, day) for day in (date(2028, 1, 1), ENDS, ENDS)] == [0, 1, 0]
        assert list(BilledMonth.objects.values_list("month", "micros")) == [(BEGINS, EUR)]
