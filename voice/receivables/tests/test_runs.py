"""Invoice runs: what is collected, what is left out and why, what somebody has to look at, and what is issued."""

import uuid
from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from portal.core.models import Job
from portal.db import contexts
from voice.plans.bills import FEE, PlanBill, PlanItem, moments, plan_bill
from voice.plans.ordering import billed_until
from voice.plans.tests import make as agreed
from voice.rating.money import to_minor
from voice.receivables import checks, hooks, tasks
from voice.receivables.models import BilledCharge, BillingProfile, Invoice, InvoiceRun, RunCustomer, RunFinding
from voice.receivables.services import approve, drop, months, runs
from voice.receivables.services.months import draft_month
from voice.receivables.tests import make
from voice.receivables.tests.charges import NOON, charges

pytestmark = pytest.mark.django_db
EUR = 1_000_000
BEGINS, ENDS = make.OCTOBER


def run_of(msp, begins=BEGINS, today=make.TODAY):
    run = runs.start_run(msp, begins, by=make.BY, today=today)
    runs.collect(run)
    run.refresh_from_db()
    return run


def state_of(run, customer):
    return run.customers.get(tenant=customer).state


def codes(run, customer):
    return list(run.findings.filter(customer__tenant=customer).order_by("code").values_list("code", flat=True))


def issue(run, on=make.TODAY):
    run.refresh_from_db()
    runs.start_issuing(run, on=on, by=make.BY)
    runs.issue_approved(run)
    run.refresh_from_db()


def invoices(customer):
    return list(Invoice.objects.filter(tenant=customer, source="run").order_by("pk"))


@pytest.fixture(autouse=True)
def _jobs_wait(monkeypatch):
    """Let the tests do the work of the jobs themselves."""
    monkeypatch.setattr("portal.core.jobs.run_job.apply_async", lambda *_args, **_facts: None)


def test_a_month_becomes_an_invoice_with_each_call_on_its_line(billed, northwind):
    made = charges(billed.tenant, 1_234_567, ("France", 45), 8, ("France", 99_950))
    charges(billed.tenant, 0, direction="internal", outcome="free")
    run = run_of(northwind)

    assert (run.state, state_of(run, billed.tenant)) == ("ready", "drafted")
    (invoice,) = invoices(billed.tenant)
    lines = {line.text: line for line in invoice.lines.all()}
    assert {text: (line.quantity, line.exact, line.net) for text, line in lines.items()} == {
        "Calls to France": (2, 99_995, 100_000),
        "Calls to Germany": (2, 1_234_575, 1_230_000),
        "Internal calls": (1, 0, 0),
    }
    on = dict(BilledCharge.objects.values_list("id", "line__text"))
    assert [on[each.id] for each in made] == ["Calls to Germany", "Calls to France"] * 2
    assert invoice.net == 1_330_000


def test_late_calls_go_on_the_next_invoice_and_none_on_two(billed, northwind):
    charges(billed.tenant, 10 * EUR)
    run = run_of(northwind)
    runs.approve_customers(run, None, by=make.BY)
    issue(run)
    charges(billed.tenant, 7 * EUR)
    charges(billed.tenant, 2 * EUR, at=NOON + timedelta(days=31))
    later = run_of(northwind, ENDS, date(2026, 12, 1))

    assert [invoice.net for invoice in invoices(billed.tenant)] == [10 * EUR, 9 * EUR]
    late = later.findings.get(code="late")
    assert (late.level, late.facts) == ("note", {"calls": 1, "oldest": "2026-10-15"})
    again = run_of(northwind)
    assert state_of(again, billed.tenant) == "drafted" and len(invoices(billed.tenant)) == 2


def test_calls_at_the_edge_of_the_month_are_billed_with_the_month_of_their_answer(billed, northwind):
    charges(billed.tenant, EUR, at=datetime(2026, 10, 31, 23, 59, 54, tzinfo=UTC))
    charges(billed.tenant, 5 * EUR, at=datetime(2026, 10, 31, 23, 59, 56, tzinfo=UTC))
    run_of(northwind)

    assert invoices(billed.tenant)[0].net == EUR


