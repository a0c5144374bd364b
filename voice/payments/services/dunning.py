"""Reminders: proposed each night, sent by people or a setting, each invoice once a step; suspension and its end."""

from collections.abc import Iterable
from datetime import date, timedelta
from fractions import Fraction
from functools import partial

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.core import audit
from portal.core.audit import Actor
from tenants.models import Customer, Msp
from tenants.services import resume_customer, suspend_customer
from voice.payments import selectors
from voice.payments.models import DunningStep, Reminder, ReminderLine
from voice.payments.services import letters
from voice.rating.money import to_minor
from voice.receivables import selectors as books
from voice.receivables.entry_words import booked
from voice.receivables.models import Invoice
from voice.receivables.services import lock_account, settle_from_credit
from voice.receivables.services.counting import count_fee
from voice.receivables.services.ledger import Books, book_fee

State = Reminder.State
BY = Actor.system("reminders")


def propose(msp: Msp, *, today: date, by: Actor) -> list[Reminder]:
    """Write the reminders that are due today and not written yet; who is paused, has paid or is paying gets none."""
    steps = list(DunningStep.objects.filter(msp=msp, is_on=True).order_by("after_days"))
    if not steps:
        return []
    overdue = Invoice.objects.issued().filter(msp=msp, due_on__lt=today)
    tenants = books.with_standing(overdue).filter(left__gt=0).values_list("tenant_id", flat=True)
    made: list[Reminder] = []
    for tenant_id in sorted(set(tenants)):
        with transaction.atomic():
            lock_account(tenant_id)
            settle_from_credit(tenant_id, by=by)
            made += _propose(tenant_id, steps, today)
    if made:
        audit.record(by, "reminders.proposed", count=len(made))
    return made


def _propose(tenant_id: int, steps: list[DunningStep], today: date) -> Iterable[Reminder]:
    found: dict[tuple[int, str, int], Reminder] = {}
    overdue = Invoice.objects.issued().filter(tenant_id=tenant_id, due_on__lt=today)
    for invoice in books.with_standing(overdue).filter(left__gt=0).order_by("due_on", "pk"):
        step = None if _is_left_alone(invoice, today) else _next_step(invoice, steps, today)
        if step is None:
            continue
        key = (invoice.entity_id, invoice.currency, step.pk)
        if key not in found:
            found[key] = Reminder.objects.create(
                msp_id=invoice.msp_id, tenant_id=tenant_id, entity_id=invoice.entity_id, step=step,
                currency=invoice.currency, title=step.title, proposed_on=today,
            )  # fmt: skip
        ReminderLine.objects.create(
            msp_id=invoice.msp_id, tenant_id=tenant_id, reminder=found[key], step=step, invoice=invoice,
            left=invoice.left, days=(today - invoice.due_on).days,
        )  # fmt: skip
    for reminder in found.values():
        _reckon(reminder, today)
    return found.values()


def _is_left_alone(invoice: Invoice, today: date) -> bool:
    return selectors.is_paused(invoice.tenant_id, today, invoice.pk) or selectors.is_being_paid(invoice, today)


def _next_step(invoice: Invoice, steps: list[DunningStep], today: date) -> DunningStep | None:
    """Return the step that the invoice has reached; however late it is, no step is left out or follows at once."""
    lines = {line.step_id: line.reminder for line in invoice.reminder_lines.select_related("reminder")}
    before: DunningStep | None = None
    for step in steps:
        reminder = lines.get(step.pk)
        if reminder is None:
            assert invoice.due_on is not None
            ready = invoice.due_on + timedelta(days=step.after_days)
            if before is not None:
                last = lines[before.pk]
                apart = timedelta(days=step.after_days - before.after_days)
                ready = max(ready, (last.released_on or last.proposed_on) + apart)
            return step if ready <= today else None
        if reminder.state == State.PROPOSED:
            return None
        before = step
    return None


@transaction.atomic
def release(reminder: Reminder, *, today: date, by: Actor) -> Reminder:
    """Send a reminder over what is still open now; where nothing is, it is withdrawn instead."""
    lock_account(reminder.tenant_id)
    reminder = _locked(reminder)
    _demand(reminder, State.PROPOSED)
    for line in reminder.lines.select_related("invoice"):
        left = books.open_amount(line.invoice)
        if left <= 0 or _is_left_alone(line.invoice, today):
            line.delete()
        else:
            assert line.invoice.due_on is not None
            line.left, line.days = left, (today - line.invoice.due_on).days
            line.save(update_fields=["left", "days"])
    if not reminder.lines.exists():
        reminder.state = State.WITHDRAWN
        reminder.save(update_fields=["state"])
        audit.record(by, "reminder.withdrawn", reminder, tenant_id=reminder.tenant_id)
        return reminder
    step = reminder.step
    reminder.title, reminder.words = step.title, step.words
    _reckon(reminder, today)
    reminder.state, reminder.released_on = State.RELEASED, today
    reminder.save()
    if costs := reminder.fee + reminder.interest:
        account = Books(reminder.entity, reminder.tenant, reminder.currency)
        book_fee(account, costs, on=today, text=booked("fee", title=step.title))
        count_fee(reminder.tenant_id, costs, reminder.currency, on=today, reference=f"reminder-{reminder.pk}", by=by)
    _let_go(reminder.tenant_id)
    if step.suspends and reminder.tenant.state == Customer.State.ACTIVE:
        suspend_customer(reminder.tenant, reason=_("Not paid: %(title)s") % {"title": step.title}, by=by)
        reminder.suspended_at = timezone.now()
        reminder.save(update_fields=["suspended_at"])
    audit.record(
        by, "reminder.sent", reminder, tenant_id=reminder.tenant_id, total=reminder.total, currency=reminder.currency,
        suspends=reminder.suspended_at is not None,
    )  # fmt: skip
    transaction.on_commit(partial(letters.send, reminder.pk, step.tells_msp), robust=True)
    return reminder


