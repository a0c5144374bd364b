"""Decks for tests, stored straight, in the context of their MSP."""

from datetime import UTC, datetime
from typing import Any

from voice.rating.models import CustomerDeck, DeckRate, DeckVersion, RateDeck, TrunkDeck

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def stored_deck(msp: Any, name: str = "World", kind: str = "sell", **changes: Any) -> RateDeck:
    """Return a deck with its first version, active long ago and without rates."""
    deck = RateDeck.objects.create(**{"msp": msp, "name": name, "kind": kind, "currency": "EUR"} | changes)
    DeckVersion.objects.create(deck=deck, msp=msp, number=1, state="active", effective_from=LONG_AGO)
    return deck


def stored_rate(deck: RateDeck, prefix: str, per_minute: int, **changes: Any) -> DeckRate:
    """Return a rate of the deck's first version that holds since long ago."""
    facts = {"destination": f"to {prefix}", "begins": LONG_AGO} | changes
    version = deck.versions.get(number=1)
    return DeckRate.objects.create(
        deck=deck, msp=deck.msp, version=version, prefix=prefix, per_minute=per_minute, **facts
    )


def give(deck: RateDeck, customer: Any, **changes: Any) -> CustomerDeck:
    """Let a customer pay by the deck since long ago."""
    return CustomerDeck.objects.create(msp=deck.msp, deck=deck, tenant=customer, **{"begins": LONG_AGO} | changes)


def ask(deck: RateDeck, trunk: int, **changes: Any) -> TrunkDeck:
    """Let a trunk cost by the deck since long ago."""
    return TrunkDeck.objects.create(msp=deck.msp, deck=deck, trunk=trunk, **{"begins": LONG_AGO} | changes)
