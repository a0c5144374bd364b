"""Reads that are compiled once, with blanks in them, and asked for many times: making SQL takes longer than most of it.

As a blank is found by its value, it has to be one that nothing else in the reads has.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Generic, TypeVar

from django.db import connection
from django.db.models import Model, QuerySet

M = TypeVar("M", bound=Model)


class _Blanks:
    """What is told at each asking in place of what stood there when the read was compiled."""

    def __init__(self, parameters: Iterable[Any], blanks: Mapping[str, Any]) -> None:
        names = {value: name for name, value in blanks.items()}
        self.parameters = [(_name(each, names), each) for each in parameters]
        missing = blanks.keys() - {name for name, _each in self.parameters}
        if missing:
            raise ValueError(f"No read has a place for {sorted(missing)}.")

    def filled(self, told: Mapping[str, Any]) -> list[Any]:
        return [each if name is None else told[name] for name, each in self.parameters]


class Kept(Generic[M]):
    """A query of whole rows; one that locks them has to be made within a transaction, as it is asked."""

    def __init__(self, rows: "QuerySet[M]", **blanks: Any) -> None:
        self.model = rows.model
        self.statement, parameters = rows.query.sql_with_params()
        self.blanks = _Blanks(parameters, blanks)

    def ask(self, **told: Any) -> list[M]:
        """Return the rows, with what they are annotated with."""
        return list(self.model._default_manager.raw(self.statement, self.blanks.filled(told)))


class Around:
    """A statement of ours around a read, which stands in it as `{read}` before the statement's own parameters."""

    def __init__(self, statement: str, read: "QuerySet[Any, Any]", **blanks: Any) -> None:
        text, parameters = read.query.sql_with_params()
        self.statement, self.blanks = statement.replace("{read}", text), _Blanks(parameters, blanks)

    def ask(self, *parameters: Any, **told: Any) -> list[Any]:
        """Return the rows that the statement gives."""
        with connection.cursor() as cursor:
            cursor.execute(self.statement, [*self.blanks.filled(told), *parameters])
            return list(cursor.fetchall())


class Together:
    """Several querysets of values in one statement: one round trip, and one state of the database for all of them."""

    def __init__(self, reads: Mapping[str, "QuerySet[Any, Any]"], **blanks: Any) -> None:
        self.names, all_parameters = list(reads), list[Any]()
        parts = []
        for read in reads.values():
            text, parameters = read.query.sql_with_params()
            parts.append(f"(SELECT coalesce(json_agg(one), '[]') FROM ({text}) AS one)")  # noqa: S608 Django's own
            all_parameters += parameters
        self.statement = f"SELECT {', '.join(parts)}"
        self.blanks = _Blanks(all_parameters, blanks)

    def ask(self, **told: Any) -> dict[str, list[dict[str, Any]]]:
        """Return the rows of each read in its order, as JSON has them."""
        with connection.cursor() as cursor:
            cursor.execute(self.statement, self.blanks.filled(told))
            row = cursor.fetchone()
        return dict(zip(self.names, row or (), strict=True))


def _name(parameter: Any, names: Mapping[Any, str]) -> str | None:
    # Lists and documents are no blanks, nor can they be looked up.
    return names.get(parameter) if parameter.__hash__ is not None else None
