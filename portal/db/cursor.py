"""Cursors that see to it that the server knows their database's context before they do anything."""

from typing import TYPE_CHECKING, Any, Protocol

import psycopg
from psycopg.pq import TransactionStatus

from .context import Context

if TYPE_CHECKING:
    from psycopg import ClientCursor

    Cursor = ClientCursor[Any]  # the stubs know that of another driver
else:
    from django.db.backends.postgresql.base import Cursor

REFUSED = (psycopg.errors.InvalidParameterValue, psycopg.errors.InsufficientPrivilege)


class Database(Protocol):
    """What a cursor asks of the database that it belongs to."""

    context: Context

    def untold(self) -> bool:
        """Return whether the server knows of another context than ours, or perhaps of none."""
        ...

    def tell(self) -> None:
        """Tell the server the context, by a statement of its own."""
        ...

    def told(self, context: Context | None) -> None:
        """Note what the server knows now; None is unknown."""
        ...


class ContextCursor(Cursor):
    """Django's cursor, under the context of `database`."""

    database: Database | None = None

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        database = self.database
        if database is None or not database.untold():
            return super().execute(query, params, **options)
        if not self._may_tell_along(query):
            database.tell()
            return super().execute(query, params, **options)
        return self._tell_along(database, query, params, options)

    def _may_tell_along(self, query: Any) -> bool:
        # Not within a transaction, where an error would leave no way to find out whose it was, and only what runs in
        # the transaction that the server makes of two statements.
        idle = self.connection.info.transaction_status == TransactionStatus.IDLE
        return idle and self.connection.autocommit and isinstance(query, str) and query.startswith("SELECT ")

    def _tell_along(self, database: Database, query: str, params: Any, options: dict[str, Any]) -> Any:
        # One round trip for both; an error takes the context back as well.
        database.told(None)
        try:
            super().execute(f"{database.context.statement}; {query}", params, **options)
        except REFUSED:
            # Where it was the context that was refused, this says so.
            database.tell()
            raise
        database.told(database.context)
        self.nextset()
        return self

    def executemany(self, *args: Any, **options: Any) -> Any:
        self._tell()
        return super().executemany(*args, **options)

    def stream(self, *args: Any, **options: Any) -> Any:
        self._tell()
        return super().stream(*args, **options)

    def copy(self, *args: Any, **options: Any) -> Any:
        self._tell()
        return super().copy(*args, **options)

    def _tell(self) -> None:
        if self.database is not None:
            self.database.tell()
