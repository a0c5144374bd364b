"""The mail that takes a bill along, in the customer's language and under the MSP's brand."""

import logging
from email.utils import formataddr, parseaddr

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.utils.translation import gettext as _

from portal.core import audit
from portal.core.audit import Actor
from tenants import addresses
from tenants.mail import message_id
from tenants.models import Brand
from voice.receivables.models import Invoice, InvoiceFile
from voice.receivables.services.documents import content_of
from voice.receivables.sheet import Reader

logger = logging.getLogger(__name__)
Kind = InvoiceFile.Kind


def mail(invoice: Invoice, *, by: Actor) -> None:
    """Send an issued document to the address that it was issued for; raises ValidationError where it did not leave."""
    to = invoice.buyer.get("email", "")
    if invoice.state != Invoice.State.ISSUED or not to:
        raise ValidationError(_("Only an issued document with an e-mail address can be sent."))
    if not deliver(invoice, to):
        raise ValidationError(_("The mail did not leave: the mail server is away. Try again later."))
    audit.record(by, "invoice.mailed", invoice, tenant_id=invoice.tenant_id, to=to)


def deliver(invoice: Invoice, to: str, event: str = "") -> bool:
    """Send an issued document to an address; return whether the mail left. `event` is that of `tenants.mail.send`."""
    try:
        message(invoice, to, event).send()
    except OSError:
        logger.exception("The mail with %s did not leave", invoice)
        return False
    return True


def message(invoice: Invoice, to: str, event: str = "") -> EmailMessage:
    """Return the mail with the PDF, and the e-invoice inside it, as attachments."""
    reader, brand = Reader.of(invoice.buyer), Brand.objects.filter(msp_id=invoice.msp_id).first()
    say, seller = reader.say, invoice.seller["name"]
    facts = {
        "kind": say("credit_note" if invoice.is_credit_note else "invoice"), "number": invoice.number,
        "seller": seller, "day": reader.day(invoice.issued_on), "total": reader.money(invoice.total, invoice.currency),
    }  # fmt: skip
    told = [say("mail_greeting"), say("mail_attached", **facts)]
    told.append(say("mail_see", url=addresses.url(addresses.primary_host(invoice.tenant), f"/bills/{invoice.pk}/")))
    name = brand.name if brand else seller
    made = EmailMessage(
        say("mail_subject", **facts),
        "\n\n".join([*told, seller]) + "\n",
        formataddr((name, parseaddr(settings.DEFAULT_FROM_EMAIL)[1])),
        [to],
        reply_to=[invoice.seller["email"]] if invoice.seller["email"] else None,
        headers={"Message-ID": message_id(event, to)} if event else None,
    )
    pdf = content_of(invoice, Kind.PDF)
    assert pdf is not None
    made.attach(f"{invoice.number.replace('/', '-')}.pdf", pdf, "application/pdf")
    return made
