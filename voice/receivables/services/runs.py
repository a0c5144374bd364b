"""Invoice runs: collect and check a month, approve what is good, issue it. Each customer is a transaction of its own.

What is done stands in the rows of the run's customers. A worker that dies loses the customer it was at; a sweep takes
the run up again, and two workers at one run share its customers without billing one twice.
"""

import logging
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from portal.core import audit, jobs
from portal.core.audit import Actor, as_actor
from tenants.models import Customer, Msp
from voice import days
from voice.currencies.conversion import NoRate
from voice.plans.bills import Span, moments_of
from voice.receivables import checks
from voice.receivables.checks import ERROR, NOTE, WARNING, Checks, Finding
from voice.receivables.leaving import left_before, still_billed
from voice.receivables.models import BillingProfile, Invoice, InvoiceRun, RunCustomer, RunFinding
from voice.receivables.services.crediting import credit_priced_again
from voice.receivables.services.invoices import CREDITS, approve, counting_on, drop, reopen
from voice.receivables.services.issuing import demand_day_of_issue, issue
from voice.receivables.services.months import (
    asked_of,
    close_without_invoice,
    draft_month,
    open_without_invoice,
    words_of_refusal,
)

logger = logging.getLogger(__name__)
Run, State = InvoiceRun.State, RunCustomer.State
# A worker says that it is there far more often than this.
SILENT, EVERY = timedelta(minutes=2), timedelta(seconds=5)
JOBS = {Run.COLLECTING: "invoices.collect", Run.ISSUING: "invoices.issue"}


def start_run(msp: Msp, begins: date, *, by: Actor, now: datetime | None = None, queued: bool = True) -> InvoiceRun:
    """Collect a month of all customers, for the first time or again: what is approved or issued stays as it is.

    Without `queued` the caller does the work itself. Raises ValidationError while the month lasts for one of
    them, by the clock of its plan's zone, and while another run of this MSP is at work.
    """
    days.demand(begins=begins)
    ends = (begins.replace(day=1) + timedelta(days=31)).replace(day=1)
    if begins.day != 1:
        raise ValidationError({"begins": _("Choose the first day of a month.")})
    over = max((span[1] for _customer, span in _customers(msp.pk, begins, ends)), default=_midnight(ends))
    if over > (now or timezone.now()):
        raise ValidationError(_("The month is not over yet: its calls are still coming in, until %(over)s UTC.")
                              % {"over": date_format(over.astimezone(UTC), "j F Y H:i")})  # fmt: skip
    try:
        with transaction.atomic():
            run, _made = InvoiceRun.objects.get_or_create(
                msp=msp, begins=begins, defaults={"ends": ends, "state": Run.READY, "actor": asdict(as_actor(by))}
            )
            _work(run, Run.COLLECTING, by, queued)
            _open_customers(run, by)
            audit.record(by, "invoice_run.collected", run, month=str(run))
    except IntegrityError as error:
        raise ValidationError(_("Another run is at work: wait until it is through.")) from error
    return run


def _work(run: InvoiceRun, state: str, by: Actor, queued: bool) -> None:
    """Set a run to work, which one of several at once does."""
    stored = InvoiceRun.objects.select_for_update().get(pk=run.pk)
    others = InvoiceRun.objects.filter(msp=run.msp_id, state__in=InvoiceRun.WORKING)
    if stored.is_working or others.exists():
        raise ValidationError(_("Another run is at work: wait until it is through."))
    run.state, run.touched_at, run.actor = state, timezone.now(), asdict(as_actor(by))
    run.save(update_fields=["state", "touched_at", "actor"])
    if queued:
        _queue(run, by)


def _queue(run: InvoiceRun, by: Actor) -> None:
    run.job_id = jobs.start(JOBS[Run(run.state)], {"run": run.pk}, by=by).pk
    run.save(update_fields=["job_id"])


def _open_customers(run: InvoiceRun, by: Actor) -> None:
    known = set(run.customers.values_list("tenant_id", flat=True))
    found = _customers(run.msp_id, run.begins, run.ends)
    RunCustomer.objects.bulk_create(
        RunCustomer(run=run, msp_id=run.msp_id, tenant=each) for each, _span in found if each.pk not in known
    )
    kept = Q(invoice__state__in=(Invoice.State.APPROVED, Invoice.State.ISSUED))
    again = run.customers.exclude(kept).select_related("invoice", "tenant")
    fixed = [each.pk for each in again.filter(invoice__isnull=False) if not _threw_away(each, by)]
    for each in again.filter(state=State.NOTHING):
        open_without_invoice(each.tenant, run.begins)
    # What was found stays until it is looked for again: who ticked it need not do so twice.
    again = run.customers.exclude(kept).exclude(pk__in=fixed)
    again.update(state=State.WAITING, invoice=None, net=None, before=None, calls=0, currency="")


