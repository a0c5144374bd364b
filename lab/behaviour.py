"""How a called number behaves: the last four digits decide, unless a test says otherwise."""

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["answer", "refuse", "silence", "ring", "early", "fork", "short"]


@dataclass(frozen=True)
class Behaviour:
    """What a called party does with a call."""

    kind: Kind = "answer"
    code: int = 0


ANSWER = Behaviour()
SPECIAL = {
    "9000": Behaviour("silence"),  # never says anything
    "9180": Behaviour("ring"),  # rings until the caller gives up
    "9182": Behaviour("fork"),  # two devices ring, one answers
    "9183": Behaviour("early"),  # early media, then an answer
    "9200": Behaviour("short"),  # answers and hangs up at once
}
RULES = """…9000 says nothing, …9180 only rings, …9182 rings on two devices, …9183 has early media,
…9200 answers and hangs up; …9 and a code from 400 to 699 is refused with that code (…9486 is busy)."""


def behaviour_of(number: str) -> Behaviour:
    """Return what the number's last four digits ask for."""
    last = number[-4:]
    if last in SPECIAL:
        return SPECIAL[last]
    if re.match(r"^9[456][0-9]{2}$", last):
        return Behaviour("refuse", int(last[1:]))
    return ANSWER
