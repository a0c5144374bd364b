"""What each country dials in an emergency and asks for before a number may be used: data, with source and date."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from tenants.countries import country_name

# The table is kept with the emergency app; this layer asks it only whether a country demands a location.
TABLE = Path(__file__).parent.parent / "emergency" / "data" / "countries.json"


@cache
def countries() -> dict[str, dict[str, Any]]:
    """Return the table of countries by their code of two letters."""
    found: dict[str, dict[str, Any]] = json.loads(TABLE.read_text())
    return found


def choices() -> list[tuple[str, str]]:
    """Return code and name of every country in the table, by name."""
    return sorted(((code, country_name(code)) for code in countries()), key=lambda choice: choice[1])


def location_required(code: str) -> bool:
    """Return whether a number of the country needs an emergency location; an unknown country is taken to demand it."""
    entry = countries().get(code)
    return entry is None or bool(entry["location_required"])


@cache
def countries_without_location() -> list[str]:
    """Return the codes of the countries that demand no emergency location."""
    return [code for code in countries() if not location_required(code)]
