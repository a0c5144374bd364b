"""Migration operation for rows with `since` and `until` (portal.core.dated)."""

from django.db import migrations


def NoOverlap(table: str, *columns: str) -> migrations.RunSQL:
    """Return the operation that refuses two rows of the same ids for one moment.

    An id stands as a range of one number: so the index needs no extension of the database.
    """
    ranges = [*(f"int8range({column}, {column}, '[]')" for column in columns), "tstzrange(since, until)"]
    same = ", ".join(f"{each} WITH &&" for each in ranges)
    return migrations.RunSQL(
        f"ALTER TABLE {table} ADD CONSTRAINT {table}_no_overlap EXCLUDE USING gist ({same})",
        f"ALTER TABLE {table} DROP CONSTRAINT {table}_no_overlap",
    )
