"""What hangs on the books goes by the law of the company that bills; what became no payment goes sooner."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from portal.db import contexts
from sbc.services import erasure
from tenants import services as tenants
from tenants.models import Customer, Erasure, Invitation, LegalHold, Membership, Msp, User
from voice.calls.tests.make import cdr as call_of
from voice.payments.models import (
    BankEntry,
    BankStatement,
    CardAttempt,
    CardEvent,
    DunningStep,
    Reminder,
    ReminderLine,
)
from voice.payments.services import cards, dunning, ladder, set_aside
from voice.payments.services.bank import book_in, import_statements
from voice.payments.tests.cards import ALICE, EUR, paid, take_cards, told
from voice.payments.tests.papers import entry, statement
from voice.plans.models import DrawnPeriod
from voice.rating.models import Charge
from voice.receivables import selectors as books
from voice.receivables.models import BilledCharge, BillingProfile, Invoice, LineQuestion, Payment
from voice.receivables.services import record_payment
from voice.receivables.tests import make
from voice.receivables.tests.conftest import billed as billed
from voice.receivables.tests.conftest import company as company

pytestmark = pytest.mark.django_db(transaction=True)


def erased(at: datetime, msp: Msp) -> dict[str, tuple[int, int]]:
    """Run an erasure, and return by table what it took and what a hold kept."""
    with contexts.public():
        run = erasure.erase(at=at, by=make.BY)
    with contexts.owner():
        lines = list(Erasure.objects.get(pk=run.pk).lines.filter(rows_before__gt=0))
    contexts.use_msp(msp)
    assert all(line.is_proven for line in lines)
    return {line.table: (line.rows_removed, line.rows_held) for line in lines}


def in_year(year: int) -> datetime:
    return datetime(year, 1, 2, 3, tzinfo=UTC)


def brought(billed: BillingProfile, invoice: Invoice) -> list[BankEntry]:
    """Bring a bank statement of three entries: one is booked, one set aside, one waits for somebody."""
    content = statement(
        entry("119", text=invoice.number, bank_ref="A"), entry("7", payer="A Stranger", bank_ref="B"),
        entry("9", payer="Who Knows", bank_ref="C"), closing="235",
    )  # fmt: skip
    import_statements(billed.entity, content, by=make.BY)
    first, second, third = BankEntry.objects.order_by("-amount").filter(amount=119 * EUR).union(
        BankEntry.objects.filter(amount=7 * EUR), BankEntry.objects.filter(amount=9 * EUR)
    ).order_by("-amount")  # fmt: skip
    book_in(first, billed.tenant, invoices=[invoice], by=make.BY)
    set_aside(third, note="of a shop next door", by=make.BY)
    return [first, second, third]


def test_payers_whose_money_was_nobodys_bill_go_first_and_what_was_booked_after_eight_years(
    billed: BillingProfile, northwind: Msp
) -> None:
    invoice = make.issued(billed, 100 * EUR)
    booked, waiting, _aside = brought(billed, invoice)

    assert erased(datetime(2028, 2, 1, tzinfo=UTC), northwind)["payments_bankentry"] == (1, 0)
    assert set(BankEntry.objects.values_list("pk", flat=True)) == {booked.pk, waiting.pk}
    assert "payments_bankentry" not in erased(datetime(2034, 12, 31, tzinfo=UTC), northwind)
    gone = erased(in_year(2035), northwind)

    assert (gone["payments_bankentry"], gone["payments_bankstatement"]) == ((2, 0), (1, 0))
    assert not BankStatement.objects.exists()
    assert Payment.objects.count() == 1 and books.balance(billed.tenant_id, billed.entity_id, "EUR") == 0


def test_a_hold_keeps_what_names_its_customer(billed: BillingProfile, northwind: Msp) -> None:
    brought(billed, make.issued(billed, 100 * EUR))
    hold = LegalHold(msp=northwind, tenant=billed.tenant, case="7", reason="x", review="2099-01-01")
    tenants.place_hold(hold, by=make.BY)

    gone = erased(in_year(2035), northwind)

    assert gone["payments_bankentry"] == (1, 1)
    assert BankEntry.objects.get().tenant_id == billed.tenant_id and BankStatement.objects.count() == 1


@pytest.mark.parametrize(("facts", "year"), [({"country": "GB"}, 2033), ({"country": "FR"}, 2037),
                                             ({"is_in_oss": True}, 2037)])  # fmt: skip
def test_the_company_that_bills_says_how_long(
    billed: BillingProfile, northwind: Msp, facts: dict[str, Any], year: int
) -> None:
    brought(billed, make.issued(billed, 100 * EUR))
    type(billed.entity).objects.filter(pk=billed.entity_id).update(**facts)

    erased(datetime(year - 1, 12, 20, tzinfo=UTC), northwind)
    assert BankEntry.objects.filter(state="booked").exists()
    erased(in_year(year), northwind)
    assert not BankEntry.objects.exists()


def test_cards_that_paid_nothing_go_before_those_that_did(billed: BillingProfile, northwind: Msp) -> None:
    account = take_cards(billed.entity)
    good = cards.pay(billed.tenant, invoices=[make.issued(billed, 100 * EUR).pk], by=ALICE, saves=True)
    paid(good, account)
    bad = cards.pay(billed.tenant, invoices=[make.issued(billed, 50 * EUR, name="more").pk], by=ALICE)
    told(account, "checkout.session.expired", id=bad.session, metadata={"attempt": str(bad.key)})
    told(account, "charge.refunded", payment_intent="pi_unknown", amount_refunded=5, currency="eur")
    CardAttempt.objects.filter(pk=bad.pk).update(is_under_way=False, state="expired")

    gone = erased(datetime(2028, 2, 1, tzinfo=UTC), northwind)
    assert gone["payments_cardevent"] == (2, 0) and CardAttempt.objects.get() == good
    assert CardEvent.objects.get().attempt == good
    assert "payments_cardattempt" not in erased(datetime(2034, 12, 31, tzinfo=UTC), northwind)
    erased(in_year(2035), northwind)
    assert not CardEvent.objects.exists() and not CardAttempt.objects.exists() and Payment.objects.exists()


def test_reminders_and_questions_go_with_the_letters_but_not_while_the_invoice_is_open(
    billed: BillingProfile, northwind: Msp
) -> None:
    ladder.save_step(DunningStep(msp=northwind, after_days=7, title="First", words="Please pay."), by=make.BY)
    invoice = make.issued(billed, 100 * EUR)
    late = make.TODAY + timedelta(days=30)
    dunning.propose(northwind, today=late, by=make.BY)
    dunning.release(Reminder.objects.get(), today=late, by=make.BY)
    LineQuestion.objects.create(
        msp=northwind, tenant=billed.tenant, invoice=invoice, position=1, text="What?", currency="EUR",
        state="answered", answer="That.", answered_at=datetime(2026, 12, 1, tzinfo=UTC),
    )  # fmt: skip

    erased(in_year(2033), northwind)
    assert Reminder.objects.exists() and LineQuestion.objects.exists()
    record_payment(make.payment(billed, 119 * EUR), by=make.BY)
    gone = erased(in_year(2033), northwind)

    assert gone["payments_reminder"] == gone["payments_reminderline"] == (1, 0)
    assert not ReminderLine.objects.exists() and not LineQuestion.objects.exists()


def test_what_is_billed_is_noted_as_long_as_its_charge_and_only_the_erasure_takes_the_note(
    billed: BillingProfile, northwind: Msp
) -> None:
    invoice = make.drafted(billed, 100 * EUR)
    at = datetime(2026, 10, 5, tzinfo=UTC)
    key = call_of(billed.tenant, at).call
    facts = {"tenant": billed.tenant, "msp": northwind, "invited": at, "id": key, "micros": 5}
    BilledCharge.objects.create(line=invoice.lines.get(), **facts)
    make.approve(invoice, by=make.BY)
    with contexts.owner(), connection.cursor() as cursor, pytest.raises(Exception, match="are fixed"):
        cursor.execute("DELETE FROM receivables_billedcharge")
    contexts.use_msp(northwind)

    assert "receivables_billedcharge" not in erased(datetime(2036, 10, 1, tzinfo=UTC), northwind)
    gone = erased(datetime(2036, 10, 20, tzinfo=UTC), northwind)
    assert gone["receivables_billedcharge"] == (1, 0) and not Charge.objects.exists()


def test_what_was_drawn_goes_but_for_the_last_days_that_are_closed(billed: BillingProfile, northwind: Msp) -> None:
    for month in (1, 2):
        DrawnPeriod.objects.create(
            msp=northwind, tenant=billed.tenant, begins=date(2026, month, 1), ends=date(2026, month + 1, 1),
            reference=f"{month}", drawn=[["100 minutes", "+49301", "2026-01-01", 60]],
        )  # fmt: skip

    assert erased(in_year(2035), northwind)["plans_drawnperiod"] == (1, 0)
    assert DrawnPeriod.objects.get().reference == "2"


def test_who_left_every_team_goes_and_who_is_in_one_stays(northwind: Msp, nadia: User, alice: User) -> None:
    gone = User.objects.create_user("left@northwind.example", "x")
    asked = User.objects.create_user("asked@northwind.example", "x")
    contexts.use_msp(northwind)
    row = Membership.objects.create(user=gone, msp=northwind, role="support")
    Invitation.objects.create(
        email="new@northwind.example", msp=northwind, role="support", token_hash="x", invited_by=asked,
        expires_at=datetime(2026, 12, 1, tzinfo=UTC),
    )  # fmt: skip
    later = datetime.now(UTC) + timedelta(days=100)

    erased(later, northwind)
    assert {gone.pk, nadia.pk, alice.pk} <= set(User.objects.values_list("pk", flat=True))
    row.delete()
    taken = erased(later, northwind)

    left = set(User.objects.values_list("pk", flat=True))
    assert {nadia.pk, alice.pk} <= left and gone.pk not in left and asked.pk not in left
    assert "tenants_invitation" not in taken and not Invitation.objects.exists()


def test_customers_read_the_rules_of_the_country_of_who_bills_them(
    billed: BillingProfile, northwind: Msp, client_of: Any, alice: User
) -> None:
    Customer.objects.filter(pk=billed.tenant_id).update(country="US")
    acme = Customer.objects.get(pk=billed.tenant_id)

    rules = tenants.retention.rules_for(acme)
    assert (rules["vouchers"].days, rules["calls"].days) == (2922, 549)
    page = client_of(alice, acme).get("/retention/").content.decode()
    assert "Bank and card details that became no payment" in page and "BEG IV" in page and "47 CFR 42.6" in page
