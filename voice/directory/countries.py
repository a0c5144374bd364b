"""What each country dials in an emergency and asks for before a number may be used: data, with source and date."""

import json
from functools import cache
from pathlib import Path
from typing import Any

# The table is kept with the emergency app; this layer asks it only whether a country demands a location.
TABLE = Path(__file__).parent.parent / "emergency" / "data" / "countries.json"


@cache
def countries() -> dict[str, dict[str, Any]]:
    """Return the table of countries by their code of two letters."""
    found: dict[str, dict[str, Any]] = json.loads(TABLE.read_text())
    return found


def choices() -> list[tuple[str, str]]:
    """Return code and name of every country, by name."""
    return sorted(((code, entry["name"]) for code, entry in countries().items()), key=lambda choice: choice[1])


def name_of(code: str) -> str:
    """Return the country's name, or the code of one that is not in the table."""
    entry = countries().get(code)
    return str(entry["name"]) if entry else code


def location_required(code: str) -> bool:
    """Return whether a number of the country needs an emergency location; an unknown country is taken to demand it."""
    entry = countries().get(code)
    return entry is None or bool(entry["location_required"])
