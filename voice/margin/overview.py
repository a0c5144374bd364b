"""What the first page of margins, and the MSP's home, show of a month."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from voice.margin import selectors
from voice.margin.forecast import LOOKED_AT, forecast
from voice.margin.lens import Lens, lens_of, next_month, previous_month
from voice.margin.selectors import Day, Result

SHOWN = 8


@dataclass(frozen=True)
class Compared:
    """A month so far beside the same days of the month before: what calls left, and fees."""

    lens: Lens
    margin: int
    before: int

    @property
    def rise(self) -> int:
        return self.margin - self.before


def overview(lens: Lens, today: date) -> dict[str, Any]:
    """Return everything that the first page shows of a month; the current one has a forecast."""
    begins = min(lens.month, today - LOOKED_AT) if _is_now(lens, today) else lens.month
    days = selectors.days(lens, begins, next_month(lens.month))
    found = selectors.result(lens)
    customers = selectors.below_target(lens)
    routes = selectors.losing(lens)
    return {
        "result": found,
        "days": [each for each in days if each.day >= lens.month],
        "forecast": _forecast(found, days, today) if _is_now(lens, today) else None,
        "short": list(customers[:SHOWN]),
        "losing": list(routes[:SHOWN]),
        "nothing": selectors.without_revenue(lens),
        "elsewhere": selectors.elsewhere(lens),
    }


def compared(msp: Any, today: date) -> Compared | None:
    """Return what calls left this month, and in the same days of the last; None before the first call."""
    month, lens = today.replace(day=1), lens_of(msp, today.replace(day=1))
    last = previous_month(month)
    same_day = min(last + timedelta(days=today.day), month)
    ours = sum(day.margin for day in selectors.days(lens, month, today + timedelta(days=1)))
    before = sum(day.margin for day in selectors.days(lens, last, same_day))
    return Compared(lens, ours, before) if ours or before else None


def _is_now(lens: Lens, today: date) -> bool:
    return lens.month == today.replace(day=1)


def _forecast(found: Result, days: list[Day], today: date) -> int | None:
    """Return the margin that the month will come to: that of its calls by weekday, and the fees as they are."""
    calls = forecast({day.day: day.margin for day in days}, today)
    return None if calls is None else calls + found.fees
