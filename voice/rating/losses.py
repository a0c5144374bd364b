"""Where calls are sold for less than they are bought, and which countries a deck has lost. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

from voice.rating.comparing import longest


@dataclass(frozen=True, slots=True)
class Loss:
    """Calls to numbers that begin with `prefix`: what a typical one brings, and what it costs by the cheapest deck."""

    prefix: str
    sell: int
    buy: int
    seller: str
    buyer: str


def losses(sells: Sequence[tuple[str, Mapping[str, int]]], buys: Sequence[tuple[str, Mapping[str, int]]]) -> list[Loss]:
    """Return every code at which a call is sold for less than it costs by the cheapest deck, the largest loss first.

    A selling code may cover dearer ones of the carrier (44 sold, 447 bought), so the codes of both sides are tried."""
    found = []
    codes = {code for _name, prices in buys for code in prices}
    for name, prices in sells:
        for prefix in codes.union(prices):
            sell = longest(prices, prefix)
            if sell is None:
                continue
            asked = [(buy, deck) for deck, theirs in buys if (buy := longest(theirs, prefix)) is not None]
            if asked and sell < min(asked)[0]:
                buy, deck = min(asked)
                found.append(Loss(prefix, sell, buy, name, deck))
    return sorted(found, key=lambda loss: (loss.sell - loss.buy, loss.prefix))


def country_code_of(prefix: str) -> str:
    """Return the calling code of the country or service to which a code belongs; nothing where there is none."""
    return next((prefix[:size] for size in (1, 2, 3) if int(prefix[:size] or 0) in COUNTRY_CODE_TO_REGION_CODE), "")


def lost_countries(before: Iterable[str], after: Mapping[str, object]) -> list[str]:
    """Return the calling codes to which a deck had codes and has no price any more, not even by a shorter code."""
    had = {country_code_of(prefix) for prefix in before} - {""}
    has = {country_code_of(prefix) for prefix in after}
    return sorted(code for code in had - has if longest(after, code) is None)
