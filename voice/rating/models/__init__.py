from voice.rating.models.accounts import Account, Movement
from voice.rating.models.charges import Charge, Cost, CostUsage, PricedOutcome, Usage
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
    "Movement",
    "PricedOutcome",
    "RateDeck",
    "TrunkDeck",
    "Usage",
]
