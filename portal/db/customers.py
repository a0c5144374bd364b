"""A customer's schema: made from template SQL in the caller's transaction, dropped when the law allows (D4)."""

from django.db import connection, transaction
from psycopg import sql

from . import contexts
from .context import CUSTOMER_SCHEMA, ROLES, ContextRefused
from .contexts import CustomerLike
from .models import CustomerTemplate

# Creating a customer shares it, a fan-out has it alone: no customer is made from a template that is being changed.
MIGRATION_LOCK = 7_283_110


class NoTemplate(Exception):
    """There is no template to make a customer from."""


def schema_name(pk: int) -> str:
    """Return the name of the schema of the customer with this id."""
    return f"c{pk:06d}"


@transaction.atomic
def create_schema(customer: CustomerLike) -> None:
    """Make the customer's tables; with the transaction that stores the customer, or not at all."""
    name = _checked(customer)
    with contexts.owner(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [MIGRATION_LOCK])
        template = CustomerTemplate.objects.order_by("-pk").values_list("sql", flat=True).first()
        if template is None:
            raise NoTemplate("Run `manage.py upgrade` first: there is no template for customers yet.")
        cursor.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(name)))
        roles = sql.SQL(", ").join(sql.Identifier(ROLES[role]) for role in ("app", "msp"))
        cursor.execute(sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(sql.Identifier(name), roles))
        with contexts.owner(name):
            cursor.execute(template)


@transaction.atomic
def drop_schema(customer: CustomerLike) -> None:
    """Drop the customer's tables and everything in them."""
    with contexts.owner(), connection.cursor() as cursor:
        cursor.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(_checked(customer))))


def has_schema(customer: CustomerLike) -> bool:
    """Tell whether the customer's tables are there: they are made with it, and dropped when the law allows."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = %s)", [_checked(customer)])
        return bool(cursor.fetchone() == (True,))


def customer_schemas() -> list[str]:
    """Return the schemas of all customers, in the order in which they were made."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nspname FROM pg_namespace WHERE nspname ~ '^c[0-9]{6,10}$' ORDER BY length(nspname), nspname"
        )
        return [row[0] for row in cursor.fetchall()]


def _checked(customer: CustomerLike) -> str:
    if (
        not customer.pk
        or not CUSTOMER_SCHEMA.match(customer.schema_name)
        or customer.schema_name != schema_name(customer.pk)
    ):
        raise ContextRefused(f"{customer.schema_name!r} is not the schema of customer {customer.pk}.")
    return customer.schema_name
