"""Grouping says what numpy's sorting says, by a table and, where that would be too long, by sorting."""

import numpy as np
import pytest

from voice.rerating.groups import combined, distinct, first_rows, grouped

CHANCE = np.random.default_rng(1889)
COLUMNS = {
    "none": np.zeros(0, dtype=np.int64),
    "one": np.array([7]),
    "few": CHANCE.integers(0, 3, 5_000).astype(np.int8),
    "below nought": CHANCE.integers(-90_000, 90_000, 5_000),
    "far apart": CHANCE.integers(-(2**61), 2**61, 5_000),
    "small type over its range": np.array([-128, 127, 0], dtype=np.int8),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_values_and_rows_are_those_of_unique(name: str) -> None:
    column = COLUMNS[name]
    values, first, which = np.unique(column, return_index=True, return_inverse=True)

    found, rows = grouped(column)

    assert found.tolist() == distinct(column).tolist() == values.tolist()
    assert rows.tolist() == which.tolist()
    assert first_rows(rows, len(found)).tolist() == first.tolist()


@pytest.mark.parametrize("sizes", [(3, 2, 4), (2_000, 3_000, 5, 4_000_000)])
def test_combinations_tell_rows_apart_as_the_columns_do(sizes: tuple[int, ...]) -> None:
    columns = [CHANCE.integers(0, size, 20_000) for size in sizes]
    rows = list(zip(*(column.tolist() for column in columns), strict=True))

    found, which = combined(columns)

    assert len(found) == len(set(rows))
    assert len(set(zip(rows, which.tolist(), strict=True))) == len(found)
