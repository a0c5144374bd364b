"""Introspection of the current schema alone: the stock one scans every customer's tables."""

from typing import Any

import django.db.backends.postgresql.base  # noqa: F401  must come before its introspection module
from django.db.backends.postgresql.introspection import TableInfo
from django_tenants.postgresql_backend.introspection import DatabaseSchemaIntrospection

TABLES = """
    SELECT relname, CASE WHEN relispartition THEN 'p' WHEN relkind IN ('m', 'v') THEN 'v' ELSE 't' END,
           obj_description(oid, 'pg_class')
      FROM pg_catalog.pg_class
     WHERE relkind IN ('f', 'm', 'p', 'r', 'v') AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = %s)
"""


class SchemaIntrospection(DatabaseSchemaIntrospection):  # type: ignore[misc]
    """Sees the tables of the connection's schema and no others."""

    def get_table_list(self, cursor: Any) -> list[TableInfo]:
        cursor.execute(TABLES, [self.connection.schema_name])
        return [TableInfo(*row) for row in cursor.fetchall() if row[0] not in self.ignored_tables]
