"""How the server hears of a context: along with the first read, apart before anything else, again after an error."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, ProgrammingError, connection, transaction

from portal.db import context, contexts
from portal.db.cursor import ContextCursor
from tests.db.test_contexts import NOW, settings_now, settings_of
from voice.directory.models import Person

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sent(monkeypatch):
    """Everything that a cursor sends by itself."""
    found = []
    send = ContextCursor._execute_send

    def noting(self, query, **options):
        found.append(query.query.decode())
        return send(self, query, **options)

    monkeypatch.setattr(ContextCursor, "_execute_send", noting)
    return found


def test_a_read_takes_the_context_along(acme, sent):
    contexts.use_customer(acme)
    assert settings_now() == settings_of(acme)
    assert settings_now() == settings_of(acme)

    assert [each.count("set_config") for each in sent] == [4, 0]


def test_values_and_percent_signs_pass_as_they_are(acme, globex):
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s || '%%', current_setting('app.tenant')", ["a'b;%s"])
        assert cursor.fetchall() == [("a'b;%s%", str(acme.pk))]
        contexts.use_customer(globex)
        cursor.execute("SELECT '%', current_setting('app.tenant')")
        assert cursor.fetchall() == [("%", str(globex.pk))]


@pytest.mark.parametrize("failing", ["SELECT no_such_thing", "SELECT 1/0", "SELECT 1; SELECT 1/0", "UPDATE nothing"])
def test_what_fails_with_a_context_leaves_none_behind(acme, globex, failing):
    settings_now()
    contexts.use_customer(globex)
    with pytest.raises(DatabaseError), connection.cursor() as cursor:
        cursor.execute(failing)

    assert settings_now() == settings_of(globex)


def test_a_cursor_on_the_servers_side_runs_under_the_context_of_that_moment(acme, globex):
    Person.objects.create(name="Alice Baker")
    opened = connection.chunked_cursor()
    contexts.use_customer(globex)
    with opened as cursor:
        cursor.execute(NOW)
        assert cursor.fetchone() == settings_of(globex)
    assert not list(Person.objects.iterator())
    contexts.use_customer(acme)
    assert len(list(Person.objects.iterator())) == 1


def test_copying_and_many_at_once_run_under_the_context_too(acme, globex):
    for customer in (acme, globex):
        contexts.use_customer(customer)
        with connection.cursor() as cursor, cursor.copy(f"COPY ({NOW}) TO STDOUT") as copy:
            assert [row[2] for row in copy.rows()] == [str(customer.pk)]
    contexts.use_customer(acme)
    with connection.cursor() as cursor:
        cursor.executemany("SELECT set_config('app.seen', current_setting('app.tenant') || %s, false)", [["x"]])
    assert settings_now() == settings_of(acme)


def test_a_refused_read_is_no_refused_context(acme):
    with pytest.raises(ProgrammingError, match="pg_authid"), connection.cursor() as cursor:
        cursor.execute("SELECT * FROM pg_authid")


@pytest.mark.parametrize("inside", [False, True])
def test_a_context_that_the_server_refuses_says_what_to_do(db, monkeypatch, inside):
    monkeypatch.setitem(context.ROLES, "msp", "no_such_role")
    connection.use(context.Context("msp", msp=1))
    with pytest.raises(ImproperlyConfigured, match=r"manage\.py upgrade"):
        if inside:
            with transaction.atomic():
                settings_now()
        else:
            settings_now()
    contexts.use_public()
