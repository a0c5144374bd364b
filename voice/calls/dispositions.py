"""What became of a call, in one word: read from data, so that a new code needs no release."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_DATA = json.loads((Path(__file__).parent / "data" / "dispositions.json").read_text())
_RULES = [(rule["is"], {k: frozenset(v) for k, v in rule.items() if k != "is"}) for rule in _DATA["rules"]]
# The network did its part, whoever decided not to talk (E.425).
EFFECTIVE = frozenset(_DATA["effective"])


def disposition(record: Mapping[str, Any]) -> str:
    """Return the disposition of a node's call record."""
    facts = {
        "answered": record["answered"] is not None,
        "rang": record["ringing"] is not None,
        "sent": bool(record["attempts"]) or record["egress"] == "teams",
        "direction": record["direction"],
        "limit": record["limit"],
        "screening": record["screening"],
        "code": record["code"],
        "cause": record["cause"],
        "egress": record["egress"],
    }
    for name, conditions in _RULES:
        if all(facts[field] in accepted for field, accepted in conditions.items()):
            return str(name)
    return str(_DATA["otherwise"])
