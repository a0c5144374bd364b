"""What a customer costs: its creation, and one migration over a thousand of them."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import django

from tests.bench.figure import Figure, emit, note, percentile

SCHEMAS = 1_000
STOCK_SCHEMAS = 50
NEW = 20


def run() -> list[Figure]:
    """Print what creating a customer and migrating a thousand take."""
    django.setup()
    from conftest import _let_the_cast_in
    from portal import testing

    with testing.database():
        _let_the_cast_in()
        return [_create(), _fan_out()]


def _create() -> Figure:
    from portal.core.audit import Actor
    from portal.db import contexts
    from tenants.models import Customer, Msp
    from tenants.services.customers import create_customer

    note(f"customers: {NEW} created by the service, first page included")
    with contexts.public():
        msp = Msp.objects.get(slug="northwind")
    took = []
    for number in range(NEW):
        customer = Customer(msp=msp, name=f"Bench {number}", label=f"b{number}", country="DE", time_zone="UTC")
        began = time.perf_counter()
        create_customer(customer, by=Actor.system("bench"))
        _first_page(customer)
        took.append(time.perf_counter() - began)
    note("customers: baseline, the same schema by migrations")
    baseline = _by_migrations("c800000")
    return emit(
        "customer created, schema to first page, p50", percentile(took, 0.5), "s", at_most=0.5, baseline=baseline
    )


def _first_page(customer: object) -> None:
    from django.test import Client

    from portal.db import contexts
    from tenants.models import Domain

    with contexts.customer(customer):
        host = Domain.objects.filter(tenant=customer).values_list("domain", flat=True).get()
    answer = Client(headers={"host": host}).get("/account/login/")
    assert answer.status_code == 200, answer.status_code


def _by_migrations(schema: str) -> float:
    """Return the seconds that an empty schema takes to be made by its migrations, one after the other."""
    from django.db import connection

    from portal.db import contexts
    from portal.db.migrator import Walk

    began = time.perf_counter()
    with contexts.owner(), connection.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA {schema}")
    with contexts.owner(schema):
        walk = Walk(customers=True)
        walk.executor.recorder.ensure_schema()
        for migration, state in walk.steps(walk.waiting):
            walk.executor.apply_migration(state, migration)
    took = time.perf_counter() - began
    with contexts.owner(), connection.cursor() as cursor:
        cursor.execute(f"DROP SCHEMA {schema} CASCADE")
    return took


def _fan_out() -> Figure:
    from portal.db import migrator
    from portal.db.customers import create_schema, customer_schemas

    missing = SCHEMAS - len(customer_schemas())
    note(f"customers: making {missing} more schemas for the fan-out")
    for pk in range(900_000, 900_000 + missing):
        create_schema(SimpleNamespace(pk=pk, schema_name=f"c{pk:06d}", state="creating"))
    with _one_more_field("9998_bench", "bench_by_executor"):
        note(f"customers: baseline, Django's executor over {STOCK_SCHEMAS} schemas, scaled")
        some = customer_schemas()[:STOCK_SCHEMAS]
        baseline = _by_executor(some) * SCHEMAS / STOCK_SCHEMAS
        migrator.upgrade(lambda _line: None)
    with _one_more_field("9999_bench", "bench_by_fan_out"):
        note(f"customers: one AddField over {SCHEMAS} schemas by fan-out, comparison with the template included")
        began = time.perf_counter()
        outcome = migrator.upgrade(lambda _line: None)
        took = time.perf_counter() - began
    assert outcome.good and outcome.customers == SCHEMAS, outcome
    return emit("one AddField over 1,000 schemas", took, "s", at_most=3, baseline=baseline)


def _by_executor(schemas: list[str]) -> float:
    """Return the seconds that Django's executor takes schema by schema, as `migrate_schemas` runs it."""
    from portal.db import contexts
    from portal.db.migrator import Walk

    began = time.perf_counter()
    for schema in schemas:
        with contexts.owner(schema):
            walk = Walk(customers=True)
            for migration, state in walk.steps(walk.waiting):
                walk.executor.apply_migration(state, migration)
    return time.perf_counter() - began


@contextmanager
def _one_more_field(name: str, column: str) -> Iterator[None]:
    """Pretend that the directory app has one more migration on disk."""
    from django.db import models
    from django.db.migrations import AddField, Migration
    from django.db.migrations.loader import MigrationLoader

    load = MigrationLoader.load_disk

    def load_one_more(self: MigrationLoader) -> None:
        load(self)
        last = max(key for key in self.disk_migrations if key[0] == "directory")
        extra = type("Extra", (Migration,), {"dependencies": [last]})(name, "directory")
        extra.operations = [AddField("site", column, models.TextField(default=""))]
        self.disk_migrations["directory", name] = extra

    MigrationLoader.load_disk = load_one_more  # type: ignore[method-assign]
    try:
        yield
    finally:
        MigrationLoader.load_disk = load  # type: ignore[method-assign]
