"""What moves an account besides calls: once for each reference, explained row by row, by nobody else."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, connection, transaction

from conftest import LAB
from portal.core import audit
from portal.db import contexts
from tenants.models import Customer, Msp
from voice.rating import accounts
from voice.rating.models import Account, Movement

EURO = 1_000_000


def balance(customer: Customer) -> int:
    with contexts.customer(customer):
        return Account.objects.get().balance_micros


def movements(customer: Customer) -> list[tuple[Any, ...]]:
    with contexts.customer(customer):
        return list(Movement.objects.order_by("pk").values_list("kind", "micros", "balance_micros", "reference"))


def test_money_that_comes_is_added_once_for_each_reference_and_each_row_says_what_was_left(globex: Customer) -> None:
    for _told_again in range(2):
        accounts.top_up(globex.pk, 50 * EURO, "EUR", reference="pi_1", by=LAB)
    accounts.credit(globex.pk, 7 * EURO, "EUR", reference="bank-7", by=LAB)
    accounts.take_back(globex.pk, 50 * EURO, "EUR", reference="re_1", by=LAB)
    accounts.credit_note(globex.pk, EURO, "EUR", reference="CN-1", by=LAB)
    accounts.correct(globex.pk, -EURO, "EUR", reference="slip of the pen", by=LAB)

    assert movements(globex) == [
        ("top_up", 50 * EURO, 50 * EURO, "pi_1"),
        ("payment", 7 * EURO, 57 * EURO, "bank-7"),
        ("taken_back", -50 * EURO, 7 * EURO, "re_1"),
        ("credit_note", EURO, 8 * EURO, "CN-1"),
        ("correction", -EURO, 7 * EURO, "slip of the pen"),
    ]
    assert balance(globex) == 7 * EURO
    with contexts.customer(globex):
        verbs = list(audit.entries(tenant_id=globex.pk, verb="account").values_list("verb", "facts__micros"))
    assert (len(verbs), verbs[-1]) == (5, ("account.top_up", 50 * EURO))


def test_an_invoice_takes_what_its_calls_did_not_take_and_its_payment_gives_all_of_it_back(globex: Customer) -> None:
    accounts.correct(globex.pk, -10 * EURO, "EUR", reference="calls of the month", by=LAB)

    accounts.invoiced(globex.pk, 17_850_000, 10 * EURO, "EUR", reference="INV-1", by=LAB)
    assert balance(globex) == -17_850_000
    assert accounts.invoiced(globex.pk, EURO, EURO, "EUR", reference="INV-2", by=LAB) is None
    accounts.credit(globex.pk, 17_850_000, "EUR", reference="bank-1", by=LAB)

    assert balance(globex) == 0


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"micros": 0}, "amount"),
        ({"micros": -5}, "amount"),
        ({"currency": "USD"}, "currency"),
        ({"reference": ""}, "reference"),
        ({"reference": "pi_1", "micros": 2}, "reference"),
    ],
)
def test_what_cannot_be_is_refused_and_moves_nothing(globex: Customer, change: dict[str, Any], field: str) -> None:
    accounts.top_up(globex.pk, 5, "EUR", reference="pi_1", by=LAB)

    told = {"micros": 1, "currency": "EUR", "reference": "pi_2"} | change
    with pytest.raises(ValidationError) as caught:
        accounts.top_up(globex.pk, by=LAB, **told)

    assert field in caught.value.message_dict
    assert (balance(globex), len(movements(globex))) == (5, 1)


@pytest.mark.parametrize("reference", ["payment-7", " payment-7", "reversal-1", "reminder-3", "2026-00007 #12"])
def test_nobody_books_by_hand_what_stands_for_a_payment_to_come(globex: Customer, reference: str) -> None:
    with pytest.raises(ValidationError) as refused:
        accounts.correct_by_hand(globex.pk, 50 * EURO, "EUR", reference=reference, by=LAB)
    assert "reference" in refused.value.message_dict

    accounts.top_up(globex.pk, 50 * EURO, "EUR", reference="payment-7", by=LAB)
    accounts.correct_by_hand(globex.pk, 50 * EURO, "EUR", reference="payment by cheque", by=LAB)
    assert balance(globex) == 100 * EURO


@pytest.mark.django_db(transaction=True)
def test_the_same_event_told_by_ten_at_once_counts_once(globex: Customer) -> None:
    def tell(turn: int) -> None:
        try:
            accounts.top_up(globex.pk, 3, "EUR", reference=f"pi_{turn % 2}", by=LAB)
        finally:
            connection.close()

    with ThreadPoolExecutor(5) as pool:
        list(pool.map(tell, range(10)))

    assert (balance(globex), len(movements(globex))) == (6, 2)


def test_neither_a_customer_nor_its_msp_can_write_itself_money(globex: Customer, northwind: Msp) -> None:
    accounts.top_up(globex.pk, 5, "EUR", reference="pi_1", by=LAB)
    writes: list[Callable[[], object]] = [
        lambda: Account.objects.update(balance_micros=10**9),
        lambda: Movement.objects.update(micros=10**9),
        lambda: Movement.objects.all().delete(),
        lambda: Movement.objects.create(
            tenant=globex, msp=northwind, at=globex.created_at, kind="top_up", micros=1, currency="EUR",
            balance_micros=1, reference="mine",
        ),
    ]  # fmt: skip

    for context in (contexts.customer(globex), contexts.msp(northwind)):
        with context:
            for write in writes:
                with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
                    write()

    assert (balance(globex), len(movements(globex))) == (5, 1)


def test_nobody_sees_anothers_account(globex: Customer, acme: Customer, initech: Customer, fabrikam: Msp) -> None:
    accounts.top_up(globex.pk, 5, "EUR", reference="pi_1", by=LAB)

    for context in (contexts.customer(acme), contexts.msp(fabrikam)):
        with context:
            assert not Account.objects.exists() and not Movement.objects.exists()
