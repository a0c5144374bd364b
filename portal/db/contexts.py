"""Who the database takes us for: `use_…` from here on, `with …` for a block.

Customer and MSP are passed as objects, so that nobody can name a schema.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol, cast

from django.db import connections

from .base import DatabaseWrapper
from .context import NOBODY, PUBLIC, Context, ContextRefused

__all__ = [
    "NOBODY", "Context", "ContextRefused", "current", "customer", "ingest", "msp", "owner", "public",
    "use_customer", "use_ingest", "use_msp", "use_owner", "use_public",
]  # fmt: skip

# A customer being created has no tables yet, a closed one is kept for the law and not for use.
CLOSED_STATES = frozenset({"creating", "closed"})


class CustomerLike(Protocol):
    """A customer, as far as the database is concerned."""

    pk: Any
    schema_name: str
    state: str


class MspLike(Protocol):
    """A managed service provider, as far as the database is concerned."""

    pk: Any


def current() -> Context:
    """Return the context of this thread's connection."""
    return _connection().context


def use_public() -> None:
    """Run what follows with no tenant: host look-up, the operator's console."""
    _connection().use(NOBODY)


def use_customer(customer: CustomerLike) -> None:
    """Run what follows as this customer; raises ContextRefused while there is none or no more."""
    _connection().use(_of_customer(customer), customer)


def use_msp(msp: MspLike, customer: CustomerLike | None = None) -> None:
    """Run what follows as this MSP; with `customer`, its schema is visible too, for writes over both."""
    _connection().use(_of_msp(msp, customer), customer)


def use_owner(schema: str | None = None) -> None:
    """Run what follows as the owner of the tables: migrations and partitions, no rows under row-level security."""
    _connection().use(Context("owner", schema or PUBLIC))


def use_ingest() -> None:
    """Run what follows as the role that stores what nodes send."""
    _connection().use(Context("ingest"))


@contextmanager
def public() -> Iterator[None]:
    """Hold the context of no tenant for a block."""
    with _kept():
        use_public()
        yield


@contextmanager
def customer(customer: CustomerLike) -> Iterator[None]:
    """Hold one customer's context for a block."""
    with _kept():
        use_customer(customer)
        yield


@contextmanager
def msp(msp: MspLike, customer: CustomerLike | None = None) -> Iterator[None]:
    """Hold one MSP's context for a block, optionally over one customer's schema."""
    with _kept():
        use_msp(msp, customer)
        yield


@contextmanager
def owner(schema: str | None = None) -> Iterator[None]:
    """Hold the table owner's context for a block."""
    with _kept():
        use_owner(schema)
        yield


@contextmanager
def ingest() -> Iterator[None]:
    """Hold the context of the role that stores what nodes send."""
    with _kept():
        use_ingest()
        yield


@contextmanager
def _kept() -> Iterator[None]:
    # The connection is looked up once: a block never restores another thread's.
    connection = _connection()
    before, tenant = connection.context, connection.tenant
    try:
        yield
    finally:
        connection.use(before, tenant)


def _of_customer(customer: CustomerLike) -> Context:
    if not customer.pk:
        raise ContextRefused("This customer is not stored yet.")
    if getattr(customer, "state", "active") in CLOSED_STATES:
        raise ContextRefused(f"This customer is {customer.state}.")
    return Context("app", _schema(customer), tenant=customer.pk)


def _of_msp(msp: MspLike, customer: CustomerLike | None) -> Context:
    if not msp.pk:
        raise ContextRefused("This MSP is not stored yet.")
    if customer is None:
        return Context("msp", msp=msp.pk)
    if getattr(customer, "msp_id", msp.pk) != msp.pk:
        raise ContextRefused("This customer belongs to another MSP.")
    return Context("msp", _schema(customer), tenant=customer.pk, msp=msp.pk)


def _schema(customer: CustomerLike) -> str:
    if customer.schema_name == PUBLIC:
        raise ContextRefused("A customer never lives in the public schema.")
    return customer.schema_name


def _connection() -> DatabaseWrapper:
    return cast(DatabaseWrapper, connections["default"])
