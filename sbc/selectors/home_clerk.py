"""What waits on an MSP's home for whoever does its bills: runs, bank entries, reminders and customers' questions."""

from collections.abc import Callable, Iterable
from typing import Any

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from sbc.selectors.home import ToDo
from tenants.models import Msp
from voice.payments.models import BankEntry, Reminder
from voice.receivables.models import InvoiceRun, LineQuestion
from voice.receivables.pages_runs import month_of, with_figures


def todos_of_clerk(msp: Msp, may: Callable[[str], bool]) -> Iterable[ToDo]:
    """Return what somebody has to decide about the MSP's bills; nothing for whoever may not."""
    if not may("bills.change"):
        return
    ready = InvoiceRun.objects.filter(msp=msp, state=InvoiceRun.State.READY)
    runs: QuerySet[Any] = with_figures(ready).filter(Q(to_approve__gt=0) | Q(approved__gt=0))
    for run in runs.order_by("-begins")[:3]:
        words = (
            _("The invoices of %(month)s wait to be approved.")
            if run.to_approve
            else _("The approved invoices of %(month)s wait to be issued.")
        )
        yield ToDo(words % {"month": month_of(run)}, reverse("invoices:run", args=[run.pk]), "info")
    questions = LineQuestion.objects.filter(msp=msp, state=LineQuestion.State.OPEN).count()
    if questions:
        words = ngettext(
            "%(n)d question about an invoice waits for an answer.",
            "%(n)d questions about invoices wait for an answer.",
            questions,
        )
        yield ToDo(words % {"n": questions}, f"{reverse('invoices:questions')}?state=open", "info")
    entries = BankEntry.objects.filter(msp=msp, state=BankEntry.State.OPEN).count()
    if entries:
        words = ngettext(
            "%(n)d entry of a bank statement is not matched.",
            "%(n)d entries of bank statements are not matched.",
            entries,
        )
        yield ToDo(words % {"n": entries}, f"{reverse('payments:bank')}?state=open", "info")
    reminders = Reminder.objects.filter(msp=msp, state=Reminder.State.PROPOSED).count()
    if reminders:
        words = ngettext("%(n)d reminder is proposed.", "%(n)d reminders are proposed.", reminders)
        yield ToDo(words % {"n": reminders}, f"{reverse('payments:reminders')}?state=proposed", "info")
