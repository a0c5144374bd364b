"""Connections that go to the address that was looked at: a name is resolved once, and TLS still asks for the name."""

import socket
from typing import Any

import urllib3
from django.utils.translation import gettext as _
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from voice.delivery.addresses import NotAllowed, address_of


class _Plain(HTTPConnection):
    """Without TLS, into networks of the installation's own alone."""

    def _new_conn(self) -> socket.socket:
        return _connected(self, plain=True)


class _Secure(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _connected(self, plain=False)


class _PlainPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecurePool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _Secure


def pinned_pool(**options: Any) -> urllib3.PoolManager:
    """Return a pool whose connections raise NotAllowed for names that lead inside."""
    pool = urllib3.PoolManager(**options)
    pool.pool_classes_by_scheme = {"http": _PlainPool, "https": _SecurePool}
    return pool


def _connected(connection: HTTPConnection, *, plain: bool) -> socket.socket:
    address, own = address_of(connection.host, connection.port or (80 if plain else 443))
    if plain and not own:
        raise NotAllowed(_("Outside your own network files go over https:// only."))
    patience = connection.timeout if isinstance(connection.timeout, int | float) else None
    try:
        return socket.create_connection((address, connection.port), patience)
    except TimeoutError as error:
        raise ConnectTimeoutError(connection, str(error)) from error
    except OSError as error:
        raise NewConnectionError(connection, str(error)) from error
