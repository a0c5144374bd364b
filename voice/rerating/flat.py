"""A deck as arrays, which prices a million calls at once: the same micros as `charge_micros`, call by call.

Prefixes become intervals of fifteen digits, cut so that each has one longest prefix; a call is found by bisection. What
arrays do not tell (callers, a call over two bands, a number shorter than its prefix) is asked of the deck. Pure.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voice.rating.bands import DAY_MS, ORDINARY
from voice.rating.decks import FOREVER, Deck, Direction, Rate
from voice.rating.pricing import Outcome, charge_micros
from voice.rerating.groups import distinct

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
DIRECTIONS = tuple(each.value for each in Direction)
OUTCOMES = tuple(Outcome)
NUMBER = {outcome: np.int8(place) for place, outcome in enumerate(OUTCOMES)}
# Stands for a moment that nobody knows.
UNKNOWN = np.int64(-(2**62))
WIDTH = 15
NONE, ASK = -1, -2
# More changes of a deck than this in one period, and the rest is asked of the deck.
MOST_EPOCHS = 48
# Beyond this a product might not fit into 64 bits; no deck that is meant comes near.
_HUGE = 2.0**61
# What makes a rate, beside its destination and its prices in bands.
COLUMNS = (
    "id", "direction", "start", "length", "begins", "ends", "per_minute", "fee", "minimum", "increment", "grace",
    "at_least", "at_most", "any_caller", "blocked", "banded",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Calls:
    """Answered calls, a column each; numbers are fixed texts such as `+4930`, ended by blanks, times ms since 1970."""

    direction: NDArray[np.int8]
    called: NDArray[np.uint8]
    caller: NDArray[np.uint8]
    answered: Ints
    ended: Ints

    def __len__(self) -> int:
        return len(self.answered)

    def some(self, those: Ints) -> "Calls":
        """Return the calls at these places."""
        return Calls(
            self.direction[those], self.called[those], self.caller[those], self.answered[those], self.ended[those]
        )


@dataclass(frozen=True, slots=True)
class Prices:
    """What `charge_micros` returns of each call, and its seconds; a rate by its place in the deck, NONE for none."""

    outcome: NDArray[np.int8]
    micros: Ints
    billed: Ints
    seconds: Ints
    rate: Ints


def as_of(deck: Deck, moment: int) -> Deck:
    """Return a deck that holds at all times what this one held at a moment."""
    held = (rate for rate in deck.every_rate() if rate.begins <= moment < rate.ends)
    return Deck(
        deck.currency, (replace(rate, begins=0, ends=FOREVER) for rate in held), bands=deck.bands, free=deck.free
    )


class FlatDeck:
    """A deck's rates for calls answered from `begins` up to `ends`, in milliseconds since 1970."""

    def __init__(self, rates: "Rates", free: Iterable[str], ask: Callable[[], Deck], begins: int, ends: int) -> None:
        """Make the maps of the rates; `ask` returns the deck itself, and is only asked where arrays do not tell."""
        self.begins, self.ends = begins, max(ends, begins + 1)
        self._rates, self._deck = rates, ask
        self.ids, self.destinations = rates.id, rates.destinations
        self._places: dict[int, int] = {}
        self._free = np.array([direction in frozenset(free) for direction in DIRECTIONS])
        self._maps = {
            direction: _maps(rates, np.flatnonzero(rates.direction == place), begins, self.ends)
            for place, direction in enumerate(DIRECTIONS)
        }

    @classmethod
    def of(cls, deck: Deck, begins: int, ends: int) -> "FlatDeck":
        """Return a deck as arrays."""
        held = [rate for rate in deck.every_rate() if rate.begins < max(ends, begins + 1) and rate.ends > begins]
        return cls(Rates.of(held, deck), deck.free, lambda: deck, begins, ends)

    def price(self, calls: Calls) -> Prices:
        """Return what each of the calls costs; each was answered within the deck's period."""
        length = calls.ended - calls.answered
        unended = calls.ended == UNKNOWN
        outcome = np.full(len(calls), NUMBER[Outcome.RATED], dtype=np.int8)
        outcome[length > DAY_MS] = NUMBER[Outcome.TOO_LONG]
        outcome[length <= 0] = NUMBER[Outcome.NO_LENGTH]
        outcome[unended] = NUMBER[Outcome.NO_END]
        seconds = np.where((length > 0) & ~unended, -(-length // 1000), 0)
        outcome[self._free[calls.direction]] = NUMBER[Outcome.FREE]
        found = Prices(outcome, np.zeros_like(seconds), np.zeros_like(seconds), seconds, np.full_like(seconds, NONE))
        whole, digits = numbers(calls.called)
        outcome[(outcome == NUMBER[Outcome.RATED]) & (digits == 0)] = NUMBER[Outcome.NO_NUMBER]
        todo = outcome == NUMBER[Outcome.RATED]
        for place, direction in enumerate(DIRECTIONS):
            mine = np.flatnonzero(todo & (calls.direction == place))
            if len(mine):
                self._price(calls, found, mine, self._found(direction, whole[mine], digits[mine], calls.answered[mine]))
        return found

    def _found(self, direction: str, whole: Ints, digits: Ints, answered: Ints) -> Ints:
        """Return the place of the rate of each number, NONE where there is none, ASK where the deck has to be asked."""
        maps = self._maps[direction]
        rate = np.full(len(whole), NONE, dtype=np.int64)
        epoch = np.searchsorted(maps.begins, answered, side="right") - 1
        for place, (bounds, owners) in enumerate(maps.maps):
            those = slice(None) if len(maps.maps) == 1 else epoch == place
            rate[those] = owners[np.searchsorted(bounds, whole[those], side="right") - 1]
        # 17 is padded to 170…, which is no proof that it begins with 170.
        hit = np.flatnonzero(rate >= 0)
        rate[hit[self._rates.length[rate[hit]] > digits[hit]]] = ASK
        return rate

    def _price(self, calls: Calls, found: Prices, mine: Ints, rate: Ints) -> None:
        found.outcome[mine[rate == NONE]] = NUMBER[Outcome.UNRATED]
        ask = mine[rate == ASK]
        known = rate >= 0
        mine, rate, rates = mine[known], rate[known], self._rates
        found.rate[mine] = rate
        blocked = rates.blocked[rate]
        found.outcome[mine[blocked]] = NUMBER[Outcome.BLOCKED]
        mine, rate = mine[~blocked], rate[~blocked]
        per_minute, fee, split = self._asked(rate, calls.answered[mine], found.seconds[mine])
        ask = np.concatenate([ask, mine[split]])
        seconds, minimum = found.seconds[mine], rates.minimum[rate]
        steps = -((minimum - seconds) // rates.increment[rate])
        billed = np.where(seconds <= minimum, minimum, minimum + steps * rates.increment[rate])
        billed[seconds <= rates.grace[rate]] = 0
        micros = fee + (billed * per_minute + 30) // 60
        micros = np.minimum(np.maximum(micros, rates.at_least[rate]), rates.at_most[rate])
        found.billed[mine] = billed
        found.micros[mine] = np.where(billed == 0, 0, micros)
        self._ask(calls, found, ask)

    def _asked(self, rate: Ints, answered: Ints, seconds: Ints) -> tuple[Ints, Ints, Bools]:
        """Return price, fee and whether a call talks in more than one band, of calls with these rates."""
        rates = self._rates
        per_minute, fee = rates.per_minute[rate], rates.fee[rate]
        split = np.zeros(len(rate), dtype=np.bool_)
        if not rates.banded.any():
            return per_minute, fee, split
        bands = self._deck().bands
        banded = np.flatnonzero(rates.banded[rate])
        if bands is not None and len(banded):
            begins, names = bands.line(self.begins, self.ends + DAY_MS)
            edges, which = np.array(begins), np.array([rates.bands[name] for name in names])
            first = np.searchsorted(edges, answered[banded], side="right") - 1
            last = np.searchsorted(edges, answered[banded] + (seconds[banded] - 1) * 1000, side="right") - 1
            split[banded] = first != last
            per_minute[banded] = rates.band_per_minute[which[first], rate[banded]]
            fee[banded] = rates.band_fee[which[first], rate[banded]]
        return per_minute, fee, split

    def _ask(self, calls: Calls, found: Prices, those: Ints) -> None:
        if not len(those):
            return
        deck = self._deck()
        if not self._places:
            self._places = {pk: place for place, pk in enumerate(self.ids.tolist())}
        columns = (calls.direction, calls.answered, calls.ended)
        for place, direction, answered, ended in zip(
            those.tolist(), *(column[those].tolist() for column in columns), strict=True
        ):
            outcome, micros, billed, rate = charge_micros(
                deck, DIRECTIONS[direction], text(calls.called[place]), text(calls.caller[place]), answered, ended
            )
            found.outcome[place], found.micros[place], found.billed[place] = NUMBER[outcome], micros, billed
            found.rate[place] = self._places[rate.id] if rate else NONE


def numbers(written: NDArray[np.uint8]) -> tuple[Ints, Ints]:
    """Return numbers such as `+4930` as fifteen digits, and how many of these were written; 0 where it is no number."""
    # A row for each place of the number: what is done fifteen times is done to a million numbers at once.
    letters = np.ascontiguousarray(written[:, 1 : WIDTH + 1].T)
    digits = letters - np.uint8(48)  # what comes before 0 is far beyond 9 then
    is_digit = digits <= 9
    # Digits come first and only blanks after them.
    fits = (is_digit | (letters == 32)).all(axis=0) & (written[:, 0] == 43)
    fits &= (is_digit[:-1] | ~is_digit[1:]).all(axis=0)
    digits *= is_digit
    whole = np.zeros(len(written), dtype=np.int64)
    for place in digits:
        whole *= 10
        whole += place
    return whole, np.where(fits, is_digit.sum(axis=0, dtype=np.int64), 0)


def text(written: NDArray[np.uint8]) -> str:
    """Return a number as `charge_micros` takes it: its digits, nothing where it is no number of the world."""
    whole: str = written.tobytes().decode("ascii").rstrip(" ")
    return whole[1:] if whole[:1] == "+" else ""


def fixed(numbers_: Iterable[str]) -> NDArray[np.uint8]:
    """Return texts such as `+4930` as `Calls` keeps them; of longer ones the end is not looked at."""
    whole = "".join(number[: WIDTH + 1].ljust(WIDTH + 1) for number in numbers_)
    return np.frombuffer(whole.encode("ascii"), dtype=np.uint8).reshape(-1, WIDTH + 1)


@dataclass(frozen=True, slots=True)
class _Maps:
    """The intervals of one direction: a map for each epoch of the deck, by its first moment."""

    begins: Ints
    maps: list[tuple[Ints, Ints]]


class Rates:
    """Rates, a column each; prefixes are their first number of fifteen digits with how many they have themselves."""

    def __init__(self, columns: Mapping[str, Any], destinations: list[str]) -> None:
        """Take the columns that `COLUMNS` names, all equally long."""
        whole = {name: columns[name].astype(np.int64) for name in COLUMNS}
        self.id: Ints = whole["id"]
        self.direction: Ints = whole["direction"]
        self.start: Ints = whole["start"]
        self.length: Ints = whole["length"]
        self.begins: Ints = whole["begins"]
        self.ends: Ints = whole["ends"]
        self.per_minute: Ints = whole["per_minute"]
        self.fee: Ints = whole["fee"]
        self.minimum: Ints = whole["minimum"]
        self.increment: Ints = whole["increment"]
        self.grace: Ints = whole["grace"]
        self.at_least: Ints = whole["at_least"]
        self.at_most: Ints = whole["at_most"]
        self.any_caller: Bools = whole["any_caller"] != 0
        self.blocked: Bools = whole["blocked"] != 0
        self.banded: Bools = whole["banded"] != 0
        self.destinations = destinations
        self.bands = {ORDINARY: 0}
        self.band_per_minute, self.band_fee = self.per_minute[None, :], self.fee[None, :]
        self._weigh()

    @classmethod
    def of(cls, rates: list[Rate], deck: Deck) -> "Rates":
        """Return rates of a deck as columns, with what they ask in its bands."""
        place = {direction: number for number, direction in enumerate(DIRECTIONS)}
        asked: dict[str, Iterable[int]] = {
            "id": (rate.id for rate in rates),
            "direction": (place[str(rate.direction)] for rate in rates),
            "start": (int(rate.prefix.ljust(WIDTH, "0")) for rate in rates),
            "length": (len(rate.prefix) for rate in rates),
            "at_least": (rate.minimum_charge for rate in rates),
            "at_most": (FOREVER if rate.maximum_charge is None else rate.maximum_charge for rate in rates),
            "any_caller": (not rate.callers for rate in rates),
            "banded": (bool(rate.bands) for rate in rates),
        }
        for name in ("begins", "ends", "per_minute", "fee", "minimum", "increment", "grace", "blocked"):
            asked[name] = [getattr(rate, name) for rate in rates]
        columns = {name: np.fromiter(values, dtype=np.int64, count=len(rates)) for name, values in asked.items()}
        made = cls(columns, [rate.destination for rate in rates])
        if deck.bands is not None and made.banded.any():
            names = sorted({window.band for window in deck.bands.windows})
            made.bands |= {name: number for number, name in enumerate(names, 1)}
            prices = [[rate.price_in(name) for rate in rates] for name in (ORDINARY, *names)]
            made.band_per_minute = np.array([[each.per_minute for each in row] for row in prices], dtype=np.int64)
            made.band_fee = np.array([[each.fee for each in row] for row in prices], dtype=np.int64)
            made._weigh()
        return made

    def _weigh(self) -> None:
        longest = np.maximum(self.minimum, DAY_MS // 1000) + self.increment
        most = self.band_per_minute.max(axis=0, initial=0) * 1.0 * longest
        dearest = np.maximum(self.band_fee.max(axis=0, initial=0), np.where(self.at_most == FOREVER, 0, self.at_most))
        self.plain: Bools = (most < _HUGE) & (np.maximum(dearest, self.at_least) < _HUGE)


def _maps(rates: Rates, mine: Ints, begins: int, ends: int) -> _Maps:
    """Return the intervals of one direction's rates for each span of time in which they stay as they are."""
    changes = distinct(np.concatenate([rates.begins[mine], rates.ends[mine]]))
    changes = changes[(changes > begins) & (changes < ends)][: MOST_EPOCHS - 1]
    edges = np.concatenate([[begins], changes, [ends]]).astype(np.int64)
    return _Maps(edges[:-1], [_map(rates, mine, *edges[place : place + 2]) for place in range(len(edges) - 1)])


def _map(rates: Rates, mine: Ints, begins: int, ends: int) -> tuple[Ints, Ints]:
    """Return where intervals begin, and the place of the rate of each: NONE, or ASK where it is not one rate alone."""
    mine = mine[(rates.begins[mine] < ends) & (rates.ends[mine] > begins)]
    start, length = rates.start[mine], rates.length[mine]
    width = 10 ** (WIDTH - length)
    bounds = distinct(np.concatenate([[0], start, start + width]))
    owners = np.full(len(bounds), NONE, dtype=np.int64)
    steady = rates.any_caller[mine] & (rates.begins[mine] <= begins) & (rates.ends[mine] >= ends) & rates.plain[mine]
    for digits in distinct(length).tolist():
        those = np.flatnonzero(length == digits)
        those = those[np.argsort(start[those], kind="stable")]
        starts, first, count = np.unique(start[those], return_index=True, return_counts=True)
        owner = np.where((count == 1) & steady[those[first]], mine[those[first]], ASK)
        at = np.searchsorted(starts, bounds, side="right") - 1
        inside = (at >= 0) & (bounds < starts[at] + 10 ** (WIDTH - digits))
        owners[inside] = owner[at[inside]]
    return bounds, owners
