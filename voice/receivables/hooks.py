"""What apps above supply to invoice runs: whether the nodes' own counts of calls and the portal's records agree.

Each app registers its function when Django starts; imports keep pointing down.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Uncounted:
    """An hour of a node whose records do not add up: what it counted for a customer, and what the portal has of it."""

    customer: int
    at: datetime
    node: str
    said: int
    found: int


def _none(customers: Sequence[int], begins: datetime, ends: datetime) -> Iterable[Uncounted]:
    return ()


uncounted_of: list[Callable[[Sequence[int], datetime, datetime], Iterable[Uncounted]]] = [_none]


def uncounted(customers: Sequence[int], begins: datetime, ends: datetime) -> list[Uncounted]:
    """Return the hours of a period in which the records of these customers do not add up."""
    return list(uncounted_of[-1](customers, begins, ends))
