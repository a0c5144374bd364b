"""Lists of one month at a time (UTC): there is always a month, this one where none is asked for."""

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.timezone import now
from django.utils.translation import gettext_lazy

from portal.ui.lists import Choice, ListPage

MONTHS = 13


def months(request: HttpRequest) -> list[tuple[str, str]]:
    """Return the months that can be looked at, this one first, as 2026-11 with its name."""
    year, month = now().astimezone(UTC).year, now().astimezone(UTC).month
    found = []
    for back in range(MONTHS):
        whole = year * 12 + month - 1 - back
        first = datetime(whole // 12, whole % 12 + 1, 1, tzinfo=UTC)
        found.append((first.strftime("%Y-%m"), date_format(first, "F Y")))
    return found


def span(month: str) -> tuple[datetime, datetime]:
    """Return the first moment of a month such as 2026-11 and that of the next."""
    first = datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC)
    return first, first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)


MONTH = Choice("month", gettext_lazy("Month"), months, apply=lambda queryset, _value: queryset)


class MonthList(ListPage):
    """A list of one month; subclasses name `MONTH` among their filters and narrow their rows to `span`."""

    @cached_property
    def chosen(self) -> dict[str, str]:
        """Return the filters that are set, the month always."""
        found = super().chosen
        offered = dict(months(self.request))
        return found | {"month": found["month"] if found.get("month") in offered else next(iter(offered))}

    @property
    def is_narrowed(self) -> bool:
        return bool(self.text or self.chosen.keys() - {"month"})

    def chips(self) -> Iterable[dict[str, Any]]:
        """Return what narrows the list; the month is always there and no narrowing."""
        return [chip for chip in super().chips() if chip["filter"].name != "month"]

    def in_month(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Return those of the rows that lie in the month."""
        first, end = span(self.chosen["month"])
        return rows.filter(at__gte=first, at__lt=end)

    @property
    def month(self) -> str:
        return date_format(span(self.chosen["month"])[0], "F Y")
