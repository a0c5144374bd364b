"""What a customer asks about a line of its bill, and what its MSP answers."""

from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.core import audit
from portal.core.audit import Actor, as_actor
from tenants.models import Customer
from voice.billing.models import Bill, BillLine
from voice.edits import locked
from voice.receivables.explaining import figures_of, steps_of
from voice.receivables.models import LineQuestion, Notice
from voice.receivables.services.notices import notify

# Each is a mail to everybody who looks after bills at the MSP.
HOUR, MOST_AN_HOUR = timedelta(hours=1), 50


@transaction.atomic
def ask(line: BillLine, customer: Customer, *, text: str, disputed: int = 0, by: Actor) -> LineQuestion:
    """Send the MSP a note about a line of the customer's bill, with all that explains the line.

    `disputed` is how much of the line's net amount is not accepted, with what waits for an answer at most all of it.
    Raises ValidationError.
    """
    bill = line.bill
    # Two who ask at once take turns.
    Customer.objects.select_for_update(no_key=True, of=("self",)).get(pk=customer.pk)
    if LineQuestion.objects.filter(tenant=customer, asked_at__gt=timezone.now() - HOUR).count() >= MOST_AN_HOUR:
        raise ValidationError(_("These are too many questions within an hour. Wait a while, then go on."))
    _refuse_more(line, disputed)
    actor = as_actor(by)
    question = LineQuestion(
        msp_id=customer.msp_id, tenant=customer, invoice_id=bill.pk, position=line.position, text=text.strip(),
        disputed=disputed, currency=bill.currency, attached=attached(bill, line), asked_by_id=actor.user_id,
        asked_by=actor.acting_for or actor.email,
    )  # fmt: skip
    question.full_clean(exclude=["invoice", "msp", "tenant"])
    question.save(force_insert=True)
    audit.record(by, "bill.asked", question, bill=bill.number, position=line.position, disputed=disputed)
    notify(Notice.Kind.QUESTION, question.invoice_id, question.tenant_id, question.msp_id, question)
    return question


def _refuse_more(line: BillLine, disputed: int) -> None:
    waiting = LineQuestion.objects.filter(
        invoice=line.bill_id, position=line.position, state=LineQuestion.State.OPEN
    ).aggregate(sum=Sum("disputed"))["sum"]
    left = line.net - int(waiting or 0)
    if not disputed or 0 < disputed <= left or left <= disputed < 0:
        return
    words = _("That is more than the line: %(left)s at most.")
    if waiting:
        words = _("Some of this line is in dispute already and waits for its answer: %(left)s more at most.")
    raise ValidationError({"disputed": words % {"left": _units(left)}})


def attached(bill: Bill, line: BillLine) -> dict[str, Any]:
    """Return all that explains a line, as it is today."""
    figures = figures_of(bill, line.position)
    return {
        "number": bill.number, "text": line.text, "kind": line.kind, "quantity": line.quantity, "net": line.net,
        "exact": line.exact, "basis": line.basis, "calls": figures.calls,
        "steps": steps_of(line, bill.currency, figures),
    }  # fmt: skip


@transaction.atomic
def answer(question: LineQuestion, *, text: str, by: Actor) -> LineQuestion:
    """Answer a customer's question, which settles what it disputed; raises ValidationError."""
    stored = locked(question)
    if stored is None or not stored.is_open:
        raise ValidationError(_("This question has its answer already."))
    question.answer, question.state = text.strip(), LineQuestion.State.ANSWERED
    question.answered_at, question.answered_by = timezone.now(), as_actor(by).email
    question.row_version += 1
    question.full_clean(exclude=["invoice", "msp", "tenant"])
    question.save(update_fields=["answer", "state", "answered_at", "answered_by", "row_version"])
    audit.record(by, "bill.answered", question, tenant_id=question.tenant_id, bill=question.attached.get("number"))
    notify(Notice.Kind.ANSWER, question.invoice_id, question.tenant_id, question.msp_id, question)
    return question


def _units(micros: int) -> str:
    return f"{micros / 1_000_000:.2f}"
