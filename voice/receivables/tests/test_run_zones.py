"""A month begins and ends by the clock of each customer's plan, in the checks as on the bill."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError

from portal.db import contexts
from portal.db.partitions import ensure_days
from tenants.models import Customer
from voice.calls.tests.make import cdr
from voice.plans import ordering
from voice.plans.bills import moments
from voice.receivables import hooks
from voice.receivables.services import runs
from voice.receivables.tests import make
from voice.receivables.tests.charges import charges
from voice.receivables.tests.months import BEGINS, ENDS, EUR, codes, invoices, run_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("jobs_wait")]
# October in Los Angeles ends at 07:00 UTC on 1 November, in Berlin at 23:00 UTC on 31 October.
WEST, EAST = datetime(2026, 11, 1, 7, tzinfo=UTC), datetime(2026, 10, 31, 23, tzinfo=UTC)
SECOND = timedelta(seconds=1)
PLACES = [("America/Los_Angeles", WEST), ("Europe/Berlin", EAST)]


@pytest.mark.parametrize(("zone", "over"), PLACES)
def test_a_month_is_over_when_it_is_over_where_the_customers_are(billed, globex, northwind, zone, over):
    make.contract(billed.tenant, zone=zone)
    Customer.objects.filter(msp=northwind).exclude(pk=billed.tenant_id).update(state="creating")
    with pytest.raises(ValidationError, match=f"until {over:%-d %B %Y %H:%M} UTC"):
        runs.start_run(northwind, BEGINS, by=make.BY, now=over - SECOND)

    runs.start_run(northwind, BEGINS, by=make.BY, now=over)


def test_the_last_of_the_customers_decides(billed, globex, northwind):
    make.contract(billed.tenant, zone="Europe/Berlin")
    make.contract(globex, zone="America/Los_Angeles")
    with pytest.raises(ValidationError, match="not over"):
        runs.start_run(northwind, BEGINS, by=make.BY, now=WEST - SECOND)


@pytest.mark.parametrize(("zone", "over"), PLACES)
def test_calls_of_the_last_hours_are_looked_at_with_their_month(billed, northwind, zone, over):
    make.contract(billed.tenant, zone=zone)
    last, next_ = over - timedelta(hours=1), over + timedelta(hours=1)
    charges(billed.tenant, EUR, at=last)
    ensure_days("calls_cdr", {last.date(), next_.date()})
    with contexts.ingest():
        cdr(billed.tenant, next_).save(force_insert=True)
    charges(billed.tenant, 0, at=next_, outcome="unrated", deck_id=None, currency="")
    assert codes(run_of(northwind), billed.tenant) == []
    assert invoices(billed.tenant)[0].net == EUR

    with contexts.ingest():
        cdr(billed.tenant, last).save(force_insert=True)
    charges(billed.tenant, 0, at=last, outcome="unrated", deck_id=None, currency="")
    found = run_of(northwind).findings.filter(customer__tenant=billed.tenant).order_by("code")
    assert [(each.code, each.facts["calls"]) for each in found] == [("aside", 1), ("unpriced", 1)]


@pytest.mark.parametrize(("zone", "over"), PLACES)
def test_hours_that_nodes_counted_are_those_of_the_customers_month(billed, northwind, monkeypatch, zone, over):
    make.contract(billed.tenant, zone=zone)
    asked = {}
    monkeypatch.setattr(
        hooks, "uncounted_of",
        [lambda customers, begins, ends: asked.update(dict.fromkeys(customers, (begins, ends))) or []],
    )  # fmt: skip
    run_of(northwind)

    assert asked[billed.tenant_id][1] == over


def test_who_left_in_the_first_hours_of_a_month_is_billed_for_them(billed, northwind):
    make.contract(billed.tenant, zone="Europe/Berlin")
    charges(billed.tenant, EUR, at=EAST + timedelta(minutes=10))
    closed = {"state": "closed", "closed_at": EAST + timedelta(minutes=30)}
    Customer.objects.filter(pk=billed.tenant_id).update(**closed)

    run_of(northwind, ENDS, date(2026, 12, 2))
    assert invoices(billed.tenant)[0].net == EUR


class TestAPlanOfAnotherZone:
    """Its clock counts from the month on in which it holds, and never where its change was given up."""

    @pytest.fixture
    def planned(self, billed, globex):
        """Return what plans the change of a contract of Berlin to a plan of Los Angeles."""
        contract = make.contract(billed.tenant, zone="Europe/Berlin")
        western = make.contract(globex, zone="America/Los_Angeles").phases.get().version
        return lambda on: ordering.change_plan(contract, western, on=on, by=make.BY)

    def test_that_begins_with_the_next_month(self, billed, planned):
        planned(ENDS)
        assert moments(billed.tenant_id, BEGINS, ENDS)[1] == EAST
        assert moments(billed.tenant_id, ENDS, date(2026, 12, 1))[0] == WEST

    def test_that_never_came_to_hold(self, billed, planned):
        contract = planned(date(2026, 10, 15)).contract
        eastern = contract.phases.earliest("begins").version
        contract.refresh_from_db()
        ordering.change_plan(contract, eastern, on=date(2026, 10, 15), by=make.BY)
        assert moments(billed.tenant_id, BEGINS, ENDS)[1] == EAST
