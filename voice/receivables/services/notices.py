"""Mails about bills: noted in the transaction of the event, sent afterwards in the MSP's brand, tried again by a sweep.

An attempt is noted before anything is sent, and each address after its mail. Who dies in between sends that one mail
again, under the same Message-ID, by which mail systems know it for the one that they have.
"""

from collections.abc import Iterator, Sequence

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from tenants import addresses, mail
from tenants.models import Brand, Membership
from voice.receivables.models import Invoice, InvoiceFile, LineQuestion, Notice
from voice.receivables.services.mailing import deliver

Kind = Notice.Kind
To = tuple[str, str]


def notify(kind: str, invoice: int, tenant: int, msp: int, question: LineQuestion | None = None) -> None:
    """Note that a mail has to go out, once the caller's transaction is committed; a bill's waits for its file."""
    Notice.objects.create(kind=kind, invoice_id=invoice, tenant_id=tenant, msp_id=msp, question=question)


def send_notices(invoices: Sequence[int] | None = None) -> int:
    """Send the mails of the MSP at hand that wait, or those about some documents; return how many events are told."""
    told = 0
    ready = ~Q(kind=Kind.BILL) | Q(invoice__files__kind=InvoiceFile.Kind.PDF)
    waiting = Notice.objects.filter(ready, done_at=None, tries__lt=Notice.MOST_TRIES).order_by("pk").distinct()
    if invoices is not None:
        waiting = waiting.filter(invoice__in=invoices)
    for notice in list(waiting.select_related("question")):
        # A mail that takes its worker along is not tried for ever.
        Notice.objects.filter(pk=notice.pk).update(tries=F("tries") + 1)
        told += _tell(notice)
    return told


def _tell(notice: Notice) -> bool:
    """Send what an event has to tell, each mail in a transaction of its own; return whether everybody is told."""
    invoice = Invoice.objects.select_related("tenant__msp", "corrects").get(pk=notice.invoice_id)
    waiting = Notice.objects.filter(pk=notice.pk, done_at=None)
    whole = True
    for to, language in _readers(notice, invoice):
        with transaction.atomic():
            held = waiting.select_for_update(of=("self",), skip_locked=True).first()
            if held is None:
                return False
            if to in held.sent_to:
                continue
            if _send(notice, invoice, to, language):
                held.sent_to.append(to)
                held.save(update_fields=["sent_to"])
            else:
                whole = False
    return whole and bool(waiting.update(done_at=timezone.now()))


def _send(notice: Notice, invoice: Invoice, to: str, language: str) -> bool:
    event = f"notice {notice.pk}"
    if notice.kind == Kind.BILL:
        return deliver(invoice, to, event)
    customer, question = invoice.tenant, notice.question
    place = customer.msp if notice.kind == Kind.QUESTION else customer
    path = f"/bills/{invoice.pk}/" if question is None else f"/bills/questions/{question.pk}/"
    if question and notice.kind == Kind.QUESTION:
        path = f"/invoices/questions/{question.pk}/"
    facts: dict[str, object] = {
        "invoice": invoice, "customer": customer, "question": question,
        "url": addresses.url(addresses.primary_host(place), path),
    }  # fmt: skip
    brand = Brand.objects.filter(msp=customer.msp_id).first()
    template = f"voice/receivables/mail/{notice.kind}"
    return mail.send(template, to, facts, brand=brand, language=language, event=event)


def _readers(notice: Notice, invoice: Invoice) -> Iterator[To]:
    """Yield address and language of everybody who is told, each once."""
    found: dict[str, str] = {}
    customer = invoice.tenant
    members = Membership.objects.filter(user__is_active=True).select_related("user").order_by("pk")
    if notice.kind == Kind.QUESTION:
        members = members.filter(msp=customer.msp_id, role__in=("owner", "billing"))
    elif notice.kind == Kind.ANSWER:
        asked = notice.question.asked_by_id if notice.question else None
        members = members.filter(tenant=customer, user_id=asked or 0)
    else:
        members = members.filter(tenant=customer, role="billing_contact")
        if issued_for := invoice.buyer.get("email", ""):
            found[issued_for.lower()] = ""
    for member in members:
        found.setdefault(member.user.email.lower(), member.user.language)
    yield from found.items()
