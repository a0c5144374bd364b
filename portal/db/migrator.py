"""Brings public, the template and every customer's schema to the newest migrations (decision D4).

A migration of the customers' apps runs on the template as usual, and the SQL that it ran is kept; each customer then
takes that SQL in one transaction. Data migrations and non-atomic ones take Django's way in each schema.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field

from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.db.migrations import Migration
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.operations import RunPython
from django.db.migrations.state import ProjectState
from django_tenants.utils import app_labels
from psycopg import errors, sql

from . import catalog, contexts
from .context import TEMPLATE
from .customers import MIGRATION_LOCK, customer_schemas
from .models import CustomerMigration, CustomerTemplate
from .state import State

ATTEMPTS = 5
BATCH = 200
BOOKKEEPING = "django_migrations"
# So many customers at a time: each has tables of its own, and the server a processor for each connection.
WORKERS, SHARE = 4, 100
# What a crash takes back is whole customers, and the next upgrade finds them. A SELECT takes the context along.
CAREFUL = "SELECT set_config('lock_timeout', '2s', true), set_config('synchronous_commit', 'off', true)"
DONE = f"INSERT INTO {BOOKKEEPING} (app, name, applied) VALUES ({{}}, {{}}, now())"  # noqa: S608 a constant
Key = tuple[str, str]
Say = Callable[[str], None]


class MigratorError(Exception):
    """The customers' schemas cannot be migrated as asked; the message is for the developer."""


@dataclass
class Outcome:
    """What an upgrade did, and where it could not."""

    public: list[Key] = field(default_factory=list)
    template: list[Key] = field(default_factory=list)
    customers: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    drifted: dict[str, list[str]] = field(default_factory=dict)

    @property
    def good(self) -> bool:
        return not self.failed and not self.drifted


def upgrade(say: Say) -> Outcome:
    """Migrate public, the template and all customers; one that fails is reported and does not stop the others."""
    outcome = Outcome()
    with _alone():
        outcome.public = _migrate_public(say)
        outcome.template, touched = _migrate_template(say)
        _write_template()
        behind = _behind()
        if any(key not in outcome.template for missing in behind.values() for key in missing):
            touched = None  # left over from an earlier upgrade: nobody knows any more which tables those were
        statements = {(row.app, row.name): row.sql for row in CustomerMigration.objects.all()}
        for number, failed in _fan_out({each: {key: statements[key] for key in keys} for each, keys in behind.items()}):
            outcome.failed |= failed
            say(f"customers: {number} of {len(behind)}")
        outcome.customers = len(behind) - len(outcome.failed)
        outcome.drifted = _drifted([schema for schema in behind if schema not in outcome.failed], touched)
    return outcome


def check() -> list[str]:
    """Return what an upgrade would do, and each customer whose tables differ from the template's."""
    with contexts.owner():
        found = [f"public: {app}.{name} is waiting" for app, name in Walk(customers=False).waiting]
        if not _template_exists():
            return [*found, "customers: there is no template yet"]
    with contexts.owner(TEMPLATE):
        found += [f"customers: {app}.{name} is waiting" for app, name in Walk(customers=True).waiting]
    with contexts.owner():
        found += [f"{schema}: {len(missing)} migrations behind" for schema, missing in _behind().items()]
        found += [f"{schema}: {line}" for schema, lines in _drifted(customer_schemas(), None).items() for line in lines]
    return found


class Walk:
    """All migrations in order, of which only those of the current schema's apps do anything here."""

    def __init__(self, *, customers: bool) -> None:
        self.executor = MigrationExecutor(connection)
        graph = self.executor.loader.graph
        labels = set(app_labels(settings.TENANT_APPS))
        self.plan: list[Migration] = [
            step for step, _ in self.executor.migration_plan(graph.leaf_nodes(), clean_start=True)
        ]
        applied = self.executor.loader.applied_migrations
        self.foreign = [
            _key(step) for step in self.plan if (step.app_label in labels) != customers and _key(step) not in applied
        ]
        self.waiting = [
            _key(step) for step in self.plan if (step.app_label in labels) == customers and _key(step) not in applied
        ]

    def steps(self, keys: list[Key]) -> Iterator[tuple[Migration, ProjectState]]:
        """Yield each of these migrations with the models before it; that state is the caller's to change."""
        state, wanted = State(real_apps=self.executor.loader.unmigrated_apps), set(keys)
        for migration in self.plan:
            if _key(migration) in wanted:
                state.apps  # noqa: B018 rendering once here is what keeps the operations cheap
                yield migration, state
                wanted.discard(_key(migration))
                if not wanted:
                    return
            else:
                # Each operation would make classes that nobody here asks for.
                state.forget_classes()
                migration.mutate_state(state, preserve=False)


