from voice.rating.models.accounts import Account, LimitWarning, Movement
from voice.rating.models.charges import Charge, Cost, CostUsage, PricedOutcome, Usage
from voice.rating.models.decks import CustomerDeck, DeckRate, DeckVersion, RateDeck, TrunkDeck
from voice.rating.models.imports import DeckImport, DeckImportError, DeckLine
from voice.rating.models.margins import MarginGrain, MarginSum
from voice.rating.models.ranking import LossPolicy, PriceTables, PriceUse

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
    "LimitWarning",
    "LossPolicy",
    "MarginGrain",
    "MarginSum",
    "Movement",
    "PriceTables",
    "PriceUse",
    "PricedOutcome",
    "RateDeck",
    "TrunkDeck",
    "Usage",
]
