"""What the first page of margins, and the MSP's home, show of a month."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from tenants.models import Customer
from voice.margin import plans, selectors
from voice.margin.forecast import LOOKED_AT, forecast
from voice.margin.lens import Lens, lens_of, next_month, previous_month
from voice.margin.selectors import Day, OfCustomer, Result
from voice.margin.words import coins, percent

SHOWN, SHOWN_AT_HOME = 8, 5


@dataclass(frozen=True)
class Compared:
    """A month so far beside the same days of the month before: what calls left, and fees."""

    lens: Lens
    margin: int
    before: int

    @property
    def rise(self) -> int:
        """Return the difference of both amounts as they are shown, rounded to the coin."""
        return coins(self.margin, self.lens.currency) - coins(self.before, self.lens.currency)

    @property
    def change(self) -> int | None:
        """Return the rise in thousandths of the month before; None where that left nothing."""
        return self.rise * 1000 // self.before if self.before > 0 else None


def overview(lens: Lens, today: date) -> dict[str, Any]:
    """Return everything that the first page shows of a month; the current one has a forecast."""
    begins = min(lens.month, today - LOOKED_AT) if _is_now(lens, today) else lens.month
    days = selectors.days(lens, begins, next_month(lens.month))
    customers = selectors.by_customer(lens)
    found = selectors.result(customers)
    groups = list(selectors.routes(lens))
    trunks = selectors.trunk_names(lens.msp)
    losing = selectors.losing(groups)[:SHOWN]
    for row in losing:
        row["trunk_name"] = trunks.get(row["trunk"], "")
    return {
        "result": found,
        "days": [each for each in days if each.day >= lens.month],
        "forecast": _forecast(found, days, today) if _is_now(lens, today) else None,
        "short": named(selectors.below_target(customers)[:SHOWN]),
        "losing": losing,
        "plans": plans.by_plan(customers, plans.names(lens.msp, lens.month)),
        "nothing": selectors.without_revenue(groups),
        "elsewhere": selectors.elsewhere(lens),
        "expected_at": selectors.expected_at(lens) if found.expected else None,
        "by_customers": selectors.disputed_by_customers(lens),
        "with_carriers": selectors.disputed_with_carriers(lens),
    }


def compared(msp: Any, today: date) -> Compared | None:
    """Return what calls left this month, and in the same days of the last; None before the first call."""
    month, lens = today.replace(day=1), lens_of(msp, today.replace(day=1))
    last = previous_month(month)
    same_day = min(last + timedelta(days=today.day), month)
    ours = sum(day.margin for day in selectors.days(lens, month, today + timedelta(days=1)))
    before = sum(day.margin for day in selectors.days(lens, last, same_day))
    return Compared(lens, ours, before) if ours or before else None


def home_of(msp: Any, today: date) -> dict[str, Any] | None:
    """Return what the MSP's home says of money: this month against last, and the customers that lack most."""
    found = compared(msp, today)
    if found is None:
        return None
    short = selectors.below_target(selectors.by_customer(found.lens))
    return {"compared": found, "short": named(short[:SHOWN_AT_HOME]), "lens": found.lens}


def named(rows: Sequence[OfCustomer]) -> list[dict[str, Any]]:
    """Return customers below their target as pages show them."""
    names = dict(Customer.objects.filter(pk__in=[row.pk for row in rows]).values_list("pk", "name"))
    return [
        {
            "pk": row.pk, "name": names.get(row.pk, ""), "margin": row.result.margin, "short": row.short,
            "share": percent(row.result.per_mille), "wanted": percent(row.wanted),
        }
        for row in rows
    ]  # fmt: skip


def _is_now(lens: Lens, today: date) -> bool:
    return lens.month == today.replace(day=1)


def _forecast(found: Result, days: list[Day], today: date) -> int | None:
    """Return the margin that the month will come to: its calls by weekday, and fees as billed or expected."""
    calls = forecast({day.day: day.margin for day in days}, today)
    return None if calls is None else calls + found.fees + found.expected + found.to_come
