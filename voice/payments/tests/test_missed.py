"""Data of before accounts were told of invoices and reminders is counted once, and never what is counted already."""

import io
from datetime import timedelta

import pytest
from django.core.management import call_command

from portal.db import contexts
from voice.payments.models import CardAttempt, DunningStep
from voice.payments.services import dunning, ladder
from voice.payments.services.missed import count_missed, missed
from voice.payments.tests.cards import EUR, owed, take_cards
from voice.plans.tests import make as agreed
from voice.rating import accounts
from voice.rating.models import Account, Movement
from voice.receivables.services import approve, counting, issue, record_payment, reverse_payment
from voice.receivables.services.months import draft_month
from voice.receivables.tests import make
from voice.receivables.tests.charges import charges

pytestmark = pytest.mark.django_db


@pytest.fixture
def older(monkeypatch):
    """Let accounts be told of nothing, as by an older version."""
    monkeypatch.setattr(counting, "in_account", lambda *_told: None)
    return monkeypatch


@pytest.fixture
def books(billed, northwind, older):
    """Bill 119.00 and remind of it for 5.00; 50.00 are paid, of which 10.00 go back, and 20.00 are a top-up."""
    invoice = make.issued(billed, 100 * EUR)
    told = {"title": "Reminder", "words": "Please pay.", "fee": 5 * EUR}
    ladder.save_step(DunningStep(msp=northwind, after_days=7, **told), by=make.BY)
    later = invoice.due_on + timedelta(days=7)
    for reminder in dunning.propose(northwind, today=later, by=make.BY):
        dunning.release(reminder, today=later, by=make.BY)
    paid = record_payment(make.payment(billed, 50 * EUR), by=make.BY)
    reverse_payment(paid, 10 * EUR, kind="refund", on=make.TODAY, reference="re_1", by=make.BY)
    topped_up = record_payment(make.payment(billed, 20 * EUR, "pi_1"), settles=False, by=make.BY)
    CardAttempt.objects.create(
        msp=northwind, tenant=billed.tenant, account=take_cards(billed.entity), kind="top_up", currency="EUR",
        amount=20 * EUR, payment=topped_up, state="succeeded", is_under_way=False,
    )  # fmt: skip
    older.undo()
    return invoice


def moved(customer):
    return list(Movement.objects.filter(tenant=customer).order_by("kind").values_list("kind", "micros"))


def test_what_was_missed_is_counted_as_what_it_is_and_once(billed, books):
    assert not Account.objects.exists()

    assert len(count_missed(billed.tenant, by=make.BY)) == 5

    assert moved(billed.tenant) == [
        ("fee", -5 * EUR), ("invoice", -119 * EUR), ("payment", 50 * EUR), ("taken_back", -10 * EUR),
        ("top_up", 20 * EUR),
    ]  # fmt: skip
    assert Account.objects.get().balance_micros == -owed(billed) == -64 * EUR
    assert missed(billed.tenant) == count_missed(billed.tenant, by=make.BY) == []


def test_what_is_counted_already_and_other_currencies_are_left_alone(billed, books):
    accounts.correct(billed.tenant_id, EUR, "USD", reference="by hand", by=make.BY)
    assert missed(billed.tenant) == []


def test_calls_of_an_invoice_over_nothing_are_given_back(billed, northwind, older):
    minutes = {"kind": "minutes", "name": "Included minutes", "minutes": 10}
    agreed.contract(billed.tenant, agreed.published(northwind, minutes), starts=make.OCTOBER[0])
    charges(billed.tenant, 10 * EUR, seconds=600, billed=600)
    invoice, _found = draft_month(billed, *make.OCTOBER, by=make.BY)
    issue(approve(invoice, by=make.BY), on=make.TODAY, by=make.BY)
    older.undo()
    accounts.correct(billed.tenant_id, -10 * EUR, billed.currency, reference="as the calls moved it", by=make.BY)

    count_missed(billed.tenant, by=make.BY)

    assert Account.objects.get().balance_micros == 0


def test_the_command_shows_first_and_counts_when_it_is_told_to(billed, books):
    accounts.correct(billed.tenant_id, 2 * EUR, "EUR", reference="By phone", by=make.BY)
    contexts.use_public()

    def told(*args):
        said = io.StringIO()
        call_command("countmissed", *args, stdout=said)
        return said.getvalue()

    shown = told()
    assert "€2.00, then −€62.00; not counted:" in shown.replace("-", "−") and "booked by hand so far: €2.00" in shown
    assert books.number in shown and told() == shown
    assert told("--customer", "0") == "" and told("--apply").count("\n") == shown.count("\n")
    assert told() == ""
    with contexts.msp(billed.tenant.msp):
        assert Account.objects.get().balance_micros == -62 * EUR
