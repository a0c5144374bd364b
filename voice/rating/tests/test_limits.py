"""Up to what amount a customer may call, who sets it, and who is warned when."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.db import DatabaseError, transaction

from conftest import LAB
from portal.core.errors import StaleEdit
from portal.db import contexts
from tenants.models import Customer, Msp, User
from tenants.tests.clients import client_of
from voice.rating import accounts, limits, warnings
from voice.rating.models import Account, LimitWarning
from voice.rating.overview import customers_with_accounts, stopped
from voice.rating.standing import Mark, Standing
from voice.rating.tests.make import give, stored_deck, stored_rate

EURO = 1_000_000
AT = datetime(2026, 11, 28, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("prepaid", "balance", "credit", "spent", "limit", "own", "left", "narrowest"),
    [
        (False, -5, None, 5, None, None, None, None),
        (True, 7, None, 5, None, None, 7, Mark.EMPTY),
        (True, -7, None, 5, None, None, -7, Mark.EMPTY),
        (False, -5, 20, 5, None, None, 15, Mark.CREDIT),
        (False, -5, 20, 5, 12, None, 7, Mark.SPEND),
        (False, -5, 20, 5, 12, 6, 1, Mark.OWN),
        (True, 3, None, 5, 12, None, 3, Mark.EMPTY),
        (False, 0, 0, 0, None, None, 0, Mark.CREDIT),
    ],
)
def test_the_narrowest_limit_says_what_is_left(
    prepaid: bool, balance: int, credit: int | None, spent: int, limit: int | None, own: int | None,
    left: int | None, narrowest: Mark | None,
) -> None:  # fmt: skip
    standing = Standing(prepaid, balance, credit, spent, limit, own)

    assert (standing.left, standing.narrowest) == (left, narrowest)


@pytest.mark.parametrize(
    ("standing", "below", "passed"),
    [
        (Standing(True, 100, None, 0, None, None), 50, set()),
        (Standing(True, 49, None, 0, None, None), 50, {(Mark.LOW, 0)}),
        (Standing(True, 0, None, 0, None, None), 50, {(Mark.LOW, 0), (Mark.EMPTY, 100)}),
        (Standing(False, -79, 100, 0, None, None), None, set()),
        (Standing(False, -80, 100, 0, None, None), None, {(Mark.CREDIT, 80)}),
        (Standing(False, -100, 100, 0, None, None), None, {(Mark.CREDIT, 80), (Mark.CREDIT, 100)}),
        (Standing(False, 0, None, 90, 100, 80), None, {(Mark.SPEND, 80), (Mark.OWN, 80), (Mark.OWN, 100)}),
        (Standing(False, 0, None, 0, None, 0), None, {(Mark.OWN, 80), (Mark.OWN, 100)}),
    ],
)  # fmt: skip
def test_marks_are_passed_at_their_share(standing: Standing, below: int | None, passed: set[Any]) -> None:
    assert standing.passed((80, 100), below) == passed


def test_what_was_spent_last_month_is_over() -> None:
    account = Account(currency="EUR", month=date(2026, 10, 1), spent_micros=5, spend_limit_micros=5)

    assert account.standing(AT).left == 5
    account.month = date(2026, 11, 1)
    assert account.standing(AT).left == 0


def terms(customer: Customer, **changed: Any) -> Account:
    """Set Globex's terms as its MSP."""
    with contexts.msp(customer.msp):
        account = limits.account_of(customer)
        for name, value in changed.items():
            setattr(account, name, value)
        return limits.save_terms(account, by=LAB)


