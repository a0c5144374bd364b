from voice.rating.models.decks import CustomerDeck, DeckRate, DeckVersion, RateDeck, TrunkDeck
from voice.rating.models.imports import DeckImport, DeckImportError, DeckLine

__all__ = [
    "CustomerDeck",
    "DeckImport",
    "DeckImportError",
    "DeckLine",
    "DeckRate",
    "DeckVersion",
    "RateDeck",
    "TrunkDeck",
]
