"""What is no currency or no time zone, in words for the user."""

import zoneinfo
from typing import Any

from django.utils.translation import gettext as _

from voice.rating.money import UnknownCurrency, decimals


def of_currency_and_zone(currency: str, zone: str) -> dict[str, Any]:
    """Return what is wrong with each, by the name of its field; nothing where both are known."""
    wrong: dict[str, Any] = {}
    try:
        decimals(currency)
    except UnknownCurrency:
        wrong["currency"] = _("Use a currency code of three letters, for example EUR.")
    try:
        zoneinfo.ZoneInfo(zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        wrong["zone"] = _("Choose a time zone.")
    return wrong
