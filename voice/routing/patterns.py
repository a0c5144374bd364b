"""Prefix patterns as the trade writes them: `+44*`, `+1-555-*`, `*`; one shape, refusals in plain words."""

import re

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

ANY = "*"
LONGEST_PATTERN = 40
LONGEST_NUMBER = 15
_PUNCTUATION = re.compile(r"[\s\-./()]")
_DIGITS = re.compile(r"[1-9][0-9]*")


def normalise(text: str) -> str:
    """Return the pattern in its one shape: `*`, or `+`, digits and a final `*`.

    A full number is read as the prefix that it is. Raises ValidationError with a message meant for the user.
    """
    text = text.strip()
    if len(text) > LONGEST_PATTERN:
        raise ValidationError(_("A pattern is at most %(n)d characters long."), "long", {"n": LONGEST_PATTERN})
    bare = _PUNCTUATION.sub("", text)
    if bare == ANY:
        return ANY
    if bare.startswith("00"):
        bare = "+" + bare[2:]
    digits = bare.removeprefix("+").removesuffix("*")
    if not bare.startswith("+") or not _DIGITS.fullmatch(digits):
        raise ValidationError(
            _("Write the start of the number in international format and end with a star, such as +44* or +1-555-*."),
            "shape",
        )
    if len(digits) > LONGEST_NUMBER:
        raise ValidationError(_("A telephone number has at most 15 digits."), "digits")
    return f"+{digits}*"


def prefix(pattern: str) -> str:
    """Return the digits that a normalised pattern demands; an empty text for `*`."""
    return pattern.strip("+*")
