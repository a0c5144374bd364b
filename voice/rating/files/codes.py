"""Codes as files write them: one, several, ranges. Pure."""

import re
from functools import lru_cache

from django.utils.translation import gettext as _

from voice.rating.files.figures import Wrong

MOST_IN_RANGE = 1_000
MOST_IN_CELL = 5_000
LONGEST = 15
EVERY = frozenset({"*", "any", "all", "default", "other"})
_SPLIT = re.compile(r"[,;\n|]+")
_RANGE = re.compile(r"([0-9]+)\s*[-–—]\s*([0-9]+)")
_SCIENTIFIC = re.compile(r"[0-9]+[.,]?[0-9]*[eE]\+?[0-9]+")


def read_codes(text: str, country: str = "") -> list[str]:
    """Return the codes of a cell such as `1787, 1939` or `4420-4424`, each after the country code; raises Wrong."""
    if not country and text.isascii() and text.isdigit() and len(text) <= LONGEST and text[0] != "0":
        return [str(text)]
    country = country.removeprefix("+").removesuffix(".0").strip()
    if country and not (country.isascii() and country.isdigit() and len(country) <= 7 and country[0] != "0"):
        raise Wrong(_("This is not a country code."))
    if not text.strip():
        if country:
            return [country]
        raise Wrong(_("There is no code in this line."))
    if text.strip().lower() in EVERY:
        return [country]
    found: dict[str, None] = {}
    for part in _SPLIT.split(text):
        for code in _part(part.strip(), bool(country)) if part.strip() else ():
            if len(country) + len(code) > LONGEST:
                raise Wrong(_("A code has at most 15 digits."))
            found[country + code] = None
        if len(found) > MOST_IN_CELL:
            raise Wrong(_("This line has more than %(most)s codes.") % {"most": f"{MOST_IN_CELL:,}"})
    if not found:
        raise Wrong(_("There is no code in this line."))
    return list(found)


def _part(part: str, is_after_country: bool) -> list[str]:
    ranged = _RANGE.fullmatch(part.removeprefix("+"))
    if ranged:
        first, last = ranged[1], ranged[2]
        _check(first, is_after_country)
        if len(last) < len(first):
            last = first[: len(first) - len(last)] + last
        if len(last) != len(first) or int(last) < int(first):
            raise Wrong(_("A range ends after its first code and has as many digits, such as 4420-4424."))
        if int(last) - int(first) >= MOST_IN_RANGE:
            raise Wrong(_("A range has at most %(most)s codes.") % {"most": f"{MOST_IN_RANGE:,}"})
        return [f"{code:0{len(first)}d}" for code in range(int(first), int(last) + 1)]
    code = part.removeprefix("+").removesuffix(".0")
    _check(code, is_after_country)
    return [code]


def _check(code: str, is_after_country: bool) -> None:
    if _SCIENTIFIC.fullmatch(code):
        raise Wrong(_("A spreadsheet program rewrote this code. Format the column as text and save the file again."))
    if not (code.isascii() and code.isdigit()):
        raise Wrong(_("A code is made of digits; several are separated by commas, ranges are written 4420-4424."))
    if len(code) > LONGEST:
        raise Wrong(_("A code has at most 15 digits."))
    if code[0] == "0" and not is_after_country:
        raise Wrong(_("Write codes with their country code and without leading zeros."))


@lru_cache(maxsize=4_096)
def read_callers(text: str) -> tuple[str, ...]:
    """Return the caller codes of a cell, one that is empty for everybody; raises Wrong."""
    return ("",) if not text.strip() else tuple(read_codes(text))
