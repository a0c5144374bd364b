"""Every currency that a form offers is one that Strowger can reckon in."""

from tenants.currencies import USUAL, currencies
from voice.rating.money import decimals


def test_every_currency_is_one_whose_coins_are_known():
    assert set(USUAL) <= currencies() and "DEM" not in currencies() and len(currencies()) > 100
    assert {decimals(code) for code in currencies()} == {0, 2, 3}
