"""What a call costs by a deck: `price` with every step that led there, `charge_micros` the same without them.

Pure: a call and a deck go in, no clock and no database; docs/pricing.md has the rules and the examples that tests run.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from voice.rating.bands import DAY_MS, ORDINARY
from voice.rating.decks import Deck, Direction, Rate
from voice.rating.money import call_micros


class Outcome(StrEnum):
    """What became of a call; only RATED calls can cost anything."""

    RATED = "rated"
    FREE = "free"
    UNANSWERED = "unanswered"
    UNRATED = "unrated"
    BLOCKED = "blocked"
    NO_NUMBER = "no_number"
    NO_END = "no_end"
    NO_LENGTH = "no_length"
    TOO_LONG = "too_long"

    @property
    def is_kept_aside(self) -> bool:
        """Whether a person, a rate or an end has to come before the call can be billed."""
        return self not in (Outcome.RATED, Outcome.FREE, Outcome.UNANSWERED)


class Rule(StrEnum):
    """What a step did; the first is always ANSWERED, the last TOTAL or KEPT_ASIDE."""

    ANSWERED = "answered"
    DIRECTION = "direction"
    PREFIX = "prefix"
    BILLED = "billed"
    GRACE = "grace"
    PART = "part"
    FEE = "fee"
    ROUNDED = "rounded"
    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    TOTAL = "total"
    KEPT_ASIDE = "kept_aside"


@dataclass(frozen=True, slots=True)
class Call:
    """What pricing needs of a call: digits without `+`, milliseconds since 1970 (UTC), None where unknown."""

    called: str
    caller: str
    answered: int | None
    ended: int | None
    direction: str = Direction.OUT


@dataclass(frozen=True, slots=True)
class Step:
    """One step with its figures, ready for JSON: seconds, micros, prefixes and names by what they are."""

    rule: Rule
    values: Mapping[str, int | str]


@dataclass(frozen=True, slots=True)
class Part:
    """The seconds of a call in one band; `second_rates` is seconds × micros per minute, exact."""

    band: str
    seconds: int
    per_minute: int

    @property
    def second_rates(self) -> int:
        return self.seconds * self.per_minute


@dataclass(frozen=True, slots=True)
class Charge:
    """What a call costs, in micros of `currency`: 0 for all that is not RATED; with the steps in their order."""

    outcome: Outcome
    micros: int
    currency: str
    seconds: int
    billed: int
    rate: Rate | None
    parts: tuple[Part, ...]
    steps: tuple[Step, ...]


# Outcome, micros, billed seconds, rate: what a million calls leave behind.
Rated = tuple[Outcome, int, int, Rate | None]


def answered_seconds(answered: int | None, ended: int | None) -> tuple[int, Outcome]:
    """Return the seconds from answer to end, rounded up, with RATED; 0 and why not where there is no such length.

    One that is too long keeps its seconds, for whoever looks at it.
    """
    if answered is None:
        return 0, Outcome.UNANSWERED
    if ended is None:
        return 0, Outcome.NO_END
    length = ended - answered
    if length <= 0:
        return 0, Outcome.NO_LENGTH
    # Nodes end calls after twelve hours: more than a day is a clock that jumped.
    return -(-length // 1000), Outcome.TOO_LONG if length > DAY_MS else Outcome.RATED


def billed_seconds(seconds: int, minimum: int, increment: int, grace: int) -> int:
    """Return the seconds that are paid for: none within the grace, else the minimum and as many whole increments."""
    if seconds <= grace:
        return 0
    if seconds <= minimum:
        return minimum
    return minimum - (minimum - seconds) // increment * increment


def charge_micros(
    deck: Deck, direction: str, called: str, caller: str, answered: int | None, ended: int | None
) -> Rated:
    """Return what `price` says of the same call, without the steps; arguments as in `Call`."""
    if answered is None or ended is None or direction in deck.free or not 0 < ended - answered <= DAY_MS:
        outcome = answered_seconds(answered, ended)[1]
        free = outcome is not Outcome.UNANSWERED and direction in deck.free
        return Outcome.FREE if free else outcome, 0, 0, None
    if not (called.isdigit() and called.isascii()):
        return Outcome.NO_NUMBER, 0, 0, None
    rate = deck.find(direction, called, caller, answered)
    if rate is None:
        return Outcome.UNRATED, 0, 0, None
    if rate.blocked:
        return Outcome.BLOCKED, 0, 0, rate
    seconds = -((answered - ended) // 1000)
    billed = billed_seconds(seconds, rate.minimum, rate.increment, rate.grace)
    if not billed:
        return Outcome.RATED, 0, 0, rate
    if rate.bands and deck.bands is not None:
        split = deck.bands.split(answered, seconds)
        second_rates = (billed - seconds) * rate.price_in(split[-1][0]).per_minute
        for band, count in split:
            second_rates += count * rate.price_in(band).per_minute
        micros = rate.price_in(split[0][0]).fee + call_micros(second_rates)
    else:
        micros = rate.fee + call_micros(billed * rate.per_minute)
    if micros < rate.minimum_charge:
        micros = rate.minimum_charge
    if rate.maximum_charge is not None and micros > rate.maximum_charge:
        micros = rate.maximum_charge
    return Outcome.RATED, micros, billed, rate


def price(call: Call, deck: Deck) -> Charge:
    """Return what a call costs by a deck, with each step that led there."""
    return _Pricing(call, deck).charge()


class _Pricing:
    """One call on its way through the rules, noting each step."""

    def __init__(self, call: Call, deck: Deck) -> None:
        self.call, self.deck = call, deck
        self.steps: list[Step] = []
        self.rate: Rate | None = None
        self.parts: tuple[Part, ...] = ()
        self.seconds = self.billed = 0

    def charge(self) -> Charge:
        outcome, micros = self._outcome(), 0
        if outcome is Outcome.RATED:
            micros = self._amount()
        if outcome.is_kept_aside:
            self._note(Rule.KEPT_ASIDE, outcome=outcome.value)
        else:
            self._note(Rule.TOTAL, micros=micros)
        steps = tuple(self.steps)
        return Charge(outcome, micros, self.deck.currency, self.seconds, self.billed, self.rate, self.parts, steps)

    def _note(self, rule: Rule, **values: int | str) -> None:
        self.steps.append(Step(rule, values))

    def _outcome(self) -> Outcome:
        call = self.call
        self.seconds, outcome = answered_seconds(call.answered, call.ended)
        self._note(Rule.ANSWERED, seconds=self.seconds)
        if outcome is Outcome.UNANSWERED:
            return outcome
        if call.direction in self.deck.free:
            self._note(Rule.DIRECTION, direction=str(call.direction))
            return Outcome.FREE
        if outcome is not Outcome.RATED:
            return outcome
        if not (call.called.isascii() and call.called.isdigit()):
            return Outcome.NO_NUMBER
        self._find_rate()
        if self.rate is None:
            return Outcome.UNRATED
        return Outcome.BLOCKED if self.rate.blocked else Outcome.RATED

    def _find_rate(self) -> None:
        call = self.call
        assert call.answered is not None
        for rate, miss in self.deck.trace(call.direction, call.called, call.caller, call.answered):
            if miss is None:
                self.rate = rate
            against: dict[str, int | str] = {"miss": miss.value} if miss else {}
            self._note(
                Rule.PREFIX, prefix=rate.prefix, callers=rate.callers, destination=rate.destination, rate=rate.id,
                **against,
            )  # fmt: skip

    def _amount(self) -> int:
        rate, seconds = self.rate, self.seconds
        assert rate is not None and self.call.answered is not None
        if seconds <= rate.grace:
            self._note(Rule.GRACE, seconds=seconds, grace=rate.grace)
            return 0
        self.billed = billed_seconds(seconds, rate.minimum, rate.increment, rate.grace)
        self._note(
            Rule.BILLED, seconds=seconds, minimum=rate.minimum, increment=rate.increment, billed=self.billed
        )  # fmt: skip
        self.parts = _parts(self.deck, rate, self.call.answered, seconds, self.billed)
        for part in self.parts:
            self._note(Rule.PART, band=part.band, seconds=part.seconds, per_minute=part.per_minute)
        second_rates = sum(part.second_rates for part in self.parts)
        talked = call_micros(second_rates)
        self._note(Rule.ROUNDED, numerator=second_rates, denominator=60, micros=talked)
        fee = rate.price_in(self.parts[0].band).fee
        if fee:
            self._note(Rule.FEE, band=self.parts[0].band, fee=fee)
        return self._within_limits(rate, talked + fee)

    def _within_limits(self, rate: Rate, micros: int) -> int:
        if micros < rate.minimum_charge:
            self._note(Rule.AT_LEAST, before=micros, micros=rate.minimum_charge)
            return rate.minimum_charge
        if rate.maximum_charge is not None and micros > rate.maximum_charge:
            self._note(Rule.AT_MOST, before=micros, micros=rate.maximum_charge)
            return rate.maximum_charge
        return micros


def _parts(deck: Deck, rate: Rate, answered: int, seconds: int, billed: int) -> tuple[Part, ...]:
    """Return the billed seconds by band; what rounding up added belongs to the last."""
    if not rate.bands or deck.bands is None:
        return (Part(ORDINARY, billed, rate.per_minute),)
    parts: list[Part] = []
    for name, count in deck.bands.split(answered, seconds):
        asked = rate.price_in(name)
        if parts and parts[-1].band == asked.band:
            count += parts.pop().seconds
        parts.append(Part(asked.band, count, asked.per_minute))
    parts[-1] = replace(parts[-1], seconds=parts[-1].seconds + billed - seconds)
    return tuple(parts)
