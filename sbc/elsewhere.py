"""Numbers of customers that a region's SBCs do not carry: of a forwarded call they must not show one as its caller.

An SBC knows the numbers of its own customers. Of all others it is told how they begin, which is little, seldom changes,
and at worst leaves a stranger's number unshown.
"""

from collections.abc import Iterable

from tenants.models import Customer, Region
from voice.inventory.selectors import blocks_of_others

# So few that a region whose blocks have all become others is not taken for one that has lost its rows.
MOST = 200
CARRIED = (Customer.State.ACTIVE, Customer.State.SUSPENDED)


def begin_elsewhere(region: Region) -> tuple[str, ...]:
    """Return how the numbers begin of customers that the region does not serve. As the role ingest."""
    if not Region.objects.exclude(pk=region.pk).exists():
        return ()
    here = Customer.objects.filter(state__in=CARRIED, customer_regions__base_domain__region=region.pk)
    return covering(blocks_of_others(here.values_list("pk", flat=True)), MOST)


def covering(beginnings: Iterable[str], most: int) -> tuple[str, ...]:
    """Return at most so many beginnings that what begins with one of those given begins with one of these, in order."""
    found = set(beginnings)
    while len(found) > most:
        found = {each[:-1] for each in found}
    return tuple(sorted(found))
