"""Customers that have left: billed for what comes in later, and for as long as their contracts bind them."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection

from portal.db import contexts
from portal.db.customers import drop_schema
from tenants.models import Customer
from voice.plans import ordering
from voice.plans.tests import make as agreed
from voice.rating import accounts
from voice.rating.models import Account
from voice.receivables import leaving
from voice.receivables.models import BillingProfile
from voice.receivables.services import record_payment, runs
from voice.receivables.tests import make
from voice.receivables.tests.charges import NOON, charges
from voice.receivables.tests.months import BEGINS, ENDS, EUR, codes, invoices, issue, run_of, state_of, words_of
from voice.receivables.tests.test_pages import member
from voice.receivables.tests.test_run_again import adjust

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("jobs_wait")]
DECEMBER = date(2026, 12, 1)
LEFT = datetime(2026, 10, 16, 9, tzinfo=UTC)
# Calls of before that come in after it.
LATER = datetime(2026, 10, 20, 9, tzinfo=UTC)


@pytest.fixture
def leaver(billed):
    """Acme, closed on 16 October; what its contract asks is up to each test."""
    Customer.objects.filter(pk=billed.tenant_id).update(state="closed", closed_at=LEFT)
    billed.tenant.refresh_from_db()
    return billed.tenant


def october(northwind):
    run = run_of(northwind)
    for finding in runs.open_warnings(run):
        runs.tick(finding, by=make.BY)
    runs.approve_customers(run, None, by=make.BY)
    issue(run)


def test_what_comes_in_after_the_last_bill_is_billed_by_the_next_run(leaver, northwind):
    charges(leaver, 10 * EUR)
    aside = charges(leaver, 0, at=NOON - timedelta(hours=1), outcome="unrated", deck_id=None, currency="")
    with contexts.ingest(), connection.cursor() as cursor:
        priced = "UPDATE rating_charge SET outcome = 'rated', micros = %s, currency = 'EUR', deck_id = 1 WHERE id = %s"
        cursor.execute(priced, [EUR, aside[0].id])
    october(northwind)
    charges(leaver, 2 * EUR, at=NOON + timedelta(hours=1), rated_at=LATER)
    later = run_of(northwind, ENDS, DECEMBER)

    assert [each.net for each in invoices(leaver)] == [11 * EUR, 2 * EUR]
    assert codes(later, leaver) == ["change", "gone", "late"]
    # However little it is, somebody looks at it first.
    assert runs.approve_customers(later, None, by=make.BY) == (0, 1)
    gone = later.findings.get(code="gone")
    assert words_of(gone).startswith("It was closed on 16 Oct 2026, and this bills €2.00 net")
    assert not run_of(northwind, DECEMBER, date(2027, 1, 2)).customers.filter(tenant=leaver).exists()


def test_a_call_that_waits_for_its_price_is_said(leaver, northwind):
    charges(leaver, EUR)
    october(northwind)
    charges(leaver, 0, at=LATER, outcome="unrated", deck_id=None, currency="")
    later = run_of(northwind, ENDS, DECEMBER)

    assert (state_of(later, leaver), codes(later, leaver)) == ("left_out", ["aside"])


def test_calls_that_cost_nothing_bring_nobody_back(leaver, northwind):
    charges(leaver, EUR)
    october(northwind)
    charges(leaver, 0, at=LATER, direction="internal", outcome="free")

    assert not run_of(northwind, ENDS, DECEMBER).customers.filter(tenant=leaver).exists()


@pytest.mark.parametrize(("minutes", "comes_back"), [(100, False), (0, True)], ids=["borne", "asked"])
def test_what_its_plan_bears_as_a_whole_brings_nobody_back(leaver, northwind, minutes, comes_back):
    included = [{"kind": "minutes", "name": "Included", "minutes": minutes}] if minutes else []
    version = agreed.published(northwind, {"kind": "monthly", "name": "Fee", "amount": EUR}, *included)
    contract = agreed.contract(leaver, version, starts=BEGINS)
    left = date(2026, 10, 17)
    ordering.end_contract(contract, noticed_on=left, ends=left, agreed=True, by=make.BY)
    (call,) = charges(leaver, 10 * EUR)
    october(northwind)
    adjust(leaver, -3 * EUR, call, made_at=LATER)

    assert run_of(northwind, ENDS, DECEMBER).customers.filter(tenant=leaver).exists() == comes_back


def test_who_was_never_billed_here_is_in_no_later_run(leaver, northwind):
    """Another system billed it: what is on no bill of ours is no debt."""
    charges(leaver, 10 * EUR)
    charges(leaver, 0, at=LATER, outcome="unrated", deck_id=None, currency="")
    (call,) = charges(leaver, EUR, at=NOON + timedelta(hours=2))
    adjust(leaver, 5 * EUR, call)

    assert not run_of(northwind, ENDS, DECEMBER).customers.filter(tenant=leaver).exists()


def test_what_was_there_before_it_was_closed_and_billed_brings_nobody_back(leaver, northwind):
    """What lay there on the day of its last bill was billed elsewhere, or is nothing; what came in since is billed."""
    make.issued(BillingProfile.objects.get(tenant=leaver), EUR, name="run")
    charges(leaver, 10 * EUR)
    assert not run_of(northwind, ENDS, DECEMBER).customers.filter(tenant=leaver).exists()

    charges(leaver, EUR, at=NOON + timedelta(hours=1), rated_at=LATER)
    assert run_of(northwind, ENDS, DECEMBER).customers.filter(tenant=leaver).exists()


def test_a_last_month_that_no_run_billed_is_billed_later(leaver, northwind):
    """Acme's last bill is that of September: its days of October are open, also for the run of November."""
    september = date(2026, 9, 1), BEGINS
    make.issued(BillingProfile.objects.get(tenant=leaver), EUR, name="run", period=september)
    charges(leaver, 10 * EUR)

    run_of(northwind, ENDS, DECEMBER)

    assert invoices(leaver)[-1].net == 10 * EUR


