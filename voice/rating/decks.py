"""A deck in memory: rates by direction, called prefix, caller prefix and time, found by the longest match.

Pure: numbers are digits without `+`, amounts micros, times milliseconds since 1970 (UTC); rules: docs/pricing.md §3.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from voice.rating.bands import ORDINARY, Bands
from voice.rating.money import decimals

# Later than any call: what has no end ends here.
FOREVER = 2**62
_MOST_DIGITS = 15
# Prefixes are counted by their first digits, so that a number is only tried with lengths that occur there.
_HEAD = 3


class BadRate(ValueError):
    """A rate that cannot be meant: no digits, a negative amount, an increment of nothing, an end before its begin."""


class OverlappingRates(ValueError):
    """Two rates of a deck for the same direction, prefix and callers that hold at the same time."""


class Direction(StrEnum):
    """The directions of `voice.calls.models.Direction`."""

    OUT = "out"
    IN = "in"
    INTERNAL = "internal"
    EMERGENCY = "emergency"


class Miss(StrEnum):
    """Why a rate whose prefix begins the called number does not price the call."""

    NOT_YET = "not_yet"
    ENDED = "ended"
    CALLER = "caller"
    SHORTER = "shorter"
    BROADER = "broader"


@dataclass(frozen=True, slots=True)
class BandPrice:
    """What a rate asks in one time band: micros per minute, and micros for the connection."""

    band: str
    per_minute: int
    fee: int


@dataclass(frozen=True, slots=True)
class Rate:
    """The price of calls to numbers that begin with `prefix`, from callers that begin with `callers` (empty is any).

    Amounts are micros, `minimum`, `increment` and `grace` seconds; it holds from `begins` up to, not including, `ends`.
    """

    id: int
    prefix: str
    destination: str
    per_minute: int
    fee: int = 0
    minimum: int = 1
    increment: int = 1
    grace: int = 0
    callers: str = ""
    direction: str = Direction.OUT
    begins: int = 0
    ends: int = FOREVER
    bands: tuple[BandPrice, ...] = ()
    minimum_charge: int = 0
    maximum_charge: int | None = None
    blocked: bool = False

    def __post_init__(self) -> None:
        """Raise BadRate unless the figures can be meant."""
        for digits in (self.prefix, self.callers):
            if digits and not (digits.isascii() and digits.isdigit() and len(digits) <= _MOST_DIGITS):
                raise BadRate(f"{digits[:40]!r} is not a prefix: use up to 15 digits, without + or spaces.")
        most = self.maximum_charge
        if min(self.per_minute, self.fee, self.minimum_charge) < 0 or (most is not None and most < self.minimum_charge):
            raise BadRate(f"{self.prefix}: amounts are not negative, and at most is not less than at least.")
        if any(min(price.per_minute, price.fee) < 0 for price in self.bands):
            raise BadRate(f"{self.prefix}: the amounts of a band are not negative.")
        if self.minimum < 0 or self.increment < 1 or self.grace < 0:
            raise BadRate(f"{self.prefix}: {self.minimum}/{self.increment} with a grace of {self.grace} is no step.")
        if not self.begins < self.ends:
            raise BadRate(f"{self.prefix}: the rate ends before it begins.")

    def price_in(self, band: str) -> BandPrice:
        """Return what the rate asks in a band: the ordinary price, of ORDINARY, where it names none."""
        for price in self.bands:
            if price.band == band:
                return price
        return BandPrice(ORDINARY, self.per_minute, self.fee)


@dataclass(slots=True)
class _Table:
    """The rates of one direction: by prefix, those of the longest caller prefix first, then the newest."""

    rates: dict[str, tuple[Rate, ...]]
    lengths: dict[str, tuple[int, ...]]
    short: tuple[int, ...]


class Deck:
    """The rates of one currency, with the bands that they name and the directions that cost nothing."""

    __slots__ = ("_tables", "bands", "currency", "free")

    def __init__(
        self,
        currency: str,
        rates: Iterable[Rate],
        *,
        bands: Bands | None = None,
        free: Iterable[str] = (Direction.INTERNAL, Direction.EMERGENCY),
    ) -> None:
        """Sort the rates, in whatever order they come; raises OverlappingRates, UnknownCurrency and BadRate."""
        decimals(currency)
        self.currency, self.bands, self.free = currency, bands, frozenset(str(each) for each in free)
        by_direction: dict[str, dict[str, list[Rate]]] = {}
        known = frozenset(window.band for window in bands.windows) if bands else frozenset()
        for rate in rates:
            named = [price.band for price in rate.bands]
            if len(set(named)) < len(named) or not known.issuperset(named):
                raise BadRate(f"{rate.prefix}: {', '.join(named)} are not bands of the plan, each once.")
            by_direction.setdefault(str(rate.direction), {}).setdefault(rate.prefix, []).append(rate)
        self._tables = {direction: _table(by_prefix) for direction, by_prefix in by_direction.items()}

    def find(self, direction: str, called: str, caller: str, at: int) -> Rate | None:
        """Return the rate of the longest called prefix, then the longest caller prefix, that is in force at `at`."""
        table = self._tables.get(direction)
        if table is None:
            return None
        rates = table.rates
        for length in table.lengths.get(called[:_HEAD], table.short):
            found = rates.get(called[:length])
            if found is not None:
                for rate in found:
                    if rate.begins <= at < rate.ends and caller.startswith(rate.callers):
                        return rate
        return None

    def trace(self, direction: str, called: str, caller: str, at: int) -> Iterator[tuple[Rate, Miss | None]]:
        """Yield every rate whose prefix begins the called number, longest first, with what was against it.

        None marks the one that `find` returns; of rates that differ in time only, one is told.
        """
        table = self._tables.get(direction)
        taken: Rate | None = None
        for length in range(min(len(called), _MOST_DIGITS), -1, -1) if table else ():
            assert table is not None
            for rate in _one_of_each_caller(table.rates.get(called[:length], ()), at):
                miss = _miss(rate, caller, at, taken)
                taken = taken or (None if miss else rate)
                yield rate, miss

    def rates(self, direction: str) -> Iterable[tuple[str, tuple[Rate, ...]]]:
        """Return the rates of a direction by prefix, of all callers and times."""
        table = self._tables.get(direction)
        return table.rates.items() if table else ()

    def changes(self, direction: str) -> set[int]:
        """Return the moments at which a rate for any caller begins or ends."""
        return {
            moment
            for _prefix, alike in self.rates(direction)
            for rate in alike
            if not rate.callers
            for moment in (rate.begins, rate.ends)
        }

    def every_rate(self) -> Iterator[Rate]:
        """Yield the rates of all directions, callers and times."""
        for table in self._tables.values():
            for alike in table.rates.values():
                yield from alike

    @property
    def size(self) -> int:
        """How many rates the deck has, of all times."""
        return sum(len(rates) for table in self._tables.values() for rates in table.rates.values())


def _table(by_prefix: dict[str, list[Rate]]) -> _Table:
    rates: dict[str, tuple[Rate, ...]] = {}
    heads: dict[str, set[int]] = {}
    short = {len(prefix) for prefix in by_prefix if len(prefix) < _HEAD}
    for prefix, alike in by_prefix.items():
        if len(alike) > 1:
            alike.sort(key=lambda rate: (-len(rate.callers), rate.callers, -rate.begins))
            _refuse_overlaps(alike)
        rates[prefix] = tuple(alike)
        if len(prefix) >= _HEAD:
            heads.setdefault(prefix[:_HEAD], set()).add(len(prefix))
    lengths = {head: tuple(sorted(found | short, reverse=True)) for head, found in heads.items()}
    return _Table(rates, lengths, tuple(sorted(short, reverse=True)))


def _refuse_overlaps(alike: list[Rate]) -> None:
    for newer, older in pairwise(alike):
        if newer.callers == older.callers and older.ends > newer.begins:
            callers = f" from {newer.callers}" if newer.callers else ""
            raise OverlappingRates(f"{newer.prefix or 'every number'}{callers} has two rates at the same time.")


def _one_of_each_caller(alike: tuple[Rate, ...], at: int) -> Iterator[Rate]:
    """Yield, for each caller prefix, the rate in force, else the last that ended, else the first to come."""
    best: dict[str, Rate] = {}
    for rate in alike:
        known = best.get(rate.callers)
        # The newest come first: each older one is nearer to the moment, until one has begun.
        if known is None or known.begins > at:
            best[rate.callers] = rate
    return iter(best.values())


def _miss(rate: Rate, caller: str, at: int, taken: Rate | None) -> Miss | None:
    if not caller.startswith(rate.callers):
        return Miss.CALLER
    if at < rate.begins:
        return Miss.NOT_YET
    if at >= rate.ends:
        return Miss.ENDED
    if taken is None:
        return None
    return Miss.BROADER if taken.prefix == rate.prefix else Miss.SHORTER