def test_calls_without_a_price_keep_their_customer_back_and_nobody_else(billed, globex, northwind):
    make.profile(billed.entity, globex)
    charges(billed.tenant, 3 * EUR)
    aside = charges(billed.tenant, 0, 0, outcome="unrated", deck_id=None, currency="")
    charges(globex, 4 * EUR)
    run = run_of(northwind)

    assert (state_of(run, billed.tenant), state_of(run, globex)) == ("left_out", "drafted")
    finding = run.findings.get(customer__tenant=billed.tenant)
    assert (finding.code, finding.facts) == ("aside", {"calls": 2, "reasons": {"unrated": 2}})
    runs.approve_customers(run, None, by=make.BY)
    issue(run)
    with contexts.ingest(), connection.cursor() as cursor:
        cursor.execute("UPDATE rating_charge SET outcome = 'rated', micros = 5, currency = 'EUR', deck_id = 1"
                       " WHERE id = ANY(%s)", [[each.id for each in aside]])  # fmt: skip
    again = run_of(northwind)
    assert (state_of(again, billed.tenant), codes(again, billed.tenant)) == ("drafted", [])
    assert invoices(billed.tenant)[0].lines.get().quantity == 3
    assert len(invoices(globex)) == 1


def test_a_call_that_was_never_priced_is_no_free_call(billed, northwind):
    from portal.db.partitions import ensure_days
    from voice.calls.tests.make import cdr

    ensure_days("calls_cdr", [NOON.date()])
    with contexts.ingest():
        cdr(billed.tenant, NOON).save(force_insert=True)
    run = run_of(northwind)

    assert codes(run, billed.tenant) == ["unpriced"]


def test_a_month_that_lasts_is_not_billed(northwind):
    for begins, today in ((ENDS, date(2026, 11, 30)), (date(2026, 10, 2), make.TODAY)):
        with pytest.raises(ValidationError, match="not over"):
            runs.start_run(northwind, begins, by=make.BY, today=today)


def test_what_is_missing_is_said_of_each_customer(billed, globex, northwind):
    charges(globex, EUR)
    charges(billed.tenant, EUR, currency="USD")
    run = run_of(northwind)

    assert codes(run, globex) == ["no_profile"]
    assert codes(run, billed.tenant) == ["no_rate"] and not invoices(billed.tenant)
    assert not BilledCharge.objects.exists()


def test_a_vat_id_that_cannot_be_one_leaves_the_customer_out(billed, northwind):
    BillingProfile.objects.filter(pk=billed.pk).update(vat_id="DE1")
    charges(billed.tenant, EUR)

    assert codes(run_of(northwind), billed.tenant) == ["vat_id"]


def test_foreign_calls_are_converted_as_a_sum_and_rounded_once(billed, northwind):
    from voice.currencies.models import ExchangeRate

    ExchangeRate.objects.create(
        msp=northwind, base="EUR", quote="USD", nanos=1_084_300_000, day=date(2026, 10, 30), kind="manual", source="ECB"
    )
    charges(billed.tenant, 12_000_000, 345_678, currency="USD")
    charges(billed.tenant, EUR)
    run_of(northwind)

    lines = {line.group: line for line in invoices(billed.tenant)[0].lines.all()}
    assert lines["out USD"].net == 11_390_000 and lines["out"].net == EUR
    assert lines["out USD"].basis["micros"] == 12_345_678 and "1.0843" in lines["out USD"].basis["rate"]
    assert BilledCharge.objects.filter(line=lines["out USD"]).count() == 2


def test_a_surprise_has_to_be_ticked_before_it_goes_out(billed, northwind):
    make.issued(billed, 100 * EUR, on=date(2026, 10, 1), period=(date(2026, 9, 1), BEGINS))
    charges(billed.tenant, 131 * EUR)
    run = run_of(northwind)

    assert codes(run, billed.tenant) == ["change"]
    assert runs.approve_customers(run, None, by=make.BY) == (0, 1)
    runs.tick(run.findings.get(), by=make.BY)
    assert runs.approve_customers(run, None, by=make.BY) == (1, 0)
    assert run.customers.get(tenant=billed.tenant).change == 31 * EUR


def test_an_error_is_mended_and_not_ticked(billed, globex, northwind):
    charges(globex, EUR)
    run = run_of(northwind)
    with pytest.raises(ValidationError, match="mended"):
        runs.tick(run.findings.get(customer__tenant=globex), by=make.BY)


