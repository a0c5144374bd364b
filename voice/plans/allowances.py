"""Included minutes: which call is covered by what, in the order of the answer. Pure (docs/pricing.md §12)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from voice.rating.money import call_micros

# The allowance, whose it is where each has its own, and the day from which it was given.
Key = tuple[str, str, date]


@dataclass(frozen=True, slots=True)
class Pot:
    """The seconds that an allowance gave for some days, to be drawn from `begins` up to `ends`.

    No destinations are all of them. Where each user has its own, each has so many seconds, or its share of them.
    """

    allowance: str
    seconds: int
    begins: date
    ends: date
    destinations: frozenset[str] = frozenset()
    own: bool = False
    shares: Mapping[str, int] = field(default_factory=dict)

    def given(self, user: str) -> int:
        return self.shares.get(user, self.seconds)

    def covers(self, destination: str, day: date) -> bool:
        return self.begins <= day < self.ends and (not self.destinations or destination in self.destinations)

    @property
    def rank(self) -> tuple[int, int, date]:
        """Narrow before wide, and the oldest first."""
        return (0 if self.destinations else 1, len(self.destinations), self.begins)


@dataclass(slots=True)
class Drawing:
    """Pots that calls draw from, and what is drawn so far."""

    pots: Sequence[Pot]
    drawn: dict[Key, int] = field(default_factory=dict)
    _fitting: dict[tuple[str, date], list[Pot]] = field(default_factory=dict)

    def draw(self, destination: str, day: date, seconds: int, user: str = "") -> list[tuple[Pot, int]]:
        """Take up to so many seconds for a call, from the narrowest pot that has any, then from the next."""
        taken = []
        for pot in self._for(destination, day):
            key = (pot.allowance, user if pot.own else "", pot.begins)
            left = pot.given(key[1]) - self.drawn.get(key, 0)
            if left <= 0:
                continue
            some = min(left, seconds)
            self.drawn[key] = self.drawn.get(key, 0) + some
            taken.append((pot, some))
            seconds -= some
            if not seconds:
                break
        return taken

    def _for(self, destination: str, day: date) -> list[Pot]:
        known = self._fitting.get((destination, day))
        if known is None:
            known = sorted((pot for pot in self.pots if pot.covers(destination, day)), key=lambda pot: pot.rank)
            self._fitting[destination, day] = known
        return known


def rest_charge(
    parts: Iterable[tuple[int, int]], fee: int, covered: int, at_least: int = 0, at_most: int | None = None
) -> int:
    """Return what a call costs whose first `covered` seconds are borne by an allowance.

    `parts` are its billed seconds with their price per minute, in their order; a covered call has no fee.
    """
    second_rates, rest = 0, 0
    for seconds, per_minute in parts:
        skipped = min(covered, seconds)
        covered -= skipped
        rest += seconds - skipped
        second_rates += (seconds - skipped) * per_minute
    if not rest:
        return 0
    charge = max(at_least, fee + call_micros(second_rates))
    return charge if at_most is None else min(charge, at_most)


def left_of(pots: Iterable[Pot], drawn: Mapping[Key, int], day: date) -> dict[str, tuple[int, int]]:
    """Return the seconds that each shared allowance has to give on a day, and how many of these are left."""
    found: dict[str, tuple[int, int]] = {}
    for pot in pots:
        if pot.begins <= day < pot.ends and not pot.own:
            given, left = found.get(pot.allowance, (0, 0))
            rest = pot.seconds - drawn.get((pot.allowance, "", pot.begins), 0)
            found[pot.allowance] = (given + pot.seconds, left + max(0, rest))
    return found


def left_of_users(
    pots: Iterable[Pot], drawn: Mapping[Key, int], day: date, keys: Iterable[Key]
) -> dict[str, list[int]]:
    """Return the seconds that are left on a day to each user who drew by these keys, by the allowance of its own."""
    own = {(pot.allowance, pot.begins): pot for pot in pots if pot.own}
    found: dict[str, list[int]] = {}
    for name, user in dict.fromkeys((name, user) for name, user, begins in keys if (name, begins) in own):
        open_ = (pot for pot in own.values() if pot.allowance == name and pot.begins <= day < pot.ends)
        left = (pot.given(user) - drawn.get((name, user, pot.begins), 0) for pot in open_)
        found.setdefault(name, []).append(sum(max(0, each) for each in left))
    return found