@contextmanager
def _alone() -> Iterator[None]:
    with contexts.owner(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [MIGRATION_LOCK])


def _migrate_public(say: Say) -> list[Key]:
    with contexts.owner():
        walk = Walk(customers=False)
        walk.executor.recorder.ensure_schema()
        for migration, state in walk.steps(walk.waiting):
            say(f"public: {migration.app_label}.{migration.name}")
            # The tables and the note that they are there: both, or neither.
            with transaction.atomic() if migration.atomic else nullcontext():
                walk.executor.apply_migration(state, migration)
        # Django checks in public that no migration came before one that it needs, whosever tables that one makes.
        for app, name in walk.foreign:
            walk.executor.recorder.record_applied(app, name)
    return walk.waiting


def _migrate_template(say: Say) -> tuple[list[Key], set[str] | None]:
    """Migrate the template; returns what was done and which tables it touched."""
    if not _template_exists():
        with contexts.owner(), connection.cursor() as cursor:
            cursor.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(TEMPLATE)))
    with contexts.owner(TEMPLATE), connection.cursor() as cursor:
        walk = Walk(customers=True)
        walk.executor.recorder.ensure_schema()
        before = catalog.lines_by_table(cursor, TEMPLATE) if walk.waiting else set()
        for migration, state in walk.steps(walk.waiting):
            say(f"customers: {migration.app_label}.{migration.name}")
            statements = _collected(migration, state.clone())
            with transaction.atomic() if migration.atomic else nullcontext():
                walk.executor.apply_migration(state, migration)
                CustomerMigration.objects.update_or_create(
                    app=migration.app_label, name=migration.name, defaults={"sql": statements}
                )
        after = catalog.lines_by_table(cursor, TEMPLATE) if walk.waiting else set()
    return walk.waiting, {table for table, _ in before ^ after}


def _collected(migration: Migration, state: ProjectState) -> str | None:
    """Return the SQL of this migration, or None when it is more than SQL."""
    if not migration.atomic or any(isinstance(operation, RunPython) for operation in migration.operations):
        return None
    with connection.schema_editor(collect_sql=True, atomic=True) as editor:
        migration.apply(state, editor, collect_sql=True)
    lines = [line for line in editor.collected_sql if not line.startswith("--")]
    if any(TEMPLATE in line or '"public".' in line for line in lines):
        raise MigratorError(f"{migration} names a schema: leave it out, each customer has its own.")
    return "\n".join(lines)


def _write_template() -> None:
    with contexts.owner(), connection.cursor() as cursor:
        statements = catalog.statements(cursor, TEMPLATE)
        _refuse_rows(cursor)
        rows = (
            f"INSERT INTO {BOOKKEEPING} (app, name, applied) "  # noqa: S608 both names are constants
            f'SELECT app, name, applied FROM "{TEMPLATE}".{BOOKKEEPING} ORDER BY id'
        )
        text = ";\n".join([*statements, rows])
        fingerprint = catalog.digest([*statements, *_applied([TEMPLATE])[TEMPLATE]])
        newest = CustomerTemplate.objects.order_by("-pk").first()
        if newest is None or newest.fingerprint != fingerprint:
            CustomerTemplate.objects.create(sql=text, fingerprint=fingerprint)


def _refuse_rows(cursor: object) -> None:
    with contexts.owner(TEMPLATE), connection.cursor() as inside:
        for table in connection.introspection.table_names(inside):
            inside.execute(sql.SQL("SELECT EXISTS (SELECT FROM {})").format(sql.Identifier(table)))
            if inside.fetchone() == (True,) and table != BOOKKEEPING:
                raise MigratorError(f"The template has rows in {table}: customers get their first rows from a service.")


def _behind() -> dict[str, list[Key]]:
    """Return the customers that lack migrations which the template has, each with those, in order."""
    order = list(CustomerMigration.objects.order_by("pk").values_list("app", "name"))
    schemas = customer_schemas()
    done = _applied([TEMPLATE, *schemas])
    newest = {tuple(entry.split(".", 1)) for entry in done[TEMPLATE]}
    wanted = [key for key in order if key in newest]
    missing = {schema: [key for key in wanted if ".".join(key) not in done[schema]] for schema in schemas}
    return {schema: keys for schema, keys in missing.items() if keys}


