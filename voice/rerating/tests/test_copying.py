"""Columns from the database."""

import pytest
from django.db import connections

from voice.rerating import copying

pytestmark = pytest.mark.django_db
QUERY = "SELECT n::int4 AS n, 'a'::text AS name FROM generate_series(1, %(most)s) n"


@pytest.mark.parametrize("debug", [False, True])
def test_columns_come_whole_whatever_cursor_django_gives(debug, monkeypatch):
    monkeypatch.setattr(connections["default"], "force_debug_cursor", debug)

    assert copying.read(QUERY, {"most": 3}, {"n": "int4"})["n"].tolist() == [1, 2, 3]


def test_a_column_of_many_widths_is_refused():
    query = "SELECT repeat('a', n::int) AS name FROM generate_series(1, %(most)s) n"

    with pytest.raises(copying.NotFixed):
        copying.read(query, {"most": 3}, {"name": "number"})