def test_counts_that_do_not_add_up_hold_everything_until_somebody_says_so(billed, northwind, monkeypatch):
    hour = hooks.Uncounted(billed.tenant_id, NOON, "sbc-1", 10, 9)
    monkeypatch.setattr(hooks, "uncounted_of", [lambda customers, begins, ends: [hour]])
    charges(billed.tenant, EUR)
    run = run_of(northwind)

    with pytest.raises(ValidationError, match="whole run"):
        runs.approve_customers(run, None, by=make.BY)
    for finding in run.findings.all():
        if finding.level == "warning":
            runs.tick(finding, by=make.BY)
    assert runs.approve_customers(run, None, by=make.BY) == (1, 0)


def test_two_runs_at_once_of_one_msp(billed, northwind, fabrikam):
    runs.start_run(northwind, BEGINS, by=make.BY, today=make.TODAY)
    for begins in (BEGINS, date(2026, 9, 1)):
        with pytest.raises(ValidationError, match="at work"):
            runs.start_run(northwind, begins, by=make.BY, today=make.TODAY)
    with pytest.raises(IntegrityError), transaction.atomic():
        InvoiceRun.objects.create(msp=northwind, begins=date(2026, 8, 1), ends=date(2026, 9, 1))
    with contexts.msp(fabrikam):
        runs.start_run(fabrikam, BEGINS, by=make.BY, today=make.TODAY)


def test_collecting_again_leaves_what_is_approved_as_it_is(billed, globex, northwind):
    make.profile(billed.entity, globex)
    charges(billed.tenant, EUR)
    charges(globex, EUR)
    run = run_of(northwind)
    kept = run.customers.get(tenant=billed.tenant)
    runs.approve_customers(run, [kept.pk], by=make.BY)
    charges(billed.tenant, 2 * EUR)
    charges(globex, 2 * EUR)
    again = run_of(northwind)

    assert again.pk == run.pk
    assert [invoices(each)[0].net for each in (billed.tenant, globex)] == [EUR, 3 * EUR]


def test_a_worker_that_dies_loses_one_customer_and_a_sweep_goes_on(billed, globex, northwind, monkeypatch):
    make.profile(billed.entity, globex)
    charges(billed.tenant, EUR)
    charges(globex, 2 * EUR)
    run = runs.start_run(northwind, BEGINS, by=make.BY, today=make.TODAY)
    first = run.customers.order_by("pk").first()
    with monkeypatch.context() as dying:
        dying.setattr(
            runs, "_note", lambda *_args: None if _args[1] in (None, first) else (_ for _ in ()).throw(SystemExit)
        )
        with pytest.raises(SystemExit):
            runs.collect(run)
    assert sorted(run.customers.values_list("state", flat=True)) == ["drafted", "waiting"]
    run.refresh_from_db()
    assert run.is_working and runs.take_up_runs(northwind, timezone.now()) == 0

    later = timezone.now() + timedelta(minutes=5)
    assert [runs.take_up_runs(northwind, later) for _ in range(2)] == [1, 0]
    tasks.jobs.KINDS["invoices.collect"](Job(params={"run": run.pk}), lambda *_args: None)
    run.refresh_from_db()
    assert run.state == "ready"
    assert [len(invoices(each)) for each in (billed.tenant, globex)] == [1, 1]


def test_issuing_goes_on_where_it_stopped_and_numbers_have_no_gap(billed, globex, northwind, monkeypatch):
    make.profile(billed.entity, globex)
    for customer in (billed.tenant, globex):
        charges(customer, EUR)
    run = run_of(northwind)
    runs.approve_customers(run, None, by=make.BY)
    run.refresh_from_db()
    runs.start_issuing(run, on=make.TODAY, by=make.BY)
    with monkeypatch.context() as dying:
        real, calls = runs.issue, []

        def issue_once(*args, **facts):
            calls.append(1)
            made = real(*args, **facts)
            if len(calls) == 2:
                raise SystemExit
            return made

        dying.setattr(runs, "issue", issue_once)
        with pytest.raises(SystemExit):
            runs.issue_approved(run)
    assert sorted(Invoice.objects.values_list("number", flat=True)) == ["", "2026-00001"]
    tasks.jobs.KINDS["invoices.issue"](Job(params={"run": run.pk}), lambda *_args: None)

    assert sorted(Invoice.objects.values_list("number", flat=True)) == ["2026-00001", "2026-00002"]
    assert all(invoice.files.filter(kind__in=("pdf", "xml")).count() == 2 for invoice in Invoice.objects.all())
    run.refresh_from_db()
    assert run.state == "ready"


