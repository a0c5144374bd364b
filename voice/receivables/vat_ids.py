"""Whether a VAT id is good: asked through an interface, so that a register can answer where one is within reach."""

import json
import re
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, Protocol
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.module_loading import import_string

# The shapes of Directive 2006/112/EC art. 215 and of the national registers; Greece writes EL.
SHAPES = {
    "AT": r"U[0-9]{8}", "BE": r"[01][0-9]{9}", "BG": r"[0-9]{9,10}", "CH": r"E[0-9]{9}(MWST|TVA|IVA|VAT)?",
    "CY": r"[0-9]{8}[A-Z]", "CZ": r"[0-9]{8,10}", "DE": r"[0-9]{9}", "DK": r"[0-9]{8}", "EE": r"[0-9]{9}",
    "EL": r"[0-9]{9}", "ES": r"[0-9A-Z][0-9]{7}[0-9A-Z]", "FI": r"[0-9]{8}", "FR": r"[0-9A-Z]{2}[0-9]{9}",
    "GB": r"([0-9]{9}|[0-9]{12}|(GD|HA)[0-9]{3})", "HR": r"[0-9]{11}", "HU": r"[0-9]{8}",
    "IE": r"[0-9][0-9A-Z+*][0-9]{5}[A-Z]{1,2}", "IT": r"[0-9]{11}", "LT": r"([0-9]{9}|[0-9]{12})", "LU": r"[0-9]{8}",
    "LV": r"[0-9]{11}", "MT": r"[0-9]{8}", "NL": r"[0-9A-Z+*]{10}[0-9]{2}", "NO": r"[0-9]{9}(MVA)?",
    "PL": r"[0-9]{10}", "PT": r"[0-9]{9}", "RO": r"[0-9]{2,10}", "SE": r"[0-9]{12}", "SI": r"[0-9]{8}",
    "SK": r"[0-9]{10}", "XI": r"([0-9]{9}|[0-9]{12}|(GD|HA)[0-9]{3})",
}  # fmt: skip
NOT_IN_VIES = frozenset({"CH", "GB", "NO"})
DEFAULT = "voice.receivables.vat_ids.ByShape"
VIES = "https://ec.europa.eu/taxation_customs/vies/rest-api"
# What VIES says when the question, not the answer, is wrong; all its other errors mean that it cannot say now.
NO_NUMBER = "INVALID_INPUT"
ASKER_UNKNOWN = "INVALID_REQUESTER_INFO"
SECONDS, MOST_BYTES = 8, 100_000
# Names that a member state keeps to itself.
KEPT = {"---", ""}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a checker says: `valid`, `wrong`, `shape` where only the shape was looked at, `unknown` where nobody knew.

    A register that does not answer says nothing about the id. `request_id` is what it remembers the question by.
    """

    state: str
    words: str = ""
    register: str = ""
    request_id: str = ""
    name: str = ""
    address: str = ""


class Checker(Protocol):
    """Tells whether a VAT id is registered; `asker` is the id of the company that wants to know."""

    def check(self, vat_id: str, asker: str = "") -> Answer: ...


class ByShape:
    """Looks at the shape alone and says so: no register is asked."""

    def check(self, vat_id: str, asker: str = "") -> Answer:
        """Return `shape` for an id that could be one, `wrong` for one that cannot."""
        country, rest = vat_id[:2], vat_id[2:]
        shape = SHAPES.get(country)
        if shape is None:
            return Answer("wrong", f"{country or 'Nothing'} is not how a VAT id begins.")
        if not re.fullmatch(shape, rest):
            return Answer("wrong", f"This is not the shape of a VAT id of {country}.")
        return Answer("shape")


class Vies:
    """Asks the European Commission's VIES, which asks the member state's register; others it does not know."""

    def __init__(self, url: str = "", seconds: float = SECONDS) -> None:
        self.url, self.seconds = urlsplit(url or getattr(settings, "VIES_URL", VIES)), seconds

    def check(self, vat_id: str, asker: str = "") -> Answer:
        """Return what the register says; an id of the wrong shape is not asked about."""
        first = ByShape().check(vat_id)
        if first.state != "shape" or vat_id[:2] in NOT_IN_VIES:
            return first
        try:
            said = self._ask(vat_id, asker)
            if asker and _error(said) == ASKER_UNKNOWN:
                said = self._ask(vat_id, "")
        except (OSError, HTTPException, ValueError) as error:
            return Answer("unknown", str(error)[:200] or type(error).__name__, "VIES")
        return _read(said)

    def _ask(self, vat_id: str, asker: str) -> dict[str, Any]:
        question = {"countryCode": vat_id[:2], "vatNumber": vat_id[2:]}
        if asker:
            question |= {"requesterMemberStateCode": asker[:2], "requesterNumber": asker[2:]}
        kind = HTTPSConnection if self.url.scheme == "https" else HTTPConnection
        with closing(kind(self.url.netloc, timeout=self.seconds)) as line:
            headers = {"Content-Type": "application/json", "Accept": "application/json"}
            line.request("POST", f"{self.url.path}/check-vat-number", json.dumps(question), headers)
            said = json.loads(line.getresponse().read(MOST_BYTES))
        if not isinstance(said, dict):
            raise ValueError("VIES answered something that is no answer.")
        return said


def _error(said: dict[str, Any]) -> str:
    wrapped = said.get("errorWrappers") or [{}]
    return str(wrapped[0].get("error", "") or said.get("userError", "") or "")


def _read(said: dict[str, Any]) -> Answer:
    error = _error(said)
    if error == NO_NUMBER:
        return Answer("wrong", "VIES knows no VAT id of this kind.", "VIES")
    # `valid` is what was found out, and counts only where nothing kept VIES from finding out.
    if not isinstance(said.get("valid"), bool) or error not in ("", "VALID", "INVALID"):
        return Answer("unknown", error[:200] or "VIES did not say.", "VIES")
    name, address = (str(said.get(key) or "")[:400] for key in ("name", "address"))
    return Answer(
        "valid" if said["valid"] else "wrong",
        "" if said["valid"] else "VIES says that this VAT id is not registered.",
        "VIES",
        str(said.get("requestIdentifier") or "")[:60],
        "" if name in KEPT else name,
        "" if address in KEPT else address,
    )


def written(vat_id: str) -> str:
    """Return a VAT id without what people put between its digits."""
    return re.sub(r"[\s./-]", "", vat_id).upper()


def checker() -> Checker:
    """Return the checker of this installation."""
    made: Checker = import_string(getattr(settings, "VAT_ID_CHECKER", DEFAULT))()
    return made
