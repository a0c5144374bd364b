"""A deck in a few classes of destinations, each under the dearest of its prices: small enough for every SBC to hold.

Pure but for `classes_of_deck`. Money that lasts by these prices lasts by the deck's own.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db import connection

from voice.rating.decks import Rate

DIGITS = 3  # of the longest prefix that names a class: all countries, and the ranges of the large ones
MOST = 6  # classes of outgoing calls that cost something
_GROUPED = """
    SELECT direction, left(prefix, %s), length(prefix) <= %s,
           max(greatest(rate.per_minute, coalesce(band.per_minute, 0))),
           max(greatest(rate.fee, coalesce(band.fee, 0))), max(minimum), max(increment), max(minimum_charge),
           CASE WHEN count(*) = count(maximum_charge) THEN max(maximum_charge) END
      FROM public.rating_deckrate AS rate
      LEFT JOIN LATERAL (
          SELECT max((price ->> 0)::bigint) AS per_minute, max((price ->> 1)::bigint) AS fee
            FROM jsonb_each(rate.band_prices) AS each (name, price)
      ) AS band ON rate.band_prices <> '{}'
     WHERE deck_id = %s AND NOT blocked AND begins <= %s AND (ends IS NULL OR ends > %s) GROUP BY 1, 2, 3
"""


class Dearest(NamedTuple):
    """The dearest price of several: amounts in micros, lengths in seconds."""

    per_minute: int
    fee: int = 0
    minimum: int = 1
    increment: int = 1
    minimum_charge: int = 0
    maximum_charge: int | None = None

    def beside(self, other: "Dearest") -> "Dearest":
        """Return a price that is no cheaper than either."""
        ceilings = (self.maximum_charge, other.maximum_charge)
        ceiling = None if None in ceilings else max(each or 0 for each in ceilings)
        return Dearest(
            max(self.per_minute, other.per_minute),
            max(self.fee, other.fee),
            max(self.minimum, other.minimum),
            max(self.increment, other.increment),
            max(self.minimum_charge, other.minimum_charge),
            ceiling,
        )

    @property
    def is_free(self) -> bool:
        return self.maximum_charge == 0 or self.per_minute == self.fee == self.minimum_charge == 0

    def as_rate(self) -> Rate:
        """Return a rate that asks this of every number."""
        return Rate(
            0, "", "", self.per_minute, self.fee, self.minimum, self.increment,
            minimum_charge=self.minimum_charge, maximum_charge=self.maximum_charge,
        )  # fmt: skip


FREE = Dearest(0)


class Grouped(NamedTuple):
    """The dearest price of the rates that begin with some digits; `whole` where those digits are all of a prefix."""

    direction: str
    digits: str
    whole: bool
    price: Dearest


@dataclass(frozen=True)
class Classes:
    """Prices by place, and which place is whose; the first is free of charge."""

    prices: tuple[Dearest, ...]
    outgoing: int
    incoming: int
    internal: int
    prefixes: Mapping[str, int]

    @property
    def dearest(self) -> Dearest:
        """Return the price that the risk is reckoned by: of equal ones one without a ceiling."""
        return max(self.prices, key=lambda price: (*price[:-1], price.maximum_charge is None))


# Of a customer that has no deck: nothing is known of what its calls cost.
UNKNOWN = Classes((FREE, Dearest(1)), outgoing=1, incoming=0, internal=0, prefixes={})


def classes_of_deck(deck_id: int, free: Collection[str], at: datetime) -> Classes:
    """Return the classes of a deck's rates that hold at a moment; the database context has to see it."""
    with connection.cursor() as cursor:
        cursor.execute(_GROUPED, [DIGITS, DIGITS, deck_id, at, at])
        rows = [Grouped(row[0], row[1], row[2], Dearest(*row[3:])) for row in cursor.fetchall()]
    return classes_of(rows, free)


def classes_of(rows: Iterable[Grouped], free: Collection[str]) -> Classes:
    """Return the classes of grouped rates; calls in the directions `free` cost nothing."""
    by_direction: dict[str, list[Grouped]] = {}
    for row in rows:
        if row.direction not in free:
            by_direction.setdefault(row.direction, []).append(row)
    outgoing = _by_digits(by_direction.get("out", []))
    if not outgoing and "out" not in free:
        return UNKNOWN
    steps = _steps({price.per_minute for price in outgoing.values() if not price.is_free})
    prices: list[Dearest] = [FREE, *(FREE for _step in steps)]
    places = {}
    for digits, price in outgoing.items():
        place = 0 if price.is_free else next(i for i, step in enumerate(steps, 1) if price.per_minute <= step)
        prices[place] = price if prices[place] == FREE else prices[place].beside(price)
        places[digits] = place
    # A number that no rate names is priced by somebody later: until then it is taken for the dearest.
    default = places.pop("", len(prices) - 1)
    other = []
    for direction in ("in", "internal"):
        rated = [row.price for row in by_direction.get(direction, [])]
        price = _dearest(rated) if rated else FREE
        other.append(0 if price.is_free else len(prices))
        prices += [] if price.is_free else [price]
    return Classes(tuple(prices), default, other[0], other[1], _needed(places, default))


def _by_digits(rows: Iterable[Grouped]) -> dict[str, Dearest]:
    found: dict[str, Dearest] = {}
    whole = set()
    for row in rows:
        found[row.digits] = found[row.digits].beside(row.price) if row.digits in found else row.price
        whole |= {row.digits} if row.whole else set()
    dearest = _dearest(list(found.values())) if found else FREE
    for digits in found.keys() - whole:
        # Only a part of these numbers has a longer prefix: the others are those of a shorter one, or nobody's yet.
        shorter = next((digits[:length] for length in range(len(digits) - 1, -1, -1) if digits[:length] in found), None)
        found[digits] = found[digits].beside(dearest if shorter is None else found[shorter])
    return found


def _steps(prices: set[int]) -> list[int]:
    """Return at most MOST upper ends of groups, cut where one price is furthest above the next by proportion."""
    ordered = sorted(prices)
    leaps = sorted(range(1, len(ordered)), key=lambda i: ordered[i] / max(1, ordered[i - 1]), reverse=True)[: MOST - 1]
    return [ordered[i - 1] for i in sorted(leaps)] + ordered[-1:]


def _dearest(prices: list[Dearest]) -> Dearest:
    first, *others = prices
    for price in others:
        first = first.beside(price)
    return first


def _needed(places: Mapping[str, int], default: int) -> dict[str, int]:
    """Return the prefixes that say something which a shorter one does not."""
    found: dict[str, int] = {}
    for digits, place in sorted(places.items(), key=lambda each: len(each[0])):
        above = (found[digits[:length]] for length in range(len(digits) - 1, 0, -1) if digits[:length] in found)
        if next(above, default) != place:
            found[digits] = place
    return found
