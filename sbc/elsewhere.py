"""Numbers of customers that a region's SBCs do not carry: of a forwarded call they must not show one as its caller.

An SBC knows the numbers of its own customers. Of all others it is told how they begin, to the hundred: whose number
begins so, a stranger's in the same hundred, too, stays unshown.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

from tenants.models import Customer, Region
from voice.inventory.selectors import blocks_of_others

# A row is some 160 bytes of Kamailio's memory, and so many take it 20 ms to list, each 20 seconds.
MOST = 10_000
CARRIED = (Customer.State.ACTIVE, Customer.State.SUSPENDED)
WHOLE = 2**20  # parts of a block


def begin_elsewhere(region: Region) -> tuple[str, ...]:
    """Return how the numbers begin of customers that the region does not serve. As the role ingest."""
    if not Region.objects.exclude(pk=region.pk).exists():
        return ()
    here = Customer.objects.filter(state__in=CARRIED, customer_regions__base_domain__region=region.pk)
    return covering(blocks_of_others(here.values_list("pk", flat=True)), MOST)


def covering(beginnings: Iterable[str], most: int) -> tuple[str, ...]:
    """Return at most so many beginnings, 9 or more, that what begins with one of those given begins with one of these.

    Ten that make a whole block become one. Where these are too many still, so do those that make at least half a block,
    then a quarter, and so on: what hides the fewest strangers comes first.
    """
    least = WHOLE
    found = _merged(_outermost(dict.fromkeys(beginnings, WHOLE)), least, 0)
    while len(found) > most:
        least //= 2
        found = _merged(found, least, most)
    return tuple(sorted(found))


def _merged(parts: Mapping[str, int], least: int, most: int) -> dict[str, int]:
    """Return the beginnings, with the part of each that they stand for, until there are `most`.

    Those that make at least `least` of a block are one, the smallest blocks first.
    """
    levels: dict[int, dict[str, int]] = {}
    for each, part in parts.items():
        levels.setdefault(len(each), {})[each] = part
    for length in range(max(levels, default=0), 1, -1):
        if sum(map(len, levels.values())) <= most:
            break
        level = levels.pop(length, {})
        blocks: Counter[str] = Counter()
        for each, part in level.items():
            blocks[each[:-1]] += part
        taken = {block: total // 10 for block, total in blocks.items() if total >= 10 * least}
        levels[length] = {each: part for each, part in level.items() if each[:-1] not in taken}
        levels.setdefault(length - 1, {}).update(taken)
    return _outermost({each: part for level in levels.values() for each, part in level.items()})


def _outermost(parts: Mapping[str, int]) -> dict[str, int]:
    """Return the beginnings that do not begin with another of them."""
    lengths = sorted(set(map(len, parts)))
    return {
        each: part
        for each, part in parts.items()
        if not any(each[:length] in parts for length in lengths if length < len(each))
    }
