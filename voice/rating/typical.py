"""The typical call, by whose cost trunks are compared with each other and with what a customer pays. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Protocol

from django.utils.translation import ngettext

from voice.rating.money import call_micros, half_up
from voice.rating.pricing import billed_seconds

# What an MSP's calls are compared by until it says otherwise: three minutes.
TYPICAL_SECONDS = 180


class Steps(Protocol):
    """What a rate says beside its price a minute and its fee."""

    @property
    def minimum(self) -> int: ...
    @property
    def increment(self) -> int: ...
    @property
    def grace(self) -> int: ...
    @property
    def minimum_charge(self) -> int: ...
    @property
    def maximum_charge(self) -> int | None: ...


class Asked(Steps, Protocol):
    """A rate with its ordinary price."""

    @property
    def per_minute(self) -> int: ...
    @property
    def fee(self) -> int: ...


@dataclass(frozen=True)
class TypicalCall:
    """A call of so many seconds, all in one band, whose cost is told in one currency whatever a deck's is.

    `worth` says what one unit of another currency is in that one: decks in currencies that it lacks are not compared.
    """

    seconds: int
    currency: str
    worth: Mapping[str, Fraction] = field(default_factory=dict)

    def compares(self, currency: str) -> bool:
        """Return whether what decks in a currency ask can be compared."""
        return currency == self.currency or currency in self.worth

    def cost(self, steps: Steps, per_minute: int, fee: int, currency: str) -> int:
        """Return what the call costs by a rate in a currency that is compared, at this price a minute and this fee."""
        billed = billed_seconds(self.seconds, steps.minimum, steps.increment, steps.grace)
        if not billed:
            return 0
        micros = max(fee + call_micros(billed * per_minute), steps.minimum_charge)
        if steps.maximum_charge is not None:
            micros = min(micros, steps.maximum_charge)
        if currency == self.currency:
            return micros
        worth = self.worth[currency]
        return half_up(micros * worth.numerator, worth.denominator)

    def costs(self, asked: Mapping[str, Asked], currency: str) -> dict[str, int]:
        """Return what the call costs at each code of a deck in a currency that is compared, outside its bands."""
        return {code: self.cost(each, each.per_minute, each.fee, currency) for code, each in asked.items()}


def in_words(seconds: int) -> str:
    """Return a length as people say it: whole minutes as such."""
    if seconds % 60:
        return ngettext("%(n)d second", "%(n)d seconds", seconds) % {"n": seconds}
    return ngettext("%(n)d minute", "%(n)d minutes", seconds // 60) % {"n": seconds // 60}
