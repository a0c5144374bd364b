"""What a connection may see: the four settings move together, and nothing is visible to nobody."""

import pytest
from django.db import connection, transaction

from portal.db import contexts
from portal.db.context import Context, ContextRefused

NOW = "SELECT current_user, current_setting('search_path'), current_setting('app.tenant', true), current_setting('app.msp', true)"


def settings_now() -> tuple[str, ...]:
    with connection.cursor() as cursor:
        cursor.execute(NOW)
        return cursor.fetchone()


def test_nobody_is_where_every_test_begins(db):
    assert settings_now() == ("strowger_app", "public", "", "")


def test_contexts_nest_and_come_back(db, acme, northwind):
    inside = (
        "strowger_app",
        f"{acme.schema_name},public".replace(acme.schema_name, f'"{acme.schema_name}"'),
        str(acme.pk),
        "",
    )
    assert settings_now() == inside
    with contexts.msp(northwind):
        assert settings_now() == ("strowger_msp", "public", "", str(northwind.pk))
        with contexts.owner():
            assert settings_now() == ("strowger_owner", "public", "", "")
        assert settings_now() == ("strowger_msp", "public", "", str(northwind.pk))
    assert settings_now() == inside
