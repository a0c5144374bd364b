"""Small lines beside a name: the shape of an hour, drawn on the server."""

from collections.abc import Sequence
from dataclasses import dataclass

HEIGHT = 20
EDGE = 1


@dataclass(frozen=True)
class Spark:
    """A line and what there is to say about it."""

    points: str
    width: int
    total: int
    most: int


def spark(values: Sequence[int]) -> Spark:
    """Return the line through the values, the highest at the top; nothing at all is no line."""
    most = max(values, default=0)
    if not most:
        return Spark("", max(0, len(values) - 1), 0, 0)
    usable = HEIGHT - 2 * EDGE
    points = " ".join(f"{x},{round(HEIGHT - EDGE - usable * value / most, 1):g}" for x, value in enumerate(values))
    return Spark(points, len(values) - 1, sum(values), most)
