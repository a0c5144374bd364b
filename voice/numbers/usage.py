"""The page of what the customer's people talked: by number and day, with who had the number on that day."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from functools import cached_property
from itertools import islice
from typing import Any, cast

from django.db.models import QuerySet, Sum
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from portal.ui import cursor, markup
from portal.ui.lists import Choice, Column, Empty
from portal.ui.navigation import row_url
from voice.calls import hooks, selectors
from voice.calls.masking import NOBODY, hidden_in, is_hidden, masked
from voice.calls.models import NumberDay, NumberDayQuerySet
from voice.calls.models.cdr import Direction
from voice.months import MONTH, MonthList
from voice.numbers.charges import MONEY, ChargesColumn, money, price
from voice.numbers.holders import Holders, days_of_person, name_holders

MOST_NUMBERS = 15
BATCH = 2_000


def _person(row: NumberDay) -> str:
    if not row.number:
        return _now("Calls with none of your numbers")
    return ", ".join(row.holders)  # type: ignore[attr-defined]


def _number_page(row: NumberDay) -> str:
    held = row.held  # type: ignore[attr-defined]
    return row_url("numbers:number", held.pk) if held else ""


@dataclass
class _Part:
    """What a number came to in the days of one person."""

    calls: int = 0
    answered: int = 0
    talk_ms: int = 0
    charges: Counter[str] = field(default_factory=Counter)

    def add(self, day: NumberDay, charges: Mapping[str, int]) -> None:
        self.calls += day.calls
        self.answered += day.answered
        self.talk_ms += day.talk_ms
        self.charges.update(charges)


class NumberUsageList(MonthList):
    title = _("Usage by person")
    lead = _(
        "How many calls your people made and took, and how long they talked, by number and day (UTC). When a number"
        " changes hands, earlier days stay with whoever had it then."
    )
    template = "voice/numbers/usage.html"
    search_label = _("Person or number")
    default_sort = "-at"
    export_name = "usage-by-person"
    columns = (
        Column("at", _("Day"), value=lambda row: row.at.astimezone(UTC).date(), sort=True),
        Column("person", _("Person"), value=_person, shown_to="numbers.view"),
        Column("number", _("Number"), kind="phone", link=_number_page, link_needs="numbers.view"),
        Column("direction", _("Direction"), value=lambda row: row.get_direction_display()),
        Column("calls", _("Calls"), kind="count", sort=True),
        Column("answered", _("Answered"), kind="count", sort=True, card=False),
        Column("talk_ms", _("Talked"), kind="duration", value=lambda row: row.talk_ms / 1000, sort=True),
        ChargesColumn(
            "charges", _("Charge"), kind="total", draw=lambda row: money(row.charges) or markup.NONE,
            shown_to=MONEY,
            help=_("By your price list, before what your plan includes. Calls without a price yet are not in it."),
        ),
    )  # fmt: skip
    filters = (MONTH, Choice("direction", _("Direction"), Direction.choices))
    empty = Empty(_("No calls in this month."), _("Each call counts here as it ends."), icon="chart-bar")

    def queryset(self) -> QuerySet[NumberDay]:
        hidden = hidden_in(self.request)
        return self.in_month(selectors.number_days_of(self.request.tenant, hidden))  # type: ignore[attr-defined]

    def search(self, queryset: QuerySet[Any], text: str) -> QuerySet[Any]:
        days = cast(NumberDayQuerySet, queryset)
        found = selectors.find_number_days(days, text)
        if found is None:
            found = days_of_person(days, text) if self.may("numbers.view") else days.none()
        return found

    @cached_property
    def page(self) -> cursor.Page:
        page = super().page
        self._tell(page.rows)
        return page

    def rows_to_export(self) -> Iterator[NumberDay]:
        rest = self.in_order().iterator(chunk_size=BATCH)
        while some := list(islice(rest, BATCH)):
            self._tell(some)
            yield from some

    def _tell(self, rows: Sequence[NumberDay]) -> None:
        name_holders(rows)
        if self.shows_money:
            price(rows)

    @property
    def shows_money(self) -> bool:
        return self.may(MONEY)

    @cached_property
    def by_person(self) -> list[dict[str, Any]]:
        """Return what the numbers that talked most came to, each part with whoever had the number then."""
        # Summed by whole numbers, and cut only then: what is cut alike is not the same.
        days: Any = cast(NumberDayQuerySet, self.found).shown_to(NOBODY).exclude(number="")
        figures = {"made": Sum("calls"), "taken": Sum("answered"), "talked": Sum("talk_ms")}
        most = days.values("number").annotate(**figures).order_by("-talked", "-made", "number")
        numbers = [row["number"] for row in most[:MOST_NUMBERS]]
        rows = list(days.filter(number__in=numbers).order_by("at"))
        charges = hooks.money_of_days(rows) if self.shows_money else {}
        holders, parts = Holders(numbers), dict[tuple[str, str], _Part]()
        for row in rows:
            whose = (", ".join(holders.on(row.number, row.at)), row.number)
            parts.setdefault(whose, _Part()).add(row, charges.get(row.pk, {}))
        tenant = self.request.tenant  # type: ignore[attr-defined]
        is_cut = is_hidden(tenant.pk, hidden_in(self.request))
        may_name = self.may("numbers.view")
        return [
            {
                "person": person if may_name else "",
                "number": masked(number) if is_cut else number,
                "calls": part.calls,
                "answered": part.answered,
                "talked": part.talk_ms / 1000,
                "charge": money(part.charges),
            }
            for (person, number), part in sorted(parts.items(), key=lambda found: -found[1].talk_ms)
        ]
