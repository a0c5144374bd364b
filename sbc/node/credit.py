"""What a customer's money still allows, as a row of the portal's says it. Pure: no clock, no Kamailio.

The value of `cr 17` is `l=…;q=…;o=…;i=…;n=…;c=…;p=…`: what is left in micros, counted up to which record of this node;
the class of outgoing calls that no prefix names, of incoming and of internal ones; for each class the longest call; and
its price. A class is a few destinations under the dearest of their prices.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from sbc.protocol import Row

UNLIMITED = "x"
PREFIXES = 3  # digits of the longest prefix that names a class


@dataclass(frozen=True, slots=True)
class Price:
    """What a call of a class costs: amounts in micros, lengths in seconds; `most` of None is no ceiling."""

    per_minute: int
    fee: int
    minimum: int
    increment: int
    least: int
    most: int | None

    @property
    def is_free(self) -> bool:
        return self.most == 0 or self.per_minute == self.fee == self.least == 0

    def sixtieths(self, seconds: int) -> int:
        """Return what a call of this length costs, in sixtieths of a micro: nothing is rounded."""
        if seconds <= 0:
            return 0
        billed = self.minimum + -(-max(0, seconds - self.minimum) // self.increment) * self.increment
        cost = max(self.per_minute * billed + 60 * self.fee, 60 * self.least)
        return cost if self.most is None else min(cost, 60 * self.most)

    @classmethod
    def read(cls, text: str) -> "Price":
        """Read `20000:0:60:60:0:-`."""
        *numbers, most = text.split(":")
        per_minute, fee, minimum, increment, least = map(int, numbers)
        return cls(per_minute, fee, max(1, minimum), max(1, increment), least, None if most == "-" else int(most))


@dataclass(frozen=True, slots=True)
class Credit:
    """What is left for a customer's calls over this node, and what calls cost."""

    left: int
    counted: int
    outgoing: int
    incoming: int
    internal: int
    prices: tuple[Price, ...]

    def price_of(self, direction: str, called: str, prefixes: dict[str, str]) -> Price | None:
        """Return the price of a call, None where it costs nothing; `prefixes` are the customer's rows by digits."""
        place = {"out": self.outgoing, "in": self.incoming, "internal": self.internal}.get(direction)
        if place is None:
            return None  # emergency: whatever it costs, it is not counted here
        if direction == "out":
            digits = called.lstrip("+")
            found = (prefixes.get(digits[:length]) for length in range(PREFIXES, 0, -1))
            place = int(next((each for each in found if each is not None), place))
        price = self.prices[place]
        return None if price.is_free else price


@lru_cache(4096)
def read(value: str) -> Credit:
    """Read the value of a `cr` row; raises ValueError where it makes no sense."""
    try:
        said = dict(part.split("=", 1) for part in value.split(";"))
        prices = tuple(map(Price.read, said["p"].split(".")))
        credit = Credit(int(said["l"]), int(said["q"]), int(said["o"]), int(said["i"]), int(said["n"]), prices)
    except (KeyError, ValueError) as error:
        raise ValueError(f"not a credit: {error}") from None
    if not all(0 <= place < len(prices) for place in (credit.outgoing, credit.incoming, credit.internal)):
        raise ValueError("a class that has no price")
    if len(said.get("c", "").split(".")) != len(prices):
        raise ValueError("not a longest call for each class")
    return credit


def refusal(number: str, row: Row) -> str | None:
    """Say why a customer's credit may not set this row, or None when it may."""
    customer, mark, digits = row.key.partition(":")
    if customer != number:
        return "a credit belongs to the customer that it names"
    if mark:
        known = digits.isdigit() and len(digits) <= PREFIXES and row.value.isdigit()
        return None if known else "not a prefix and its class"
    try:
        read(row.value)
    except ValueError as error:
        return str(error)
    return None


def lasts(left: int, running: Sequence[tuple[Price, int]], most: int) -> int | None:
    """Return for how many seconds calls can go on until they have used up what is left; None for `most` and longer.

    `running` are prices and how long each call has lasted; what they cost so far is part of what is left. A call that
    begins now has lasted 0, and the answer is 0 where not even its minimum is paid for.
    """

    def fits(seconds: int) -> bool:
        return sum(price.sixtieths(lasted + seconds) for price, lasted in running) <= left * 60

    if fits(most):
        return None
    low, high = 0, most
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


def longest_calls(left: int, running: Sequence[tuple[Price, int]], prices: Iterable[Price], most: int) -> str:
    """Return the longest call of each class, were it to begin now beside those that run: `x.600.0`."""
    return ".".join(_longest(left, running, price, most) for price in prices)


def _longest(left: int, running: Sequence[tuple[Price, int]], price: Price, most: int) -> str:
    if price.is_free:
        return UNLIMITED
    seconds = lasts(left, [*running, (price, 0)], most)
    return UNLIMITED if seconds is None else str(seconds)
