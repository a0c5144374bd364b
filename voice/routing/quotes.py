"""What one call would cost over each trunk of the MSP, and bring: what `choose` sorts by. Pure."""

from collections.abc import Iterable, Mapping, Sequence

from voice.rating.cheapest import Span
from voice.rating.decks import Deck, Direction
from voice.rating.typical import TypicalCall
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
    call: TypicalCall,
) -> Quotes:
    """Return what a typical call to these digits costs at a moment (ms), for any caller, by the decks in force."""
    asks = {trunk: asked(_in_force(spans.get(trunk, ()), decks, at), called, at, call) for trunk in shared}
    pays = None if sell is None or Direction.OUT in sell.free else asked(sell, called, at, call).cost
    return Quotes(asks, pays, protects)


def _in_force(spans: Sequence[Span], decks: Mapping[int, Deck], at: int) -> Deck | None:
    return next((decks[deck] for begins, ends, deck in spans if begins <= at < ends and deck in decks), None)


def asked(deck: Deck | None, called: str, at: int, call: TypicalCall) -> Ask:
    """Return what the call costs by a deck, in the band that holds at the moment."""
    if deck is None or not call.compares(deck.currency):
        return Ask()
    if Direction.OUT in deck.free:
        return Ask(0)
    rate = deck.find(Direction.OUT, called, "", at)
    if rate is None or rate.blocked:
        return Ask(blocked=rate is not None)
    price = rate.price_in(deck.bands.at(at) if deck.bands else "")
    return Ask(call.cost(rate, price.per_minute, price.fee, deck.currency))