def _customers(msp: int, begins: date, ends: date) -> list[tuple[Customer, Span]]:
    """Return the customers that a month may bill, each with the moments at which it begins and ends for it."""
    found = list(Customer.objects.filter(msp=msp).exclude(state=Customer.State.CREATING).order_by("name", "pk"))
    spans = moments_of([each.pk for each in found], begins, ends)
    left = [each for each in found if left_before(each, spans[each.pk])]
    over = {each.pk for each in left} - still_billed(left, spans, begins, ends)
    return [(each, spans[each.pk]) for each in found if each.pk not in over]


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _threw_away(each: RunCustomer, by: Actor) -> bool:
    """Throw a draft away and later drafts that count on what it left; tell whether that could be done.

    Where a later document is fixed already, the draft stays as it is.
    """
    assert each.invoice is not None
    later = counting_on(each.invoice)
    settled = next((document for document in later if document.state != Invoice.State.DRAFT), None)
    if settled is not None:
        facts = {"month": settled.begins.isoformat(), "state": settled.state}
        _find(each, Finding("kept", NOTE, facts))
        return False
    run_month = each.invoice.begins.isoformat()
    for document in later:
        for other in RunCustomer.objects.filter(invoice=document).select_related("run"):
            _find(other, Finding("taken_back", ERROR, {"month": run_month}))
        drop(document, by=by)
    drop(each.invoice, by=by)
    return True


def _find(each: RunCustomer, found: Finding) -> None:
    facts = {"msp_id": each.msp_id, "level": found.level, "facts": found.facts, "ticked_at": None}
    RunFinding.objects.update_or_create(run=each.run, customer=each, code=found.code, defaults=facts)


def collect(run: InvoiceRun, progress: jobs.Progress = lambda *_args: None) -> None:
    """Write the draft of every customer that waits, with what the checks found."""
    found = checks.look(run)
    with transaction.atomic():
        # Several workers may begin at once: each says the same of the whole.
        InvoiceRun.objects.select_for_update().get(pk=run.pk)
        _note(run, None, found.of_whole())
    for done, total in _turns(run, State.WAITING, lambda each: _collect(run, each, found)):
        progress(done, total, _("Collecting the month"))
    waiting = RunCustomer.objects.filter(run=OuterRef("pk"), state=State.WAITING)
    over = InvoiceRun.objects.filter(~Exists(waiting), pk=run.pk, state=Run.COLLECTING)
    over.update(state=Run.READY, collected_at=timezone.now(), touched_at=timezone.now())


def _turns(run: InvoiceRun, state: str, act: Any) -> Iterable[tuple[int, int]]:
    """Take the run's customers of a state one by one, each under lock; yield how many are through, of how many."""
    total = run.customers.count()
    touched = timezone.now()
    skipped: set[int] = set()
    while True:
        with transaction.atomic():
            left = _left(run, state).exclude(pk__in=skipped)
            held = left.select_for_update(of=("self",), skip_locked=True).first()
            if held is None:
                break
            # Another worker may have been through with it between our look and our lock.
            each = _left(run, state).select_related("tenant", "invoice").filter(pk=held.pk).first()
            if each is None:
                continue
            act(each)
            skipped.add(each.pk)
        if timezone.now() - touched > EVERY:
            touched = timezone.now()
            InvoiceRun.objects.filter(pk=run.pk).update(touched_at=touched)
        yield total - _left(run, state).count(), total


def _left(run: InvoiceRun, state: str) -> QuerySet[RunCustomer]:
    if state == State.APPROVED:
        return run.customers.filter(state=State.DRAFTED, invoice__state=Invoice.State.APPROVED).order_by("pk")
    return run.customers.filter(state=state).order_by("pk")


