"""What the tests stand on: a PostgreSQL of their own, migrated once per state of the migrations, restored fast.

Several test runs at a time on one machine take a slot each: a data directory that is kept, with a lock.
"""

import fcntl
import hashlib
import io
import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import django
import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import connections
from django.test import TransactionTestCase
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from portal import embedded

SLOTS = 32
BASELINE = "test_baseline"
LOGIN_PASSWORD = "for-tests"
# Every table that a test can have written to, ours and each customer's.
TABLES = r"""
    SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname <> 'django_migrations'
       AND c.relname NOT LIKE 'db\_customer\_%' AND (n.nspname = 'public' OR n.nspname ~ '^c[0-9]{6,}$') ORDER BY 1, 2
"""


@contextmanager
def database() -> Iterator[None]:
    """Give this process a migrated database and point Django at it; afterwards it is gone."""
    slot: IO[str] | None = None
    home: Path | None = None
    admin = os.environ.get("TEST_DATABASE_ADMIN_URL", "")
    if not admin:
        home, slot = _take_slot()
        embedded.start_postgres(home, test=True)
        admin = embedded.admin_url(home)
    name = f"strowger_test_{uuid.uuid4().hex[:12]}"
    try:
        template = _template(admin, clean=home is not None)
        with psycopg.connect(admin, autocommit=True) as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER strowger_owner").format(
                    *map(sql.Identifier, (name, template))
                )
            )
        _point_django_at(admin, name)
        yield
    finally:
        _let_go()
        with psycopg.connect(admin, autocommit=True) as connection:
            for each in (name, *_copies.values()):
                connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(each)))
        _copies.clear()
        if home is not None:
            embedded.stop(home)
        if slot is not None:
            slot.close()


@contextmanager
def copy(key: str, fill: Callable[[], None]) -> Iterator[None]:
    """Point Django at a copy of this process's database with more in it, filled once and kept for the next who asks."""
    source = connections["default"].settings_dict["NAME"]
    admin = make_conninfo(_admin_urls[0], dbname="postgres")
    if key not in _copies:
        _let_go()
        made = f"{source}_{key}"
        with psycopg.connect(admin, autocommit=True) as connection:
            _end_sessions(connection, source)
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER strowger_owner").format(
                    *map(sql.Identifier, (made, source))
                )
            )
        _point_django_at(admin, made)
        fill()
        keep_baseline()
        _copies[key] = made
    _point_django_at(admin, _copies[key])
    try:
        yield
    finally:
        _point_django_at(admin, source)


def _end_sessions(admin: psycopg.Connection, database: str) -> None:
    """End what is still connected to a database: a thread that a test left behind, or a session that is just going."""
    sessions = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
    for _ in range(50):
        if not admin.execute(sessions, [database]).fetchall():
            return
        time.sleep(0.1)


def keep_baseline() -> None:
    """Make what is stored now the beginning of every transactional test; Django's flush becomes a return to it."""
    with _admin() as admin:
        _kept_customers.update(_customers(admin))
        admin.execute(f"DROP SCHEMA IF EXISTS {BASELINE} CASCADE; CREATE SCHEMA {BASELINE}")
        for schema, table in _filled(admin):
            admin.execute(
                sql.SQL("CREATE TABLE {} AS TABLE {}").format(
                    sql.Identifier(BASELINE, f"{schema}.{table}"), sql.Identifier(schema, table)
                )
            )
    # The stock flush would empty the tables of customers and people, too.
    TransactionTestCase._fixture_teardown = lambda self: restore_baseline()  # type: ignore[attr-defined]


def restore_baseline() -> None:
    """Put every table back to the baseline and drop the customers' schemas that came after it."""
    for connection in connections.all(initialized_only=True):
        connection.close()
    with _admin() as admin, admin.transaction():
        admin.execute("SET LOCAL lock_timeout = '10s'; SET LOCAL session_replication_role = replica")
        kept = [row[0] for row in admin.execute("SELECT relname FROM pg_class WHERE relnamespace = %s::regnamespace"
                                                " AND relkind = 'r'", [BASELINE])]  # fmt: skip
        for schema in _customers(admin) - _kept_customers:
            admin.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(schema)))
        filled = _filled(admin)
        if filled:
            names = sql.SQL(", ").join(sql.Identifier(schema, table) for schema, table in filled)
            admin.execute(sql.SQL("TRUNCATE {} CASCADE").format(names))
        for name in kept:
            schema, table = name.split(".")
            admin.execute(
                sql.SQL("INSERT INTO {} OVERRIDING SYSTEM VALUE SELECT * FROM {}").format(
                    sql.Identifier(schema, table), sql.Identifier(BASELINE, name)
                )
            )