def release_all(msp: Msp, *, today: date, by: Actor) -> int:
    """Send every reminder that is proposed; return how many went out."""
    waiting = Reminder.objects.filter(msp=msp, state=State.PROPOSED).order_by("pk")
    sent = 0
    for reminder in waiting:
        try:
            sent += release(reminder, today=today, by=by).state == State.RELEASED
        except ValidationError:
            continue  # somebody else was faster
    return sent


@transaction.atomic
def drop(reminder: Reminder, *, by: Actor) -> Reminder:
    """Do not send a reminder; its invoices do not get this step again."""
    reminder = _locked(reminder)
    _demand(reminder, State.PROPOSED)
    reminder.state = State.DROPPED
    reminder.save(update_fields=["state"])
    audit.record(by, "reminder.dropped", reminder, tenant_id=reminder.tenant_id)
    return reminder


@transaction.atomic
def resume_if_paid(tenant_id: int, *, by: Actor) -> bool:
    """Let a customer call again whom a reminder has suspended, once nothing of what it named is open.

    What was written off meanwhile is not paid: whether its customer may call again, people say.
    """
    lock_account(tenant_id)
    _let_go(tenant_id)
    reminders = list(_holding(tenant_id).select_for_update(of=("self",)).select_related("tenant"))
    if not reminders:
        return False
    named = Invoice.objects.filter(reminder_lines__reminder__in=reminders)
    since = min(each.suspended_at for each in reminders if each.suspended_at)
    if books.with_standing(named).filter(left__gt=0).exists() or books.is_written_off(named, since):
        return False
    Reminder.objects.filter(pk__in=[each.pk for each in reminders]).update(resumed_at=timezone.now())
    customer = reminders[0].tenant
    if customer.state == Customer.State.SUSPENDED:
        resume_customer(customer, by=by)
    return True


def _holding(tenant_id: int) -> QuerySet[Reminder]:
    return Reminder.objects.filter(tenant_id=tenant_id, suspended_at__isnull=False, resumed_at=None)


def _let_go(tenant_id: int) -> None:
    """End what reminders did to a customer that somebody lets call: they have no say in a later suspension."""
    if Customer.objects.filter(pk=tenant_id, state=Customer.State.ACTIVE).exists():
        _holding(tenant_id).update(resumed_at=timezone.now())


def resume_all_paid(msp: Msp, *, by: Actor) -> int:
    """Let everybody call again who has paid, whichever way; return how many they were."""
    holding = Reminder.objects.filter(msp=msp, suspended_at__isnull=False, resumed_at=None)
    tenants = sorted(set(holding.values_list("tenant_id", flat=True)))
    return sum(resume_if_paid(tenant_id, by=by) for tenant_id in tenants)


def _reckon(reminder: Reminder, today: date) -> None:
    step, total, interest = reminder.step, 0, 0
    for line in reminder.lines.select_related("invoice"):
        line.interest = _interest(line, step, reminder.currency, today)
        line.save(update_fields=["interest"])
        total, interest = total + line.left, interest + line.interest
    reminder.fee, reminder.interest = to_minor(step.fee, reminder.currency), interest
    reminder.total = total + reminder.fee + interest
    reminder.save(update_fields=["fee", "interest", "total"])


def _interest(line: ReminderLine, step: DunningStep, currency: str, today: date) -> int:
    """Return the interest since the due date, or since the reminder that asked for some before: no day twice."""
    charged = ReminderLine.objects.filter(invoice=line.invoice, interest__gt=0, reminder__state=State.RELEASED)
    days = [day for day in charged.values_list("reminder__released_on", flat=True) if day]
    assert line.invoice.due_on is not None
    since = max([line.invoice.due_on, *days])
    return to_minor(Fraction(line.left * step.interest_per_million * (today - since).days, 365 * 1_000_000), currency)


def _locked(reminder: Reminder) -> Reminder:
    found = Reminder.objects.select_for_update(of=("self",)).select_related("step", "entity__msp", "tenant__msp")
    return found.get(pk=reminder.pk)


def _demand(reminder: Reminder, state: str) -> None:
    if reminder.state != state:
        raise ValidationError(_("This is %(state)s already.") % {"state": reminder.get_state_display().lower()})
