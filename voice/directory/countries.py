"""What each country dials in an emergency, asks for before a number may be used, and how its addresses look.

Data with source and date: the tables that come with Strowger, and before them the rows of the operator's own file
(`COUNTRIES_FILE`), which is read anew whenever it has changed.
"""

import json
import logging
import re
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings

from tenants.countries import COUNTRIES, country_name

logger = logging.getLogger(__name__)
# The table is kept with the emergency app; this layer asks it only whether a country demands a location.
TABLE = Path(__file__).parent.parent / "emergency" / "data" / "countries.json"
RULES = Path(__file__).parent / "data" / "address_rules.json"
SERVICES = ("all", "police", "fire", "medical", "test")
DIAL = re.compile(r"[0-9]{2,6}")  # never an ordinary number: those have more digits
PARTS = ("company", "house_number", "street", "city", "postal_code", "state_or_province")

Rows = dict[str, dict[str, Any]]
_last_good: dict[Path, "Tables"] = {}


class Tables(NamedTuple):
    """Emergency numbers and demands by country, and what its addresses consist of."""

    countries: Rows
    rules: Rows


class FaultyTable(ValueError):
    """The operator's own table is not one that calls for help may go by."""


def countries() -> Rows:
    """Return the table of countries by their code of two letters."""
    return _tables().countries


def address_rules() -> Rows:
    """Return what each country's addresses consist of."""
    return _tables().rules


def own_rows(text: str) -> Rows:
    """Return the rows of an operator's own table; raises FaultyTable with what is wrong, for one row wrong is all."""
    try:
        rows = json.loads(text)
    except ValueError as error:
        raise FaultyTable(f"not JSON: {error}")
    if not isinstance(rows, dict):
        raise FaultyTable('not {"DE": {…}, …}')
    for code, row in rows.items():
        if fault := _fault(code, row):
            raise FaultyTable(f"{code}: {fault}")
    return rows


def choices() -> list[tuple[str, str]]:
    """Return code and name of every country in the table, by name."""
    return sorted(((code, country_name(code)) for code in countries()), key=lambda choice: choice[1])


def location_required(code: str) -> bool:
    """Return whether a number of the country needs an emergency location; an unknown country is taken to demand it."""
    entry = countries().get(code)
    return entry is None or bool(entry["location_required"])


def countries_without_location() -> list[str]:
    """Return the codes of the countries that demand no emergency location."""
    return [code for code in countries() if not location_required(code)]


def _tables() -> Tables:
    path: Path = settings.COUNTRIES_FILE
    try:
        changed = path.stat().st_mtime_ns
    except OSError:
        return _ours()
    return _with_own(path, changed)


@cache
def _ours() -> Tables:
    return Tables(json.loads(TABLE.read_text()), json.loads(RULES.read_text()))


@lru_cache(maxsize=2)
def _with_own(path: Path, changed: int) -> Tables:
    try:
        rows = own_rows(path.read_text())
    except (OSError, ValueError) as error:
        # `manage.py countries` says the same to whoever wrote it; nobody's call for help may depend on a slip.
        logger.error("%s is not used: %s", path, error)
        return _last_good.get(path, _ours())
    own = {code: row["address"] for code, row in rows.items() if "address" in row}
    _last_good[path] = Tables(_ours().countries | rows, _ours().rules | own)
    return _last_good[path]


def _fault(code: str, row: Any) -> str:
    if code not in COUNTRIES:
        return "no country's code"
    if not isinstance(row, dict) or not isinstance(row.get("location_required"), bool):
        return "location_required is true or false"
    if not all(isinstance(row.get(name), str) and row[name].strip() for name in ("source", "date")):
        return "source and date say where it is from and when it was checked"
    numbers = row.get("numbers")
    if not isinstance(numbers, list) or not all(map(_is_number, numbers)):
        return f'numbers are {{"dial": 2 to 6 digits, "service": {", ".join(SERVICES)}, "test": true or false}}'
    dials = [each["dial"] for each in numbers]
    if len(set(dials)) < len(dials) or all(each["test"] for each in numbers):
        return "each number once, and one at least that is not to test"
    return "" if "address" not in row else _fault_of_address(row["address"])


def _is_number(each: Any) -> bool:
    return (
        isinstance(each, dict)
        and isinstance(each.get("dial"), str)
        and bool(DIAL.fullmatch(each["dial"]))
        and each.get("service") in SERVICES
        and isinstance(each.get("test"), bool)
    )


def _fault_of_address(rule: Any) -> str:
    required = rule.get("required") if isinstance(rule, dict) else None
    if not isinstance(required, list) or any(each not in PARTS for each in required):
        return f"address needs required, a list of {', '.join(PARTS)}"
    try:
        re.compile(rule["postal_code"])
    except (KeyError, TypeError, re.error):
        return "address needs postal_code, a pattern or nothing"
    states, box = rule.get("states", []), rule.get("box", [0, 0, 0, 0])
    if not isinstance(rule.get("example"), str) or not isinstance(states, list) or not all(map(_is_text, states)):
        return "address needs example, a postal code, and states are a list of their short forms"
    if not isinstance(box, list) or len(box) != 4 or not all(isinstance(each, int | float) for each in box):
        return "the box of an address is [west, south, east, north]"
    return ""


def _is_text(each: Any) -> bool:
    return isinstance(each, str) and bool(each)
