"""What a file would change in a deck: rates to come, rates to end, and by how much calls get dearer. Pure.

The moment is the version's: what the file says holds from then on, or from a later date of its own. A rate that stays
as it is has no change. What another version has planned for later stays planned.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, TypeVar

from voice.rating.files.lines import Key, Line, Terms

T = TypeVar("T")
# A price that rises from nothing: more than any that can be divided.
FROM_NOTHING = 1_000_000_000
# Ten times as much, or a tenth: the decimal mark has moved.
JUMP = 10


class ChangeKind(StrEnum):
    """The kinds of `DeckLine.Change`."""

    NEW = "new"
    UP = "up"
    DOWN = "down"
    TERMS = "terms"
    GONE = "gone"


class Held(NamedTuple):
    """A rate of the deck as it is stored; `ends` is None while nothing ends it."""

    id: int
    terms: Terms
    begins: datetime
    ends: datetime | None


class Change(NamedTuple):
    """One rate to come, or with GONE one to end at `begins`; `replaces` is the stored rate that ends then."""

    kind: ChangeKind
    row: int
    key: Key
    terms: Terms
    begins: datetime
    ends: datetime | None
    replaces: int | None
    before: int | None
    rise: int = 0
    alarm: bool = False
    falls_to: int | None = None


class Lapse(NamedTuple):
    """A code that had a rate for a moment, and has none from then on: the file's price for it ends, and none follows.

    `falls_to` is what a shorter code asks, None where such calls would have no rate.
    """

    row: int
    key: Key
    ends: datetime
    falls_to: int | None = None


@dataclass(slots=True)
class Comparison:
    """The changes, how many of each kind, how many rates stay, and what is asked by called prefix afterwards."""

    changes: list[Change] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(ChangeKind, 0))
    same: int = 0
    jumps: int = 0
    after: dict[str, Terms] = field(default_factory=dict)
    lapses: list[Lapse] = field(default_factory=list)


class _Span:
    __slots__ = ("begins", "ends", "id", "row", "terms")

    def __init__(self, begins: datetime, ends: datetime | None, terms: Terms, pk: int | None, row: int = 0) -> None:
        self.begins, self.ends, self.terms, self.id, self.row = begins, ends, terms, pk, row


def compare(
    running: Mapping[Key, list[Held]],
    lines: Iterable[Line],
    at: datetime,
    *,
    full: bool,
    keep: Collection[str] = (),
) -> Comparison:
    """Compare a file with the deck, whose rates come oldest first; `full` ends what the file has not.

    `keep` are codes that the file has in rows nobody could read: they are not taken for missing.
    """
    found = Comparison()
    by_key: dict[Key, list[Line]] = {}
    for line in lines:
        by_key.setdefault(line.key, []).append(line)
    for key, wanted in by_key.items():
        _put(found, key, running.get(key, ()), wanted, at)
    kept = frozenset(keep)
    for key, held in running.items():
        if key not in by_key:
            now = _in_force(held, at)
            if now is None:
                continue
            if full and key[1] not in kept:
                gone = Change(ChangeKind.GONE, 0, key, now.terms, at, None, now.id, now.terms.per_minute)
                found.changes.append(gone)
            else:
                found.same += 1
                _note(found.after, key, now.terms)
    _find_what_takes_over(found)
    for change in found.changes:
        found.counts[change.kind] += 1
        found.jumps += change.alarm and change.kind is not ChangeKind.GONE
    return found


def _in_force(held: Iterable[Held], at: datetime) -> Held | None:
    return next((each for each in held if each.begins <= at and (each.ends is None or at < each.ends)), None)


def _put(found: Comparison, key: Key, held: Sequence[Held], wanted: list[Line], at: datetime) -> None:
    spans = [_Span(each.begins, each.ends, each.terms, each.id) for each in held]
    if len(wanted) > 1:
        wanted = list(_in_order(wanted, at))
    for line in wanted:
        begins = line.begins if line.begins is not None and line.begins > at else at
        now = next(
            (each for each in spans if each.begins <= begins and (each.ends is None or begins < each.ends)), None
        )
        if line.ends is not None and line.ends <= begins:
            # The row says that it is over: what is in force ends, and nothing comes.
            if now is not None and now.id is not None:
                gone = Change(ChangeKind.GONE, line.row, key, now.terms, begins, None, now.id, now.terms.per_minute)
                found.changes.append(gone)
            continue
        if now is not None and now.terms == line.terms and (line.ends is None or line.ends == now.ends):
            found.same += 1
            _note(found.after, key, line.terms)
            continue
        if now is not None:
            limit, now.ends = now.ends, begins
        else:
            limit = min((each.begins for each in spans if each.begins > begins), default=None)
        ends = line.ends if limit is None else limit if line.ends is None else min(limit, line.ends)
        new = _Span(begins, ends, line.terms, None, line.row)
        spans.append(new)
        found.changes.append(_change(line, key, new, now))
        _note(found.after, key, line.terms)
    _shorten(found, key, spans, len(wanted))
    _find_lapses(found, key, held, spans)


def _in_order(wanted: list[Line], at: datetime) -> Iterator[Line]:
    """Yield a code's lines by their begin; of those that have begun already, only the last."""
    ordered = sorted(wanted, key=lambda line: line.begins or at)
    begun = [line for line in ordered if (line.begins or at) <= at]
    return iter(begun[-1:] + ordered[len(begun) :])


