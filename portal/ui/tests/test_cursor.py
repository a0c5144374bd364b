"""Paging by cursor: every row once, in order, forwards and backwards, also where values repeat or are missing."""

from datetime import timedelta

import pytest
from django.core.exceptions import FieldError
from django.db.models import F
from django.utils.timezone import now

from portal.core.models import AuditEntry
from portal.ui import cursor

TOKENS = [3, None, 1, 3, None, 2, 3, 1, None, 5, 4]


@pytest.fixture
def entries(acme):
    at = now()
    rows = [AuditEntry(tenant_id=acme.pk, at=at - timedelta(seconds=n // 3), verb=f"test.{n % 4}", token_id=token)
            for n, token in enumerate(TOKENS)]  # fmt: skip
    AuditEntry.objects.bulk_create(rows)
    return AuditEntry.objects.filter(verb__startswith="test.")


def ordered(entries, sort):
    field = F(sort.lstrip("-"))
    first = field.desc(nulls_last=True) if sort.startswith("-") else field.asc(nulls_last=True)
    return [row.pk for row in entries.order_by(first, "pk")]


@pytest.mark.parametrize("size", [1, 3, 4, 11, 25])
@pytest.mark.parametrize("sort", ["token_id", "-token_id", "at", "-at", "verb", "-verb", "pk"])
def test_a_walk_over_all_pages_sees_each_row_once_and_in_order_both_ways(entries, sort, size):
    pages, place = [], ""
    for _ in range(len(TOKENS) + 1):
        page = cursor.page(entries, sort, place, size)
        pages.append([row.pk for row in page.rows])
        if not page.after:
            break
        place = page.after

    assert [pk for page in pages for pk in page] == ordered(entries, sort)
    for expected in reversed(pages[:-1]):
        page = cursor.page(entries, sort, page.before, size)
        assert [row.pk for row in page.rows] == expected
    assert page.before == ""


@pytest.mark.parametrize("place", ["", "x", "WzEsMiwwXQ:abc", "'; drop table core_auditentry; --", "\0", "🤷"])
def test_a_cursor_that_the_portal_did_not_write_is_the_first_page(entries, place):
    assert [row.pk for row in cursor.page(entries, "at", place, 4).rows] == ordered(entries, "at")[:4]


def test_a_cursor_of_another_column_shows_the_first_page_and_no_error(entries):
    of_verbs = cursor.page(entries, "verb", "", 3).after

    assert [row.pk for row in cursor.page(entries, "token_id", of_verbs, 3).rows] == ordered(entries, "token_id")[:3]


def test_a_column_that_does_not_exist_is_a_mistake_of_ours(entries):
    with pytest.raises(FieldError):
        cursor.page(entries, "nothing", "", 3)
