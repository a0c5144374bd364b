"""What programs do with payments, by place."""

from voice.payments import api_bank, api_by_hand, api_cards, api_dunning, api_papers

msp_routes = [
    *api_bank.msp_routes,
    *api_by_hand.msp_routes,
    *api_cards.msp_routes,
    *api_dunning.msp_routes,
    *api_papers.msp_routes,
]
routes = [*api_cards.routes, *api_papers.routes]
