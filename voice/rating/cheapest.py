"""Which trunk is cheapest for a called number: decks ranked against each other once, as tables for longest prefixes.

Pure. A table has, for each called prefix at which something changes, a code with a few digits for each deck: its rank
by what a typical call costs (`rank_table`), or whether that is more than a selling deck brings (`loss_table`). A prefix
with the code of the next shorter one is left out. What changes with the clock is a list of codes, one for each *state*
of a timetable.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from voice.rating.decks import Deck, Direction, Rate
from voice.rating.typical import TypicalCall

# From, until (ms, half-open) and deck: by what a trunk costs.
Span = tuple[int, int, int]
NOTHING, BLOCKED = -1, -2
MOST_STATES = 24
# Called prefixes are packed by their first digits: a node holds, compares and reads back rows, not prefixes.
HEAD = 4

Cost = int | None  # None: as the next shorter prefix says
Cell = Cost | tuple[Cost, ...]
T = TypeVar("T")


@dataclass(frozen=True)
class State:
    """A time in which no price changes: the moment from which rates are looked up, and the band of each deck then."""

    since: int
    bands: tuple[str, ...]


@dataclass(frozen=True)
class Timetable:
    """From which moment on which state holds, up to `until`, when somebody has to look again."""

    moments: tuple[tuple[int, int], ...]
    states: tuple[State, ...]
    until: int


@dataclass(frozen=True)
class Table:
    """Codes by called prefix, each of `width` digits a deck; `places` says which of them is a trunk's, 0 for none.

    `layout` names what the digits mean: codes of one layout may be mixed while a table changes, others may not.
    """

    layout: str
    width: int
    places: dict[str, tuple[int, ...]]
    codes: dict[str, tuple[str, ...]]
    timetable: Timetable


def main_currency(trunks: Mapping[str, Sequence[Span]], decks: Mapping[int, Deck], at: int) -> str:
    """Return the currency in which most trunks cost from now on: the one in which all are compared."""
    named = Counter(
        decks[deck].currency
        for spans in trunks.values()
        for deck in {deck for begins, ends, deck in spans if ends > at and deck in decks}
    )
    return min(named, key=lambda currency: (-named[currency], currency), default="")


def rank_table(
    trunks: Mapping[str, Sequence[Span]], decks: Mapping[int, Deck], call: TypicalCall, at: int, until: int
) -> Table:
    """Return in which order the trunks' decks are by a call's cost: 1 is the cheapest, equal ones share it, 0 is none.

    All nines stand for a blocked prefix.
    """
    ids = _decks_of(trunks, decks, at, until)
    width = len(str(len(ids) + 1))
    blocked = "9" * width

    def code(costs: Sequence[int]) -> str:
        rank = {cost: place for place, cost in enumerate(sorted({each for each in costs if each >= 0}), 1)}
        return "".join(blocked if each == BLOCKED else f"{rank.get(each, 0):0{width}}" for each in costs)

    return _table(trunks, decks, call, ids, [], width, code, at, until)


def loss_table(
    trunks: Mapping[str, Sequence[Span]], decks: Mapping[int, Deck], sell: int, call: TypicalCall, at: int, until: int
) -> Table:
    """Return where a call costs more by which of the trunks' decks than the selling deck brings: 1, else 0."""
    # Where calls are free of charge, no price says what they bring.
    is_told = Direction.OUT not in decks[sell].free

    def code(costs: Sequence[int]) -> str:
        *asked, brings = costs
        return "".join("1" if is_told and cost > brings >= 0 else "0" for cost in asked)

    return _table(trunks, decks, call, _decks_of(trunks, decks, at, until), [sell], 1, code, at, until)


