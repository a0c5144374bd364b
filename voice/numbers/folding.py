"""Ranges of numbers as one line: neighbours about which everything is the same."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from portal.ui import values


@dataclass
class Fold:
    """A line: one number, or neighbours with the same facts."""

    facts: tuple[Any, ...]
    members: list[tuple[int, str]] = field(default_factory=list)
    row: Any = None

    @property
    def first(self) -> str:
        return self.members[0][1]

    @property
    def last(self) -> str:
        return self.members[-1][1]

    @property
    def is_range(self) -> bool:
        return len(self.members) > 1

    def __str__(self) -> str:
        return range_text(self.first, self.last)


def fold(rows: Iterable[Sequence[Any]], most: int) -> tuple[list[Fold], str]:
    """Fold rows of key, number and facts, in number order, to at most so many lines.

    Also returns the number after which the next lines begin, empty where there are none.
    """
    lines: list[Fold] = []
    for pk, e164, *facts in rows:
        now = lines[-1] if lines else None
        if now is None or now.facts != tuple(facts) or not _are_neighbours(now.last, e164):
            if len(lines) == most:
                return lines, lines[-1].last
            lines.append(now := Fold(tuple(facts)))
        now.members.append((pk, e164))
    return lines, ""


def range_text(first: str, last: str) -> str:
    """Return a range as people write it, such as `+49 30 231250 00–99`."""
    written = values.phone(first)
    if first == last:
        return written
    same = next(place for place, (one, other) in enumerate(zip(first, last, strict=True)) if one != other)
    ends = left = max(2, len(first) - same)
    cut = len(written)
    while left:
        cut -= 1
        left -= written[cut].isdigit()
    return f"{written[:cut].rstrip(' -')} {first[-ends:]}–{last[-ends:]}"


def _are_neighbours(one: str, other: str) -> bool:
    return len(one) == len(other) and int(other[1:]) == int(one[1:]) + 1
