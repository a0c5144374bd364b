"""Reads of adjustments: what a customer still has to be billed, or given back."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, QuerySet, Sum

from voice.rerating.models import Adjustment

LINE = ("direction", "destination", "currency")


@dataclass(frozen=True, slots=True)
class AdjustmentSum:
    """Adjustments of one customer in one direction, destination and currency, added up; each figure may be negative."""

    direction: str
    destination: str
    currency: str
    entries: int
    calls: int
    seconds: int
    billed: int
    micros: int


def unbilled(customer_id: int, before: datetime) -> QuerySet[Adjustment]:
    """Return the adjustments that no invoice bears yet, of calls that were answered before a moment."""
    return Adjustment.objects.filter(tenant_id=customer_id, answered__lt=before, invoice_id=None)


def unbilled_sums(customer_id: int, before: datetime) -> list[AdjustmentSum]:
    """Return what `unbilled` comes to by direction, destination and currency, for a preview.

    An invoice is made of what `services.take` returns: entries may be added in between.
    """
    return sums_of(unbilled(customer_id, before))


def sums_of(adjustments: QuerySet[Adjustment]) -> list[AdjustmentSum]:
    """Return adjustments added up by direction, destination and currency, in this order."""
    figures: dict[str, Any] = {name: Sum(name) for name in ("calls", "seconds", "billed", "micros")}
    rows = adjustments.order_by().values(*LINE).annotate(entries=Count("id"), **figures).order_by(*LINE)
    return [AdjustmentSum(**row) for row in rows]
