"""What issued documents do to the account by which calls stop: nothing twice, and a payment brings it back."""

import re
import threading
import time
import uuid

import pytest
from django.db import connection, connections, transaction

from portal.db import contexts
from voice.plans.tests import make as agreed
from voice.rating import accounts
from voice.rating.models import Account, Movement
from voice.rating.money import read_micros
from voice.rating.tests.test_pricing_document import ALL
from voice.receivables import selectors, services
from voice.receivables.models import Invoice
from voice.receivables.services import runs
from voice.receivables.services.counting import count_fee
from voice.receivables.services.months import draft_month
from voice.receivables.tests import make
from voice.receivables.tests.charges import NOON, charges
from voice.rerating.models import Adjustment

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


def test_calls_that_took_theirs_when_they_were_made_are_not_taken_again(served, northwind):
    charges(served.tenant, 12 * EUR, 8 * EUR)
    accounts.correct(served.tenant_id, -20 * EUR, served.currency, reference="as the calls moved it", by=make.BY)
    run = runs.start_run(northwind, make.OCTOBER[0], by=make.BY, now=make.NOW)
    runs.collect(run)
    runs.approve_customers(run, None, by=make.BY)
    run.refresh_from_db()
    runs.start_issuing(run, on=make.TODAY, by=make.BY)
    runs.issue_approved(run)

    invoice = Invoice.objects.get(tenant=served.tenant, source="run", state="issued")
    assert invoice.net == 20 * EUR
    # The tax is all that is new; what is owed is the invoice, and paying it brings the account back to nothing.
    assert balance(served.tenant) == -invoice.total
    services.record_payment(make.payment(served, invoice.total), by=make.BY)
    if not [kind for kind, _micros in moved(served.tenant) if kind == "payment"]:
        accounts.credit(served.tenant_id, invoice.total, served.currency, reference="p", by=make.BY)
    assert balance(served.tenant) == 0


def test_calls_that_an_invoice_over_nothing_bears_are_given_back(billed, northwind):
    minutes = {"kind": "minutes", "name": "Included minutes", "minutes": 10}
    agreed.contract(billed.tenant, agreed.published(northwind, minutes), starts=make.OCTOBER[0])
    charges(billed.tenant, 10 * EUR, seconds=600, billed=600)
    accounts.correct(billed.tenant_id, -10 * EUR, billed.currency, reference="as the calls moved it", by=make.BY)

    invoice, _found = draft_month(billed, *make.OCTOBER, by=make.BY)
    services.issue(services.approve(invoice, by=make.BY), on=make.TODAY, by=make.BY)

    assert invoice.total == 0
    assert balance(billed.tenant) == 0
    assert moved(billed.tenant)[1:] == [("invoice", 10 * EUR)]


def test_the_events_of_the_page_on_pricing_move_the_account_as_it_says(billed, northwind):
    (example,) = [each for each in ALL if each.kind == "events"]
    fee = {"kind": "monthly", "name": "Fee", "amount": 5 * EUR}
    agreed.contract(billed.tenant, agreed.published(northwind, fee), starts=make.OCTOBER[0])

    def calls(moves):
        charges(billed.tenant, -moves)
        accounts.correct(billed.tenant_id, moves, billed.currency, reference="as the calls moved it", by=make.BY)

    def invoice(calls, fee, tax):
        drafted, _found = draft_month(billed, *make.OCTOBER, by=make.BY)
        services.issue(services.approve(drafted, by=make.BY), on=make.TODAY, by=make.BY)
        assert (drafted.net, drafted.tax) == (calls + fee, tax)

    def reminder(fee, interest):
        count_fee(billed.tenant_id, fee + interest, billed.currency, on=make.TODAY, reference="reminder-1", by=make.BY)

    def payment(amount):
        services.record_payment(make.payment(billed, amount), by=make.BY)

    for row in example.rows:
        name, amounts = row["Event"].split()[0].strip(":"), re.findall(r"\d+\.\d\d", row["Event"])
        act = {"calls": calls, "invoice": invoice, "reminder": reminder, "payment": payment}[name]
        act(*map(read_micros, amounts or [row["Account moves by"]]))
        assert moved(billed.tenant)[-1][1] == read_micros(row["Account moves by"]), row
        assert balance(billed.tenant) == read_micros(row["Balance"]), row


def test_an_invoice_before_the_first_call_is_counted_as_its_payment_is(billed):
    invoice = make.issued(billed, 100 * EUR)
    assert balance(billed.tenant) == -invoice.total

    services.record_payment(make.payment(billed, invoice.total), by=make.BY)

    assert balance(billed.tenant) == 0


