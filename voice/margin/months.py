"""The month and the currency that a page of margins looks at, as its address says."""

import re
from datetime import UTC, date, datetime

from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.timezone import now

from voice.margin.lens import Lens, currencies, lens_of, previous_month

MONTHS = 13
CURRENCY = re.compile(r"[A-Z]{3}")


def this_month() -> date:
    """Return the first day of the month that it is now (UTC), as calls are summed."""
    return now().astimezone(UTC).date().replace(day=1)


def months(_request: HttpRequest | None = None) -> list[tuple[str, str]]:
    """Return the months that a page offers, this one first."""
    found, month = [], this_month()
    for _back in range(MONTHS):
        found.append((f"{month:%Y-%m}", date_format(month, "F Y")))
        month = previous_month(month)
    return found


def asked_month(request: HttpRequest) -> date:
    """Return the month that the address names, this one where it names none that is offered."""
    asked = request.GET.get("month", "")
    offered = dict(months())
    return datetime.strptime(asked, "%Y-%m").date() if asked in offered else this_month()


def asked_lens(request: HttpRequest) -> Lens:
    """Return what the address wants to be looked at."""
    currency = request.GET.get("currency", "")
    return lens_of(request.msp, asked_month(request), currency if CURRENCY.fullmatch(currency) else "")  # type: ignore[attr-defined]


def offered_currencies(request: HttpRequest) -> list[tuple[str, str]]:
    """Return the currencies in which the month can be looked at."""
    return [(each, each) for each in currencies(request.msp, asked_month(request))]  # type: ignore[attr-defined]
