"""Mails about bills: noted in the transaction of the event, sent afterwards in the MSP's brand, tried again by a sweep.

A mail is sent at least once: who dies between sending and saying so sends it again.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Q
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
    for pk in list(waiting.values_list("pk", flat=True)):
        with transaction.atomic():
            notice = (
                Notice.objects.select_for_update(of=("self",), skip_locked=True).filter(pk=pk, done_at=None).first()
            )
            told += bool(notice and _send(notice, timezone.now()))
    return told


def _send(notice: Notice, at: datetime) -> bool:
    invoice = Invoice.objects.select_related("tenant__msp", "corrects").get(pk=notice.invoice_id)
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
    whole = True
    for to, language in _readers(notice, invoice):
        if to not in notice.sent_to:
            if notice.kind == Kind.BILL:
                sent = deliver(invoice, to)
            else:
                sent = mail.send(f"voice/receivables/mail/{notice.kind}", to, facts, brand=brand, language=language)
            whole = whole and sent
            if sent:
                notice.sent_to.append(to)
    notice.tries += 1
    notice.done_at = at if whole else None
    notice.save(update_fields=["sent_to", "tries", "done_at"])
    return whole


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
