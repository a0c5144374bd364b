"""What the checks of a run find: what leaves a customer out, what somebody has to look at, what is only said."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from portal.db import contexts
from portal.db.partitions import ensure_days
from tenants.models import Customer
from voice.calls.tests.make import cdr
from voice.plans.tests import make as agreed
from voice.rating import accounts
from voice.receivables import checks, hooks
from voice.receivables.models import BilledCharge, BillingProfile, InvoiceRun
from voice.receivables.services import approve, drop, runs, save_entity
from voice.receivables.tests import make
from voice.receivables.tests.charges import NOON, charges
from voice.receivables.tests.months import BEGINS, EUR, codes, invoices, issue, run_of, state_of, words_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("jobs_wait")]


def test_calls_without_a_price_keep_their_customer_back_and_nobody_else(served, globex, northwind):
    make.served(served.entity, globex)
    charges(served.tenant, 3 * EUR)
    aside = charges(served.tenant, 0, 0, outcome="unrated", deck_id=None, currency="")
    charges(globex, 4 * EUR)
    run = run_of(northwind)

    assert (state_of(run, served.tenant), state_of(run, globex)) == ("left_out", "drafted")
    finding = run.findings.get(customer__tenant=served.tenant)
    assert (finding.code, finding.facts) == ("aside", {"calls": 2, "reasons": {"unrated": 2}})
    runs.approve_customers(run, None, by=make.BY)
    issue(run)
    with contexts.ingest(), connection.cursor() as cursor:
        cursor.execute("UPDATE rating_charge SET outcome = 'rated', micros = 5, currency = 'EUR', deck_id = 1"
                       " WHERE id = ANY(%s)", [[each.id for each in aside]])  # fmt: skip
    again = run_of(northwind)
    assert (state_of(again, served.tenant), codes(again, served.tenant)) == ("drafted", [])
    assert invoices(served.tenant)[0].lines.get().quantity == 3
    assert len(invoices(globex)) == 1


def test_a_call_that_was_never_priced_is_no_free_call(served, northwind):

    ensure_days("calls_cdr", [NOON.date()])
    with contexts.ingest():
        cdr(served.tenant, NOON).save(force_insert=True)
    run = run_of(northwind)

    assert codes(run, served.tenant) == ["unpriced"]


def test_what_is_missing_is_said_of_each_customer(served, globex, northwind):
    make.contract(globex)
    charges(globex, EUR)
    charges(served.tenant, EUR, currency="USD")
    run = run_of(northwind)

    assert codes(run, globex) == ["no_profile"]
    assert codes(run, served.tenant) == ["no_rate"] and not invoices(served.tenant)
    assert not BilledCharge.objects.exists()


def test_a_vat_id_that_cannot_be_one_leaves_the_customer_out(served, northwind):
    BillingProfile.objects.filter(pk=served.pk).update(vat_id="DE1")
    charges(served.tenant, EUR)

    assert codes(run_of(northwind), served.tenant) == ["vat_id"]


def test_a_surprise_has_to_be_ticked_before_it_goes_out(served, northwind):
    make.issued(served, 100 * EUR, on=date(2026, 10, 1), period=(date(2026, 9, 1), BEGINS))
    charges(served.tenant, 131 * EUR)
    run = run_of(northwind)

    assert codes(run, served.tenant) == ["change"]
    assert runs.approve_customers(run, None, by=make.BY) == (0, 1)
    runs.tick(run.findings.get(), by=make.BY)
    assert runs.approve_customers(run, None, by=make.BY) == (1, 0)
    assert run.customers.get(tenant=served.tenant).change == 31 * EUR


@pytest.mark.parametrize(("before", "words"), [(None, "no bill of the month before"), (0, "after a month of nothing")])
def test_a_large_bill_without_one_before_has_to_be_looked_at(served, northwind, before, words):
    if before is not None:
        make.issued(served, 0, on=date(2026, 10, 1), period=(date(2026, 9, 1), BEGINS))
    charges(served.tenant, 1_000 * EUR, 10_000)
    run = run_of(northwind)

    assert codes(run, served.tenant) == ["first"]
    assert words in words_of(run.findings.get()) and "1,000.01" in words_of(run.findings.get())
    assert runs.approve_customers(run, None, by=make.BY) == (0, 1)
    runs.tick(run.findings.get(), by=make.BY)
    assert runs.approve_customers(run, None, by=make.BY) == (1, 0)


@pytest.mark.parametrize(("limit", "found"), [(1_000 * EUR, []), (999_990_000, ["first"]), (0, ["first"])])
def test_the_company_says_which_first_bills_are_looked_at(served, northwind, limit, found):
    served.entity.first_bill_limit = limit
    save_entity(served.entity, by=make.BY)
    charges(served.tenant, 1_000 * EUR)

    assert codes(run_of(northwind), served.tenant) == found


def test_what_was_ticked_stays_so_until_something_about_it_is_different(served, northwind):
    make.issued(served, 100 * EUR, on=date(2026, 10, 1), period=(date(2026, 9, 1), BEGINS))
    charges(served.tenant, 131 * EUR)
    run = run_of(northwind)
    runs.tick(run.findings.get(), by=make.BY)
    seen = run.findings.get()
    again = run_of(northwind).findings.get()
    assert (again.ticked_at, again.ticked_by) == (seen.ticked_at, make.BY.email)

    charges(served.tenant, EUR)
    assert run_of(northwind).findings.get().is_open


def test_an_error_is_mended_and_not_ticked(served, globex, northwind):
    charges(globex, EUR)
    run = run_of(northwind)
    with pytest.raises(ValidationError, match="mended"):
        runs.tick(run.findings.get(customer__tenant=globex, level="error"), by=make.BY)


def test_calls_without_a_contract_are_looked_at_before_they_go_out(billed, northwind):
    charges(billed.tenant, EUR, at=NOON - timedelta(days=1))
    charges(billed.tenant, 2 * EUR, at=NOON + timedelta(days=1))
    charges(billed.tenant, 0, direction="emergency", outcome="free", deck_id=None)
    run = run_of(northwind)

    found = run.findings.get(customer__tenant=billed.tenant)
    assert (found.code, found.level, found.facts) == ("no_contract", "warning", {"calls": 2, "days": 31})
    assert runs.approve_customers(run, None, by=make.BY) == (0, 1)
    drop(invoices(billed.tenant)[0], by=make.BY)
    make.contract(billed.tenant, starts=NOON.date())
    found = run_of(northwind).findings.get(customer__tenant=billed.tenant)
    assert found.facts == {"calls": 1, "days": 14}
    runs.tick(found, by=make.BY)
    assert runs.approve_customers(run, None, by=make.BY) == (1, 0)


def test_an_account_without_a_contract_is_told(served, globex, northwind):
    Customer.objects.filter(msp=northwind).update(created_at=NOON)
    with contexts.ingest():
        for customer in (served.tenant, globex):
            accounts.opened(customer.pk, "EUR")
    run = run_of(northwind)

    assert (state_of(run, globex), codes(run, globex)) == ("nothing", ["no_contract"])
    assert codes(run, served.tenant) == []


def test_fees_of_a_customer_that_nobody_set_how_to_bill_are_not_nothing(globex, company, northwind):
    version = agreed.published(northwind, {"kind": "monthly", "name": "Fee", "amount": 10 * EUR})
    agreed.contract(globex, version)
    run = run_of(northwind)

    assert state_of(run, globex) == "left_out"
    found = run.findings.get(customer__tenant=globex)
    assert (found.code, found.level) == ("no_profile", "error")
    assert "asks for money" in words_of(found)


def test_counts_that_do_not_add_up_hold_everything_until_somebody_says_so(served, northwind, monkeypatch):
    hour = hooks.Uncounted(served.tenant_id, NOON, "sbc-1", 10, 9)
    monkeypatch.setattr(hooks, "uncounted_of", [lambda customers, begins, ends: [hour]])
    charges(served.tenant, EUR)
    run = run_of(northwind)

    with pytest.raises(ValidationError, match="whole run"):
        runs.approve_customers(run, None, by=make.BY)
    for finding in run.findings.all():
        if finding.level == "warning":
            runs.tick(finding, by=make.BY)
    assert runs.approve_customers(run, None, by=make.BY) == (1, 0)


@pytest.mark.parametrize("whole", [False, True])
def test_no_other_door_leads_past_what_was_found(served, northwind, monkeypatch, whole):
    hour = hooks.Uncounted(served.tenant_id, NOON, "sbc-1", 10, 9)
    monkeypatch.setattr(hooks, "uncounted_of", [lambda customers, begins, ends: [hour] * whole])
    charges(served.tenant, EUR if whole else 2_000 * EUR)
    run = run_of(northwind)
    (invoice,) = invoices(served.tenant)

    # Seen of the customer, and not of the whole.
    runs.tick_customers(run, run.customers.values_list("pk", flat=True) if whole else (), by=make.BY)
    with pytest.raises(ValidationError, match="tick it"):
        approve(invoice, by=make.BY)
    for finding in runs.open_warnings(run):
        runs.tick(finding, by=make.BY)
    assert approve(invoice, by=make.BY).state == "approved"


def test_nothing_is_approved_while_its_run_is_at_work(served, northwind):
    charges(served.tenant, EUR)
    run = run_of(northwind)
    InvoiceRun.objects.filter(pk=run.pk).update(state=InvoiceRun.State.ISSUING)

    with pytest.raises(ValidationError, match="at work"):
        approve(invoices(served.tenant)[0], by=make.BY)


def test_checks_read_everything_once(served, northwind, django_assert_max_num_queries):
    run = run_of(northwind)
    with django_assert_max_num_queries(11):
        checks.look(run)
