"""Reads of the customer's numbers."""

from django.db.models import Count, Q, QuerySet

from tenants.models import Customer
from voice.carriers.models import Trunk
from voice.carriers.selectors import trunks_for
from voice.directory.countries import location_required
from voice.directory.models import CivicAddress
from voice.inventory.selectors import digits_pattern
from voice.numbers.models import ApprovedCallerId, Number, NumberQuerySet

VALIDATED = Q(place__address__validation=CivicAddress.Validation.VALIDATED)


def numbers(text: str = "") -> NumberQuerySet:
    """Return the numbers that the text may mean: written in any format, a part of the digits, a label or a person."""
    found = Number.objects.select_related("place__address", "person").in_number_order()
    text = text.replace("\0", "").strip()
    if not text:
        return found
    wanted = Q(label__icontains=text) | Q(person__name__icontains=text)
    if pattern := digits_pattern(text):
        wanted |= Q(e164__regex=pattern)
    return found.filter(wanted)


def needs_location(number: Number, customer: Customer) -> bool:
    """Return whether the country of the number, or of the people who call with it, demands a location."""
    return location_required(number.country) or location_required(customer.country)


def without_location(customer: Customer) -> NumberQuerySet:
    """Return the numbers in use that lack a validated emergency location."""
    found = Number.objects.exclude(VALIDATED).exclude(state=Number.State.SUSPENDED)
    if location_required(customer.country):
        return found
    codes = set(found.values_list("country", flat=True))
    return found.filter(country__in=[code for code in codes if location_required(code)])


def tally(customer: Customer) -> dict[str, int]:
    """Return how many numbers there are, `total`, and how many in use lack a validated location, `missing`."""
    lacking = ~VALIDATED & ~Q(state=Number.State.SUSPENDED)
    if not location_required(customer.country):
        codes = set(Number.objects.values_list("country", flat=True))
        lacking &= Q(country__in=[code for code in codes if location_required(code)])
    return Number.objects.aggregate(total=Count("pk"), missing=Count("pk", filter=lacking))


def state_counts() -> dict[str, int]:
    """Return how many numbers are in each state."""
    found = Number.objects.values_list("state").annotate(count=Count("pk"))
    return dict.fromkeys(Number.State.values, 0) | dict(found)


def trunk_names(customer: Customer) -> dict[int, str]:
    """Return the names of the trunks that may take calls to the customer's numbers."""
    return dict(trunks_for(customer).values_list("pk", "name"))


def inbound_trunk(number: Number) -> Trunk | None:
    """Return the trunk that takes the number's calls, if one does."""
    return Trunk.objects.filter(pk=number.inbound_trunk).first() if number.inbound_trunk else None


def caller_ids() -> QuerySet[ApprovedCallerId]:
    """Return the foreign numbers that the customer may show as caller."""
    return ApprovedCallerId.objects.order_by("e164")
