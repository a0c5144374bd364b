"""The files of an issued document, kept byte for byte; made again from the frozen rows where they are missing."""

import hashlib
import logging

from django.db import IntegrityError, transaction

from tenants.models import Brand
from voice.receivables import einvoice, pdf, ubl
from voice.receivables.models import Invoice, InvoiceFile

logger = logging.getLogger(__name__)
Kind = InvoiceFile.Kind


def store_files(invoice: Invoice) -> None:
    """Store the PDF and the e-invoice of an issued document, once; where a run dies first, a sweep does it."""
    for kind, content in made(invoice).items():
        try:
            with transaction.atomic():
                InvoiceFile.of(invoice, kind=kind, content=content, sha256=hashlib.sha256(content).hexdigest()).save(
                    force_insert=True
                )
        except IntegrityError:
            logger.info("The %s of %s is stored already", kind, invoice)


def without_files() -> list[int]:
    """Return the issued documents that have no files yet."""
    return list(Invoice.objects.issued().exclude(files__kind=Kind.PDF).order_by("pk").values_list("pk", flat=True))


def store_missing_files() -> int:
    """Store the files of every issued document that has none; return how many had none."""
    missing = without_files()
    for invoice in Invoice.objects.filter(pk__in=missing).select_related("corrects").order_by("pk"):
        store_files(invoice)
    return len(missing)


def content_of(invoice: Invoice, kind: str) -> bytes | None:
    """Return a file of the document as it was stored, or made now of the same rows; None where there is none."""
    stored = InvoiceFile.objects.filter(invoice=invoice, kind=kind).first()
    return bytes(stored.content) if stored else made(invoice).get(kind)


def made(invoice: Invoice) -> dict[str, bytes]:
    """Return the files of a document: the PDF, and the e-invoice in both syntaxes where EN 16931 has a form for it."""
    lines, taxes = list(invoice.lines.order_by("position")), list(invoice.taxes.order_by("pk"))
    earlier = invoice.corrects
    corrects = (earlier.number, earlier.issued_on) if earlier and earlier.issued_on else None
    found: dict[str, bytes] = {}
    try:
        found[Kind.XML] = einvoice.xml(invoice, lines, taxes, corrects=corrects)
        found[Kind.UBL] = ubl.xml(invoice, lines, taxes, corrects=corrects)
    except einvoice.NotPossible as error:
        logger.info("No e-invoice of %s: %s", invoice, error)
    found[Kind.PDF] = pdf.render(invoice, lines, taxes, look_of(invoice), xml=found.get(Kind.XML), corrects=corrects)
    return found


def look_of(invoice: Invoice) -> pdf.Look:
    """Return the MSP's brand as the pages of the PDF show it."""
    brand = Brand.objects.filter(msp_id=invoice.msp_id).first()
    if brand is None:
        return pdf.Look(invoice.seller["name"], "#1f5f8b")
    return pdf.Look(brand.name, brand.accent, bytes(brand.logo or b""), (brand.logo_width, brand.logo_height))
