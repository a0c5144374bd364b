"""What a call would cost over each trunk, read for one call: what the simulator ranks by, and the MSP may see."""

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from portal.db import contexts
from tenants.models import Customer
from voice.carriers.models import Trunk
from voice.rating.cheapest import main_currency
from voice.rating.loading import deck_around, spans_of_trunks
from voice.rating.ranking import protecting_deck, with_protection
from voice.routing.choose import Quotes
from voice.routing.quotes import quotes_for


@dataclass(frozen=True)
class Priced:
    """The quotes of a call with their currency; `sells` says that the customer has a selling deck at all."""

    quotes: Quotes
    currency: str
    sells: bool


def priced(customer: Customer, called: str, at: datetime) -> Priced:
    """Return what a call by the customer would cost and bring.

    Decks are read as the role of the nodes: nothing of this may be shown to the customer but the order that follows.
    """
    with contexts.ingest():
        read = with_protection(Customer.objects.filter(pk=customer.pk), at).get()
        trunks = Trunk.objects.open().shared().filter(msp=customer.msp_id)
        shared = {trunk.gateway: trunk.pk for trunk in map(Trunk, trunks.values_list("pk", flat=True))}
        by_trunk = spans_of_trunks(shared.values())
        spans = {gateway: by_trunk[pk] for gateway, pk in shared.items() if pk in by_trunk}
        wanted = {deck for each in spans.values() for _begins, _ends, deck in each}
        around = {deck: deck_around(deck, called) for deck in wanted}
        decks = {deck: found for deck, found in around.items() if found is not None}
        sell = deck_around(read.sell_deck, called) if read.sell_deck else None
    millis, now = round(at.timestamp() * 1000), round(timezone.now().timestamp() * 1000)
    quotes = quotes_for(
        called, millis, shared=shared, spans=spans, decks=decks, sell=sell,
        protects=bool(protecting_deck(read)), since=now,
    )  # fmt: skip
    return Priced(quotes, main_currency(spans, decks, now), sell is not None)
