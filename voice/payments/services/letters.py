"""Reminders as they reach the customer: a mail in its language, with the letter and the invoices attached."""

from tenants import addresses, mail
from tenants.models import Brand
from voice.payments import letter, mails
from voice.payments.models import Reminder
from voice.payments.services import receipts
from voice.receivables.models import BillingProfile, InvoiceFile
from voice.receivables.services.documents import content_of
from voice.receivables.sheet import Reader

# More would be too much for a mail: the portal has them all.
MOST_ATTACHED = 10


def letter_of(reminder: Reminder) -> letter.Letter:
    """Return what a reminder says, or will say once it is sent."""
    lines = reminder.lines.select_related("invoice").order_by("invoice__due_on", "pk")
    return letter.Letter(
        reminder.title, reminder.words or reminder.step.words, reminder.released_on or reminder.proposed_on,
        reminder.currency, [(line.invoice.number, line.invoice.due_on, line.left) for line in lines], reminder.fee,
        reminder.interest, reminder.total, reminder.suspended_at is not None,
    )  # fmt: skip


def letter_pdf(reminder: Reminder) -> bytes:
    """Return the letter of a reminder on paper."""
    seller, buyer, look = receipts.sides(reminder.entity, reminder.tenant)
    return letter.pdf(letter_of(reminder), seller, buyer, look)


def send(pk: int, tells_msp: bool) -> None:
    """Mail a reminder that was released; who has no address gets none, and the MSP a copy where the step says so."""
    reminder = Reminder.objects.select_related("tenant__msp", "entity", "step").get(pk=pk)
    profile = BillingProfile.objects.filter(tenant_id=reminder.tenant_id).first()
    recipients = [profile.email if profile else "", reminder.entity.email if tells_msp else ""]
    if not any(recipients):
        return
    _seller, buyer, _look = receipts.sides(reminder.entity, reminder.tenant)
    reader = Reader.of(buyer)
    url = addresses.url(addresses.primary_host(reminder.tenant), "/bills/pay/")
    facts = {"reminder": reminder, "url": url, "questions": mails.questions(reader)}
    facts |= letter.told(letter_of(reminder), reader)
    brand = Brand.objects.filter(msp_id=reminder.msp_id).first()
    papers = _papers(reminder, reader)
    for to in filter(None, recipients):
        mail.send("voice/payments/mail/reminder", to, facts, brand=brand, language=reader.language, papers=papers)


def _papers(reminder: Reminder, reader: Reader) -> list[tuple[str, bytes]]:
    found = [(f"{letter.say(reader, 'file')}-{reminder.pk}.pdf", letter_pdf(reminder))]
    lines = reminder.lines.select_related("invoice__corrects").order_by("invoice__due_on", "pk")
    for line in lines[:MOST_ATTACHED]:
        content = content_of(line.invoice, InvoiceFile.Kind.PDF)
        if content is not None:
            found.append((f"{line.invoice.number.replace('/', '-')}.pdf", content))
    return found