def _collect(run: InvoiceRun, each: RunCustomer, found: Checks) -> None:
    by = jobs_actor(run)
    findings = [*found.of_customer(each.tenant_id), *found.of_contract(each.tenant)]
    profile = BillingProfile.objects.select_related("entity", "tenant").filter(tenant_id=each.tenant_id).first()
    findings += [*found.of_profile(profile), *found.of_account(each.tenant_id)] if profile else []
    each.state = State.LEFT_OUT
    if profile is None or not any(finding.level == ERROR for finding in findings):
        try:
            with transaction.atomic():
                findings += _draft(run, each, profile, found, by) if profile else _not_set(run, each)
        except NoRate as error:
            findings.append(Finding("no_rate", ERROR, {"words": words_of_refusal(error)}))
        except ValidationError as error:
            code = (
                "again_less" if getattr(error, "code", "") == CREDITS and each.tenant_id in found.again else "refused"
            )
            findings.append(Finding(code, ERROR, {"words": words_of_refusal(error)}))
        except Exception:
            logger.exception("The month of customer %s cannot be worked out", each.tenant_id)
            findings.append(Finding("failed", ERROR))
    if any(finding.level == ERROR for finding in findings):
        each.state = State.LEFT_OUT
    if each.state == State.NOTHING:
        close_without_invoice(each.tenant, run.begins, run.ends)
    each.save()
    _note(run, each, findings)


def _not_set(run: InvoiceRun, each: RunCustomer) -> list[Finding]:
    each.calls, asks = asked_of(each.tenant, run.begins, run.ends)
    if asks:
        return [Finding("no_profile", ERROR, {"calls": each.calls})]
    each.state = State.NOTHING
    return []


def _draft(run: InvoiceRun, each: RunCustomer, profile: BillingProfile, found: Checks, by: Actor) -> list[Finding]:
    invoice, usage = draft_month(profile, run.begins, run.ends, by=by)
    each.calls, each.currency = usage.count, profile.currency
    each.before = found.before.get((each.tenant_id, profile.currency))
    if invoice is None:
        each.state = State.NOTHING
        return []
    each.state, each.invoice, each.net = State.DRAFTED, invoice, invoice.net
    findings = list(found.of_amount(invoice))
    if usage.late and usage.oldest:
        findings.append(Finding("late", NOTE, {"calls": usage.late, "oldest": usage.oldest.date().isoformat()}))
    return findings


def _note(run: InvoiceRun, each: RunCustomer | None, findings: Iterable[Finding]) -> None:
    """Store what was found in the place of what was found before; what is the same stays ticked."""
    before = RunFinding.objects.filter(run=run, customer=each)
    seen = {one.code: one for one in before if one.ticked_at}
    before.delete()
    made = [
        RunFinding(run=run, msp_id=run.msp_id, customer=each, code=one.code, level=one.level, facts=one.facts)
        for one in findings
    ]
    for one in made:
        same = seen.get(one.code)
        if same and (same.level, same.facts) == (one.level, one.facts):
            one.ticked_at, one.ticked_by = same.ticked_at, same.ticked_by
    RunFinding.objects.bulk_create(made)


def jobs_actor(run: InvoiceRun) -> Actor:
    """Return in whose name the run works."""
    return Actor(**run.actor) if run.actor else Actor.system("strowger")


@transaction.atomic
def tick(finding: RunFinding, *, by: Actor) -> RunFinding:
    """Say that somebody has looked at a warning and the invoice may go out all the same."""
    finding = RunFinding.objects.select_for_update(of=("self",)).select_related("run", "customer").get(pk=finding.pk)
    if finding.level != RunFinding.Level.WARNING:
        raise ValidationError(_("Only a warning is ticked: an error has to be mended first."))
    if finding.ticked_at is None:
        finding.ticked_at, finding.ticked_by = timezone.now(), as_actor(by).email
        finding.save(update_fields=["ticked_at", "ticked_by"])
        tenant = finding.customer.tenant_id if finding.customer else None
        audit.record(by, "invoice_run.ticked", finding.run, tenant_id=tenant, finding=finding.code)
    return finding


@transaction.atomic
def tick_customers(run: InvoiceRun, customers: Iterable[int], *, by: Actor) -> int:
    """Tick every open warning of these customers of the run; return how many there were."""
    found = list(open_warnings(run).filter(customer__in=list(customers)).order_by("pk"))
    for finding in found:
        tick(finding, by=by)
    return len(found)


@transaction.atomic
def open_days(each: RunCustomer, *, by: Actor) -> None:
    """Open the days again that a month without an invoice closed, so that its contract can be mended.

    Raises ValidationError where the month has an invoice, or while the run is at work.
    """
    run = InvoiceRun.objects.select_for_update().get(pk=each.run_id)
    each = RunCustomer.objects.select_for_update(of=("self",)).select_related("run", "tenant").get(pk=each.pk)
    if run.is_working:
        raise ValidationError(_("The run is at work: wait until it is through."))
    if each.state != State.NOTHING:
        raise ValidationError(_("Only a month without an invoice is opened: a draft is thrown away."))
    open_without_invoice(each.tenant, run.begins)
    each.state = State.LEFT_OUT
    each.save(update_fields=["state"])
    _find(each, Finding("opened", ERROR))
    audit.record(by, "invoice_run.days_opened", run, tenant_id=each.tenant_id)


