"""What became of a call, in one word: read from data, so that a new code needs no release."""

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

_DATA = json.loads((Path(__file__).parent / "data" / "dispositions.json").read_text())
_RULES = [(rule["is"], {k: frozenset(v) for k, v in rule.items() if k != "is"}) for rule in _DATA["rules"]]
_EFFECTIVE, _IF_IT_RANG = frozenset(_DATA["effective"]), frozenset(_DATA["effective_if_it_rang"])
# What the rules ask about.
_FACTS = ("answered", "rang", "sent", "direction", "limit", "screening", "code", "cause", "egress")


def disposition(record: Mapping[str, Any]) -> str:
    """Return the disposition of a node's call record."""
    to_teams = record["egress"] == "teams"
    return _disposition(
        record["answered"] is not None,
        record["ringing"] is not None,
        bool(record["attempts"]) or to_teams,
        record["direction"],
        record["limit"],
        record["screening"],
        record["code"],
        record["cause"],
        "teams" if to_teams else "",
    )


@lru_cache(10_000)  # most calls end as others did
def _disposition(*values: Any) -> str:
    facts = dict(zip(_FACTS, values, strict=True))
    for name, conditions in _RULES:
        if all(facts[field] in accepted for field, accepted in conditions.items()):
            return str(name)
    return str(_DATA["otherwise"])


def is_effective(record: Mapping[str, Any], disposition: str) -> bool:
    """Tell whether the network did its part, whoever decided not to talk (E.425).

    Who gives up while it rings has been served; who gives up in silence may have waited for the network.
    """
    return disposition in _EFFECTIVE or (disposition in _IF_IT_RANG and record["ringing"] is not None)
