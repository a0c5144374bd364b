"""A bank statement that is missing is noticed, before its payments are reminded of."""

from datetime import date

import pytest
from django.core.exceptions import ValidationError

from portal.core.models import AuditEntry
from portal.db import contexts
from voice.payments import selectors, services
from voice.payments.gaps import gaps
from voice.payments.models import BankStatement
from voice.receivables.tests import make

EUR = 1_000_000


def row(pk, first, last, opening, closing, **facts):
    days = {"begins": date(2026, 11, first), "ends": date(2026, 11, last)}
    return BankStatement(pk=pk, opening=opening * EUR, closing=closing * EUR, name=str(pk), **days, **facts)


@pytest.mark.parametrize(
    ("rows", "missing"),
    [
        ([], []),
        ([(1, 2, 2, 0, 10), (2, 3, 3, 10, 15), (3, 6, 6, 15, 9)], []),
        ([(1, 2, 2, 0, 10), (2, 4, 4, 12, 15)], [(1, 2, 2)]),
        # Brought in the wrong order, and one in between at last.
        ([(2, 4, 4, 12, 15), (1, 2, 2, 0, 10), (3, 3, 3, 10, 12)], []),
        # Several of one day, whatever their order; the third of them is missing.
        ([(1, 2, 2, 0, 10), (2, 3, 3, 12, 15), (3, 3, 3, 10, 12)], []),
        ([(1, 2, 2, 0, 10), (2, 3, 3, 11, 15), (3, 3, 3, 15, 12)], [(1, 2, 1)]),
        # A week that is there as a whole and in parts.
        ([(1, 2, 8, 0, 50), (2, 3, 3, 7, 9), (3, 5, 9, 20, 60), (4, 10, 10, 60, 61)], []),
        ([(1, 2, 8, 0, 50), (2, 8, 8, 40, 50), (3, 9, 9, 51, 60)], [(2, 3, 1)]),
        # The opening balance is dated by the day before.
        ([(1, 2, 3, 0, 10), (2, 3, 4, 10, 15), (3, 4, 5, 15, 9)], []),
        ([(1, 2, 3, 0, 10), (2, 4, 5, 12, 15), (3, 5, 6, 15, 9)], [(1, 2, 2)]),
    ],
)
def test_statements_lead_from_one_to_the_next(rows, missing):
    found = gaps(row(*each) for each in rows)
    assert [(gap.before.pk, gap.after.pk, gap.difference // EUR) for gap in found] == missing


@pytest.mark.django_db
def test_a_missing_statement_is_told_until_it_comes_or_somebody_says_why(billed, client_of, nadia, northwind):
    facts = {"msp": northwind, "entity": billed.entity, "iban": "DE1", "currency": "EUR"}
    for each in (row(None, 2, 2, 0, 10, **facts), row(None, 4, 4, 12, 15, **facts), row(None, 9, 9, 14, 14, **facts)):
        each.save()
        BankStatement.objects.filter(pk=each.pk).update(name=str(each.begins))
    first, second, third = BankStatement.objects.order_by("begins")
    contexts.use_public()
    office = client_of(nadia, northwind)

    page = " ".join(office.get("/invoices/payments/bank/").content.decode().split())
    assert page.count("A bank statement is missing") == 2 and "€2.00</span> moved there" in page
    assert "A bank statement is missing" in office.get("/invoices/payments/reminders/").content.decode()
    told = {each["id"]: each["missing_before"] for each in office.get("/api/v1/bank-statements/").json()["results"]}
    assert told == {first.pk: None, second.pk: 2 * EUR, third.pk: -EUR}
    answer = office.post(f"/api/v1/bank-statements/{third.pk}/explain-gap/", {"note": "Moved to another bank"},
                         content_type="application/json")  # fmt: skip
    assert (answer.json()["missing_before"], answer.json()["gap_note"]) == (None, "Moved to another bank")
    assert office.post(f"/invoices/payments/bank/statements/{second.pk}/gap/", {"note": "Old"}).status_code == 302

    with contexts.msp(northwind):
        assert selectors.bank_gaps(northwind.pk) == []
        assert AuditEntry.objects.filter(verb="bank_statement.gap_explained").count() == 2
        with pytest.raises(ValidationError):
            services.explain_gap(second, note=" ", by=make.BY)
