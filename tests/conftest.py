"""The cast with something to see and to steal, for the tests that walk over everything."""

from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec

import pytest
from django.apps import apps
from django.core.cache import cache
from django.db import connection, transaction

from portal import testing
from portal.db import contexts
from tenants import hosts
from tenants.demo import Cast
from tenants.models import Customer, Msp, Region


@pytest.fixture(scope="module")
def demo(django_db_setup: None, django_db_blocker: object) -> Iterator[None]:
    """A database of its own that has what the demo gives the cast: seeding it takes seconds, so it is done once."""
    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        kept = testing.copy("demo", _give_the_cast_the_demo)
        kept.__enter__()
    yield
    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        kept.__exit__(None, None, None)


@pytest.fixture
def world(demo, region, northwind, fabrikam, acme, globex, initech):
    """The cast with the things that the demo gives it, so that there is something to see and to steal."""
    contexts.use_public()
    hosts.forget()
    cache.clear()
    yield Cast(region, [northwind, fabrikam], [acme, globex, initech])
    cache.clear()


def _give_the_cast_the_demo() -> None:
    with transaction.atomic():
        msps = [Msp.objects.get(slug=slug) for slug in ("northwind", "fabrikam")]
        customers = [Customer.objects.select_related("msp").get(label=label) for label in ("acme", "globex", "initech")]
        _apart(customers[0])
        cast = Cast(Region.objects.get(slug="lab"), msps, customers)
        for config in apps.get_app_configs():
            if config.name != "tenants" and find_spec(f"{config.name}.demo"):
                import_module(f"{config.name}.demo").seed(cast)
        contexts.use_public()
        # Nobody is there to be nudged, and no job is to run.
        connection.run_on_commit.clear()


def _apart(customer: Customer) -> None:
    """Let the ids in one customer's schema begin where the others' have not come to: theirs hit nothing of our own."""
    with contexts.owner(customer.schema_name), connection.cursor() as cursor:
        cursor.execute("SELECT format('%%I.%%I', schemaname, sequencename) FROM pg_sequences WHERE schemaname = %s",
                       [customer.schema_name])  # fmt: skip
        for (name,) in cursor.fetchall():
            cursor.execute("SELECT setval(%s, 1000)", [name])
