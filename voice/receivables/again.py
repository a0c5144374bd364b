"""What calls that were priced again ask on a bill: the difference, less what their plan bears (docs/pricing.md §13)."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db import connection

from tenants.models import Customer
from voice.plans import words
from voice.plans.bills import CREDIT, FEE, Asked, CallCover, PlanItem, discounts_on_calls, usage_text
from voice.rating.money import half_up
from voice.receivables.models import Invoice, InvoiceLine
from voice.receivables.selectors import left_to_credit
from voice.rerating.selectors import unbilled

MILLION = 1_000_000
# Of an entry `a` what the plan asks, where a call was charged so much and the plan took so much off.
SHARE = """
    CASE WHEN {charged} > 0 THEN round(a.micros::numeric * ({charged} - {off}) / {charged}) ELSE a.micros END
"""
# Calls of the bill that is being made are on no line yet: what its plan takes off them is handed in.
_AGAIN = f"""
SELECT a.direction, a.destination, a.currency, b.line_id, (a.answered AT TIME ZONE %(zone)s)::date,
       count(*), sum(a.micros), sum({SHARE.format(charged="w.charged", off="w.off")})
  FROM public.rerating_adjustment a
  LEFT JOIN public.receivables_billedcharge b ON (b.tenant_id, b.invited, b.id) = (a.tenant_id, a.invited, a.call)
  LEFT JOIN public.rating_charge c
         ON b.id IS NULL AND (c.tenant_id, c.invited, c.id) = (a.tenant_id, a.invited, a.call)
  LEFT JOIN unnest(%(invited)s::timestamptz[], %(ids)s::uuid[], %(offs)s::bigint[]) AS v(invited, id, off)
         ON b.id IS NULL AND (v.invited, v.id) = (a.invited, a.call)
 CROSS JOIN LATERAL (SELECT coalesce(b.micros, c.micros) AS charged, coalesce(b.off, v.off, 0) AS off) w
 WHERE a.tenant_id = %(tenant)s AND a.invoice_id IS NULL AND a.answered < %(before)s
 GROUP BY 1, 2, 3, 4, 5
 ORDER BY 1, 2, 3, 4, 5
"""  # noqa: S608 constants


@dataclass(slots=True)
class Again:
    """Calls to one destination that were priced again: the difference of their charges, and the plan's share."""

    direction: str
    destination: str
    currency: str
    entries: int = 0
    difference: int = 0
    share: int = 0
    # What of it credit notes gave back before, in millionths.
    credited: int = 0
    # What is left of the share after discounts and credit notes, in millionths, by the days of the calls.
    left: Counter[date] = field(default_factory=Counter)

    @property
    def asked(self) -> int:
        return half_up(sum(self.left.values()), MILLION)

    def by_day(self) -> Iterator[Asked]:
        """Yield what is asked by the days of the calls."""
        for day, micros in self.left.items():
            yield Asked(day, self.currency, half_up(micros, MILLION))

    def item(self, currency: str) -> PlanItem:
        """Return what a bill in a currency shows of it."""
        credited = half_up(self.credited, MILLION)
        basis = {
            "rule": "again", "direction": self.direction, "destination": self.destination, "entries": self.entries,
            "difference": self.difference, "borne": self.difference - self.share, "credited": credited,
            "discount": self.share - credited - self.asked,
        }  # fmt: skip
        text = words.say("again", what=usage_text(self.direction, self.destination))
        foreign = "" if self.currency in ("", currency) else self.currency
        kind = CREDIT if self.asked < 0 else FEE
        return PlanItem(kind, f"again {self.direction}", text, self.asked, basis=basis, currency=foreign)


def priced_again(
    customer: Customer, begins: date, ends: date, before: datetime, covers: Sequence[CallCover] = ()
) -> list[Again]:
    """Return what entries that no bill has yet ask on the bill of some days, by direction, destination and currency.

    `covers` is what the bill's plan takes off those of its own calls.
    """
    # Few customers have any: the calls of a bill are not handed to the database for nothing.
    if not unbilled(customer.pk, before).exists():
        return []
    rows = _rows(customer.pk, before, covers)
    lines = InvoiceLine.objects.select_related("invoice").in_bulk({row[3] for row in rows} - {None})
    off = discounts_on_calls(customer, ends)
    asked = []
    for _direction, _destination, currency, line, day, _entries, _difference, share in rows:
        bill = lines[line].invoice if line else None
        period = (bill.begins, bill.ends) if bill else (begins, ends)
        asked.append(int(share) * (MILLION - off(day, period, currency)))
    left = _left([(lines.get(row[3]), row[2], micros) for row, micros in zip(rows, asked, strict=True)])
    found: dict[tuple[str, str, str], Again] = {}
    for (direction, destination, currency, _line, day, entries, difference, share), whole, micros in zip(
        rows, asked, left, strict=True
    ):
        each = found.setdefault((direction, destination, currency), Again(direction, destination, currency))
        each.entries += entries
        each.difference += int(difference)
        each.share += int(share)
        each.credited += whole - micros
        each.left[day] += micros
    return list(found.values())


def _left(asked: Sequence[tuple[InvoiceLine | None, str, int]]) -> list[int]:
    """Return what is left of what entries ask, in millionths: a line gives back no more than its credit notes left.

    Each comes with the line of its calls, its currency, and what it asks.
    """
    sums: Counter[tuple[InvoiceLine, str]] = Counter()
    for line, currency, micros in asked:
        if line is not None:
            sums[line, currency] += micros
    room = _room({line for line, _currency in sums})

    def left(line: InvoiceLine | None, currency: str, micros: int) -> int:
        if line is None or line not in room or room[line] + sums[line, currency] >= 0:
            return micros
        return half_up(micros * room[line], -sums[line, currency])

    return [left(*each) for each in asked]


def _room(lines: Iterable[InvoiceLine]) -> dict[InvoiceLine, int]:
    """Return what is left of those lines of which credit notes took something, in millionths, as calls were charged."""
    by_bill: dict[Invoice, list[InvoiceLine]] = defaultdict(list)
    for line in lines:
        by_bill[line.invoice].append(line)
    room = {}
    for bill, own in by_bill.items():
        left = left_to_credit(bill).lines
        for line in own:
            if left[line.position] != line.net:
                # A line that was converted says what it was before.
                whole = line.basis.get("micros", line.net)
                room[line] = half_up(whole * left[line.position] * MILLION, line.net)
    return room


def _rows(customer: int, before: datetime, covers: Sequence[CallCover]) -> list[Any]:
    facts: dict[str, Any] = {
        "tenant": customer, "before": before, "zone": str(before.tzinfo), "invited": [each.invited for each in covers],
        "ids": [each.id for each in covers], "offs": [each.micros_off for each in covers],
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_AGAIN, facts)
        return cursor.fetchall()
