"""What a connection may see: the four settings move together, follow rollbacks, and let nobody see anything."""

from contextlib import suppress
from types import SimpleNamespace

import psycopg
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, ProgrammingError, connection, transaction
from django_tenants.utils import schema_context, tenant_context

from portal.db import base, contexts
from portal.db.context import Context, ContextRefused
from tenants.models import Customer, Membership
from voice.directory.models import Person

NOW = """SELECT current_user, current_setting('search_path'), current_setting('app.tenant', true),
                current_setting('app.msp', true)"""
NOBODY = ("strowger_app", "public", "", "")


def settings_now() -> tuple[str, ...]:
    with connection.cursor() as cursor:
        cursor.execute(NOW)
        return cursor.fetchone()


def settings_of(customer):
    return ("strowger_app", f'"{customer.schema_name}",public', str(customer.pk), "")


def test_nobody_sees_no_customers_rows_and_no_customers_tables(db):
    assert settings_now() == NOBODY
    assert not Membership.objects.exists()
    with pytest.raises(ProgrammingError), transaction.atomic():
        Person.objects.count()


def test_contexts_nest_and_come_back(acme, northwind):
    with contexts.msp(northwind):
        assert settings_now() == ("strowger_msp", "public", "", str(northwind.pk))
        with contexts.owner(), contexts.ingest():
            assert settings_now() == ("strowger_ingest", "public", "", "")
        with contexts.msp(northwind, customer=acme):
            assert settings_now() == ("strowger_msp", f'"{acme.schema_name}",public', str(acme.pk), str(northwind.pk))

    assert settings_now() == settings_of(acme)


def test_a_context_comes_back_after_an_error(acme, globex):
    with pytest.raises(ZeroDivisionError), contexts.customer(globex):
        1 / 0  # noqa: B018

    assert settings_now() == settings_of(acme)


@pytest.mark.parametrize("ending", ["savepoint", "error"])
def test_a_rollback_takes_no_context_with_it(acme, globex, ending):
    settings_now()
    try:
        with transaction.atomic():
            contexts.use_customer(globex)
            assert settings_now() == settings_of(globex)
            if ending == "error":
                with connection.cursor() as cursor:
                    cursor.execute("SELECT no_such_thing")
            transaction.set_rollback(True)
    except DatabaseError:
        pass

    assert settings_now() == settings_of(globex)


def test_a_cursor_that_was_open_before_runs_under_the_new_context(acme, globex):
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        with contexts.customer(globex):
            cursor.execute(NOW)
            assert cursor.fetchone() == settings_of(globex)
        cursor.execute(NOW)
        assert cursor.fetchone() == settings_of(acme)


@pytest.mark.django_db(transaction=True)
def test_a_connection_from_the_pool_starts_as_its_new_holder(acme, globex):
    settings_now()
    connection.close()
    contexts.use_customer(globex)
    assert settings_now() == settings_of(globex)
    connection.close()
    contexts.use_public()
    assert settings_now() == NOBODY


@pytest.mark.django_db(transaction=True)
def test_a_commit_that_the_server_turns_into_a_rollback_takes_no_context_with_it(acme, globex):
    settings_now()
    with transaction.atomic():
        contexts.use_customer(globex)
        settings_now()
        with suppress(DatabaseError), connection.cursor() as cursor:
            cursor.execute("SELECT no_such_thing")

    assert settings_now() == settings_of(globex)


def test_the_connection_that_came_back_last_goes_out_first(db):
    connection.ensure_connection()
    pool = connection.pool
    first, second = pool.getconn(), pool.getconn()
    pool.putconn(first)
    pool.putconn(second)
    again = pool.getconn()
    pool.putconn(again)

    assert again is second


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_the_server_has_closed_is_replaced_before_anybody_runs_into_it(acme):
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (gone,) = cursor.fetchone()
    connection.close()
    with psycopg.connect(**connection.get_connection_params()) as other:
        other.execute("SELECT pg_terminate_backend(%s, 2000)", [gone])

    assert settings_now() == settings_of(acme)


def test_what_django_tenants_calls_maps_onto_contexts(globex):
    with tenant_context(globex):
        assert settings_now() == settings_of(globex)
    with schema_context(globex.schema_name):
        assert settings_now() == settings_of(globex)
    assert settings_now() == NOBODY


@pytest.mark.parametrize(
    "schema",
    ["x',public;--", "PUBLIC", "pg_catalog", "c1", "c000001\n", "c000001,public", "c" + "0" * 64, "ｃ000001", ""],
)
def test_only_names_that_the_server_makes_are_schemas(schema):
    with pytest.raises(ContextRefused):
        Context("app", schema)


@pytest.mark.parametrize("state", ["creating", "closed"])
def test_a_customer_that_is_not_open_has_no_context(db, globex, state):
    globex.state = state
    with pytest.raises(ContextRefused):
        contexts.use_customer(globex)
    assert settings_now() == NOBODY


def test_a_customer_without_id_or_in_public_has_no_context(db, northwind):
    for customer in (Customer(schema_name="c000099"), SimpleNamespace(pk=3, schema_name="public", state="active")):
        with pytest.raises(ContextRefused):
            contexts.use_customer(customer)
    with pytest.raises(ContextRefused):
        contexts.use_msp(northwind, customer=SimpleNamespace(pk=3, schema_name="c000003", msp_id=northwind.pk + 1))


@pytest.mark.django_db(transaction=True)
def test_a_log_in_above_row_level_security_is_refused(monkeypatch):
    connection.close()
    monkeypatch.setattr(base.DatabaseWrapper, "_guarded", False)
    monkeypatch.setattr(base, "ALL_POWERFUL", "SELECT 'postgres' WHERE %s || %s || %s || %s <> ''")

    with pytest.raises(ImproperlyConfigured, match="postgres"):
        connection.ensure_connection()