def _applied(schemas: list[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {schema: set() for schema in schemas}
    with connection.cursor() as cursor:
        for start in range(0, len(schemas), BATCH):
            part = sql.SQL(" UNION ALL ").join(
                sql.SQL("SELECT {}, app || '.' || name FROM {}.{}").format(
                    schema, sql.Identifier(schema), sql.Identifier(BOOKKEEPING)
                )
                for schema in schemas[start : start + BATCH]
            )
            cursor.execute(part)
            for schema, name in cursor.fetchall():
                found[schema].add(name)
    return found


def _fan_out(behind: Mapping[str, Mapping[Key, str | None]]) -> Iterator[tuple[int, dict[str, str]]]:
    """Migrate customers, several at a time, and yield how many are done and which of the last ones failed."""
    # What is more than SQL is Django's, and that is for one thread; and nobody else sees what is not committed.
    room = 0 if connection.in_atomic_block else _room()
    plain = [each for each in behind if room and None not in behind[each].values()]
    others = [each for each in behind if not room or None in behind[each].values()]
    done = 0
    with ThreadPoolExecutor(max(1, room), thread_name_prefix="upgrade") as pool:
        shares = [plain[start : start + SHARE] for start in range(0, len(plain), SHARE)]
        going = {pool.submit(_in_a_thread, {each: behind[each] for each in share}): len(share) for share in shares}
        for each in as_completed(going):
            done += going[each]
            yield done, each.result()
    for start in range(0, len(others), SHARE):
        share = others[start : start + SHARE]
        failed = _migrate_customers({each: behind[each] for each in share})
        done += len(share)
        yield done, failed


def _room() -> int:
    """Return how many connections there may be beside this one, as many as there are workers at most."""
    # One that waits for its turn in a small pool would be a customer that failed.
    pool = connection.pool  # type: ignore[attr-defined]  # our own backend
    return WORKERS if pool is None else max(0, min(WORKERS, pool.max_size - 1))


def _in_a_thread(behind: Mapping[str, Mapping[Key, str | None]]) -> dict[str, str]:
    try:
        return _migrate_customers(behind)
    finally:
        connection.close()


def _migrate_customers(behind: Mapping[str, Mapping[Key, str | None]]) -> dict[str, str]:
    """Migrate customers one after the other, and return those that failed, with the reason."""
    failed = {}
    for schema, missing in behind.items():
        try:
            _migrate_customer(schema, missing)
        except Exception as error:  # the others are waiting
            failed[schema] = (str(error).strip() or type(error).__name__).splitlines()[0]
    return failed


def _migrate_customer(schema: str, missing: Mapping[Key, str | None]) -> None:
    for key, text in missing.items():
        for attempt in range(1, ATTEMPTS + 1):
            try:
                _apply(schema, key, text)
            except OperationalError as error:
                # Somebody is using the customer's tables: let go, and try again in a moment.
                if not isinstance(error.__cause__, errors.LockNotAvailable) or attempt == ATTEMPTS:
                    raise
                time.sleep(0.2 * attempt)
            else:
                break


def _apply(schema: str, key: Key, text: str | None) -> None:
    with contexts.owner(schema):
        if text is None:
            walk = Walk(customers=True)
            for migration, state in walk.steps([key]):
                with transaction.atomic() if migration.atomic else nullcontext():
                    walk.executor.apply_migration(state, migration)
            return
        with transaction.atomic() if connection.in_atomic_block else nullcontext(), connection.cursor() as cursor:
            # Sent at once they are one transaction, and the context goes with them: one round trip a customer.
            done = sql.SQL(DONE).format(*key).as_string(cursor.cursor)
            cursor.execute(f"{CAREFUL};\n{text};\n{done}")


def _drifted(schemas: list[str], tables: set[str] | None) -> dict[str, list[str]]:
    """Return the schemas whose tables (or of which these) differ from the template's, with the differences."""
    found: dict[str, list[str]] = {}
    with contexts.owner(), connection.cursor() as cursor:
        for start in range(0, len(schemas), BATCH):
            found |= catalog.differences(cursor, schemas[start : start + BATCH], TEMPLATE, tables)
    return found


def _template_exists() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = %s)", [TEMPLATE])
        return bool(cursor.fetchone() == (True,))


def _key(migration: Migration) -> Key:
    return migration.app_label, migration.name
