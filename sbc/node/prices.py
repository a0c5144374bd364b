"""Which state of a table of prices holds now: the place in each of its codes that calls are ranked by."""

import json
from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from itertools import pairwise

MOST_STATES = 100


@lru_cache(maxsize=1_000)
def read(text: str) -> tuple[tuple[int, int], ...]:
    """Read the value of a `pt` row: `[[milliseconds, state], …]`, the moments in order. Raises ValueError."""
    try:
        said = json.loads(text)
        moments = tuple((moment, state) for moment, state in said)
    except (TypeError, ValueError) as error:
        raise ValueError(f"not a list of moments and states: {error!r}") from None
    if not moments or any(type(each) is not int for pair in moments for each in pair):
        raise ValueError("moments and states are whole numbers, one pair at least")
    if any(not 0 <= state < MOST_STATES for _moment, state in moments):
        raise ValueError(f"a state is less than {MOST_STATES}")
    if any(later <= earlier for (earlier, _), (later, _) in pairwise(moments)):
        raise ValueError("the moments are not in order")
    return moments


def state(moments: Sequence[tuple[int, int]], at: datetime) -> str:
    """Give the state that holds at this moment; after the last one it stays."""
    now = round(at.timestamp() * 1000)
    place = bisect_right([moment for moment, _state in moments], now) - 1
    return str(moments[max(0, place)][1])