def test_a_customer_that_cannot_be_issued_goes_back_and_the_others_go_out(billed, globex, northwind):
    other = make.entity(northwind, name="Second GmbH")
    make.profile(other, globex)
    for customer in (billed.tenant, globex):
        charges(customer, EUR)
    run = run_of(northwind)
    make.issued(billed, EUR, name="later", on=date(2026, 12, 24))
    runs.approve_customers(run, None, by=make.BY)
    issue(run)

    assert [invoices(each)[0].state for each in (billed.tenant, globex)] == ["draft", "issued"]
    assert "earlier date" in run.findings.get(code="not_issued").facts["words"]


def test_nothing_to_bill_is_no_invoice(billed, northwind):
    charges(billed.tenant, 0, direction="emergency", outcome="free")

    assert state_of(run_of(northwind), billed.tenant) == "nothing"
    assert not BilledCharge.objects.exists()


def test_what_was_priced_again_is_on_the_next_invoice_once(billed, northwind):
    from voice.rerating.models import Adjustment

    def adjust(micros):
        moved = {"tenant_id": billed.tenant_id, "msp_id": northwind.pk, "invited": NOON, "answered": NOON, "calls": 0}
        with contexts.ingest():
            Adjustment.objects.create(
                **moved, call=uuid.uuid4(), direction="out", destination="Germany", currency="EUR", micros=micros,
                proposal_id=1, made_at=NOON,
        )  # fmt: skip

    charges(billed.tenant, 10 * EUR)
    adjust(-2 * EUR)
    adjust(-EUR)
    run = run_of(northwind)
    (invoice,) = invoices(billed.tenant)
    line = invoice.lines.get(kind="credit")
    assert (invoice.net, line.net, line.basis["entries"]) == (7 * EUR, -3 * EUR, 2)
    drop(invoice, by=make.BY)
    assert set(Adjustment.objects.values_list("invoice_id", flat=True)) == {None}
    again = run_of(northwind)
    assert invoices(billed.tenant)[0].net == 7 * EUR
    runs.approve_customers(again, None, by=make.BY)
    issue(again)
    run_of(northwind, ENDS, date(2026, 12, 1))
    assert state_of(run.msp.invoice_runs.get(begins=ENDS), billed.tenant) == "nothing"


class TestTheTableOfBilledCalls:
    def test_a_dropped_draft_lets_its_calls_go(self, billed, northwind):
        charges(billed.tenant, EUR)
        run = run_of(northwind)
        drop(invoices(billed.tenant)[0], by=make.BY)

        assert not BilledCharge.objects.exists()
        assert run.customers.get(tenant=billed.tenant).invoice is None

    def test_what_is_approved_or_issued_keeps_its_calls(self, billed, northwind):
        charges(billed.tenant, EUR)
        run_of(northwind)
        approve(invoices(billed.tenant)[0], by=make.BY)
        for wrong in (
            lambda: BilledCharge.objects.all().delete(),
            lambda: BilledCharge.objects.update(micros=2 * EUR),
        ):
            with pytest.raises(IntegrityError, match="fixed"), transaction.atomic():
                wrong()

    def test_a_call_is_on_one_line(self, billed, northwind):
        (charge,) = charges(billed.tenant, EUR)
        run_of(northwind)
        with pytest.raises(IntegrityError), transaction.atomic():
            BilledCharge.objects.create(
                tenant_id=charge.tenant_id, msp_id=charge.msp_id, invited=charge.invited, id=charge.id,
                line=invoices(billed.tenant)[0].lines.get(), micros=EUR,
            )  # fmt: skip

    def test_a_customer_sees_its_calls_once_they_are_issued_and_nobody_elses(self, billed, globex, initech, northwind):
        charges(billed.tenant, EUR)
        run = run_of(northwind)
        with contexts.customer(billed.tenant):
            assert not BilledCharge.objects.exists()
        runs.approve_customers(run, None, by=make.BY)
        issue(run)
        with contexts.customer(billed.tenant):
            assert BilledCharge.objects.count() == 1 and not RunCustomer.objects.exists()
        for other in (contexts.customer(globex), contexts.msp(initech.msp), contexts.customer(initech)):
            with other:
                assert not BilledCharge.objects.exists() and not RunFinding.objects.exists()

    def test_a_call_that_comes_in_between_two_looks_is_not_lost(self, billed, northwind, monkeypatch):
        from voice.receivables.services import months

        charges(billed.tenant, EUR)
        real = months.unbilled
        stale = [real(billed.tenant_id, northwind.pk, *moments(billed.tenant_id, BEGINS, ENDS))]
        charges(billed.tenant, 2 * EUR, at=NOON + timedelta(hours=1))
        monkeypatch.setattr(months, "unbilled", lambda *args: stale.pop() if stale else real(*args))
        invoice, _usage = draft_month(billed, BEGINS, ENDS, by=make.BY)

        assert not stale and invoice.net == 3 * EUR and len(invoices(billed.tenant)) == 1


