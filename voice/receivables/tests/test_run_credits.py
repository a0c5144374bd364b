"""Calls that were priced again to less than a month asks: credited once, by a note that bears them."""

from datetime import UTC, date, datetime

import pytest
from django.core.exceptions import ValidationError

from portal.db import contexts
from voice.currencies.models import ExchangeRate
from voice.plans.models import Credit
from voice.plans.ordering import give_credit
from voice.plans.tests import make as agreed
from voice.rating.models import Account
from voice.receivables import selectors
from voice.receivables.again import priced_again
from voice.receivables.explaining import figures_of, steps_of
from voice.receivables.models import BilledMonth, Invoice
from voice.receivables.services import approve, credit, drop, runs
from voice.receivables.services import issue as issue_one
from voice.receivables.tests import make
from voice.receivables.tests.charges import charges
from voice.receivables.tests.months import BEGINS, ENDS, EUR, codes, invoices, issue, run_of, state_of
from voice.rerating.models import Adjustment

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("jobs_wait")]
NOVEMBER = datetime(2026, 11, 15, 12, tzinfo=UTC)


def again(call, micros, proposal=1):
    """Price a call again as an applied proposal does."""
    same = ("tenant_id", "msp_id", "invited", "answered", "direction", "destination", "currency")
    facts = {name: getattr(call, name) for name in same}
    with contexts.ingest():
        Adjustment.objects.create(
            **facts, call=call.id, calls=0, micros=micros, proposal_id=proposal, made_at=call.answered
        )


def credited(invoice, position, amount):
    note = credit(invoice, reason="Wrong calls", amounts={position: amount}, by=make.BY)
    issue_one(approve(note, by=make.BY), on=make.TODAY, by=make.BY)


def tick_and_issue(run):
    for finding in runs.open_warnings(run):
        runs.tick(finding, by=make.BY)
    runs.approve_customers(run, None, by=make.BY)
    issue(run)


@pytest.fixture
def october(billed, northwind):
    """October is issued: a fee of 10.00, and calls of 500.00 to Germany and 40.00 to France."""
    version = agreed.published(northwind, {"kind": "monthly", "name": "Fee", "amount": 10 * EUR})
    agreed.contract(billed.tenant, version)
    made = charges(billed.tenant, 300 * EUR, 200 * EUR, ("France", 40 * EUR))
    tick_and_issue(run_of(northwind))
    return made


def test_what_no_month_can_bear_is_credited_once(billed, northwind, october):
    (first,) = invoices(billed.tenant)
    for call, micros in zip(october, (-250 * EUR, -200 * EUR, 5 * EUR), strict=True):
        again(call, micros)
    run = run_of(northwind, ENDS, date(2026, 12, 1))
    each = run.customers.get(tenant=billed.tenant)
    assert (state_of(run, billed.tenant), codes(run, billed.tenant)) == ("left_out", ["again_less"])

    (note,) = runs.credit_again(each, by=make.BY)
    assert (note.corrects, note.net, note.total, note.lines.get().text) == (
        first,
        450 * EUR,
        535_500_000,
        "Gespräche: Germany",
    )
    # Thrown away, it leaves all as it was.
    drop(note, by=make.BY)
    assert set(Adjustment.objects.values_list("invoice_id", flat=True)) == {None}
    (note,) = runs.credit_again(each, by=make.BY)
    with pytest.raises(ValidationError, match="comes to less"):
        runs.credit_again(each, by=make.BY)
    issue_one(approve(note, by=make.BY), on=date(2026, 12, 1), by=make.BY)
    assert selectors.open_amount(first) == first.total - 535_500_000
    assert BilledMonth.objects.get(invoice=note).micros == -450 * EUR

    # November has its fee, and what France came to more.
    november = run_of(northwind, ENDS, date(2026, 12, 1))
    second = Invoice.objects.get(tenant=billed.tenant, begins=ENDS)
    assert (second.net, "again_less" in codes(november, billed.tenant)) == (15 * EUR, False)
    with pytest.raises(ValidationError, match="Its bill bears"):
        runs.credit_again(november.customers.get(tenant=billed.tenant), by=make.BY)


def test_an_invoice_of_which_less_is_left_as_a_whole_keeps_no_other_back(billed, northwind):
    version = agreed.published(northwind, {"kind": "monthly", "name": "Fee", "amount": 10 * EUR})
    made = agreed.contract(billed.tenant, version)
    (september,) = charges(billed.tenant, 20 * EUR, at=datetime(2026, 9, 10, 12, tzinfo=UTC))
    tick_and_issue(run_of(northwind, date(2026, 9, 1), BEGINS))
    (october,) = charges(billed.tenant, 500 * EUR)
    give_credit(Credit(contract=made, month=BEGINS, amount=400 * EUR, reason="Outage"), by=make.BY)
    tick_and_issue(run_of(northwind))
    again(september, -20 * EUR)
    again(october, -450 * EUR)
    run = run_of(northwind, ENDS, date(2026, 12, 1))
    each = run.customers.get(tenant=billed.tenant)

    (note,) = runs.credit_again(each, by=make.BY)
    assert note.net == 20 * EUR and Adjustment.objects.get(invoice_id=None).micros == -450 * EUR
    with pytest.raises(ValidationError, match="as a whole"):
        runs.credit_again(each, by=make.BY)


