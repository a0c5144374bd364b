"""Sums of a month, as calls leave them."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import connection

from portal.db import contexts
from voice.margin.lens import lens_of
from voice.margin.months import this_month
from voice.rating.models import MarginSum

COLUMNS = (
    "tenant_id, msp_id, grain, at, direction, destination, trunk, currency, calls, seconds, earned, cost, unpriced,"
    " uncosted"
)


@pytest.fixture
def summed() -> Callable[..., None]:
    """Return what stores what some calls of a customer left behind, in all three grains."""

    def summed(customer: Any, destination: str = "Germany", **facts: Any) -> None:
        told = {"at": this_month(), "direction": "out", "trunk": 7, "currency": "EUR", "calls": 10, "seconds": 600,
                "earned": 0, "cost": 0, "unpriced": 0, "uncosted": 0} | facts  # fmt: skip
        day = told["at"]
        figures = [told[name] for name in ("calls", "seconds", "earned", "cost", "unpriced", "uncosted")]
        for grain, at, *where in (
            ("route", day.replace(day=1), told["direction"], destination, told["trunk"]),
            ("month", day.replace(day=1), "", "", 0),
            ("day", day, "", "", 0),
        ):
            row = [customer.pk, customer.msp_id, grain, datetime(at.year, at.month, at.day, tzinfo=UTC), *where]
            _add([*row, told["currency"], *figures])

    return summed


def _add(row: list[Any]) -> None:
    marks = ", ".join(["%s"] * len(row))
    figures = ("calls", "seconds", "earned", "cost", "unpriced", "uncosted")
    adding = ", ".join(f"{name} = r.{name} + excluded.{name}" for name in figures)
    with contexts.ingest(), connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {MarginSum._meta.db_table} AS r ({COLUMNS}) VALUES ({marks}) ON CONFLICT"
            f" (tenant_id, grain, at, direction, destination, trunk, currency) DO UPDATE SET {adding}",
            row,
        )


@pytest.fixture
def lens(northwind: Any) -> Callable[..., Any]:
    """Return what looks at a month of Northwind; the test stays in its context."""

    def lens(currency: str = "", month: date | None = None) -> Any:
        contexts.use_msp(northwind)
        return lens_of(northwind, month or this_month(), currency)

    return lens
