"""Which call of a carrier's file is which of ours: by number and time, whatever zone the file was written in. Pure.

Times are milliseconds since 1970 (UTC), numbers digits with their country code.
"""

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

QUARTER = 900_000
WIDEST_SHIFT = 14 * 4
# Enough to see by which hours a file is off, and to tell calls to one number apart.
SAMPLE = 5_000
NEAREST = 30
ROUNDS = 3
# A further shift has to bring in at least this many calls, and one in so many.
FEWEST, ONE_IN = 3, 50


class Theirs(NamedTuple):
    """A line of the carrier's file."""

    row: int
    called: str
    at: int
    seconds: int
    micros: int
    destination: str


class Ours(NamedTuple):
    """What a trunk of the carrier cost us for a call; `key` is the caller's."""

    key: int
    called: str
    at: int
    seconds: int
    billed: int
    micros: int
    destination: str


class Pair(NamedTuple):
    """The same call, with how far their clock was ahead by whole quarters of an hour."""

    theirs: Theirs
    ours: Ours
    shift: int


@dataclass
class Matched:
    """What belongs together, and what stands alone on either side."""

    pairs: list[Pair] = field(default_factory=list)
    theirs: list[Theirs] = field(default_factory=list)
    ours: list[Ours] = field(default_factory=list)


def match(theirs: Sequence[Theirs], ours: Sequence[Ours], tolerance: int) -> Matched:
    """Return the pairs of calls to one number that begin within `tolerance` milliseconds of each other.

    The shift that most calls show goes first; what is left is looked at again, so that a file over the night on which
    clocks change finds both. Each call has one partner at most: the nearest in time and duration.
    """
    found = Matched(theirs=list(theirs), ours=list(ours))
    for turn in range(ROUNDS):
        shift = _shift(found.theirs, found.ours, tolerance)
        if shift is None or (turn and shift == 0):
            break
        pairs = list(_pairs(found.theirs, found.ours, shift, tolerance))
        if turn and len(pairs) < max(FEWEST, len(theirs) // ONE_IN):
            break
        found.pairs += pairs
        rows, keys = {pair.theirs.row for pair in pairs}, {pair.ours.key for pair in pairs}
        found.theirs = [each for each in found.theirs if each.row not in rows]
        found.ours = [each for each in found.ours if each.key not in keys]
        if turn == 0 and shift != 0:
            # What is right in spite of the others.
            right = list(_pairs(found.theirs, found.ours, 0, tolerance))
            found.pairs += right
            rows, keys = {pair.theirs.row for pair in right}, {pair.ours.key for pair in right}
            found.theirs = [each for each in found.theirs if each.row not in rows]
            found.ours = [each for each in found.ours if each.key not in keys]
    return found


def _by_number(ours: Iterable[Ours]) -> dict[str, list[Ours]]:
    found: dict[str, list[Ours]] = defaultdict(list)
    for each in ours:
        found[each.called].append(each)
    for calls in found.values():
        calls.sort(key=lambda each: each.at)
    return found


def _shift(theirs: Sequence[Theirs], ours: Sequence[Ours], tolerance: int) -> int | None:
    """Return by how many milliseconds, in whole quarters of an hour, most of their calls are ahead; None for none."""
    known = _by_number(ours)
    shown: Counter[int] = Counter()
    step = max(1, len(theirs) // SAMPLE)
    for each in theirs[::step]:
        calls = known.get(each.called, ())
        seen = set()
        for call in calls[:NEAREST]:
            quarters = round((each.at - call.at) / QUARTER)
            if abs(quarters) <= WIDEST_SHIFT and abs(each.at - call.at - quarters * QUARTER) <= tolerance:
                seen.add(quarters)
        shown.update(seen)
    if not shown:
        return None
    # Among equals the smallest: a clock that is right is the likelier one.
    best = max(shown, key=lambda quarters: (shown[quarters], -abs(quarters)))
    return best * QUARTER


def _pairs(theirs: Sequence[Theirs], ours: Sequence[Ours], shift: int, tolerance: int) -> Iterable[Pair]:
    known = _by_number(ours)
    times = {number: [call.at for call in calls] for number, calls in known.items()}
    offered: list[tuple[int, int, int]] = []
    of_row: dict[int, Theirs] = {}
    of_key: dict[int, Ours] = {}
    for each in theirs:
        calls = known.get(each.called)
        if not calls:
            continue
        at = each.at - shift
        first = bisect_left(times[each.called], at - tolerance)
        last = bisect_right(times[each.called], at + tolerance)
        middle = bisect_left(times[each.called], at)
        for call in calls[max(first, middle - NEAREST // 2) : min(last, middle + NEAREST // 2)]:
            apart = abs(at - call.at) + 1000 * min(abs(each.seconds - call.seconds), abs(each.seconds - call.billed))
            offered.append((apart, each.row, call.key))
            of_row[each.row], of_key[call.key] = each, call
    taken_rows: set[int] = set()
    taken_keys: set[int] = set()
    for _apart, row, key in sorted(offered):
        if row not in taken_rows and key not in taken_keys:
            taken_rows.add(row)
            taken_keys.add(key)
            yield Pair(of_row[row], of_key[key], shift)
