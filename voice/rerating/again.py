"""Rating the calls of a proposal: read, priced and compared as columns, written to the proposal's own table."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any, ParamSpec, Self, TypeVar

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from portal.db import contexts
from tenants.models import Msp
from voice.rating.loading import Spans, decks_for, spans_of_customers, spans_of_trunks
from voice.rating.pricing import Outcome
from voice.rating.talks import NO_DECK
from voice.rerating import reading, tables
from voice.rerating.deck_columns import flat_deck
from voice.rerating.flat import DIRECTIONS, NUMBER, OUTCOMES, FlatDeck, Ints, as_of
from voice.rerating.groups import combined, first_rows, grouped
from voice.rerating.models import Side, What
from voice.rerating.reading import Posted, Scope, Standing

MOST_CALLS = 125_000
# Reading costs the database more than pricing and writing cost us: two spans at once, while a third is priced.
READERS = 2
NO_OWNER = 0
Place = tuple[str, str]
Moved = Mapping[reading.Key, list[Standing]]
Read = tuple[str, Posted, Moved]
P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class By:
    """By what one side is rated: the decks in force at the answer, or one deck, at all times or as of a moment."""

    deck: int | None = None
    moment: datetime | None = None


@dataclass
class Total:
    """What the calls of one sum come to."""

    calls: int = 0
    was_billed: int = 0
    billed: int = 0
    was_micros: int = 0
    micros: int = 0


@dataclass(frozen=True)
class Group:
    """Calls that have everything but their figures in common; `deck` is 0 for none."""

    side: str
    what: int
    tenant: int
    trunk: int
    direction: int
    outcome: Outcome
    deck: int
    was: Place
    now: Place

    @property
    def direction_name(self) -> str:
        return DIRECTIONS[self.direction]


@dataclass
class Found:
    """What a run found: the sums by group, each with its number, and how many calls it looked at."""

    sums: dict[Group, Total] = field(default_factory=dict)
    numbers: dict[Group, int] = field(default_factory=dict)
    calls: int = 0

    def number(self, group: Group) -> int:
        self.sums.setdefault(group, Total())
        return self.numbers.setdefault(group, len(self.numbers) + 1)


class Run:
    """One proposal being rated, span by span; what it finds is in `found`."""

    def __init__(self, proposal: int, msp: Msp, scope: Scope, sides: Mapping[str, By]) -> None:
        self.proposal, self.msp, self.scope, self.sides = proposal, msp, scope, sides
        self.found, self._places, self._part = Found(), _Places(), 0
        self._decks = {side: _Decks(side, by, scope, self._places) for side, by in sides.items()}

    def spans(self) -> list[tuple[str, datetime, datetime, int]]:
        """Return what `rate` is to be called with, and about how many calls each is."""
        with contexts.msp(self.msp):
            spans = reading.spans_of(self.scope, MOST_CALLS)
        return [(side, *span) for side in self.sides for span in spans]

    def rate_all(self, told: Callable[[int, int], None]) -> Found:
        """Rate the calls of all spans; while one is priced, the one before is written and the next ones are read."""
        spans = self.spans()
        done, total = 0, sum(count for *_span, count in spans)
        with _Apart(READERS) as readers, _Apart(1) as writer:
            waiting = deque(readers.do(self._read, *span[:3]) for span in spans[:READERS])
            following = iter(spans[READERS:])
            written: Future[None] | None = None
            for *_span, count in spans:
                told(done, total)
                side, posted, moved = waiting.popleft().result()
                waiting.extend(readers.do(self._read, *span[:3]) for span in islice(following, 1))
                if len(posted):
                    values = self._rated(side, posted, moved)
                    if written is not None:
                        written.result()
                    self._part += 1
                    written = writer.do(tables.fill, self.proposal, self.scope.msp, self._part, values, len(posted))
                done += count
            if written is not None:
                written.result()
        return self.found

    def _read(self, side: str, first: datetime, last: datetime) -> Read:
        with contexts.msp(self.msp):
            posted = reading.posted(side, self.scope, first, last)
            moved = reading.adjusted(side, self.scope, first, last) if len(posted) else {}
        return side, posted, moved

    def _rated(self, side: str, posted: Posted, moved: Moved) -> dict[str, Any]:
        """Return what is to be written of one span's calls."""
        self.found.calls += len(posted)
        with contexts.msp(self.msp):
            return _Compared(self, side, posted, moved).values


