"""What a customer's page costs: 25 numbers, logged in, all middleware, ten people at once."""

from pathlib import Path

import django

from tests.bench.figure import Figure, emit, note, percentile
from tests.bench.ground import environment, logged_in
from tests.bench.load import ask
from tests.bench.processes import daphne

CLIENTS = 10
SECONDS = 15.0
WARM_UP = 3.0


def run() -> list[Figure]:
    """Print requests a second and their p99, beside Django's own ASGI handler under daphne."""
    django.setup()
    from conftest import _let_the_cast_in
    from portal import embedded, testing

    home = embedded.default_home(Path("var").resolve()) / "bench"
    with testing.database():
        _let_the_cast_in()
        _give_numbers()
        headers = logged_in("alice@acme.example", "acme")
        redis = embedded.start_valkey(home)
        try:
            ours = _measure("portal.asgi:application", redis, headers)
            baseline = _measure("tests.bench.django_asgi:application", redis, headers)
        finally:
            embedded.stop(home)
    return [
        emit(
            "customer page of 25 rows, 10 clients",
            len(ours) / SECONDS,
            "requests/s",
            baseline=len(baseline) / SECONDS,
            ratio_at_least=1.7,
        ),
        emit(
            "customer page of 25 rows, 10 clients, p99",
            percentile(ours, 0.99) * 1000,
            "ms",
            at_most=150,
            baseline=percentile(baseline, 0.99) * 1000,
        ),
    ]


def _give_numbers() -> None:
    """Allocate 200 numbers to Acme."""
    from portal.core.audit import Actor
    from portal.db import contexts
    from tenants.models import Customer
    from voice.inventory.models import StockNumber
    from voice.numbers.allocation import allocate

    with contexts.public():
        acme = Customer.objects.select_related("msp").get(label="acme")
    with contexts.msp(acme.msp):
        stock = [StockNumber(msp=acme.msp, e164=f"+4930555{n:05}", country="DE") for n in range(200)]
        stock = StockNumber.objects.bulk_create(stock)
    with contexts.msp(acme.msp, customer=acme):
        allocate([each.pk for each in stock], acme, by=Actor.system("bench"))


def _measure(application: str, redis: str, headers: dict[str, str]) -> list[float]:
    note(f"pages: {application}")
    with daphne(application, environment(redis)) as port:
        ask(port, "/numbers/", headers, clients=CLIENTS, seconds=WARM_UP)
        return ask(port, "/numbers/", headers, clients=CLIENTS, seconds=SECONDS)
