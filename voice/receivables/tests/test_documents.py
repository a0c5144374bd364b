"""The files of issued documents: stored once, the same for everybody, made good where they are missing."""

import pytest
from django.core.exceptions import ValidationError

from portal.core.models import AuditEntry
from portal.db import contexts
from voice.receivables import tasks
from voice.receivables.models import Invoice, InvoiceFile
from voice.receivables.services import approve, content_of, credit, issue, mail, save_entity, store_files
from voice.receivables.tests import make

pytestmark = pytest.mark.django_db


def test_a_sweep_stores_what_a_run_that_died_did_not(billed, northwind):
    invoice = make.issued(billed, 10_000_000)
    made_now = content_of(invoice, "pdf")
    contexts.use_public()
    tasks.store_files()
    tasks.store_files()

    contexts.use_msp(northwind)
    assert sorted(InvoiceFile.objects.values_list("kind", flat=True)) == ["pdf", "ubl", "xml"]
    assert content_of(invoice, "pdf") == made_now


def test_files_stay_as_they_went_out(billed):
    invoice = make.issued(billed, 10_000_000)
    store_files(invoice)
    before = content_of(invoice, "pdf")
    billed.entity.name = "Another GmbH"
    save_entity(billed.entity, by=make.BY)
    store_files(invoice)

    assert content_of(invoice, "pdf") == before


def test_the_customer_gets_the_same_file_and_nobody_else_gets_one(billed, globex):
    invoice = make.issued(billed, 10_000_000)
    unstored = content_of(invoice, "pdf")
    with contexts.customer(billed.tenant):
        assert content_of(Invoice.objects.get(), "pdf") == unstored
    store_files(invoice)
    with contexts.customer(billed.tenant):
        assert content_of(Invoice.objects.get(), "xml").startswith(b"<?xml")
    with contexts.customer(globex):
        assert not InvoiceFile.objects.exists() and not Invoice.objects.exists()


def test_a_credit_note_is_an_e_invoice_of_its_own(billed):
    invoice = make.issued(billed, 10_000_000)
    note = issue(approve(credit(invoice, reason="Wrong", by=make.BY), by=make.BY), on=make.TODAY, by=make.BY)

    assert b"<ram:TypeCode>381</ram:TypeCode>" in content_of(note, "xml")
    assert b"2026-00001" in content_of(note, "xml")


def test_a_mail_takes_the_bill_along_in_the_customers_language(billed, mailoutbox):
    billed.language = "fr"
    billed.save()
    invoice = make.issued(billed, 10_000_000)
    mail(invoice, by=make.BY)

    (sent,) = mailoutbox
    assert (sent.to, sent.subject) == (["ap@acme.example"], "Facture 2026-00001 de Northwind Voice GmbH")
    assert "11,90\xa0€" in sent.body and f"/bills/{invoice.pk}/" in sent.body and "Strowger" not in sent.body
    ((name, content, kind),) = sent.attachments
    assert (name, kind, content) == ("2026-00001.pdf", "application/pdf", content_of(invoice, "pdf"))
    assert AuditEntry.objects.get(verb="invoice.mailed").tenant_id == billed.tenant_id


def test_a_mail_that_does_not_leave_is_said_and_a_draft_is_not_sent(billed, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_PORT = 9
    invoice = make.issued(billed, 10_000_000)
    with pytest.raises(ValidationError, match="did not leave"):
        mail(invoice, by=make.BY)
    with pytest.raises(ValidationError, match="issued"):
        mail(make.drafted(billed, 1, name="x"), by=make.BY)


def test_where_the_standard_has_no_form_there_is_a_pdf_alone(billed):
    billed.currency = "KWD"
    billed.save()
    invoice = make.issued(billed, 10_000_000)

    assert content_of(invoice, "xml") is None
    assert content_of(invoice, "pdf").startswith(b"%PDF")
