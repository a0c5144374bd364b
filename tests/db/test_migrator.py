"""The template, the customers made from it, and the fan-out: always the same tables, or a clear word about it."""

import shutil
import sys
import threading
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from portal.db import catalog, contexts, customers, migrator
from portal.db.context import TEMPLATE, ContextRefused
from portal.db.models import CustomerMigration, CustomerTemplate
from voice.directory import migrations as directory

NEXT = """
from django.db import migrations, models

class Migration(migrations.Migration):
    dependencies = [("directory", "{last}")]
    operations = [{operations}]
"""
ADD_FIELD = """migrations.AddField("person", "nickname", models.TextField(default="50% 'new'"))"""
ADD_INDEX = 'migrations.AddIndex("person", models.Index(fields=["nickname"], name="directory_nickname"))'
FILL = (
    'migrations.RunPython(lambda apps, editor: apps.get_model("directory", "Person").objects.create(name="Moved in"))'
)


@pytest.fixture
def next_version(tmp_path, monkeypatch, settings):
    """Return a function that adds a migration to the directory app, as a new version of the portal would."""
    package = tmp_path / "directory_next"
    shutil.copytree(directory.__path__[0], package)
    monkeypatch.syspath_prepend(tmp_path)
    settings.MIGRATION_MODULES = {"directory": "directory_next"}

    def add(name, *operations):
        last = sorted(path.stem for path in package.glob("0*.py"))[-1]
        (package / f"{name}.py").write_text(NEXT.format(last=last, operations=", ".join(operations)))

    yield add
    for module in [module for module in sys.modules if module.startswith("directory_next")]:
        del sys.modules[module]


def columns(schema, table="directory_person"):
    with contexts.owner(schema), connection.cursor() as cursor:
        return {column.name for column in connection.introspection.get_table_description(cursor, table)}


def test_a_customer_made_from_the_template_is_what_migrations_make(db, acme):
    with contexts.owner(), connection.cursor() as cursor:
        assert catalog.differences(cursor, [acme.schema_name], TEMPLATE) == {}
    assert migrator.check() == []


def test_a_new_version_reaches_every_customer(db, acme, globex, next_version):
    next_version("0099_next", ADD_FIELD, ADD_INDEX)
    assert any("directory.0099_next is waiting" in line for line in migrator.check())

    outcome = migrator.upgrade(print)

    assert outcome.good
    assert outcome.template == [("directory", "0099_next")]
    assert "nickname" in columns(acme.schema_name) & columns(globex.schema_name)
    assert migrator.check() == []


def test_a_data_migration_runs_in_every_customer_and_not_in_the_template(db, acme, globex, next_version):
    next_version("0098_move_in", FILL.replace("create(", "filter(pk=0).update("))
    outcome = migrator.upgrade(print)

    assert outcome.good
    with contexts.owner():
        assert CustomerMigration.objects.get(name="0098_move_in").sql is None


def test_rows_in_the_template_are_refused(db, next_version):
    next_version("0098_fill", FILL)

    with pytest.raises(migrator.MigratorError, match="directory_person"):
        migrator.upgrade(print)


def test_one_customer_that_fails_does_not_stop_the_others(db, acme, globex, next_version, capsys):
    with contexts.owner(acme.schema_name), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE directory_person ADD COLUMN nickname text")
    next_version("0099_next", ADD_FIELD)

    outcome = migrator.upgrade(print)

    assert list(outcome.failed) == [acme.schema_name]
    assert "nickname" in outcome.failed[acme.schema_name]
    assert "nickname" in columns(globex.schema_name)
    # Once it is put right, the next upgrade brings it along.
    with contexts.owner(acme.schema_name), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE directory_person DROP COLUMN nickname")
    assert migrator.upgrade(print).good
    assert "nickname" in columns(acme.schema_name)


