"""Several reads in one statement: one round trip, and one state of the database for all of them."""

from collections.abc import Mapping
from typing import Any

from django.db import connection
from django.db.models import QuerySet


class Together:
    """Reads that are compiled once, with blanks in them, and asked for many times.

    `reads` are querysets of values. Each blank stands in them for what is told at each asking; as it is found by its
    value, it has to be one that nothing else in the reads has.
    """

    def __init__(self, reads: Mapping[str, "QuerySet[Any, Any]"], **blanks: Any) -> None:
        self.names, self.parameters = list(reads), list[Any]()
        parts = []
        for read in reads.values():
            text, parameters = read.query.sql_with_params()
            parts.append(f"(SELECT coalesce(json_agg(one), '[]') FROM ({text}) AS one)")  # noqa: S608 Django's own
            self.parameters += parameters
        self.statement = f"SELECT {', '.join(parts)}"
        self.blanks = {value: name for name, value in blanks.items()}
        missing = self.blanks.keys() - set(self.parameters)
        if missing:
            raise ValueError(f"No read has a place for {sorted(self.blanks[each] for each in missing)}.")

    def ask(self, **told: Any) -> dict[str, list[dict[str, Any]]]:
        """Return the rows of each read in its order, as JSON has them."""
        filled = [told[self.blanks[each]] if each in self.blanks else each for each in self.parameters]
        with connection.cursor() as cursor:
            cursor.execute(self.statement, filled)
            row = cursor.fetchone()
        return dict(zip(self.names, row or (), strict=True))
