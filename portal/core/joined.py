"""Rows by queries worded once: Django takes longer to word what every request asks than PostgreSQL to answer."""

from collections.abc import Collection, Iterator
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Model, QuerySet
from django.db.models.query import get_related_populators


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


class Worded:
    """The rows that a queryset would give, objects of `select_related` and `only` included, worded when this is made.

    Nothing of a request may stand in the queryset: the values in it are kept with its words.
    """

    def __init__(self, queryset: QuerySet[Any]) -> None:
        compiler = queryset.query.get_compiler(DEFAULT_DB_ALIAS)
        self.sql, self.params = compiler.as_sql()
        about, select = compiler.klass_info, compiler.select
        if compiler.get_converters([column for column, _sql, _alias in select]) or compiler.annotation_col_map:
            raise TypeError("Only for columns whose values PostgreSQL's driver gives as they are.")
        first, last = about["select_fields"][0], about["select_fields"][-1]
        self.model, self.own = about["model"], slice(first, last + 1)
        self.names = [column.target.attname for column, _sql, _alias in select[self.own]]
        # As Django's own iterator of objects does; the type stubs speak of a later Django's.
        self.related = get_related_populators(about, select, DEFAULT_DB_ALIAS)  # type: ignore[call-arg]

    def rows(self) -> list[Any]:
        """Return what the queryset finds now, in the context that is in force now."""
        with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
            cursor.execute(self.sql, self.params)
            return [self._object(row) for row in cursor.fetchall()]

    def _object(self, row: tuple[Any, ...]) -> Model:
        found: Model = self.model.from_db(DEFAULT_DB_ALIAS, self.names, row[self.own])
        for populator in self.related:
            populator.populate(row, found)
        return found
