"""What issued documents do to the account by which calls stop: nothing twice, and a payment brings it back."""

import pytest

from portal.db import contexts
from voice.rating import accounts
from voice.rating.models import Account, Movement
from voice.receivables import services
from voice.receivables.models import Invoice
from voice.receivables.services import runs
from voice.receivables.tests import make
from voice.receivables.tests.charges import charges

pytestmark = pytest.mark.django_db
EUR = 1_000_000


def balance(customer):
    return Account.objects.get(pk=customer.pk).balance_micros


def moved(customer):
    return list(Movement.objects.filter(tenant=customer).order_by("pk").values_list("kind", "micros"))


@pytest.fixture(autouse=True)
def _jobs_wait(monkeypatch):
    monkeypatch.setattr("portal.core.jobs.run_job.apply_async", lambda *_args, **_facts: None)


def test_an_invoice_of_fees_takes_its_total_and_its_credit_note_gives_that_back(billed):
    accounts.correct(billed.tenant_id, -EUR, billed.currency, reference="calls of this month", by=make.BY)

    invoice = make.issued(billed, 100 * EUR)
    assert balance(billed.tenant) == -EUR - invoice.total
    note = services.credit(invoice, reason="Wrong plan", by=make.BY)
    services.issue(services.approve(note, by=make.BY), on=make.TODAY, by=make.BY)

    assert balance(billed.tenant) == -EUR
    assert [kind for kind, _micros in moved(billed.tenant)] == ["correction", "invoice", "credit_note"]


def test_calls_that_took_theirs_when_they_were_made_are_not_taken_again(billed, northwind):
    charges(billed.tenant, 12 * EUR, 8 * EUR)
    accounts.correct(billed.tenant_id, -20 * EUR, billed.currency, reference="as the calls moved it", by=make.BY)
    run = runs.start_run(northwind, make.OCTOBER[0], by=make.BY, today=make.TODAY)
    runs.collect(run)
    runs.approve_customers(run, None, by=make.BY)
    run.refresh_from_db()
    runs.start_issuing(run, on=make.TODAY, by=make.BY)
    runs.issue_approved(run)

    invoice = Invoice.objects.get(tenant=billed.tenant, source="run", state="issued")
    assert invoice.net == 20 * EUR
    # The tax is all that is new; what is owed is the invoice, and paying it brings the account back to nothing.
    assert balance(billed.tenant) == -invoice.total
    services.record_payment(make.payment(billed, invoice.total), by=make.BY)
    if not [kind for kind, _micros in moved(billed.tenant) if kind == "payment"]:
        accounts.credit(billed.tenant_id, invoice.total, billed.currency, reference="p", by=make.BY)
    assert balance(billed.tenant) == 0


def test_an_account_in_another_currency_is_left_alone(billed):
    with contexts.ingest():
        accounts.opened(billed.tenant_id, "USD")

    make.issued(billed, EUR)

    assert not moved(billed.tenant)
