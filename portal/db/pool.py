"""The connections that are kept between pages: looked at before each use, and asked only when something came in."""

import select
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus
from psycopg_pool import ConnectionPool

from .context import Context


class PooledConnection(psycopg.Connection[Any]):
    """A connection that remembers what the server was told last; None is unknown."""

    left_under: Context | None = None

    @property
    def is_idle(self) -> bool:
        return not self.closed and self.pgconn.transaction_status == TransactionStatus.IDLE


class Pool(ConnectionPool[PooledConnection]):
    """A pool that never gives out a connection that the server has closed meanwhile."""

    def __init__(self, **options: Any) -> None:
        super().__init__(connection_class=PooledConnection, check=check, **options)


def check(connection: psycopg.Connection[Any]) -> None:
    """Raise OperationalError where the server has closed the connection."""
    # A server says good-bye, and then there is something to read: while it is silent, to ask is a round trip for nothing.
    waiting = select.poll()
    waiting.register(connection.fileno(), select.POLLIN)
    if waiting.poll(0):
        ConnectionPool.check_connection(connection)
