"""What one call would cost over each trunk of the MSP, and bring: what `choose` sorts by. Pure."""

from collections.abc import Iterable, Mapping, Sequence

from voice.rating.cheapest import Span, main_currency
from voice.rating.decks import Deck, Direction
from voice.routing.choose import Ask, Quotes


def quotes_for(
    called: str,
    at: int,
    *,
    shared: Iterable[str],
    spans: Mapping[str, Sequence[Span]],
    decks: Mapping[int, Deck],
    sell: Deck | None,
    protects: bool,
    since: int,
) -> Quotes:
    """Return the prices a minute of a call to these digits at a moment (ms), for any caller, by the decks in force.

    Of what is planned, what holds at `since` or later says in which currency trunks are compared.
    """
    currency = main_currency(spans, decks, since)
    costs = {trunk: _asked(spans.get(trunk, ()), decks, called, at) for trunk in shared}
    asks = {trunk: ask if its == currency else Ask() for trunk, (ask, its) in costs.items()}
    pays = _sold(sell, called, at) if sell is not None and sell.currency == currency else None
    return Quotes(asks, pays, protects)


def _asked(spans: Sequence[Span], decks: Mapping[int, Deck], called: str, at: int) -> tuple[Ask, str]:
    deck = next((decks[deck] for begins, ends, deck in spans if begins <= at < ends and deck in decks), None)
    if deck is None:
        return Ask(), ""
    if Direction.OUT in deck.free:
        return Ask(0), deck.currency
    price, blocked = _price(deck, called, at)
    return Ask(price, blocked), deck.currency


def _sold(deck: Deck, called: str, at: int) -> int | None:
    if Direction.OUT in deck.free:
        return None
    return _price(deck, called, at)[0]


def _price(deck: Deck, called: str, at: int) -> tuple[int | None, bool]:
    rate = deck.find(Direction.OUT, called, "", at)
    if rate is None:
        return None, False
    if rate.blocked:
        return None, True
    return rate.price_in(deck.bands.at(at) if deck.bands else "").per_minute, False
