"""Time bands and the prices in them as JSON, the form in which the database keeps them.

{"windows": [{"band": "evening", "days": [0, 1], "begin": "18:00", "until": "00:00"}], "holidays": ["2026-12-25"]}
"""

from collections.abc import Mapping
from datetime import date, time
from typing import Any

from voice.rating.bands import BadBands, Bands, BandWindow
from voice.rating.decks import BandPrice


def read_bands(stored: Mapping[str, Any] | None, zone: str) -> Bands | None:
    """Return the bands that a deck keeps, None for none; raises BadBands."""
    if not stored:
        return None
    try:
        windows = [
            BandWindow(
                str(each["band"]),
                frozenset(int(day) for day in each["days"]),
                time.fromisoformat(each["begin"]),
                time.fromisoformat(each["until"]),
            )
            for each in stored["windows"]
        ]
        holidays = [date.fromisoformat(each) for each in stored.get("holidays", [])]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadBands("Windows need band, days, begin and until; holidays are dates such as 2026-12-25.") from error
    return Bands(zone, windows, holidays)


def read_band_prices(stored: Mapping[str, Any]) -> tuple[BandPrice, ...]:
    """Return the prices of a rate by band, from `{band: [micros per minute, fee]}`."""
    return tuple(BandPrice(band, int(per_minute), int(fee)) for band, (per_minute, fee) in sorted(stored.items()))