def _shorten(found: Comparison, key: Key, spans: list[_Span], lines: int) -> None:
    """Let each new rate end where the next of the same file begins."""
    if lines < 2:
        return
    ends = {span.begins: span.ends for span in spans if span.id is None}
    for place in range(max(0, len(found.changes) - lines), len(found.changes)):
        change = found.changes[place]
        if change.key == key and change.kind is not ChangeKind.GONE:
            found.changes[place] = change._replace(ends=ends[change.begins])


def _find_lapses(found: Comparison, key: Key, held: Sequence[Held], spans: list[_Span]) -> None:
    """Note where a price of the file ends at a moment at which the deck had one, and nothing holds any more."""

    def holds(rows: Iterable[Held | _Span], moment: datetime) -> bool:
        return any(each.begins <= moment and (each.ends is None or moment < each.ends) for each in rows)

    for span in spans:
        if span.id is None and span.ends is not None and holds(held, span.ends) and not holds(spans, span.ends):
            found.lapses.append(Lapse(span.row, key, span.ends))


def _change(line: Line, key: Key, new: _Span, now: _Span | None) -> Change:
    if now is None:
        return Change(ChangeKind.NEW, line.row, key, line.terms, new.begins, new.ends, None, None)
    before, after = now.terms.per_minute, line.terms.per_minute
    kind = ChangeKind.UP if after > before else ChangeKind.DOWN if after < before else ChangeKind.TERMS
    rise = rise_to(before, after)
    jumped = after != before and (after >= before * JUMP or after * JUMP <= before)
    return Change(kind, line.row, key, line.terms, new.begins, new.ends, now.id, before, rise, jumped)


def _note(after: dict[str, Terms], key: Key, terms: Terms) -> None:
    """Remember what ordinary calls are asked; caller prefixes and other directions are looked at by their own rates."""
    if key[0] == "out" and not key[2] and not terms.blocked:
        after[key[1]] = terms


def _find_what_takes_over(found: Comparison) -> None:
    """Say for each code that is gone what a shorter one asks, and alarm where nothing is left."""
    for place, change in enumerate(found.changes):
        if change.kind is ChangeKind.GONE:
            direction, prefix, callers = change.key
            shorter = None if direction != "out" else longest(found.after, prefix)
            falls_to = None if shorter is None else shorter.per_minute
            alarm = falls_to is None and not callers and not change.terms.blocked
            found.changes[place] = change._replace(falls_to=falls_to, alarm=alarm)
    gone = {lapse.key[1] for lapse in found.lapses}
    left = {code: terms for code, terms in found.after.items() if code not in gone} if gone else {}
    for place, lapse in enumerate(found.lapses):
        direction, prefix, _callers = lapse.key
        shorter = longest(left, prefix) if direction == "out" else None
        found.lapses[place] = lapse._replace(falls_to=None if shorter is None else shorter.per_minute)


def longest(by_code: Mapping[str, T], prefix: str) -> T | None:
    """Return what stands under the longest code that begins a number."""
    for length in range(len(prefix), -1, -1):
        found = by_code.get(prefix[:length])
        if found is not None:
            return found
    return None


def rise_to(before: int, after: int) -> int:
    """Return by how many thousandths a price rises."""
    if not before:
        return FROM_NOTHING if after else 0
    return min(FROM_NOTHING, (after - before) * 1000 // before)
