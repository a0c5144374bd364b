"""Mails under the brand of whoever sends them: the MSP's to its customers, the platform's to MSPs."""

import hashlib
import logging
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from email.utils import formataddr, parseaddr

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template import loader
from django.utils import translation

from tenants.colour import readable
from tenants.models import Brand
from tenants.models.brand import DEFAULT_ACCENT

logger = logging.getLogger(__name__)
_threads = ThreadPoolExecutor(2, thread_name_prefix="mail")
PLATFORM = "Strowger"


def message_id(event: str, to: str) -> str:
    """Return the Message-ID of the mail that tells somebody of an event: the same each time it is sent."""
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2]
    return f"<{hashlib.sha256(f'{event} {to.lower()}'.encode()).hexdigest()[:40]}@{domain}>"


def send(
    template: str, to: str, context: dict[str, object], *, brand: Brand | None, language: str = "", event: str = "",
    papers: Sequence[tuple[str, bytes]] = (),
) -> bool:  # fmt: skip
    """Send `templates/<template>.subject.txt`, `.txt` and `.html`, with papers in PDF; return whether the mail left.

    `event` names what the mail is about where it may be sent again by a worker that does not know whether it left.
    """
    name = brand.name if brand else PLATFORM
    accent = readable(brand.accent if brand else DEFAULT_ACCENT, "#ffffff")
    whole = {**context, "brand_name": name, "brand": brand, "accent": accent}
    with translation.override(language or translation.get_language() or settings.LANGUAGE_CODE):
        subject = " ".join(loader.render_to_string(f"{template}.subject.txt", whole).split())
        text = loader.render_to_string(f"{template}.txt", whole)
        html = loader.render_to_string(f"{template}.html", whole)
    mail = EmailMultiAlternatives(
        subject,
        text.strip() + "\n",
        formataddr((name, parseaddr(settings.DEFAULT_FROM_EMAIL)[1])),
        [to],
        reply_to=[brand.support_email] if brand and brand.support_email else None,
        headers={"Message-ID": message_id(event, to)} if event else None,
    )
    mail.attach_alternative(html, "text/html")
    for file, content in papers:
        mail.attach(file, content, "application/pdf")
    try:
        mail.send()
    except OSError:
        # The page offers to send it again; a mail server that is away must not undo what was saved.
        logger.exception("Mail %s to %s did not leave", template, to)
        return False
    return True


def send_aside(template: str, to: str, context: dict[str, object], *, brand: Brand | None) -> Future[bool]:
    """Send as `send` does, while the caller goes on: how long that takes must not tell whether there is a mail at all.

    What the mail shows has to be at hand: there is no database context in the other thread.
    """
    language = translation.get_language() or settings.LANGUAGE_CODE
    sending = _threads.submit(send, template, to, context, brand=brand, language=language)
    sending.add_done_callback(_log_failure)
    return sending


def _log_failure(sending: Future[bool]) -> None:
    if error := sending.exception():
        logger.error("A mail did not leave", exc_info=error)
