"""How many users, numbers, trunks and channels a customer had on each day.

What each count is stands in docs/pricing.md §12, for whoever explains a fee.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, tzinfo
from zoneinfo import ZoneInfo

from portal.db import contexts
from portal.db.customers import has_schema
from tenants.models import ChannelLimit, Customer
from voice.carriers.models import Trunk, TrunkGrant
from voice.inventory.models import Allocation
from voice.numbers.models import Seat
from voice.plans.facts import CHANNEL, NUMBER, SEAT, TRUNK
from voice.plans.proration import Series, Span, joined, span_of
from voice.plans.users import Sat


def counts_of(customer: Customer, zone: ZoneInfo, wanted: set[str]) -> dict[str, Series]:
    """Return the wanted counts, by the days of a zone."""
    found: dict[str, Series] = {}
    if NUMBER in wanted:
        found[NUMBER] = Series.of_spans(number_spans(customer, zone))
    if TRUNK in wanted:
        found[TRUNK] = Series.of_spans(_trunk_spans(customer, zone))
    if CHANNEL in wanted:
        found[CHANNEL] = _channels(customer, zone)
    if SEAT in wanted:
        found[SEAT] = Series.of_spans(_seat_spans(customer, zone))
    return found


def number_spans(customer: Customer, zone: ZoneInfo) -> list[Span]:
    """Return the days for which the customer held each number, that of its return not among them."""
    held = Allocation.objects.filter(tenant=customer).values_list("since", "until")
    return [span_of(since, until, zone) for since, until in held]


def numbers_held(customer: Customer, begins: date, ends: date, zone: tzinfo) -> int:
    """Return how many numbers a customer held on some day from `begins` up to `ends`, each once."""
    held = Allocation.objects.filter(tenant=customer).values_list("stock", "since", "until")
    spans = ((stock, *span_of(since, until, zone)) for stock, since, until in held)
    return len({stock for stock, first, last in spans if first < ends and (last is None or last > max(first, begins))})


def _trunk_spans(customer: Customer, zone: ZoneInfo) -> list[Span]:
    own = Trunk.objects.filter(tenant=customer).values_list("created_at", "closed_at")
    granted = TrunkGrant.objects.filter(tenant=customer).values_list("since", "until")
    return [span_of(*each, zone) for each in (*own, *granted)]


def _channels(customer: Customer, zone: ZoneInfo) -> Series:
    limits = ChannelLimit.objects.filter(tenant=customer).order_by("since", "pk")
    rows = list(limits.values_list("since", "until", "channels"))
    spans = [span_of(since, until, zone) for since, until, _channels in rows]
    # A contract may begin before the customer was entered: what it had first, it had before.
    first = [(date.min, ends) for _begins, ends in spans[:1]]
    return Series.of_spans(first + spans[1:], [channels for _since, _until, channels in rows])


def _seat_spans(customer: Customer, zone: ZoneInfo) -> list[Span]:
    """Return the days on which each person had a number, however many: one ends where none of them is left."""
    of_person: dict[int, list[Span]] = {}
    if _is_forgotten(customer):
        return []
    with _schema_of(customer):
        for person, since, until in Seat.objects.values_list("person_id", "since", "until"):
            of_person.setdefault(person, []).append(span_of(since, until, zone))
    return [span for spans in of_person.values() for span in joined(spans)]


def seats_of(customer: Customer) -> list[Sat]:
    """Return who had which of the customer's numbers when, those that it gave back among them."""
    if _is_forgotten(customer):
        return []
    with _schema_of(customer):
        rows = Seat.objects.order_by("since", "pk").values_list("e164", "person_id", "since", "until")
        return [Sat(number, who, since, until) for number, who, since, until in rows if number is not None]


def _is_forgotten(customer: Customer) -> bool:
    """Tell whether a customer left so long ago that its own tables are dropped: nobody knows its users any more."""
    return customer.state == Customer.State.CLOSED and not has_schema(customer)


@contextmanager
def _schema_of(customer: Customer) -> Iterator[None]:
    """Let the customer's own tables be read, also by its MSP."""
    if contexts.current().schema == customer.schema_name:
        yield
        return
    with contexts.msp(customer.msp, customer):
        yield
