"""What calls earned and cost together is summed as they are stored, and equals what charges and costs say."""

import importlib
from typing import Any

import pytest
from django.db import connection

from portal.db import contexts
from sbc.tests.rated import CHEAP, DEAR, call
from tenants.models import Customer, Msp
from voice.calls.models import Cdr
from voice.carriers.models import Trunk
from voice.rating import asides
from voice.rating.models import MarginSum
from voice.rating.tests.make import stored_rate

pytestmark = pytest.mark.django_db(transaction=True)
MIGRATION = importlib.import_module("voice.rating.migrations.0004_margins")
NAMES = ("direction", "destination", "trunk", "currency", "calls", "seconds", "earned", "cost", "unpriced", "uncosted")


def sums(msp: Msp, grain: str) -> list[tuple[Any, ...]]:
    with contexts.msp(msp):
        return sorted(MarginSum.objects.filter(grain=grain).values_list(*NAMES))


def hold_against_calls() -> None:
    """Assert that the sums are those of all stored charges and costs."""
    with contexts.owner(), connection.cursor() as cursor:
        cursor.execute(MIGRATION.FROM_CALLS)
        told = {row[:8]: tuple(map(int, row[8:])) for row in cursor.fetchall()}
        cursor.execute(f"SELECT {MIGRATION.COLUMNS} FROM rating_marginsum")
        kept = {row[:8]: tuple(map(int, row[8:])) for row in cursor.fetchall()}
    assert {key: figures for key, figures in kept.items() if any(figures)} == told


def test_what_a_call_earns_stands_beside_what_it_costs(
    send: Any, acme: Customer, northwind: Msp, trunk: Trunk, decks: Any
) -> None:
    send(call(1, acme, trunk), call(2, acme, trunk))

    figures = (2, 120, 2 * DEAR, 2 * CHEAP, 0, 0)
    assert sums(northwind, "route") == [("out", "Germany", trunk.pk, "EUR", *figures)]
    assert sums(northwind, "month") == sums(northwind, "day") == [("", "", 0, "EUR", *figures)]
    hold_against_calls()


def test_a_call_without_a_price_is_named_by_its_carrier_and_moves_when_it_gets_one(
    send: Any, acme: Customer, northwind: Msp, trunk: Trunk, decks: Any
) -> None:
    sell, buy = decks
    with contexts.msp(northwind):
        stored_rate(buy, "33", CHEAP, destination="FR")
    send(call(1, acme, trunk, called="+33140000000"), call(2, acme, trunk))
    assert ("out", "FR", trunk.pk, "EUR", 1, 60, 0, CHEAP, 1, 0) in sums(northwind, "route")
    hold_against_calls()

    with contexts.msp(northwind):
        stored_rate(sell, "33", DEAR, destination="France")
        sell.row_version += 1
        sell.save(update_fields=["row_version"])
    with contexts.public():
        asides.price_again(northwind, by=None)

    assert sums(northwind, "month") == [("", "", 0, "EUR", 2, 120, 2 * DEAR, 2 * CHEAP, 0, 0)]
    assert ("out", "France", trunk.pk, "EUR", 1, 60, DEAR, CHEAP, 0, 0) in sums(northwind, "route")
    hold_against_calls()


def test_another_currency_is_another_row(send: Any, acme: Customer, northwind: Msp, trunk: Trunk, decks: Any) -> None:
    with contexts.msp(northwind):
        decks[1].currency = "USD"
        decks[1].row_version += 1
        decks[1].save(update_fields=["currency", "row_version"])
    send(call(1, acme, trunk))

    assert sums(northwind, "month") == [
        ("", "", 0, "EUR", 1, 60, DEAR, 0, 0, 0), ("", "", 0, "USD", 0, 0, 0, CHEAP, 0, 0),
    ]  # fmt: skip
    hold_against_calls()


def test_no_customer_and_no_other_msp_reads_a_sum(
    send: Any, acme: Customer, northwind: Msp, fabrikam: Msp, trunk: Trunk, decks: Any
) -> None:
    send(call(1, acme, trunk))

    with contexts.customer(acme):
        assert Cdr.objects.count() == 1 and MarginSum.objects.count() == 0
    with contexts.msp(fabrikam):
        assert MarginSum.objects.count() == 0
