"""Whether a VAT id is good: asked through an interface, so that a register can answer where one is within reach."""

import re
from dataclasses import dataclass
from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string

# The shapes of Directive 2006/112/EC art. 215 and of the national registers; Greece writes EL.
SHAPES = {
    "AT": r"U[0-9]{8}", "BE": r"[01][0-9]{9}", "BG": r"[0-9]{9,10}", "CY": r"[0-9]{8}[A-Z]", "CZ": r"[0-9]{8,10}",
    "DE": r"[0-9]{9}", "DK": r"[0-9]{8}", "EE": r"[0-9]{9}", "EL": r"[0-9]{9}", "ES": r"[0-9A-Z][0-9]{7}[0-9A-Z]",
    "FI": r"[0-9]{8}", "FR": r"[0-9A-Z]{2}[0-9]{9}", "GB": r"([0-9]{9}|[0-9]{12}|(GD|HA)[0-9]{3})",
    "HR": r"[0-9]{11}", "HU": r"[0-9]{8}", "IE": r"[0-9][0-9A-Z+*][0-9]{5}[A-Z]{1,2}", "IT": r"[0-9]{11}",
    "LT": r"([0-9]{9}|[0-9]{12})", "LU": r"[0-9]{8}", "LV": r"[0-9]{11}", "MT": r"[0-9]{8}",
    "NL": r"[0-9A-Z+*]{10}[0-9]{2}", "PL": r"[0-9]{10}", "PT": r"[0-9]{9}", "RO": r"[0-9]{2,10}",
    "SE": r"[0-9]{12}", "SI": r"[0-9]{8}", "SK": r"[0-9]{10}", "XI": r"([0-9]{9}|[0-9]{12}|(GD|HA)[0-9]{3})",
}  # fmt: skip
DEFAULT = "voice.receivables.vat_ids.ByShape"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a checker says: `valid`, `wrong`, or `shape` where only the shape was looked at."""

    state: str
    words: str = ""


class Checker(Protocol):
    """Tells whether a VAT id is registered."""

    def check(self, vat_id: str) -> Answer: ...


class ByShape:
    """Looks at the shape alone and says so: no register is asked."""

    def check(self, vat_id: str) -> Answer:
        """Return `shape` for an id that could be one, `wrong` for one that cannot."""
        country, rest = vat_id[:2], vat_id[2:]
        shape = SHAPES.get(country)
        if shape is None:
            return Answer("wrong", f"{country or 'Nothing'} is not how a VAT id begins.")
        if not re.fullmatch(shape, rest):
            return Answer("wrong", f"This is not the shape of a VAT id of {country}.")
        return Answer("shape")


def written(vat_id: str) -> str:
    """Return a VAT id without what people put between its digits."""
    return re.sub(r"[\s./-]", "", vat_id).upper()


def checker() -> Checker:
    """Return the checker of this installation."""
    made: Checker = import_string(getattr(settings, "VAT_ID_CHECKER", DEFAULT))()
    return made