def test_the_account_by_which_calls_stop_gets_it_once(billed, northwind, october):
    # Here no account heard of the calls, nor that they were priced again.
    before = Account.objects.get(pk=billed.tenant_id).balance_micros
    again(october[0], -250 * EUR)
    run = run_of(northwind, ENDS, date(2026, 12, 1))
    (note,) = runs.credit_again(run.customers.get(tenant=billed.tenant), by=make.BY)
    issue_one(approve(note, by=make.BY), on=date(2026, 12, 1), by=make.BY)

    assert Account.objects.get(pk=billed.tenant_id).balance_micros - before == note.total - 250 * EUR == 47_500_000


@pytest.mark.parametrize(("by_hand", "given"), [(500, 0), (400, 100), (30, 450)], ids=["whole", "most", "some"])
def test_no_more_is_given_back_than_earlier_credit_notes_left(billed, northwind, october, by_hand, given):
    """Germany's line is 500.00, credited by hand, then priced again to 50.00; November's calls could bear all of it."""
    (first,) = invoices(billed.tenant)
    line = first.lines.get(net=500 * EUR).position
    credited(first, line, by_hand * EUR)
    again(october[0], -300 * EUR)
    again(october[1], -150 * EUR)
    charges(billed.tenant, 600 * EUR, at=NOVEMBER)

    run_of(northwind, ENDS, date(2026, 12, 1))

    (_first, second) = invoices(billed.tenant)
    assert second.net == (610 - given) * EUR
    assert Adjustment.objects.filter(invoice_id=second.pk).count() == 2
    if by_hand > 30:
        told = second.lines.get(basis__rule="again")
        assert told.basis["credited"] == (given - 450) * EUR
        assert f"-€{450 - given}.00 of it were credited before." in steps_of(
            told, "EUR", figures_of(second, told.position)
        )


def test_what_is_credited_as_a_whole_keeps_no_later_month_back(billed, northwind, october):
    """November asks its fee alone: what is priced again of a line that is credited is nothing to write a note about."""
    (first,) = invoices(billed.tenant)
    credited(first, first.lines.get(net=500 * EUR).position, 500 * EUR)
    again(october[0], -300 * EUR)

    run = run_of(northwind, ENDS, date(2026, 12, 1))

    assert (state_of(run, billed.tenant), invoices(billed.tenant)[1].net) == ("drafted", 10 * EUR)


def test_a_line_of_converted_calls_has_left_what_its_rate_says(billed, northwind):
    """Calls of 108.00 USD are 100.00 EUR on the bill; of these 75.00 are credited, so 27.00 USD are left."""
    facts = {"msp": northwind, "base": "EUR", "quote": "USD", "nanos": 1_080_000_000, "kind": "manual"}
    ExchangeRate.objects.create(**facts, day=BEGINS.replace(day=31), source="ECB")
    made = charges(billed.tenant, 108 * EUR, currency="USD")
    tick_and_issue(run_of(northwind))
    (first,) = invoices(billed.tenant)
    credited(first, 1, 75 * EUR)
    again(made[0], -108 * EUR)

    (found,) = priced_again(billed.tenant, ENDS, date(2026, 12, 1), NOVEMBER, [])

    assert (found.currency, found.asked) == ("USD", -27 * EUR)


def test_pages_and_programs_write_the_credit_notes(client_of, nadia, northwind, billed, october):
    again(october[0], -250 * EUR)
    run = run_of(northwind, ENDS, date(2026, 12, 1))
    each = run.customers.get(tenant=billed.tenant)
    contexts.use_public()
    office = client_of(nadia, northwind)
    own = f"/invoices/runs/{run.pk}/customers/{each.pk}/"
    assert f"{own}credit/" in office.get(own).content.decode()
    path, told = f"/api/v1/invoice-runs/{run.pk}/credit/", {"customer": billed.tenant_id}
    answer = office.post(path, told, content_type="application/json")
    assert answer.status_code == 200 and len(answer.json()["credit_notes"]) == 1
    for wrong in (told, {"customer": 0}):
        assert office.post(path, wrong, content_type="application/json").status_code == 400
    office.post(f"/invoices/{answer.json()['credit_notes'][0]}/drop/", {"confirmed": "1"})
    assert office.post(f"{own}credit/")["Location"].startswith("/invoices/")
    with contexts.msp(northwind):
        assert Invoice.objects.get(kind="credit_note").begins == BEGINS
