"""A month of an MSP, as the tests of invoice runs drive it."""

from datetime import UTC, datetime, time

from voice.receivables import findings
from voice.receivables.models import Invoice
from voice.receivables.services import runs
from voice.receivables.tests import make

EUR = 1_000_000
BEGINS, ENDS = make.OCTOBER


def run_of(msp, begins=BEGINS, today=make.TODAY):
    run = runs.start_run(msp, begins, by=make.BY, now=datetime.combine(today, time(), UTC))
    runs.collect(run)
    run.refresh_from_db()
    return run


def state_of(run, customer):
    return run.customers.get(tenant=customer).state


def codes(run, customer):
    return list(run.findings.filter(customer__tenant=customer).order_by("code").values_list("code", flat=True))


def words_of(finding):
    return findings.WORDS[finding.code](finding.facts)


def issue(run, on=make.TODAY):
    run.refresh_from_db()
    runs.start_issuing(run, on=on, by=make.BY)
    runs.issue_approved(run)
    run.refresh_from_db()


def invoices(customer):
    return list(Invoice.objects.filter(tenant=customer, source="run").order_by("pk"))
