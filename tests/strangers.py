"""What somebody may try with the ids of others: where a request looks an id up says which of their ids to try there."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import connection
from django.db.models import UUIDField
from django.http import QueryDict
from rest_framework import serializers

from tests import extremes, walk

# Ids that nobody has, near enough to those that somebody has to pass where these would.
NOBODYS = {"int": 7919, "uuid": UUID("00000000-0000-4000-8000-000000000000")}
LOOKED_UP = re.compile(r'"(\w+)"\."(\w+)" (?:=|IN|= ANY) ?\(?(%s(?:, %s)*)')
# Where ids are: table and column.
Where = tuple[str, str]
Ids = dict[Where, list[Any]]
TABLES = {model._meta.db_table: model for model in apps.get_models() if model._meta.managed}
COLUMNS = {(table, field.column): field for table, model in TABLES.items() for field in model._meta.concrete_fields}
OWNERS = {"tenant_id": ("tenants_customer", "id"), "msp_id": ("tenants_msp", "id")}


def ids_in(context: Any) -> Ids:
    """Return every id that is to be seen in a context."""
    found: Ids = {}
    with context:
        readable = {table for table, model in TABLES.items() if walk.may_read(model)}
        for (table, column), field in COLUMNS.items():
            if table in readable and _is_id(field):
                rows = TABLES[table]._default_manager.exclude(**{field.attname: None}).order_by(f"-{field.attname}")
                found[table, column] = list(rows.values_list(field.attname, flat=True))
    return found


def others(theirs: Ids, mine: Ids) -> Ids:
    """Return the ids that they have and I do not."""
    return {where: [pk for pk in pks if pk not in set(mine.get(where, ()))] for where, pks in theirs.items()}


@contextmanager
def looked_up(value: Any) -> Iterator[set[Where]]:
    """Give the places in which a request looks an id up."""
    places: Any = set()

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if not many and params and _holds(params, value):
            for found in LOOKED_UP.finditer(sql):
                first = sql.count("%s", 0, found.start())
                if _holds(params[first : first + found[3].count("%s")], value):
                    places.add(_place_of(found[1], found[2]))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield places
    places.discard(None)


def _place_of(table: str, column: str) -> Where | None:
    """Return where the id is that a column holds, nothing where it holds none."""
    field = COLUMNS.get((table, column))
    if field is not None and field.is_relation:
        return field.related_model._meta.db_table, field.related_model._meta.pk.column
    return (table, column) if field is not None and _is_id(field) else OWNERS.get(column)


def _is_id(field: Any) -> bool:
    return (field.primary_key and not field.is_relation) or isinstance(field, UUIDField)


def _holds(params: Any, value: Any) -> bool:
    wanted = str(value)
    return any(_holds(each, value) if isinstance(each, list | tuple) else str(each) == wanted for each in params)


@contextmanager
def asked_for(monkeypatch: Any) -> Iterator[set[str]]:
    """Give the names that a request looks for in its query string."""
    names: set[str] = set()

    with monkeypatch.context() as patch:
        for method in ("get", "__getitem__", "__contains__", "getlist"):
            real = getattr(QueryDict, method)

            def noted(self: Any, name: Any, *args: Any, real: Any = real) -> Any:
                names.add(name)
                return real(self, name, *args)

            patch.setattr(QueryDict, method, noted)
        yield names


@contextmanager
def filled(monkeypatch: Any, value: Any) -> Iterator[None]:
    """Let every field that can hold an id hold this one in a body that says nothing, and the others what they allow."""
    with monkeypatch.context() as patch:
        for cls in extremes.GIVEN:

            def get_value(self: Any, body: Any, own: Any = cls.get_value) -> Any:
                return own(self, body) if self.read_only or self.field_name == "row_version" else with_id(self, value)

            patch.setattr(cls, "get_value", get_value)
        yield


def with_id(field: Any, value: Any) -> Any:
    """Return a value for a field of the API: the id where it can be one; a number that has a limit is none."""
    if isinstance(field, serializers.UUIDField) and isinstance(value, UUID):
        return value
    if isinstance(field, serializers.IntegerField | serializers.RelatedField) and isinstance(value, int):
        return extremes.extreme(field, extremes.SMALLEST) if getattr(field, "max_value", None) else value
    if isinstance(field, serializers.ListSerializer | serializers.ListField):
        return [with_id(field.child, value)]
    if isinstance(field, serializers.ManyRelatedField):
        return [with_id(field.child_relation, value)]
    if isinstance(field, serializers.BaseSerializer):
        return {name: with_id(each, value) for name, each in field.fields.items() if not each.read_only}
    return extremes.extreme(field, extremes.SMALLEST)