def packed(table: Table) -> dict[str, str]:
    """Return the table as texts by called prefix: `e=213;n=2;7=312;12=123` for those that begin with four digits.

    `e` holds for the other numbers with these first digits, `n` is the longest rest; states are parted by dots.
    """
    rows: dict[str, str] = {}
    heads: dict[str, dict[str, str]] = {}
    for prefix, codes in table.codes.items():
        text = ".".join(codes)
        if len(prefix) < HEAD:
            rows[prefix] = text
        else:
            heads.setdefault(prefix[:HEAD], {})[prefix[HEAD:]] = text
    for head, rests in heads.items():
        otherwise = rests.pop("", None) or next(
            (rows[head[:n]] for n in range(HEAD - 1, -1, -1) if head[:n] in rows),
            "0" * table.width * (len(next(iter(rests.values())).partition(".")[0]) // table.width),
        )
        said = {"e": otherwise, "n": max(map(len, rests), default=0)} | dict(sorted(rests.items()))
        rows[head] = ";".join(f"{name}={text}" for name, text in said.items())
    return rows


def timetable(decks: Sequence[Deck], cuts: Iterable[int], at: int, until: int) -> Timetable:
    """Return the states of the time from `at` to `until`, cut at these moments and where a deck's band changes."""
    cuts = sorted({cut for cut in cuts if at < cut < until})
    banded = [deck.bands for deck in decks if deck.bands is not None]
    edges = {edge for bands in banded for edge in bands.changes(at, until)}
    begins: list[tuple[int, State]] = []
    for moment in sorted({at, *cuts, *edges}):
        # What holds at `at` has no moment of its own: a table that is made anew an hour later is the same.
        since = max((cut for cut in cuts if cut <= moment), default=0)
        state = State(since, tuple(deck.bands.at(moment) if deck.bands else "" for deck in decks))
        if not begins or begins[-1][1] != state:
            if len({each for _moment, each in begins} | {state}) > MOST_STATES:
                until = moment
                break
            begins.append((moment, state))
    states = sorted({state for _moment, state in begins}, key=lambda state: (state.since, state.bands))
    return Timetable(tuple((moment, states.index(state)) for moment, state in begins), tuple(states), until)


def _decks_of(trunks: Mapping[str, Sequence[Span]], decks: Mapping[int, Deck], at: int, until: int) -> list[int]:
    met = (span for spans in trunks.values() for span in spans)
    return sorted({deck for begins, ends, deck in met if deck in decks and begins < until and ends > at})


def _table(
    trunks: Mapping[str, Sequence[Span]],
    decks: Mapping[int, Deck],
    call: TypicalCall,
    ids: Sequence[int],
    sells: Sequence[int],
    width: int,
    code: Callable[[Sequence[int]], str],
    at: int,
    until: int,
) -> Table:
    used = [decks[deck] for deck in (*ids, *sells)]
    cuts = {moment for spans in trunks.values() for begins, ends, _deck in spans for moment in (begins, ends)}
    for deck in used:
        cuts |= deck.changes(Direction.OUT)
    times = timetable(used, cuts, at, until)
    moments = [(state.since or at) for state in times.states]
    columns = [_column(deck, call, times.states, moments, place) for place, deck in enumerate(used)]
    places = {trunk: _same(tuple(_place(spans, ids, moment) for moment in moments)) for trunk, spans in trunks.items()}
    layout = json.dumps([ids, [[state.since, state.bands] for state in times.states]])
    name = hashlib.sha256(layout.encode()).hexdigest()[:6]
    return Table(name, width, places, _walk(columns, code, len(moments)), times)


def _place(spans: Sequence[Span], ids: Sequence[int], moment: int) -> int:
    found = next((deck for begins, ends, deck in spans if begins <= moment < ends), None)
    return ids.index(found) + 1 if found in ids else 0


def _column(
    deck: Deck, call: TypicalCall, states: Sequence[State], moments: Sequence[int], place: int
) -> dict[str, Cell]:
    """Return what the call costs by a deck at each of its prefixes, in each state, whoever calls."""
    if not call.compares(deck.currency):
        return {}
    if Direction.OUT in deck.free:
        return {"": 0}
    first, last, currency = min(moments), max(moments), deck.currency
    bands = [state.bands[place] for state in states]
    # Of a hundred thousand rates most ask the same as some other.
    known: dict[tuple[int | None, ...], int] = {}
    found: dict[str, Cell] = {}
    for prefix, alike in deck.rates(Direction.OUT):
        rates = [rate for rate in alike if not rate.callers]
        if len(rates) == 1 and not rates[0].bands and rates[0].begins <= first and rates[0].ends > last:
            rate = rates[0]
            asked = (
                rate.per_minute, rate.fee, rate.minimum, rate.increment, rate.grace, rate.minimum_charge,
                rate.maximum_charge,
            )  # fmt: skip
            cost = known.get(asked)
            if cost is None:
                cost = known[asked] = call.cost(rate, rate.per_minute, rate.fee, currency)
            found[prefix] = BLOCKED if rate.blocked else cost
        elif rates:
            cells = tuple(_cost(rates, call, currency, *then) for then in zip(moments, bands, strict=True))
            if any(cell is not None for cell in cells):
                found[prefix] = cells
    return found


def _cost(rates: Iterable[Rate], call: TypicalCall, currency: str, moment: int, band: str) -> Cost:
    for rate in rates:
        if rate.begins <= moment < rate.ends:
            asked = rate.price_in(band)
            return BLOCKED if rate.blocked else call.cost(rate, asked.per_minute, asked.fee, currency)
    return None


def _walk(
    columns: Sequence[Mapping[str, Cell]], code: Callable[[Sequence[int]], str], states: int
) -> dict[str, tuple[str, ...]]:
    """Return the codes by prefix, without those that say what the next shorter prefix says already.

    Prefixes are visited in the order of their digits, so that what a shorter one says is at hand: one step for each.
    """
    known: dict[tuple[Cell, ...], tuple[str, ...]] = {}

    def coded(cells: tuple[Cell, ...]) -> tuple[str, ...]:
        found = known.get(cells)
        if found is None:
            each = [
                code([cell[state] if isinstance(cell, tuple) else cell for cell in cells])  # type: ignore[misc]
                for state in range(states)
            ]
            found = known[cells] = _same(tuple(each))
        return found

    root: tuple[Cell, ...] = (NOTHING,) * len(columns)
    above: list[tuple[str, tuple[Cell, ...], tuple[str, ...]]] = [("", root, coded(root))]
    rows: dict[str, tuple[str, ...]] = {}
    for prefix in sorted({prefix for column in columns for prefix in column}):
        while not prefix.startswith(above[-1][0]):
            above.pop()
        _shorter, cells, said = above[-1]
        cells = tuple(
            _over(column[prefix], cell) if prefix in column else cell
            for column, cell in zip(columns, cells, strict=True)
        )
        codes = coded(cells)
        if codes != said:
            rows[prefix] = codes
        above.append((prefix, cells, codes))
    return rows


def _over(own: Cell, shorter: Cell) -> Cell:
    """Put what a prefix says over what the shorter one said, state by state."""
    if not isinstance(own, tuple):
        return own
    below = shorter if isinstance(shorter, tuple) else (shorter,) * len(own)
    return tuple(under if each is None else each for each, under in zip(own, below, strict=True))


def _same(each: tuple[T, ...]) -> tuple[T, ...]:
    """Return one of them where all are alike."""
    return each[:1] if len(set(each)) == 1 else each