def test_an_msp_sets_the_terms_and_its_customer_a_lower_limit(globex: Customer) -> None:
    terms(globex, kind="postpaid", credit_limit_micros=50 * EURO, spend_limit_micros=30 * EURO)
    with contexts.customer(globex):
        account = limits.account_of(globex)
        account.own_limit_micros = 20 * EURO
        account = limits.save_own_limit(account, by=LAB)
        assert account.standing(AT).left == 20 * EURO

        account.own_limit_micros = 31 * EURO
        with pytest.raises(ValidationError, match="below your provider"):
            limits.save_own_limit(account, by=LAB)
        account.row_version = 1
        with pytest.raises(StaleEdit):
            limits.save_own_limit(account, by=LAB)
        # The terms are not its own to set, whatever the code above it does.
        with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
            Account.objects.update(credit_limit_micros=None)

    # An MSP that goes below it does not lift it: the narrower of the two holds.
    assert terms(globex, spend_limit_micros=10 * EURO).standing(AT).left == 10 * EURO


def test_terms_that_cannot_be_are_refused(globex: Customer) -> None:
    accounts.top_up(globex.pk, EURO, "EUR", reference="pi_1", by=LAB)

    for change in ({"currency": "USD"}, {"credit_limit_micros": -1}, {"warn_shares": [0]}, {"spend_limit_micros": -1}):
        with pytest.raises(ValidationError):
            terms(globex, **change)

    assert terms(globex, kind="prepaid", credit_limit_micros=5).credit_limit_micros is None


def test_a_top_up_meanwhile_is_not_lost_to_a_form(globex: Customer) -> None:
    with contexts.msp(globex.msp):
        account = limits.account_of(globex)
    accounts.top_up(globex.pk, EURO, "EUR", reference="pi_1", by=LAB)
    with contexts.msp(globex.msp):
        account.kind = "prepaid"
        assert limits.save_terms(account, by=LAB).balance_micros == EURO


def open_marks(customer: Customer) -> list[tuple[str, int]]:
    with contexts.customer(customer):
        return sorted(LimitWarning.objects.filter(until=None).values_list("kind", "share"))


def test_each_crossing_is_mailed_once_to_who_pays_in_the_msps_brand(
    globex: Customer, mallory: User, northwind: Msp
) -> None:
    terms(globex, kind="prepaid", warn_below_micros=5 * EURO)
    accounts.top_up(globex.pk, 10 * EURO, "EUR", reference="pi_1", by=LAB)
    assert warnings.look(at=AT) == 0

    accounts.correct(globex.pk, -6 * EURO, "EUR", reference="calls", by=LAB)
    for _again in range(3):
        warnings.look(at=AT)
    [first] = mail.outbox
    assert first.to == [mallory.email] and "€4.00" in first.body and "Northwind" in first.from_email
    assert open_marks(globex) == [("low", 0)]

    accounts.correct(globex.pk, -4 * EURO, "EUR", reference="more calls", by=LAB)
    warnings.look(at=AT)
    assert open_marks(globex) == [("empty", 100), ("low", 0)]
    assert len(mail.outbox) == 2 and "emergency calls are not" in mail.outbox[1].body

    # Topped up it is over; the next time is a new one.
    accounts.top_up(globex.pk, 10 * EURO, "EUR", reference="pi_2", by=LAB)
    warnings.look(at=AT)
    assert not open_marks(globex) and len(mail.outbox) == 2
    accounts.correct(globex.pk, -7 * EURO, "EUR", reference="again", by=LAB)
    warnings.look(at=AT + timedelta(hours=1))
    assert open_marks(globex) == [("low", 0)] and len(mail.outbox) == 3


def test_warnings_stand_on_both_homes_and_nowhere_else(
    client_of: Any, globex: Customer, acme: Customer, mallory: User, nadia: User, alice: User, northwind: Msp
) -> None:
    terms(globex, kind="postpaid", credit_limit_micros=10 * EURO)
    accounts.correct(globex.pk, -9 * EURO, "EUR", reference="calls", by=LAB)
    warnings.look(at=AT)
    said = "80 % of the credit limit of €10.00 is used."

    assert said in client_of(mallory, globex).get("/").text
    at_msp = client_of(nadia, northwind).get("/").text
    assert f"Globex: {said}" in at_msp and f"/customers/{globex.pk}/account/" in at_msp
    assert "credit limit" not in client_of(alice, acme).get("/").text


