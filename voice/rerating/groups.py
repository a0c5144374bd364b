"""Which values a column has, and which of them each row: what `numpy.unique` says, mostly without sorting. Pure."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

# Sorting takes its time for every row; instead a table of all numbers between the least and the greatest is walked
# through, while it is not much longer than the column.
_LONGER = 16
_SHORT = 1 << 16


def distinct(column: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return the values of a column in their order; `numpy.unique` takes longer, by way of a table of hashes."""
    values = np.sort(column).astype(np.int64)
    return values[np.append(True, values[1:] != values[:-1])] if len(values) else values


def grouped(column: NDArray[np.integer]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the values of a column of whole numbers in their order, and the place of each row's value among them."""
    if not len(column):
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    least, span = int(column.min()), int(column.max()) - int(column.min()) + 1
    if span > max(_SHORT, _LONGER * len(column)):
        values, which = np.unique(column, return_inverse=True)
        return values.astype(np.int64), which
    offset = column.astype(np.int64) - least
    found = np.zeros(span, dtype=np.bool_)
    found[offset] = True
    values = np.flatnonzero(found)
    place = np.zeros(span, dtype=np.int64)
    place[values] = np.arange(len(values))
    return values + least, place[offset]


def combined(columns: Sequence[NDArray[np.integer]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the combinations that occur in columns of numbers from 0 up, as numbers, and which of them each row is."""
    key, most = np.zeros(len(columns[0]), dtype=np.int64), 1
    for column in columns:
        size = int(column.max(initial=0)) + 1
        if most * size > _LONGER * len(key):
            # What occurs is far less than what might.
            found, key = grouped(key)
            most = len(found)
        most *= size
        key = key * size + column
    return grouped(key)


def first_rows(which: NDArray[np.int64], groups: int) -> NDArray[np.int64]:
    """Return the first row of each group."""
    first = np.zeros(groups, dtype=np.int64)
    # Of several writes to one place the last stands.
    first[which[::-1]] = np.arange(len(which) - 1, -1, -1)
    return first
