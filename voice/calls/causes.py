"""The Q.850 cause that a SIP answer stands for where its sender named none: read from data, never stored.

A record says what was heard. What is worked out from it is shown beside it, and marked as such.
"""

import json
from pathlib import Path
from typing import Any

from voice.calls.models import Cdr

_DATA = json.loads((Path(__file__).parent / "data" / "causes.json").read_text())
_CAUSES = {int(code): cause for code, cause in _DATA["causes"].items()}


def cause_of_code(code: int) -> int | None:
    """Return the cause that a SIP answer stands for, None where it stands for none."""
    return _CAUSES.get(code)


def derived_cause(cdr: Cdr) -> int | None:
    """Return the cause of a call that failed and has none of its own."""
    return cause_of_code(cdr.code) if cdr.cause is None and cdr.answered is None else None


def attempts_with_causes(cdr: Cdr) -> list[dict[str, Any]]:
    """Return a call's attempts, each with `cause_derived`: what its answer stands for.

    The last one of a call that failed with a cause of its own has none: that cause is the last one's.
    """
    last = len(cdr.attempts) - 1 if cdr.cause is not None and cdr.answered is None else None
    return [
        {**each, "cause_derived": None if place == last else cause_of_code(each["code"])}
        for place, each in enumerate(cdr.attempts)
    ]
