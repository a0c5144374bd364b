"""Hours in which nodes counted other calls than the portal has, for whoever bills them."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from portal.db import contexts
from sbc.models import HourCount
from voice.receivables.hooks import Uncounted


def uncounted(customers: Sequence[int], begins: datetime, ends: datetime) -> Iterator[Uncounted]:
    """Yield the hours of a period that are open, with what was counted for each of these customers."""
    with contexts.owner():
        counts = HourCount.objects.open().filter(customer__in=customers, at__gte=begins, at__lt=ends)
        rows = list(counts.select_related("node").order_by("at", "customer"))
    for row in rows:
        yield Uncounted(row.customer, row.at, row.node.name, row.said, row.found)
