"""That no table is forgotten: each has a class of data or a reason to stay, and the erasure sees all that it needs."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.apps import apps
from django.db import connection, transaction

from portal.db import contexts
from sbc.services import erasure, old_books
from sbc.services.retained import HOLDINGS, KEPT
from tenants.models import DataClass, RetentionRule

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 20, 3, tzinfo=UTC)
TABLES = {model._meta.db_table for model in apps.get_models(include_auto_created=True)}
HELD = {holding.table for holding in HOLDINGS}
STAYING = [table for tables in KEPT.values() for table in tables]


def test_every_table_is_of_a_class_or_stays_for_a_reason() -> None:
    nowhere = TABLES - HELD - set(STAYING)
    assert not nowhere, f"Say in sbc/services/retained how long these are kept: {', '.join(sorted(nowhere))}"
    assert not (HELD | set(STAYING)) - TABLES, "of tables that are no more"
    assert len(STAYING) == len(set(STAYING)) and not HELD & set(STAYING)
    assert all(reason.endswith(".") for reason in KEPT)


def test_every_class_has_rows_and_a_rule_with_its_source() -> None:
    assert {holding.data_class for holding in HOLDINGS} == set(DataClass)
    with contexts.public():
        everywhere = RetentionRule.objects.filter(country="")
        assert {rule.data_class for rule in everywhere if rule.reason and rule.source} == set(DataClass)


def test_the_document_names_each_class_and_each_reason_to_stay() -> None:
    document = (Path(__file__).parents[2] / "docs" / "retention.md").read_text()
    named = re.findall(r"^\| ([^|]+?) \|", document, re.M)[1:]
    assert named == [str(label) for label in DataClass.labels]
    assert re.findall(r"^- (.+)$", document.partition("## What stays")[2], re.M) == list(KEPT)


def test_nothing_is_taken_away_while_something_else_names_it() -> None:
    weighed = " ".join(text for text in vars(old_books).values() if isinstance(text, str))
    classes = {table: {holding.data_class for holding in HOLDINGS if holding.table == table} for table in HELD}
    for model in apps.get_models(include_auto_created=True):
        for field in model._meta.concrete_fields:
            target = field.related_model._meta.db_table if field.related_model else ""
            if target not in HELD or not getattr(field, "db_constraint", True):
                continue
            child = model._meta.db_table
            # The books go at once; whatever else names a row is gone before, or keeps it.
            asked = weighed + " ".join(holding.where for holding in HOLDINGS if holding.table == target)
            assert classes.get(child) == classes[target] == {DataClass.BOOKS} or f"FROM {child} " in asked, (
                f"{child} names rows of {target}: keep these in sbc/services/retained as long as it does"
            )


def test_the_erasure_sees_every_table_that_it_asks_and_takes_what_it_should() -> None:
    texts = [text for holding in HOLDINGS for text in (holding.at, holding.where, holding.tenant, holding.company)]
    texts += [text for text in vars(old_books).values() if isinstance(text, str)]
    asked = {name for text in texts for name in re.findall(r"(?:FROM|JOIN) ([a-z]+_[a-z]+)", text)}
    with contexts.owner(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, array(SELECT cmd FROM pg_policies p WHERE p.schemaname = 'public'"
            " AND p.tablename = relname AND 'strowger_owner' = ANY(p.roles) AND p.qual = 'true')"
            " FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relrowsecurity"
        )
        may = {name: set(commands) for name, commands in cursor.fetchall()}
    # Without a policy a table would look empty: what hangs on its rows would be taken away.
    assert {name for name in asked | HELD if name in may and "SELECT" not in may[name]} == set()
    assert {name for name in HELD if name in may and "DELETE" not in may[name]} == set()


def test_every_holding_can_be_counted_and_taken_away() -> None:
    with contexts.owner(), transaction.atomic():
        every = erasure.due_at(AT)
        erasure.note_old_books([due for due in every if due.holding.data_class == DataClass.BOOKS])
        for due in every:
            erasure._counted(due)
            erasure._delete(due)


def test_the_time_of_papers_runs_from_the_end_of_the_year() -> None:
    with contexts.owner():
        due = {(each.holding.data_class, each.country): each for each in erasure.due_at(AT)}
    # Eight years ago it was 2018: what is of 2017 is over, and what is of 2018 is not before 2027.
    assert due["vouchers", "DE"].before == datetime(2018, 1, 1, tzinfo=UTC)
    assert due["letters", ""].before == datetime(2020, 1, 1, tzinfo=UTC)
    assert due["unbooked", ""].before > datetime(2025, 10, 1, tzinfo=UTC)