class _Apart:
    """Threads with a connection each; within a transaction none, since another would not see what that has."""

    def __init__(self, threads: int) -> None:
        self._pool = None if connection.in_atomic_block else ThreadPoolExecutor(threads)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def do(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Begin some work and return what it will come to."""
        todo = partial(work, *args, **kwargs)
        if self._pool is not None:
            return self._pool.submit(_and_close, todo)
        now: Future[R] = Future()
        now.set_result(todo())
        return now


def _and_close(work: Callable[[], R]) -> R:
    try:
        return work()
    finally:
        connection.close()


class _Places:
    """Where calls stand in the sums, destination and currency, each with a number."""

    def __init__(self) -> None:
        self.all: list[Place] = [("", "")]
        self._numbers: dict[Place, int] = {("", ""): 0}
        self._of_rates: dict[int, int] = {0: 0}

    def number(self, place: Place) -> int:
        found = self._numbers.get(place)
        if found is None:
            found = self._numbers[place] = len(self.all)
            self.all.append(place)
        return found

    def of_posted(self, rate: Ints) -> Ints:
        """Return the places of posted calls: of the rate's destination, or of no destination in the deck's currency."""
        named, which = grouped(rate)
        unknown = [key for key in named.tolist() if key not in self._of_rates]
        with connection.cursor() as cursor:
            if any(key > 0 for key in unknown):
                cursor.execute(
                    "SELECT r.id, r.destination, d.currency FROM rating_deckrate r"
                    " JOIN rating_ratedeck d ON d.id = r.deck_id WHERE r.id = ANY(%s)",
                    [[key for key in unknown if key > 0]],
                )
                for pk, destination, currency in cursor.fetchall():
                    self._of_rates[pk] = self.number((destination, currency))
            if any(key < 0 for key in unknown):
                cursor.execute(
                    "SELECT id, currency FROM rating_ratedeck WHERE id = ANY(%s)",
                    [[-key for key in unknown if key < 0]],
                )
                for pk, currency in cursor.fetchall():
                    self._of_rates[-pk] = self.number(("", currency))
        return np.array([self._of_rates.get(key, 0) for key in named.tolist()], dtype=np.int64)[which]


class _Decks:
    """The decks of one side, flattened for the scope's period as they are needed."""

    def __init__(self, side: str, by: By, scope: Scope, places: _Places) -> None:
        self.side, self.by, self.places = side, by, places
        self.begins, self.ends = (round(moment.timestamp() * 1000) for moment in (scope.begins, scope.ends))
        self._spans: dict[int, Spans] = {}
        self._flat: dict[int, tuple[FlatDeck, Ints, int]] = {}

    def of_calls(self, owner: Ints, answered: Ints) -> Ints:
        """Return the deck by which each call is rated, 0 for none."""
        if self.by.deck is not None:
            return np.full(len(owner), self.by.deck, dtype=np.int64)
        owners, which = grouped(owner)
        self._learn(owners.tolist())
        always = [self._always(each) for each in owners.tolist()]
        decks = np.array([-1 if deck is None else deck for deck in always], dtype=np.int64)[which]
        for place in np.flatnonzero(decks < 0).tolist():
            decks[place] = self._spans[int(owner[place])].at(int(answered[place])) or 0
        return decks

    def flat(self, deck: int) -> tuple[FlatDeck, Ints, int]:
        """Return a deck as arrays, the place of each of its rates, and that of its calls that are free."""
        known = self._flat.get(deck)
        if known is None:
            flat, currency = self._made(deck)
            places = [self.places.number((destination, currency)) for destination in flat.destinations]
            known = flat, np.array(places, dtype=np.int64), self.places.number(("", currency))
            self._flat[deck] = known
        return known

    def _made(self, deck: int) -> tuple[FlatDeck, str]:
        found = None
        if deck and self.by.moment is None:
            found = flat_deck(deck, self.begins, self.ends)
        elif deck and (loaded := decks_for([deck]).get(deck)):
            held = as_of(loaded.deck, round(self.by.moment.timestamp() * 1000)) if self.by.moment else loaded.deck
            found = FlatDeck.of(held, self.begins, self.ends), held.currency
        return found or (FlatDeck.of(NO_DECK, self.begins, self.ends), "")

    def _learn(self, owners: Iterable[int]) -> None:
        new = [owner for owner in owners if owner not in self._spans]
        if new:
            found = spans_of_customers(new) if self.side == Side.SELL else spans_of_trunks(new)
            self._spans |= {owner: found.get(owner, Spans()) for owner in new}

    def _always(self, owner: int) -> int | None:
        """Return the deck that an owner has for the whole period, None where that changes."""
        for begin, end, deck in self._spans[owner].listed():
            if begin < self.ends and end > self.begins:
                return deck if begin <= self.begins and end >= self.ends else None
        return 0


class _Compared:
    """The calls of one span: what they should come to beside what they came to."""

    def __init__(self, run: Run, side: str, posted: Posted, moved: Moved) -> None:
        self.run, self.side, self.posted, self.places = run, side, posted, run._places
        self.was = self.places.of_posted(posted.rate)
        if moved:
            self._stand_where_adjusted(moved)
        count = len(posted)
        self.outcome = np.zeros(count, dtype=np.int8)
        self.micros, self.billed, self.seconds, self.rate, self.now = (
            np.zeros(count, dtype=np.int64) for _each in range(5)
        )
        self.deck = run._decks[side].of_calls(posted.owner, posted.calls.answered)
        for deck in grouped(self.deck)[0].tolist():
            self._price(deck, np.flatnonzero(self.deck == deck))
        self.what = self._what()
        self.values = self._written()

    def _stand_where_adjusted(self, moved: Moved) -> None:
        posted = self.posted
        keys = zip(posted.tenant.tolist(), posted.id.tolist(), posted.owner.tolist(), strict=True)
        for place, key in enumerate(keys):
            if key in moved:
                where: dict[Place, list[int]] = {}
                destination, currency = self.places.all[self.was[place]]
                begun = (1, int(posted.seconds[place]), int(posted.billed[place]), int(posted.micros[place]))
                for each in (Standing(destination, currency, *begun), *moved[key]):
                    known = where.setdefault((each.destination, each.currency), [0, 0, 0, 0])
                    for number, figure in enumerate((each.calls, each.seconds, each.billed, each.micros)):
                        known[number] += figure
                now = next(place for place, figures in where.items() if figures[0] == 1)
                self.was[place] = self.places.number(now)
                _one, posted.seconds[place], posted.billed[place], posted.micros[place] = where[now]

    def _price(self, deck: int, those: Ints) -> None:
        flat, of_rates, free = self.run._decks[self.side].flat(deck)
        calls = self.posted.calls
        asked = calls if len(those) == len(calls) else calls.some(those)
        prices = flat.price(asked)
        self.outcome[those], self.micros[those] = prices.outcome, prices.micros
        self.billed[those], self.seconds[those] = prices.billed, prices.seconds
        has_rate = prices.rate >= 0
        self.rate[those] = np.where(has_rate, flat.ids[prices.rate], 0) if len(flat.ids) else 0
        self.now[those] = np.where(has_rate, of_rates[prices.rate], free) if len(flat.ids) else free

    def _what(self) -> NDArray[np.int64]:
        posted = self.posted
        is_priced = (self.outcome == NUMBER[Outcome.RATED]) | (self.outcome == NUMBER[Outcome.FREE])
        differs = (
            (self.micros != posted.micros) | (self.billed != posted.billed) | (self.seconds != posted.seconds)
            | (self.now != self.was)
        )  # fmt: skip
        what = np.where(differs, What.CHANGED.value, What.SAME.value)
        what[posted.aside] = What.PRICED.value
        what[~is_priced] = What.LEFT.value
        # What cannot be priced keeps what it has, in figures, too.
        for mine, theirs in ((self.micros, posted.micros), (self.billed, posted.billed), (self.now, self.was)):
            mine[~is_priced] = theirs[~is_priced]
        return what

    def _written(self) -> dict[str, Any]:
        posted = self.posted
        tenants, tenant = grouped(posted.tenant)
        owners, owner = grouped(posted.owner) if self.side == Side.BUY else (None, None)
        decks, deck = grouped(self.deck)
        columns: list[NDArray[Any]] = [self.was, self.now, deck, self.what, self.outcome, posted.direction, tenant]
        keys, which = combined(columns if owner is None else [*columns, owner])
        first, calls = first_rows(which, len(keys)), np.bincount(which)
        numbers = np.zeros(len(first), dtype=np.int64)
        added = [
            _added(which, column, len(first)) for column in (posted.billed, self.billed, posted.micros, self.micros)
        ]
        for place, one in enumerate(first.tolist()):
            group = Group(
                self.side, int(self.what[one]), int(tenants[tenant[one]]),
                NO_OWNER if owners is None or owner is None else int(owners[owner[one]]), int(posted.direction[one]),
                OUTCOMES[self.outcome[one]], int(decks[deck[one]]), self.places.all[self.was[one]],
                self.places.all[self.now[one]],
            )  # fmt: skip
            numbers[place] = self.run.found.number(group)
            total = self.run.found.sums[group]
            total.calls += int(calls[place])
            total.was_billed += int(added[0][place])
            total.billed += int(added[1][place])
            total.was_micros += int(added[2][place])
            total.micros += int(added[3][place])
        return {
            "tenant_id": posted.tenant, "invited": posted.invited, "id": posted.id, "number": numbers[which],
            "rate_id": self.rate, "seconds": self.seconds, "billed": self.billed, "micros": self.micros,
            "was_micros": posted.micros,
        }  # fmt: skip


def _added(which: Ints, figures: Ints, groups: int) -> Ints:
    """Return the sums of figures by group, exactly."""
    sums = np.zeros(groups, dtype=np.int64)
    np.add.at(sums, which, figures)
    return sums
