"""What programs can do with rating: each kind of thing in a module of its own."""

from voice.rating import api_accounts, api_charges, api_deck_imports, api_decks

routes = [*api_charges.routes, *api_accounts.routes]
msp_routes = [*api_decks.msp_routes, *api_deck_imports.msp_routes, *api_charges.msp_routes, *api_accounts.msp_routes]