def test_the_pages_show_the_account_and_change_it(
    client_of: Any, globex: Customer, mallory: User, nadia: User, northwind: Msp
) -> None:
    msp, customer, url = client_of(nadia, northwind), client_of(mallory, globex), f"/customers/{globex.pk}/account/"
    saved = {"kind": "prepaid", "currency": "EUR", "warn_shares": "50, 90", "warn_below_micros": "5", "row_version": 0}
    assert msp.post(f"{url}terms/", saved).status_code == 302
    correction = {"amount": "25.50", "reference": "counted twice"}
    for _twice in range(2):
        assert msp.post(f"{url}correct/", correction).status_code == 302
    shown = msp.get(url).text
    assert "€25.50" in shown and "Most that can be lost" in shown

    assert customer.post("/balance/limit/", {"own_limit_micros": "12", "row_version": 1}).status_code == 302
    shown = customer.get("/balance/").text
    assert "€25.50" in shown and "€12.00" in shown and "can be lost" not in shown
    wrong = msp.post(f"{url}terms/", saved | {"currency": "XXX", "warn_shares": "half", "row_version": 2}).text
    assert "whole numbers" in wrong and "XXX" in wrong


@pytest.mark.parametrize("balance", [-100, -20, 0, 7])
@pytest.mark.parametrize(
    "facts",
    [{}, {"kind": "prepaid"}, {"credit_limit_micros": 20}, {"spend_limit_micros": 5}, {"own_limit_micros": 6},
     {"spend_limit_micros": 5, "month": date(2026, 10, 1)}, {"own_limit_micros": 0, "month": date(2026, 10, 1)}],
)  # fmt: skip
def test_the_database_finds_whose_calls_are_stopped(
    acme: Customer, northwind: Msp, balance: int, facts: dict[str, Any]
) -> None:
    whole = {"currency": "EUR", "month": date(2026, 11, 1), "balance_micros": balance, "spent_micros": 5} | facts
    with contexts.ingest():
        made = Account.objects.create(tenant=acme, msp_id=acme.msp_id, **whole)
    left = made.standing(AT).left
    with contexts.msp(northwind):
        found = customers_with_accounts(northwind).filter(stopped(AT))
        assert (acme in found) is (left is not None and left <= 0)


def test_the_msp_sees_all_accounts_side_by_side_and_no_other_msp_s(
    acme: Customer, globex: Customer, northwind: Msp, fabrikam: Msp, nadia: User, initech: Customer
) -> None:
    accounts.top_up(acme.pk, 40 * EURO, "EUR", reference="pi_1", by=LAB)
    with contexts.msp(northwind):
        deck = stored_deck(northwind)
        stored_rate(deck, "49", 60_000, destination="Germany", minimum=60, increment=60)
        give(deck, acme)
        account = limits.account_of(acme)
        account.kind, account.warn_below_micros = "prepaid", 50 * EURO
        limits.save_terms(account, by=LAB)
        warnings.look(at=datetime.now(UTC))
        Customer.objects.filter(pk=acme.pk).update(longest_call_minutes=600)
    desk = client_of(nadia, northwind)

    def page(query: str = "") -> str:
        return desk.get(f"/invoices/payments/balances/{query}").content.decode()

    whole = page()
    assert "Acme" in whole and "Globex" in whole and "Initech" not in whole
    assert "Less than €50.00 is left" in whole and "10 h 0 min" in whole and "No limit" in whole
    assert "Globex" not in page("?kind=prepaid") and "Acme" not in page("?state=free")
    assert "Acme" in page("?state=warned") and "Acme" not in page("?state=stopped")
    assert "Acme" in page("?q=acm&sort=-balance") and "Nothing found" not in page("?q=acm")
    csv = page("?export=csv")
    assert "€40.00" in csv and "36000" in csv
    (told,) = desk.get("/api/v1/accounts/?kind=prepaid&state=warned").json()["results"]
    assert (told["id"], told["is_stopped"], told["longest_call"]) == (acme.pk, False, 36_000)
    assert "€50.00" in told["warnings"][0]
    assert desk.get("/api/v1/accounts/?state=stopped").json()["results"] == []
