"""Invoices from draft to issue: frozen, credited, paid."""

from datetime import date

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.utils import ProgrammingError

from portal.core.errors import StaleEdit
from portal.core.models import AuditEntry
from portal.db import contexts
from voice.receivables import selectors, sources
from voice.receivables.models import Allocation, Invoice, InvoiceLine, InvoiceTax
from voice.receivables.services import approve, credit, draft, drop, issue, record_payment, reopen, save_profile
from voice.receivables.tests import make
from voice.receivables.tests.test_ledger import commit

pytestmark = pytest.mark.django_db
EUR = 1_000_000


def drafted(billed, *amounts, name="fees"):
    return draft(billed, make.Fees(*amounts, name=name), begins=make.OCTOBER[0], ends=make.OCTOBER[1], by=make.BY)


def owed(billed, currency="EUR"):
    moves = list(selectors.statement(billed.tenant, currency))
    return moves[-1].balance if moves else 0


def test_a_draft_adds_up_and_has_no_number(billed):
    invoice = drafted(billed, 12_344_999, 3_005_000)

    assert [line.net for line in invoice.lines.order_by("position")] == [12_340_000, 3_010_000]
    assert (invoice.net, invoice.tax, invoice.total) == (15_350_000, 2_920_000, 18_270_000)
    assert (invoice.number, invoice.state) == ("", "draft")


def test_issuing_gives_a_number_freezes_both_parties_and_books(billed):
    invoice = make.issued(billed, 100 * EUR)
    commit()
    billed.name = billed.entity.name = "Another"
    billed.entity.save()
    save_profile(billed, by=make.BY)

    invoice.refresh_from_db()
    assert (invoice.number, invoice.buyer["name"], invoice.seller["name"]) == (
        "2026-00001", "Acme", "Northwind Voice GmbH",
    )  # fmt: skip
    assert invoice.due_on == date(2026, 12, 4)
    assert owed(billed) == 119 * EUR
    assert AuditEntry.objects.filter(verb="invoice.issued", tenant_id=billed.tenant_id).count() == 1


@pytest.mark.parametrize(
    "change", [{"total": 1, "net": 1, "tax": 0}, {"state": "draft"}, {"buyer": {}}, {"number": "x"}, {"due_on": None}]
)
def test_an_issued_invoice_refuses_every_change(billed, change):
    invoice = make.issued(billed, EUR)
    with pytest.raises(IntegrityError), transaction.atomic():
        Invoice.objects.filter(pk=invoice.pk).update(**change)


