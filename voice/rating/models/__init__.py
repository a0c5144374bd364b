from voice.rating.models.charges import Account, Charge, Cost, CostUsage, PricedOutcome, Usage
from voice.rating.models.decks import CustomerDeck, DeckRate, DeckVersion, RateDeck, TrunkDeck
from voice.rating.models.imports import DeckImport, DeckImportError, DeckLine

__all__ = [
    "Account",
    "Charge",
    "Cost",
    "CostUsage",
    "CustomerDeck",
    "DeckImport",
    "DeckImportError",
    "DeckLine",
    "DeckRate",
    "DeckVersion",
    "PricedOutcome",
    "RateDeck",
    "TrunkDeck",
    "Usage",
]
