"""The database's roles and what each may do: made by `upgrade`, none of them above row-level security."""

from dataclasses import dataclass

import psycopg
from psycopg import sql

from .context import ROLES

OLDEST, NEWEST = 15, 18
LOCKS_WANTED = 256
OWNER, APP, MSP, INGEST = (sql.Identifier(ROLES[name]) for name in ("owner", "app", "msp", "ingest"))

MISSING = """
    SELECT role FROM unnest(%s::text[]) AS role
     WHERE NOT EXISTS (SELECT 1 FROM pg_roles r WHERE r.rolname = role AND NOT r.rolsuper AND NOT r.rolbypassrls)
        OR NOT pg_has_role(%s, role, 'MEMBER')
"""
# What the owner makes later is open to the roles at once; what is append-only is closed again by its migration.
PRIVILEGES = (
    "ALTER DEFAULT PRIVILEGES GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {app}, {msp}",
    "ALTER DEFAULT PRIVILEGES GRANT USAGE, SELECT ON SEQUENCES TO {app}, {msp}",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {ingest}",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {ingest}",
    "GRANT USAGE ON SCHEMA public TO {app}, {msp}, {ingest}",
)

# Two upgrades may begin at the same time on a server of many databases.
CREATE_ROLE = """DO $$ BEGIN
    CREATE ROLE {} NOLOGIN NOINHERIT NOSUPERUSER NOBYPASSRLS;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$"""


class RolesError(Exception):
    """The roles cannot be made with this log-in; the message is for the person at the terminal."""


@dataclass(frozen=True)
class Server:
    """What an upgrade wants to know of the server before it begins."""

    version: int
    locks: int

    @property
    def warning(self) -> str:
        if self.locks >= LOCKS_WANTED:
            return ""
        return (
            f"max_locks_per_transaction is {self.locks}: set {LOCKS_WANTED} or more, pg_dump fails with 200 customers."
        )


def ensure(url: str, admin_url: str = "") -> Server:
    """Make the roles that are missing, by the administrator's log-in if there is one, and set the privileges."""
    with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
        server = _inspect(connection)
        login, database = connection.info.user, connection.info.dbname
        names = list(ROLES.values())
        ready = not connection.execute(MISSING, [names, login]).fetchall() if _exist(connection, names) else False
        owned = connection.execute(
            "SELECT pg_get_userbyid(datdba) = %s FROM pg_database WHERE datname = current_database()", [ROLES["owner"]]
        ).fetchone()
        if not ready or not owned or not owned[0]:
            _make(admin_url or url, login, database)
        connection.execute(sql.SQL("SET ROLE {}").format(OWNER))
        for statement in PRIVILEGES:
            connection.execute(sql.SQL(statement).format(app=APP, msp=MSP, ingest=INGEST))
    return server


def _inspect(connection: psycopg.Connection) -> Server:
    version = connection.info.server_version // 10000
    if not OLDEST <= version <= NEWEST:
        raise RolesError(f"PostgreSQL {version} is not supported: use {OLDEST} to {NEWEST}.")
    found = connection.execute("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user").fetchone()
    if found and found[0]:
        raise RolesError(
            f"{connection.info.user} is superuser or has BYPASSRLS: give the portal its own log-in in DATABASE_URL "
            "and this one in DATABASE_ADMIN_URL."
        )
    locks = connection.execute("SELECT current_setting('max_locks_per_transaction')::int").fetchone()
    return Server(version, int(locks[0]) if locks else 0)


def _exist(connection: psycopg.Connection, names: list[str]) -> bool:
    found = connection.execute("SELECT count(*) FROM pg_roles WHERE rolname = ANY(%s)", [names]).fetchone()
    return bool(found and found[0] == len(names))


def statements(login: str, database: str) -> list[sql.SQL | sql.Composed]:
    """Return what an administrator has to run once, for those who would rather do it by hand."""
    user = sql.Identifier(login)
    made: list[sql.SQL | sql.Composed] = [sql.SQL("ALTER ROLE {} NOINHERIT").format(user)]
    for role in (OWNER, APP, MSP, INGEST):
        made.append(sql.SQL(CREATE_ROLE).format(role))
        made.append(sql.SQL("GRANT {} TO {}").format(role, user))
    made.append(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(sql.Identifier(database), OWNER))
    made.append(sql.SQL("GRANT ALL ON SCHEMA public TO {}").format(OWNER))
    made.append(sql.SQL("REVOKE CREATE ON SCHEMA public FROM PUBLIC"))
    return made


def _make(url: str, login: str, database: str) -> None:
    with psycopg.connect(url, dbname=database, autocommit=True, connect_timeout=5) as admin:
        todo = statements(login, database)
        try:
            for statement in todo:
                admin.execute(statement)
        except psycopg.errors.InsufficientPrivilege as error:
            lines = ";\n".join(statement.as_string(admin) for statement in todo)
            raise RolesError(
                "This log-in may not make the roles. Set DATABASE_ADMIN_URL, or let an administrator run this in "
                f"database {database}:\n\n{lines};\n\n({str(error).strip()})"
            ) from error
