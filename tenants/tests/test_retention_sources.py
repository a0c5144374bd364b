"""Where the times come from that came with Strowger, in words that a customer can read."""

from importlib import import_module

import pytest
from django.db import connection, transaction

from portal.db import contexts
from tenants.models import RetentionRule
from tenants.tests.clients import client_of

pytestmark = pytest.mark.django_db
OLD = "Directive 2002/58/EC, article 6(2); supervisors took three to six months for normal"
NEW = "Directive 2002/58/EC, article 6(2); supervisory authorities have accepted three to six months"
MIGRATION = import_module("tenants.migrations.0015_words_of_a_source").Migration


def source_after(source):
    """Return what becomes of the source of a rule, and how often it was changed by that."""
    with contexts.public():
        mine = RetentionRule.objects.filter(data_class="calls", country="")
        mine.update(source=source, row_version=3)
    with contexts.owner(), transaction.atomic(), connection.cursor() as cursor:
        for statement in MIGRATION.operations[0].sql:
            cursor.execute(statement)
    with contexts.public():
        return mine.values_list("source", "row_version").get()


def test_the_source_of_call_records_reads_as_english(acme, alice):
    page = client_of(alice, acme).get("/retention/").content.decode()
    assert NEW in page and "supervisors" not in page


@pytest.mark.parametrize(("before", "after"), [(OLD, (NEW, 4)), ("Our lawyer", ("Our lawyer", 3))])
def test_a_source_that_the_operator_wrote_stays(before, after):
    assert source_after(before) == after
