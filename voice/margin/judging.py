"""What matched calls differ in, what that comes to, and what all of them have in common. Pure.

A difference is the carrier's amount less ours, in micros: positive is what it asks too much.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import median
from typing import Any, NamedTuple

from voice.margin.matching import Matched, Ours, Pair, Theirs

SAME, PRICE, DURATION, THEIRS, OURS = "same", "price", "duration", "theirs", "ours"
KINDS = (SAME, PRICE, DURATION, THEIRS, OURS)
# From how many pairs on, and in what share of them, something is a rule and not chance.
FEWEST, MOST = 10, 0.6
UNITS = (1_000_000, 100_000, 10_000, 1_000, 100, 10, 1)
FACTOR_TOLERANCE = 0.005
SHOWN_DESTINATIONS = 200


class Verdict(NamedTuple):
    """One call of either side, or of both, and what it differs by."""

    kind: str
    theirs: Theirs | None
    ours: Ours | None
    difference: int


def unit_of(amounts: Iterable[int]) -> int:
    """Return the smallest unit that the amounts are written in, in micros: 100 where they have four decimals."""
    units = list(UNITS)
    for amount in amounts:
        while amount % units[0]:
            units.pop(0)
    return units[0]


def judge(matched: Matched, seconds_tolerance: int, unit: int) -> list[Verdict]:
    """Return what each call came to; amounts that differ by less than the file's unit agree."""
    found = []
    for pair in matched.pairs:
        theirs, ours = pair.theirs, pair.ours
        difference = theirs.micros - ours.micros
        longer = min(abs(theirs.seconds - ours.seconds), abs(theirs.seconds - ours.billed))
        if longer > seconds_tolerance:
            kind = DURATION
        elif abs(difference) >= max(unit, 2):
            kind = PRICE
        else:
            kind = SAME
        found.append(Verdict(kind, theirs, ours, difference))
    found += [Verdict(THEIRS, each, None, each.micros) for each in matched.theirs]
    found += [Verdict(OURS, None, each, -each.micros) for each in matched.ours if each.micros]
    return found


def summary(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """Return calls and money by kind, and by destination with the largest differences first."""
    kinds = {kind: [0, 0, 0, 0] for kind in KINDS}
    places: dict[str, list[int]] = {}
    for kind, theirs, ours, difference in verdicts:
        name = (ours.destination if ours else "") or (theirs.destination if theirs else "")
        for sums in (kinds[kind], places.setdefault(name, [0, 0, 0, 0])):
            sums[0] += 1
            sums[1] += theirs.micros if theirs else 0
            sums[2] += ours.micros if ours else 0
            sums[3] += difference
    ordered = sorted(places.items(), key=lambda each: (-abs(each[1][3]), each[0]))
    return {"kinds": kinds, "destinations": [[name, *sums] for name, sums in ordered[:SHOWN_DESTINATIONS]]}


def findings(pairs: Sequence[Pair], verdicts: Sequence[Verdict], unit: int) -> list[dict[str, Any]]:
    """Return what most calls differ in alike: a clock, seconds, whole minutes, a factor, rounding."""
    found: list[dict[str, Any]] = []
    total = len(pairs)
    for shift, count in Counter(pair.shift for pair in pairs if pair.shift).most_common(2):
        found.append({"kind": "shift", "minutes": shift // 60_000, "calls": count, "share": _share(count, total)})
    if total < FEWEST:
        return found
    longer = Counter(pair.theirs.seconds - pair.ours.seconds for pair in pairs)
    seconds, count = longer.most_common(1)[0]
    whole = sum(not pair.theirs.seconds % 60 for pair in pairs)
    ours_whole = sum(not pair.ours.billed % 60 for pair in pairs)
    if seconds and count >= MOST * total:
        money = sum(each.difference for each in verdicts if each.kind == DURATION)
        found.append({"kind": "seconds", "seconds": seconds, "share": _share(count, total), "micros": money})
    elif whole > 0.95 * total and ours_whole < 0.5 * total:
        money = sum(each.difference for each in verdicts if each.kind == DURATION)
        found.append({"kind": "minutes", "share": _share(whole, total), "micros": money})
    found += _price_findings(pairs, unit)
    return found


def _price_findings(pairs: Sequence[Pair], unit: int) -> Iterable[dict[str, Any]]:
    priced = [pair for pair in pairs if pair.ours.micros > 0 and abs(pair.theirs.seconds - pair.ours.seconds) <= 1]
    if len(priced) < FEWEST:
        return
    # A rounded amount of a cheap call says little of the price.
    clear = [pair for pair in priced if pair.ours.micros >= 20 * unit] or priced
    factor = median(pair.theirs.micros / pair.ours.micros for pair in clear)
    near = sum(abs(pair.theirs.micros / pair.ours.micros / factor - 1) < FACTOR_TOLERANCE for pair in clear if factor)
    off = [pair.theirs.micros - pair.ours.micros for pair in priced]
    if factor and abs(factor - 1) > FACTOR_TOLERANCE and near >= MOST * len(clear):
        yield {"kind": "factor", "factor": round(factor, 4), "share": _share(near, len(clear)), "micros": sum(off)}
    elif unit >= 100:
        rounded = [each for each in off if 0 < abs(each) < unit]
        up = sum(each > 0 for each in rounded)
        if len(rounded) >= MOST * len(priced):
            way = "up" if up > 0.95 * len(rounded) else "down" if up < 0.05 * len(rounded) else "near"
            yield {"kind": "rounding", "unit": unit, "way": way, "micros": sum(rounded), "calls": len(rounded)}


def _share(count: int, total: int) -> int:
    return round(100 * count / total) if total else 0
