"""What the calls of numbers cost, beside what they talked: for whoever may see bills."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from portal.ui import values
from portal.ui.lists import Column
from voice.calls import hooks
from voice.calls.models import NumberDay

MONEY = "bills.view"


def price(rows: Sequence[NumberDay]) -> None:
    """Set on the rows of one customer what their calls cost, in each currency."""
    found = hooks.money_of_days(rows)
    for row in rows:
        row.charges = found.get(row.pk, {})  # type: ignore[attr-defined]


def money(charges: Mapping[str, int], worded: Callable[[int, str], str] = values.total) -> str:
    """Return amounts in words: one nearly always, more where a deck in another currency took over."""
    return " + ".join(worded(micros, currency) for currency, micros in sorted(charges.items()))


class ChargesColumn(Column):
    """What the calls of a row cost; an export says it exactly."""

    def text(self, row: Any) -> str:
        return money(row.charges, values.money)