def test_a_customer_whose_tables_somebody_changed_is_named(db, acme):
    with contexts.owner(acme.schema_name), connection.cursor() as cursor:
        cursor.execute("CREATE INDEX by_hand ON directory_person (email)")

    assert migrator.check() == [f"{acme.schema_name}: has CREATE INDEX by_hand ON directory_person USING btree (email)"]
    with pytest.raises(CommandError, match="1 things"):
        call_command("upgrade", "--check")


@pytest.mark.parametrize(
    "stranger",
    [
        "CREATE VIEW people AS SELECT * FROM directory_person",
        "CREATE SEQUENCE by_hand",
        "CREATE FUNCTION by_hand() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE TYPE by_hand AS ENUM ('a')",
        "ALTER TABLE directory_person ADD COLUMN msp bigint REFERENCES public.tenants_msp",
    ],
)
def test_a_template_that_statements_cannot_say_is_refused(db, stranger):
    with contexts.owner(TEMPLATE), connection.cursor() as cursor:
        cursor.execute(stranger)
        with pytest.raises(catalog.CatalogError):
            catalog.statements(cursor, TEMPLATE)


def test_a_customer_that_is_not_stored_leaves_no_schema(db):
    before = customers.customer_schemas()
    customer = SimpleNamespace(pk=999_999, schema_name="c999999", state="creating")
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        customers.create_schema(customer)
        assert "c999999" in customers.customer_schemas()
        1 / 0  # noqa: B018
    assert customers.customer_schemas() == before

    customers.create_schema(customer)
    customers.drop_schema(customer)
    assert customers.customer_schemas() == before


@pytest.mark.parametrize("name", ["public", TEMPLATE, "c000001", "c1; DROP SCHEMA public"])
def test_a_schema_that_is_not_the_customers_own_is_never_made_or_dropped(db, name):
    for act in (customers.create_schema, customers.drop_schema):
        with pytest.raises(ContextRefused):
            act(SimpleNamespace(pk=77, schema_name=name, state="active"))


def test_no_customer_is_made_from_no_template(db):
    with contexts.owner():
        CustomerTemplate.objects.all().delete()
    with pytest.raises(customers.NoTemplate, match="upgrade"):
        customers.create_schema(SimpleNamespace(pk=77, schema_name="c000077", state="creating"))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("connections", [1, 2, 5])
def test_several_customers_at_a_time_each_have_all_of_it_or_nothing(monkeypatch, connections):
    monkeypatch.setattr(migrator, "SHARE", 1)
    monkeypatch.setattr(connection.pool, "_max_size", connections)
    assert migrator._room() == min(migrator.WORKERS, connections - 1)
    made = [SimpleNamespace(pk=pk, schema_name=f"c{pk}", state="creating") for pk in range(999_980, 999_984)]
    for customer in made:
        customers.create_schema(customer)
    first, *others = (customer.schema_name for customer in made)
    with contexts.owner(first), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE directory_person ADD COLUMN nickname text")
    text = "ALTER TABLE directory_site ADD COLUMN motto text DEFAULT '50%';\n"
    text += "ALTER TABLE directory_person ADD COLUMN nickname text;"

    told = list(migrator._fan_out({each: {("directory", "0099_it's"): text} for each in (first, *others)}))

    assert [done for done, _failed in told] == [1, 2, 3, 4]
    assert [list(failed) for _done, failed in told if failed] == [[first]]
    assert "motto" not in columns(first, "directory_site")
    assert all({"nickname"} <= columns(each) and {"motto"} <= columns(each, "directory_site") for each in others)
    applied = migrator._applied([first, *others])
    assert [each for each in applied if "directory.0099_it's" in applied[each]] == others


@pytest.mark.django_db(transaction=True)
def test_creating_a_customer_waits_for_an_upgrade_that_runs():
    done = threading.Event()

    def create():
        try:
            customers.create_schema(SimpleNamespace(pk=999_998, schema_name="c999998", state="creating"))
        finally:
            connection.close()
            done.set()

    with migrator._alone():
        thread = threading.Thread(target=create)
        thread.start()
        assert not done.wait(0.5)
    assert done.wait(5)
    thread.join()
    assert "c999998" in customers.customer_schemas()
