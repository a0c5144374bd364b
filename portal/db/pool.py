"""The connections that are kept between pages: looked at before each use, and asked only when something came in."""

import select
from collections import deque
from typing import Any

import psycopg
from psycopg_pool import ConnectionPool


class _LastFirst(deque[Any]):
    append = deque.appendleft


class Pool(ConnectionPool[Any]):
    """A pool that never gives out a connection that the server has closed meanwhile."""

    def __init__(self, **options: Any) -> None:
        super().__init__(check=check, **options)
        # What came back last goes out first: the server has read up on our tables there, a customer's among them.
        self._pool = _LastFirst()


def check(connection: psycopg.Connection[Any]) -> None:
    """Raise OperationalError where the server has closed the connection."""
    # A server that goes says so, and then there is something to read: while it is silent, asking is for nothing.
    waiting = select.poll()
    waiting.register(connection.fileno(), select.POLLIN)
    if waiting.poll(0):
        ConnectionPool.check_connection(connection)