def test_checks_read_everything_once(billed, northwind, django_assert_max_num_queries):
    run = run_of(northwind)
    with django_assert_max_num_queries(8):
        checks.look(run)


def test_what_a_plan_gave_is_given_until_the_draft_is_dropped(billed, northwind, monkeypatch):
    charges(billed.tenant, 1_234_567)
    fee = PlanItem(FEE, "fees", "Seats", 10 * EUR, basis={"rule": "each"})

    def bill(*args):
        return PlanBill([fee, *plan_bill(*args).items], draws=[("minutes", "", BEGINS, 600)])

    monkeypatch.setattr(months, "plan_bill", bill)

    invoice, _found = draft_month(billed, BEGINS, ENDS, by=make.BY)
    assert billed_until(billed.tenant) == ENDS

    drop(invoice, by=make.BY)
    assert billed_until(billed.tenant) is None


def test_what_rolls_over_from_a_billed_month_is_given_once(billed, northwind):
    fee = {"kind": "monthly", "name": "Fee", "amount": 10 * EUR}
    minutes = {"kind": "minutes", "name": "Included minutes", "minutes": 10, "roll_over": 1}
    agreed.contract(billed.tenant, agreed.published(northwind, fee, minutes), starts=BEGINS)
    months_ = [(BEGINS, 240), (ENDS, 1200), (date(2026, 12, 1), 1200)]
    covered = []
    for begins, seconds in months_:
        at = datetime(begins.year, begins.month, 15, 12, tzinfo=UTC)
        charges(billed.tenant, seconds * 1_000, at=at, seconds=seconds, billed=seconds)
        ends = (begins + timedelta(days=31)).replace(day=1)
        invoice, _found = draft_month(billed, begins, ends, by=make.BY)
        (call,) = BilledCharge.objects.filter(line__invoice=invoice)
        covered.append(call.covered)

    # Six minutes of October come to November, and nothing of either to December.
    assert covered == [240, 960, 600]


def test_many_calls_sum_to_the_total_to_the_cent(billed, northwind):
    """The bench of invoice runs does the same over a million."""
    charges(billed.tenant, 0)
    with contexts.ingest(), connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO rating_charge (tenant_id, msp_id, invited, id, answered, direction, destination, prefix,
                   outcome, micros, currency, seconds, billed, deck_id, rate_id, rated_at)
               SELECT %s, %s, %s::timestamptz + n * interval '500 milliseconds', gen_random_uuid(), %s, 'out',
                   'D' || n %% 200, '49', 'rated', (n::bigint * 7919) %% 400000, 'EUR', 60, 60, 1, 1, now()
                 FROM generate_series(1, 100000) n""",
            [billed.tenant_id, billed.msp_id, NOON.replace(hour=1), NOON],
        )
    run_of(northwind)

    (invoice,) = invoices(billed.tenant)
    lines = list(invoice.lines.all())
    expected = {}
    for n in range(1, 100_001):
        expected[n % 200] = expected.get(n % 200, 0) + n * 7919 % 400_000
    assert {line.text: line.exact for line in lines if line.quantity > 1} == {
        f"Calls to D{n}": micros for n, micros in expected.items()
    }
    assert invoice.net == sum(to_minor(line.exact, "EUR") for line in lines) == sum(line.net for line in lines)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*), sum(micros) FROM receivables_billedcharge")
        assert cursor.fetchone() == (100_001, sum(expected.values()))
