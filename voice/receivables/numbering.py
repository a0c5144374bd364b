"""Number patterns such as `INV-{year}-{number:05}`: what they may hold and what they make of a number."""

import re
from string import Formatter

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

LONGEST = 30
_TEXT = re.compile(r"[A-Za-z0-9/._-]*\Z")
_WIDTH = re.compile(r"(0[1-9])?\Z")


def check_pattern(pattern: str) -> None:
    """Raise ValidationError unless the pattern gives each number of a series a text of its own."""
    try:
        pieces = list(Formatter().parse(pattern))
    except ValueError:
        raise ValidationError(_("Write a pattern such as {year}-{number:05}."))
    names = [name for _text, name, _width, _turned in pieces if name is not None]
    plain = all(
        _TEXT.match(text)
        and (name is None or (name == "year" and not width) or (name == "number" and _WIDTH.match(width or "")))
        and not turned
        for text, name, width, turned in pieces
    )
    if not plain or names.count("number") != 1 or names.count("year") > 1:
        raise ValidationError(_("Use letters, digits, - / . _ and once {number}, at most once {year}."))
    if len(number_text(pattern, 9999, 9_999_999)) > LONGEST:
        raise ValidationError(_("A number may have %(n)d characters at most.") % {"n": LONGEST})


def period_of(pattern: str, year: int) -> int:
    """Return the period within which the pattern's numbers count: the year, or 0 where it does not name one."""
    return year if "{year}" in pattern else 0


def number_text(pattern: str, year: int, number: int) -> str:
    """Return the number as it is printed."""
    return pattern.format(year=year, number=number)
