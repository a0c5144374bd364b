"""How many users, numbers, trunks and channels a customer has, by day as far as that is on record.

What each count is stands in docs/pricing.md §12, for whoever explains a fee.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db.models import Min

from portal.db import contexts
from tenants.models import Customer
from voice.carriers.models import Trunk, TrunkGrant
from voice.inventory.models import Allocation
from voice.numbers.models import Number
from voice.plans.facts import CHANNEL, NUMBER, SEAT, TRUNK
from voice.plans.proration import Series

Span = tuple[date, date | None]


def counts_of(customer: Customer, zone: ZoneInfo, wanted: set[str]) -> dict[str, Series]:
    """Return the wanted counts, by the days of a zone."""
    found: dict[str, Series] = {}
    if NUMBER in wanted:
        found[NUMBER] = Series.of_spans(number_spans(customer, zone))
    if TRUNK in wanted:
        found[TRUNK] = Series.of_spans(_trunk_spans(customer, zone))
    if CHANNEL in wanted:
        found[CHANNEL] = Series.always(customer.channels)
    if SEAT in wanted:
        found[SEAT] = Series.of_spans(_seat_spans(customer, zone))
    return found


def number_spans(customer: Customer, zone: ZoneInfo) -> list[Span]:
    """Return the days for which the customer held each number, that of its return not among them."""
    held = Allocation.objects.filter(tenant=customer).values_list("since", "until")
    return [(_day(since, zone), _day(until, zone) if until else None) for since, until in held]


def _trunk_spans(customer: Customer, zone: ZoneInfo) -> list[Span]:
    own = Trunk.objects.filter(tenant=customer).values_list("created_at", "closed_at")
    spans: list[Span] = [(_day(made, zone), _day(closed, zone) if closed else None) for made, closed in own]
    granted = TrunkGrant.objects.filter(tenant=customer, trunk__closed_at=None).values_list("granted_at", flat=True)
    return spans + [(_day(since, zone), None) for since in granted]


def _seat_spans(customer: Customer, zone: ZoneInfo) -> list[Span]:
    with _schema_of(customer):
        active = Number.objects.active().filter(person__isnull=False).order_by()
        firsts = list(active.values("person").annotate(since=Min("allocated_at")).values_list("since", flat=True))
    return [(_day(since, zone), None) for since in firsts]


def _day(moment: datetime, zone: ZoneInfo) -> date:
    return moment.astimezone(zone).date()


@contextmanager
def _schema_of(customer: Customer) -> Iterator[None]:
    """Let the customer's own tables be read, also by its MSP."""
    if contexts.current().schema == customer.schema_name:
        yield
        return
    with contexts.msp(customer.msp, customer):
        yield