def test_a_contract_that_nobody_ended_goes_on_and_is_looked_at(leaver, northwind):
    version = agreed.published(northwind, {"kind": "monthly", "name": "Fee", "amount": 31 * EUR})
    contract = agreed.contract(leaver, version)
    run = run_of(northwind)
    found = run.findings.get(customer__tenant=leaver, code="left")
    assert (found.level, found.facts) == ("warning", {"closed": "2026-10-16", "days": 15})
    assert "closed on 16 Oct 2026" in words_of(found)
    assert runs.approve_customers(run, None, by=make.BY) == (0, 1)

    # What binds it is billed in the months after it has left, too, once somebody has said so.
    november = run_of(northwind, ENDS, DECEMBER)
    assert november.findings.get(customer__tenant=leaver, code="left").facts["days"] == 30
    for draft in reversed(invoices(leaver)):
        runs.drop(draft, by=make.BY)
    left = date(2026, 10, 17)
    ordering.end_contract(contract, noticed_on=left, ends=left, agreed=True, by=make.BY)
    again = run_of(northwind)
    assert "left" not in codes(again, leaver) and invoices(leaver)[0].net == 16 * EUR
    assert not run_of(northwind, DECEMBER, date(2027, 1, 2)).customers.filter(tenant=leaver).exists()


USERS = [
    {"kind": "monthly", "name": "User", "amount": 9 * EUR, "per": "seat"},
    {"kind": "minutes", "name": "Shared", "minutes": 100, "pool": "seat"},
    {"kind": "minutes", "name": "Own", "minutes": 2, "pool": "own", "destinations": ["France"]},
]


def test_what_comes_in_once_its_own_data_is_gone_is_billed_all_the_same(leaver, northwind):
    """Its plan counted users, whom nobody knows any more: they leave no shared minutes."""
    contract = agreed.contract(leaver, agreed.published(northwind, *USERS), starts=BEGINS)
    left = date(2026, 10, 17)
    ordering.end_contract(contract, noticed_on=left, ends=left, agreed=True, by=make.BY)
    (call,) = charges(leaver, 10 * EUR)
    october(northwind)
    # No table is dropped while something of it waits to be checked.
    connection.check_constraints()
    drop_schema(leaver)
    adjust(leaver, -3 * EUR, call, made_at=LATER)
    charges(leaver, ("Germany", 5 * EUR), ("France", EUR), at=NOON + timedelta(hours=1), rated_at=LATER)

    later = run_of(northwind, ENDS, DECEMBER)

    assert (state_of(later, leaver), invoices(leaver)[-1].net) == ("drafted", 2 * EUR)
    for finding in runs.open_warnings(later):
        runs.tick(finding, by=make.BY)
    runs.approve_customers(later, None, by=make.BY)
    issue(later, DECEMBER)
    assert invoices(leaver)[-1].state == "issued"


def test_a_contract_that_goes_on_asks_no_fee_for_users_that_nobody_knows(leaver, northwind):
    agreed.contract(leaver, agreed.published(northwind, {"kind": "monthly", "name": "Fee", "amount": 31 * EUR}, *USERS))
    drop_schema(leaver)

    run = run_of(northwind, ENDS, DECEMBER)

    assert (codes(run, leaver), invoices(leaver)[-1].net) == (["left"], 31 * EUR)


def test_what_is_left_open_is_said_before_a_customer_is_closed(billed, northwind, client_of, nadia):
    record_payment(make.payment(billed, 100 * EUR), by=make.BY, settles=False)
    make.issued(billed, 50 * EUR, name="other")
    make.contract(billed.tenant)
    contexts.use_public()
    office = client_of(nadia, northwind)
    page = office.get(f"/customers/{billed.tenant_id}/close/").content.decode()
    told = office.get(f"/api/v1/customers/{billed.tenant_id}/leaves-open/").json()["leaves_open"]

    assert [each in page for each in told] == [True, True]
    assert page.index("left every SBC") < page.index("Then its numbers") < page.index(told[0]), (
        "each after what it follows"
    )
    assert "until somebody ends it" in told[0] and "€40.50 were paid ahead" in told[1]
    support = client_of(member(northwind, "support"), northwind)
    assert support.get(f"/customers/{billed.tenant_id}/close/").status_code == 403


def test_open_bills_and_what_is_left_of_a_prepaid_account_are_said(billed, northwind):
    assert leaving.left_open(billed.tenant) == []
    make.issued(billed, 50 * EUR)
    with contexts.ingest():
        accounts.opened(billed.tenant_id, "EUR")
        Account.objects.filter(tenant=billed.tenant_id).update(kind="prepaid", balance_micros=12 * EUR)

    bills, prepaid = leaving.left_open(billed.tenant)
    assert "Bills of €59.50 are open" in bills and "€12.00 are left of its prepaid account" in prepaid