@transaction.atomic
def credit_again(each: RunCustomer, *, by: Actor) -> list[Invoice]:
    """Write the credit notes over what keeps a customer's bill back: calls that were priced again to less.

    Raises ValidationError while the run is at work, and where the customer has a bill.
    """
    run = InvoiceRun.objects.select_for_update().get(pk=each.run_id)
    if run.is_working:
        raise ValidationError(_("The run is at work: wait until it is through."))
    if each.invoice_id is not None:
        raise ValidationError(_("Its bill bears what was priced again."))
    return credit_priced_again(each.tenant, run.begins, run.ends, by=by)


@transaction.atomic
def approve_customers(run: InvoiceRun, customers: Iterable[int] | None, *, by: Actor) -> tuple[int, int]:
    """Approve the drafts of these customers of the run, or of all; return how many, and how many warnings hold back.

    Raises ValidationError while a warning about the whole run is open, or while it is at work.
    """
    run = InvoiceRun.objects.select_for_update().get(pk=run.pk)
    if run.is_working:
        raise ValidationError(_("The run is at work: wait until it is through."))
    if open_warnings(run).filter(customer=None).exists():
        raise ValidationError(_("Look at what was found about the whole run, and tick it, first."))
    drafts = run.customers.filter(state=State.DRAFTED, invoice__state=Invoice.State.DRAFT)
    if customers is not None:
        drafts = drafts.filter(pk__in=list(customers))
    held = drafts.filter(Exists(open_warnings(run).filter(customer=OuterRef("pk"))))
    good = list(drafts.exclude(pk__in=held.values("pk")).select_related("invoice").order_by("pk"))
    waiting = held.count()
    for each in good:
        assert each.invoice is not None
        approve(each.invoice, by=by)
    return len(good), waiting


def open_warnings(run: InvoiceRun) -> QuerySet[RunFinding]:
    """Return the warnings of a run that nobody has ticked."""
    return RunFinding.objects.filter(run=run, level=RunFinding.Level.WARNING, ticked_at=None)


@transaction.atomic
def start_issuing(run: InvoiceRun, *, on: date, by: Actor, queued: bool = True) -> InvoiceRun:
    """Issue every approved invoice of the run, in the background. There is no way back but credit notes."""
    if not _left(run, State.APPROVED).exists():
        raise ValidationError(_("Approve at least one invoice first."))
    demand_day_of_issue(on, run.ends)
    run.issue_on = on
    run.save(update_fields=["issue_on"])
    _work(run, Run.ISSUING, by, queued)
    audit.record(by, "invoice_run.issued", run, month=str(run), on=on.isoformat())
    return run


def issue_approved(run: InvoiceRun, progress: jobs.Progress = lambda *_args: None) -> None:
    """Give every approved invoice its number, one by one; files and mails follow."""
    assert run.issue_on is not None
    for done, total in _turns(run, State.APPROVED, lambda each: _issue(run, each)):
        progress(done, total, _("Issuing the invoices"))
    if not _left(run, State.APPROVED).exists():
        over = InvoiceRun.objects.filter(pk=run.pk, state=Run.ISSUING)
        over.update(state=Run.READY, touched_at=timezone.now())


def _issue(run: InvoiceRun, each: RunCustomer) -> None:
    assert each.invoice is not None and run.issue_on is not None
    by = jobs_actor(run)
    try:
        with transaction.atomic():
            issue(each.invoice, on=run.issue_on, by=by)
    except ValidationError as error:
        each.invoice.refresh_from_db()
        if each.invoice.state != Invoice.State.APPROVED:
            return  # somebody has issued or reopened it by hand meanwhile
        reopen(each.invoice, by=by)
        _find(each, Finding("not_issued", WARNING, {"words": words_of_refusal(error)}))


def take_up_runs(msp: Msp, at: datetime) -> int:
    """Go on with the runs of an MSP whose worker has been silent for long; return how many there were."""
    taken = 0
    for run in InvoiceRun.objects.filter(msp=msp, state__in=InvoiceRun.WORKING, touched_at__lt=at - SILENT):
        # One of several sweeps moves the moment on, and that one queues the job.
        if InvoiceRun.objects.filter(pk=run.pk, touched_at=run.touched_at).update(touched_at=at):
            run.touched_at = at
            with transaction.atomic():
                _queue(run, jobs_actor(run))
            taken += 1
    return taken
