"""Partitions by day of the large public tables: made ahead, dropped when their time is over."""

import datetime as dt
from collections.abc import Iterable

from django.db import connection
from psycopg import sql

from . import contexts
from .context import ROLES

CHILDREN = """
    SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
     WHERE i.inhparent = %s::regclass ORDER BY c.relname
"""


def partition_name(table: str, day: dt.date) -> str:
    """Return the name of the partition that holds this (UTC) day."""
    return f"{table}_{day:%Y%m%d}"


def days_without(tables: Iterable[str], days: Iterable[dt.date]) -> set[dt.date]:
    """Return which of these days miss their partition of some table; one short question, whoever asks."""
    names = {partition_name(table, day): day for table in tables for day in days}
    with connection.cursor() as cursor:
        cursor.execute("SELECT n FROM unnest(%s::text[]) AS n WHERE to_regclass('public.' || n) IS NULL", [list(names)])
        return {names[name] for (name,) in cursor.fetchall()}


def ensure_days(table: str, days: Iterable[dt.date]) -> list[str]:
    """Make the partitions of these days that are missing, and return their names."""
    wanted = {partition_name(table, day): day for day in days}
    with contexts.owner(), connection.cursor() as cursor:
        cursor.execute(CHILDREN, [f'public."{table}"'])
        missing = sorted(wanted.keys() - {row[0] for row in cursor.fetchall()})
        for name in missing:
            day = wanted[name]
            cursor.execute(
                sql.SQL("CREATE TABLE IF NOT EXISTS {} PARTITION OF {} FOR VALUES FROM ({}) TO ({})").format(
                    sql.Identifier(name),
                    sql.Identifier(table),
                    f"{day} 00:00:00+00",
                    f"{day + dt.timedelta(1)} 00:00:00+00",
                )
            )
            _close(cursor, name)
    return missing


def drop_before(table: str, day: dt.date) -> list[str]:
    """Drop the partitions of all days before this one, and return their names."""
    oldest = partition_name(table, day)
    with contexts.owner(), connection.cursor() as cursor:
        cursor.execute(CHILDREN, [f'public."{table}"'])
        gone = [row[0] for row in cursor.fetchall() if row[0] < oldest and row[0].startswith(f"{table}_2")]
        for name in gone:
            cursor.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(name)))
    return gone


def _close(cursor: object, name: str) -> None:
    # Read by its own name a partition ignores the policies of its parent: so nobody may, and it has none to pass.
    execute = cursor.execute  # type: ignore[attr-defined]
    execute(sql.SQL("ALTER TABLE {} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY").format(sql.Identifier(name)))
    roles = sql.SQL(", ").join(sql.Identifier(ROLES[role]) for role in ("app", "msp", "ingest"))
    execute(sql.SQL("REVOKE ALL ON {} FROM {}").format(sql.Identifier(name), roles))
