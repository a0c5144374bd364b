"""Tiers by volume, minimum commitments and discounts: pure (docs/pricing.md §12)."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from voice.rating.money import call_micros, half_up

MILLION = 1_000_000


class BadTiers(ValueError):
    """Tiers that do not rise, or of which none is open at its end."""


@dataclass(frozen=True, slots=True)
class Tier:
    """Minutes up to so many of the month, or all further ones, at a price per minute in micros."""

    up_to: int | None
    per_minute: int


def check(tiers: Sequence[Tier]) -> None:
    """Raise BadTiers unless the limits rise and the last tier has none."""
    limits = [tier.up_to for tier in tiers]
    if not limits or limits[-1] is not None or None in limits[:-1]:
        raise BadTiers("The last tier, and no other, is without a limit.")
    known = [0, *(limit for limit in limits if limit is not None)]
    if any(after <= before for before, after in pairwise(known)):
        raise BadTiers("Each tier ends later than the one before it.")


def tiered(seconds: int, tiers: Sequence[Tier]) -> Iterator[tuple[Tier, int, int]]:
    """Yield each tier that a month's billed seconds reach, with the seconds in it and what these cost."""
    reached = 0
    for tier in tiers:
        limit = seconds if tier.up_to is None else min(seconds, tier.up_to * 60)
        if limit > reached:
            yield tier, limit - reached, call_micros((limit - reached) * tier.per_minute)
            reached = limit


def missing(commitment: int, lines: Iterable[int]) -> int:
    """Return what rounded lines lack to a commitment, in micros; never less than nothing."""
    return max(0, commitment - sum(lines))


def discount(net: int, per_million: int) -> int:
    """Return the discount on a sum of rounded lines, in micros: below zero, or nothing where there is nothing."""
    return -half_up(max(0, net) * per_million, MILLION)
