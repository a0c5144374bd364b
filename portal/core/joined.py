"""Rows of joined tables by a query worded once: Django takes longer to word what every request asks than to run it."""

from collections.abc import Collection, Iterator
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Model


class Joined:
    """The rows of some models side by side, by what stands in SQL after `FROM`.

    Only for models whose values PostgreSQL's driver gives as they are: no JSON, no fields with a form of their own.
    """

    def __init__(self, after_from: str, *models: type[Model], without: Collection[str] = ()) -> None:
        self.models = models
        fields = [[field for field in model._meta.concrete_fields if field.attname not in without] for model in models]
        self.names = [[field.attname for field in each] for each in fields]
        columns = [f'"{field.model._meta.db_table}"."{field.column}"' for each in fields for field in each]
        self.sql = f"SELECT {', '.join(columns)} FROM {after_from}"  # noqa: S608  names of ours, values stay apart

    def first(self, *params: Any) -> list[Any] | None:
        """Return one object of each model, None for one that an outer join did not find; None without a row."""
        with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
            cursor.execute(self.sql, params)
            row = cursor.fetchone()
        return None if row is None else list(self._objects(row))

    def _objects(self, row: tuple[Any, ...]) -> Iterator[Model | None]:
        start = 0
        for model, names in zip(self.models, self.names, strict=True):
            values = row[start : start + len(names)]
            start += len(names)
            # The primary key is every model's first column.
            yield None if values[0] is None else model.from_db(DEFAULT_DB_ALIAS, names, values)
