"""What a call would cost over each trunk, read for one call: what the simulator ranks by, and the MSP may see."""

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from portal.db import contexts
from tenants.models import Customer, Msp
from voice.carriers.models import Trunk
from voice.rating.cheapest import main_currency
from voice.rating.loading import deck_around, spans_of_trunks
from voice.rating.ranking import protecting_deck, typical_seconds, with_protection
from voice.rating.typical import TypicalCall
from voice.routing.choose import Quotes
from voice.routing.quotes import asked, quotes_for
from voice.routing.yardstick import Yardstick, yardstick


@dataclass(frozen=True)
class Priced:
    """The quotes of a call with the typical one that they are about.

    `pays` is what the customer pays for that in its own `currency`, None where its deck says no price.
    """

    quotes: Quotes
    by: Yardstick
    pays: int | None
    currency: str


def priced(customer: Customer, called: str, at: datetime) -> Priced:
    """Return what a typical call by the customer would cost and bring.

    Decks are read as the role of the nodes: the customer may be shown the order that follows, and what it pays itself.
    """
    with contexts.ingest():
        read = with_protection(Customer.objects.filter(pk=customer.pk), at).get()
        trunks = Trunk.objects.open().shared().filter(msp=customer.msp_id)
        shared = {trunk.gateway: trunk.pk for trunk in map(Trunk, trunks.values_list("pk", flat=True))}
        by_trunk = spans_of_trunks(shared.values())
        spans = {gateway: by_trunk[pk].listed() for gateway, pk in shared.items() if pk in by_trunk}
        wanted = {deck for each in spans.values() for _begins, _ends, deck in each}
        around = {deck: deck_around(deck, called) for deck in wanted}
        decks = {deck: found for deck, found in around.items() if found is not None}
        sell = deck_around(read.sell_deck, called) if read.sell_deck else None
    now, then = (round(moment.timestamp() * 1000) for moment in (timezone.now(), at))
    currencies = {deck.currency for deck in (*decks.values(), sell) if deck is not None}
    by = yardstick(Msp(pk=customer.msp_id), main_currency(spans, decks, now), currencies)
    quotes = quotes_for(
        called, then, shared=shared, spans=spans, decks=decks, sell=sell, protects=bool(protecting_deck(read)),
        call=by.call,
    )  # fmt: skip
    own = sell.currency if sell is not None else ""
    return Priced(quotes, by, asked(sell, called, then, TypicalCall(by.call.seconds, own)).cost, own)


def typical_seconds_for(customer: Customer) -> int:
    """Return the length of the call by whose cost the trunks of a customer's provider are compared."""
    with contexts.ingest():
        return typical_seconds(customer.msp_id)
