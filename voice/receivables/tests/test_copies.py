"""The customer's copy of each document and the register say the same, however it was issued."""

import pytest
from django.db import IntegrityError, transaction
from django.forms.models import model_to_dict

from portal.db import contexts, customers
from tenants.models import Customer
from voice.billing.models import BILL_COLUMNS, LINE_COLUMNS, Bill, BillLine, plain
from voice.receivables import tasks
from voice.receivables.models import Invoice, InvoiceLine
from voice.receivables.services import approve, credit, issue
from voice.receivables.services.copies import TAX_COLUMNS
from voice.receivables.tests import make

pytestmark = pytest.mark.django_db
EUR = 1_000_000
OF_REGISTER = {"id", "msp", "tenant", "invoice"}


def differences(msp):
    """Return what differs between the register of an MSP and its customers' copies."""
    found = []
    for customer in Customer.objects.filter(msp=msp).order_by("pk"):
        with contexts.msp(msp, customer=customer):
            issued = {each.pk: each for each in Invoice.objects.issued().filter(tenant=customer)}
            kept = {bill.pk: bill for bill in Bill.objects.prefetch_related("lines")}
            found += [f"{customer}: {pk}" for pk in issued.keys() ^ kept.keys()]
            for pk in issued.keys() & kept.keys():
                invoice, bill = issued[pk], kept[pk]
                pairs = [(plain(invoice, BILL_COLUMNS), plain(bill, BILL_COLUMNS))]
                pairs.append((list(invoice.taxes.order_by("pk").values(*TAX_COLUMNS)), bill.taxes))
                lines = [list(each.lines.order_by("position")) for each in (invoice, bill)]
                pairs.append(tuple([plain(line, LINE_COLUMNS) for line in each] for each in lines))
                found += [f"{customer}: {pk}: {ours} {theirs}" for ours, theirs in pairs if ours != theirs]
    return found


def test_every_way_to_issue_writes_both(billed, northwind):
    invoice = make.issued(billed, 100 * EUR, 7 * EUR)
    note = credit(invoice, reason="Outage", amounts={2: 3 * EUR}, by=make.BY)
    issue(approve(note, by=make.BY), on=make.TODAY, by=make.BY)

    assert differences(northwind) == []
    with contexts.customer(billed.tenant):
        assert Bill.objects.get(corrects=invoice.pk).corrects.number == invoice.number


def test_a_copy_has_every_fact_of_a_line(billed):
    names = set(model_to_dict(InvoiceLine())) - OF_REGISTER

    assert names == set(LINE_COLUMNS)


def test_both_are_written_or_neither(billed, northwind):
    invoice = make.issued(billed, EUR, name="first")
    with contexts.msp(northwind, customer=billed.tenant):
        Bill.objects.create(**plain(Bill.objects.get(), BILL_COLUMNS) | {"id": invoice.pk + 1})
    doomed = approve(make.draft(billed, make.Fees(EUR), begins=make.OCTOBER[0], ends=make.OCTOBER[1], by=make.BY),
                     by=make.BY)  # fmt: skip
    assert doomed.pk == invoice.pk + 1
    with pytest.raises(IntegrityError), transaction.atomic():
        issue(doomed, on=make.TODAY, by=make.BY)

    assert Invoice.objects.get(pk=doomed.pk).number == ""


def test_documents_of_before_get_their_copies(billed, northwind):
    make.issued(billed, EUR)
    with contexts.msp(northwind, customer=billed.tenant):
        BillLine.objects.all().delete()
        Bill.objects.all().delete()
    contexts.use_public()
    tasks.store_files()
    tasks.store_files()

    contexts.use_msp(northwind)
    assert differences(northwind) == []


def test_a_customer_whose_data_is_gone_is_still_issued_its_last_document(billed, northwind, monkeypatch):
    monkeypatch.setattr("voice.receivables.services.copies.has_schema", lambda _customer: False)
    assert make.issued(billed, EUR).number == "2026-00001"
    assert customers.has_schema(billed.tenant)


def test_a_customer_sees_its_copy_and_nothing_of_drafts(client_of, alice, acme, billed):
    invoice = make.issued(billed, 100 * EUR)
    with contexts.customer(acme):
        BillLine.objects.update(text="As it was billed")
    contexts.use_public()

    browser = client_of(alice, acme)
    assert "As it was billed" in browser.get(f"/bills/{invoice.pk}/").content.decode()
    assert browser.get("/api/v1/bills/").json()["results"][0]["lines"][0]["text"] == "As it was billed"