def test_what_calls_moved_when_they_were_priced_again_is_not_moved_again(billed, northwind):
    charges(billed.tenant, 10 * EUR)
    with contexts.ingest():
        Adjustment.objects.create(
            tenant_id=billed.tenant_id, msp_id=northwind.pk, invited=NOON, answered=NOON, calls=0, call=uuid.uuid4(),
            direction="out", destination="Germany", currency="EUR", micros=-3 * EUR, proposal_id=1, made_at=NOON,
        )  # fmt: skip
    accounts.correct(billed.tenant_id, -7 * EUR, billed.currency, reference="the call, priced again", by=make.BY)

    invoice, _found = draft_month(billed, *make.OCTOBER, by=make.BY)
    services.issue(services.approve(invoice, by=make.BY), on=make.TODAY, by=make.BY)

    assert invoice.net == 7 * EUR
    assert balance(billed.tenant) == -invoice.total


@pytest.mark.django_db(transaction=True)
def test_who_issues_and_who_notes_a_payment_wait_for_each_other_and_not_in_a_circle(northwind, acme):
    with contexts.msp(northwind):
        billed = make.profile(make.entity(northwind), acme)
        accounts.correct(acme.pk, -EUR, billed.currency, reference="calls", by=make.BY)
        invoice = services.approve(make.drafted(billed, 100 * EUR), by=make.BY)
    raised = []

    def issue():
        try:
            with contexts.msp(northwind):
                services.issue(invoice, on=make.TODAY, by=make.BY)
        except Exception as error:
            raised.append(error)
        finally:
            connections.close_all()

    other = threading.Thread(target=issue)
    with contexts.msp(northwind), transaction.atomic():
        services.lock_account(acme.pk)
        other.start()
        until = time.monotonic() + 10
        while not _somebody_waits() and time.monotonic() < until:
            time.sleep(0.02)
        services.record_payment(make.payment(billed, 50 * EUR), by=make.BY)
    other.join(20)

    assert raised == []
    with contexts.msp(northwind):
        # What was paid first settles what was issued after it.
        assert selectors.open_amount(Invoice.objects.get(pk=invoice.pk)) == invoice.total - 50 * EUR
    assert balance(acme) == -EUR - invoice.total + 50 * EUR


def _somebody_waits():
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
        return cursor.fetchone()[0]


def test_an_account_in_another_currency_that_no_rate_leads_to_is_left_alone(billed):
    with contexts.ingest():
        accounts.opened(billed.tenant_id, "USD")

    make.issued(billed, EUR)

    assert not moved(billed.tenant)


def test_a_top_up_by_hand_is_in_the_books_and_pays_the_next_bill(billed, client_of, nadia, northwind):
    contexts.use_public()
    link = f"/invoices/payments/new/?customer={billed.tenant_id}&for=calls"
    office = client_of(nadia, northwind)
    assert f"customer={billed.tenant_id}&amp;for=calls" in office.get(f"/customers/{billed.tenant_id}/account/").text
    assert office.get(link).context["form"]["purpose"].value() == "calls"
    paid = {"customer": billed.tenant_id, "amount": "100.00", "received_on": "2026-10-05", "method": "cash",
            "reference": "Receipt 7", "purpose": "calls"}  # fmt: skip

    assert office.post(link, paid).status_code == 302

    with contexts.msp(northwind):
        assert moved(billed.tenant) == [("top_up", 100 * EUR)]
        assert selectors.balance(billed.tenant_id, billed.entity_id, "EUR") == -100 * EUR
        invoice = make.issued(billed, 100 * EUR)
        assert selectors.open_amount(invoice) == 19 * EUR
        assert balance(billed.tenant) == -19 * EUR
        (first, _bill) = selectors.statement(billed.tenant, "EUR")
        assert first.words == "Aufladung, Receipt 7"


def test_programs_book_a_top_up_as_a_payment_and_a_correction_on_the_account(billed, client_of, nadia, northwind):
    contexts.use_public()
    office = client_of(nadia, northwind)
    told = {"customer": billed.tenant_id, "amount": 50 * EUR, "received_on": "2026-11-20", "method": "cash",
            "reference": "Receipt 8", "for_calls": True}  # fmt: skip
    account = f"/api/v1/accounts/{billed.tenant_id}/move/"

    made = office.post("/api/v1/payments/", told, content_type="application/json")
    assert made.status_code == 201 and made.json()["method"] == "cash"
    again = office.post("/api/v1/payments/", told, content_type="application/json")
    assert again.status_code == 400
    for kind, status in (("top_up", 400), ("taken_back", 400), ("correction", 201)):
        data = {"kind": kind, "micros": 5 * EUR, "reference": f"by {kind}"}
        assert office.post(account, data, content_type="application/json").status_code == status

    with contexts.msp(northwind):
        assert moved(billed.tenant) == [("top_up", 50 * EUR), ("correction", 5 * EUR)]
