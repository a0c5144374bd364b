"""Whatever a text holds, COPY reads the same text."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from portal.db.copy_lines import document, moment, number, text

pytestmark = pytest.mark.django_db

TEXTS = ["", "plain", "\\N", "\\.", "a\tb", "a\nb\r\nc", "\\t", "a\\", '"quoted"', "Zürich 😀", "\x01\x7f", "'; DROP"]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def test_what_is_written_is_what_is_read():
    documents = [None, {}, *({"said": each} for each in TEXTS)]
    moments = [None, 0, 1, 999, 1_764_410_000_123]
    rows = [(each, None, None, None) for each in TEXTS]
    rows += [("", each, None, None) for each in documents]
    rows += [("", None, each, None) for each in moments]
    rows += [("", None, None, each) for each in (None, 0, -5, 2**62)]

    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE read (n serial, t text, d jsonb, m timestamptz, i bigint) ON COMMIT DROP")
        with cursor.copy("COPY read (t, d, m, i) FROM STDIN") as copy:
            copy.write("".join(f"{text(t)}\t{document(d)}\t{moment(m)}\t{number(i)}\n" for t, d, m, i in rows))
        cursor.execute("SELECT t, d, m, i FROM read ORDER BY n")
        read = cursor.fetchall()

    def ms(at):
        return None if at is None else (at - EPOCH) // timedelta(milliseconds=1)

    assert [(t, d and json.loads(d), ms(m), i) for t, d, m, i in read] == rows
