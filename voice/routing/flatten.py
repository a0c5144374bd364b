"""A policy, where the first match wins, as rows for a node that only knows the longest prefix.

Callers fall into classes and hours into states; for each pair the lines that could apply are laid down in order, and a
line that an earlier one covers is dropped: then the longest prefix that is left is the first line that matched.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from voice.routing.choose import Line, ScheduleView

MOST_CALLER_PREFIXES = 3
MOST_SCHEDULES = 3


@dataclass(frozen=True)
class Flat:
    """`rows` maps (caller class, schedule state, prefix) to the line that wins; classes and states are bit masks."""

    rows: dict[tuple[int, int, str], Line]
    caller_prefixes: tuple[str, ...]
    schedules: tuple[ScheduleView, ...]

    def caller_class(self, caller: str) -> int:
        """Return the class of the digits that a call shows: bit i is set when caller prefix i fits."""
        return sum(1 << i for i, prefix in enumerate(self.caller_prefixes) if caller.startswith(prefix))


def flatten(policy: Iterable[Line]) -> Flat:
    """Return the rows of a policy's lines; raises ValueError on more callers or schedules than a node keeps apart."""
    lines = [line for line in policy if line.enabled]
    callers = tuple(dict.fromkeys(line.caller_prefix for line in lines if line.caller_prefix))
    schedules = tuple(dict.fromkeys(line.schedule for line in lines if line.schedule))
    if len(callers) > MOST_CALLER_PREFIXES or len(schedules) > MOST_SCHEDULES:
        raise ValueError("too many caller prefixes or schedules in one policy")
    rows = {}
    for caller in range(1 << len(callers)):
        for state in range(1 << len(schedules)):
            fits = [
                line
                for line in lines
                if (not line.caller_prefix or caller >> callers.index(line.caller_prefix) & 1)
                and (not line.schedule or state >> schedules.index(line.schedule) & 1)
            ]
            for line in first_match_as_longest_prefix(fits):
                rows[caller, state, line.prefix] = line
    return Flat(rows, callers, schedules)


def first_match_as_longest_prefix(lines: Iterable[Line]) -> list[Line]:
    """Return the lines that can still win: those that no earlier line's prefix covers."""
    kept: list[Line] = []
    taken: set[str] = set()
    for line in lines:
        if not any(line.prefix[:n] in taken for n in range(len(line.prefix) + 1)):
            kept.append(line)
            taken.add(line.prefix)
    return kept