def _take_slot() -> tuple[Path, IO[str]]:
    base = embedded.default_home(settings.VAR_DIR) / "test"
    base.mkdir(parents=True, exist_ok=True)
    for number in range(SLOTS):
        lock = (base / f"slot-{number}.lock").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
        else:
            return base / f"slot-{number}", lock
    raise RuntimeError(f"{SLOTS} test runs are using {base} already.")


def _template(admin: str, *, clean: bool) -> str:
    name = f"strowger_template_{_state_of_migrations()}"
    with psycopg.connect(admin, autocommit=True) as connection:
        # On a server that others share, the first one makes it and the others wait; the lock goes with the connection.
        connection.execute("SELECT pg_advisory_lock(hashtext('strowger_template'))")
        found = {
            row[0] for row in connection.execute("SELECT datname FROM pg_database WHERE datname LIKE 'strowger\\_te%'")
        }
        if clean:  # what earlier runs left in this slot, which is ours alone
            for old in found - {name}:
                connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(old)))
        if name in found:
            return name
        draft = f"{name}_{uuid.uuid4().hex[:6]}"
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(draft)))
        if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = 'strowger'").fetchone():
            connection.execute("CREATE ROLE strowger LOGIN NOINHERIT NOSUPERUSER NOBYPASSRLS")
        connection.execute(sql.SQL("ALTER ROLE strowger PASSWORD {}").format(LOGIN_PASSWORD))
        _point_django_at(admin, draft)
        before = os.environ.get("DATABASE_ADMIN_URL")
        os.environ["DATABASE_ADMIN_URL"] = admin
        try:
            call_command("upgrade", quiet=True, stdout=io.StringIO())
        finally:
            if before is None:
                del os.environ["DATABASE_ADMIN_URL"]
            else:
                os.environ["DATABASE_ADMIN_URL"] = before
            _let_go()
        connection.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(*map(sql.Identifier, (draft, name))))
    return name


def _state_of_migrations() -> str:
    root = Path(settings.BASE_DIR)
    own = [path for path in (root / "portal" / "db").glob("*.py") if path.name != "models.py"]
    files = sorted([*root.glob("*/migrations/*.py"), *root.glob("*/*/migrations/*.py"), *own])
    digest = hashlib.sha256(f"{django.VERSION}{settings.SHARED_APPS}{settings.TENANT_APPS}".encode())
    for path in files:
        digest.update(f"{path.relative_to(root)}".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _point_django_at(admin: str, name: str) -> None:
    _let_go()
    parts = conninfo_to_dict(admin)
    connections["default"].settings_dict.update(
        NAME=name, USER="strowger", PASSWORD=LOGIN_PASSWORD, HOST=parts.get("host", ""), PORT=str(parts.get("port", ""))
    )
    _admin_urls[:] = [make_conninfo(admin, dbname=name)]


_admin_urls: list[str] = []
_kept_customers: set[str] = set()
_copies: dict[str, str] = {}


def _admin() -> psycopg.Connection:
    return psycopg.connect(_admin_urls[0], autocommit=True)


def _let_go() -> None:
    connections.close_all()
    connections["default"].close_pool()  # type: ignore[attr-defined]


def _customers(admin: psycopg.Connection) -> set[str]:
    return {row[0] for row in admin.execute("SELECT nspname FROM pg_namespace WHERE nspname ~ '^c[0-9]{6,}$'")}


def _tables(admin: psycopg.Connection) -> list[tuple[str, str]]:
    return [(row[0], row[1]) for row in admin.execute(TABLES)]


def _filled(admin: psycopg.Connection) -> list[tuple[str, str]]:
    question = sql.SQL(" UNION ALL ").join(
        sql.SQL("SELECT {}, {} WHERE EXISTS (SELECT FROM {})").format(schema, table, sql.Identifier(schema, table))
        for schema, table in _tables(admin)
    )
    return [(row[0], row[1]) for row in psycopg.ClientCursor(admin).execute(question)]