def test_an_issued_invoice_and_its_lines_are_not_deleted_or_added_to(billed):
    invoice = make.issued(billed, EUR)
    line = invoice.lines.get()
    for act in (
        lambda: Invoice.objects.filter(pk=invoice.pk)._raw_delete("default"),
        lambda: InvoiceLine.objects.filter(pk=line.pk).update(net=2),
        lambda: InvoiceLine.objects.filter(pk=line.pk).delete(),
        lambda: InvoiceTax.objects.all().update(tax=2),
        lambda: InvoiceLine.of(
            invoice, position=2, kind="fee", text="x", exact=0, net=0, category="S", per_million=0
        ).save(),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            act()


def test_the_database_issues_nothing_that_does_not_add_up(billed):
    invoice = drafted(billed, EUR)
    Invoice.objects.filter(pk=invoice.pk).update(net=2 * EUR, total=2 * EUR + invoice.tax)
    invoice.refresh_from_db()
    with pytest.raises(IntegrityError, match="do not add up"), transaction.atomic():
        approve(invoice, by=make.BY)


def test_a_draft_is_approved_before_it_is_issued(billed):
    invoice = drafted(billed, EUR)
    with pytest.raises(ValidationError, match="is draft"):
        issue(invoice, on=make.TODAY, by=make.BY)
    with pytest.raises(IntegrityError, match="approved before"), transaction.atomic():
        Invoice.objects.filter(pk=invoice.pk).update(
            state="issued", number="1", sequence=1, issued_on=make.TODAY, due_on=make.TODAY
        )


def test_an_approved_invoice_can_be_opened_again_and_a_draft_dropped(billed):
    invoice = approve(drafted(billed, EUR), by=make.BY)
    with pytest.raises(ValidationError):
        drop(invoice, by=make.BY)
    drop(reopen(invoice, by=make.BY), by=make.BY)

    assert Invoice.objects.count() == 0
    assert drafted(billed, EUR).state == "draft"


def test_two_people_do_not_approve_over_each_other(billed):
    invoice = drafted(billed, EUR)
    other = Invoice.objects.get(pk=invoice.pk)
    reopen(approve(invoice, by=make.BY), by=make.BY)
    with pytest.raises(StaleEdit):
        approve(other, by=make.BY)


def test_the_same_period_is_billed_once(billed):
    drafted(billed, EUR)
    with pytest.raises(ValidationError, match="on an invoice already"):
        drafted(billed, EUR)


def test_nothing_and_less_than_nothing_is_not_billed(billed):
    with pytest.raises(ValidationError, match="nothing to bill"):
        drafted(billed)
    with pytest.raises(ValidationError, match="credit note"):
        drafted(billed, EUR, -2 * EUR)


def test_an_invoice_over_nothing_is_issued_and_moves_nothing(billed):
    invoice = make.issued(billed, EUR, -EUR)
    commit()

    assert (invoice.number, invoice.total, owed(billed)) == ("2026-00001", 0, 0)


def test_a_credit_note_takes_back_exactly_what_was_billed(billed):
    invoice = make.issued(billed, 10_010_000, 3_330_000)
    note = issue(approve(credit(invoice, reason="Wrong plan", by=make.BY), by=make.BY), on=make.TODAY, by=make.BY)
    commit()

    assert (note.number, note.corrects, note.total) == ("CN-2026-00001", invoice, invoice.total)
    assert owed(billed) == 0 and selectors.open_amount(invoice) == 0


def test_credits_in_parts_come_to_the_invoice_to_the_cent(billed):
    invoice = make.issued(billed, 10_010_000, 10_010_000, 10_010_000)
    for position in (1, 2, 3):
        note = credit(invoice, reason="Part", by=make.BY, amounts={position: 10_010_000})
        issue(approve(note, by=make.BY), on=make.TODAY, by=make.BY)

    assert sum(note.total for note in invoice.credit_notes.all()) == invoice.total
    with pytest.raises(ValidationError, match="left to credit"):
        credit(invoice, reason="More", by=make.BY)


@pytest.mark.parametrize("amounts", [{1: 10_000_001}, {1: -1}, {2: 1}, {}])
def test_no_more_is_credited_than_was_billed(billed, amounts):
    invoice = make.issued(billed, 10 * EUR)
    with pytest.raises(ValidationError):
        credit(invoice, reason="No", by=make.BY, amounts=amounts)


def test_two_drafts_of_credit_notes_are_not_both_issued(billed):
    invoice = make.issued(billed, 10 * EUR)
    first, second = (approve(credit(invoice, reason="Twice", by=make.BY), by=make.BY) for _ in range(2))
    issue(first, on=make.TODAY, by=make.BY)
    with pytest.raises(ValidationError, match="less than that left"):
        issue(second, on=make.TODAY, by=make.BY)


def test_two_credit_notes_do_not_take_back_the_same_line_where_another_is_left(billed):
    invoice = make.issued(billed, 100 * EUR, 100 * EUR)
    first, second = (
        approve(credit(invoice, reason="Twice", by=make.BY, amounts={1: 60 * EUR}), by=make.BY) for _ in range(2)
    )
    issue(first, on=make.TODAY, by=make.BY)
    with pytest.raises(ValidationError, match="Line 1 has less"):
        issue(second, on=make.TODAY, by=make.BY)
    assert selectors.left_to_credit(invoice).lines == {1: 40 * EUR, 2: 100 * EUR}


def test_credit_notes_that_were_written_side_by_side_leave_no_cent_of_tax(billed):
    invoice = make.issued(billed, 30_000, 30_000)
    one, two = (approve(credit(invoice, reason="Part", by=make.BY, amounts={n: 30_000}), by=make.BY) for n in (1, 2))
    # 19 % of 0.06 is 0.01, and so is 19 % of each half.
    issue(one, on=make.TODAY, by=make.BY)
    with pytest.raises(ValidationError, match="write it again"):
        issue(two, on=make.TODAY, by=make.BY)
    drop(reopen(two, by=make.BY), by=make.BY)
    issue(approve(credit(invoice, reason="Rest", by=make.BY), by=make.BY), on=make.TODAY, by=make.BY)
    assert sum(note.total for note in invoice.credit_notes.all()) == invoice.total


def test_no_more_is_credited_than_the_whole_invoice_where_a_line_took_something_off(billed):
    invoice = make.issued(billed, 100 * EUR, -10 * EUR)
    with pytest.raises(ValidationError, match=r"as a whole \(€107.10\)"):
        credit(invoice, reason="The fee", by=make.BY, amounts={1: 100 * EUR})
    # 19 % of 90.00 is all the tax that there is.
    part = credit(invoice, reason="The fee", by=make.BY, amounts={1: 90 * EUR})
    whole = credit(invoice, reason="All", by=make.BY)
    issue(approve(part, by=make.BY), on=make.TODAY, by=make.BY)
    with pytest.raises(ValidationError, match="less than that left"):
        issue(approve(whole, by=make.BY), on=make.TODAY, by=make.BY)
    assert (part.total, selectors.open_amount(invoice)) == (invoice.total, 0)


def test_a_payment_settles_the_named_invoice_and_then_the_oldest(billed):
    old, new = make.issued(billed, 100 * EUR, name="a"), make.issued(billed, 100 * EUR, name="b")
    record_payment(make.payment(billed, 150 * EUR), by=make.BY, invoices=[new])

    assert (selectors.open_amount(old), selectors.open_amount(new)) == (88 * EUR, 0)
    assert owed(billed) == 88 * EUR


def test_what_is_paid_too_much_stays_on_the_account(billed):
    invoice = make.issued(billed, 100 * EUR)
    record_payment(make.payment(billed, 200 * EUR), by=make.BY)
    commit()

    assert selectors.open_amount(invoice) == 0
    assert owed(billed) == -81 * EUR
    assert Allocation.objects.get().amount == 119 * EUR


def test_the_same_payment_is_recorded_once(billed):
    make.issued(billed, 100 * EUR)
    record_payment(make.payment(billed, EUR), by=make.BY)
    with pytest.raises(ValidationError, match="recorded already"):
        record_payment(make.payment(billed, EUR), by=make.BY)


@pytest.mark.parametrize("amount", [0, -1])
def test_a_payment_is_more_than_nothing(billed, amount):
    with pytest.raises(ValidationError):
        record_payment(make.payment(billed, amount), by=make.BY)


def test_customers_see_issued_invoices_of_their_own_only(billed, globex):
    make.issued(billed, EUR)
    drafted(billed, EUR, name="draft")

    with contexts.customer(billed.tenant):
        assert [invoice.number for invoice in selectors.invoices()] == ["2026-00001"]
        assert InvoiceLine.objects.count() == InvoiceTax.objects.count() == 1
        with pytest.raises(ProgrammingError), transaction.atomic():
            Invoice.objects.update(total=0)
    with contexts.customer(globex):
        assert not Invoice.objects.exists() and not InvoiceLine.objects.exists()


def test_a_written_line_says_what_it_is_and_only_what_is_on_it_needs_a_rule(billed, northwind):
    written = sources.read("Set-up; 250.00\nTelephones; 99.5; Goods\nTraining; on site; 80; service")
    assert list(written.lines) == [
        ("Set-up", 250 * EUR, "telecom"), ("Telephones", 99_500_000, "goods"),
        ("Training; on site", 80 * EUR, "service"),
    ]  # fmt: skip
    with pytest.raises(sources.UnreadableLine):
        sources.read("Telephones; 99.5; furniture")
    # A consumer's calls in Switzerland would have to be taxed there; goods that are sent there are an export.
    billed.country, billed.vat_id, billed.is_business = "CH", "", False
    billed.save()
    for text in ("Set-up; 1", "Telephones; 1; goods\nSet-up; 1"):
        with pytest.raises(ValidationError, match="registered"):
            draft(billed, sources.read(text), begins=make.OCTOBER[0], ends=make.OCTOBER[1], by=make.BY)
    exported = draft(billed, sources.read("Telephones; 1; goods"), begins=make.OCTOBER[0], ends=make.OCTOBER[1],
                     by=make.BY)  # fmt: skip
    assert exported.lines.get().category == "G"
