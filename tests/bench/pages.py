"""What a customer's page costs: 25 numbers, logged in, all middleware, ten people at once."""

import subprocess
import sys
from pathlib import Path

import django

from tests.bench.figure import Figure, emit, note, percentile
from tests.bench.ground import environment, logged_in
from tests.bench.load import ask
from tests.bench.processes import daphne

CLIENTS = 10
ROUNDS, ROUND_SECONDS = 5, 3.0
SECONDS = ROUNDS * ROUND_SECONDS
WARM_UP = 3.0


def run() -> list[Figure]:
    """Print requests a second and their p99, beside Django's own ASGI handler under daphne."""
    django.setup()
    from django.conf import settings
    from django.utils.crypto import get_random_string

    from conftest import _let_the_cast_in
    from portal import embedded, testing

    home = embedded.default_home(Path("var").resolve()) / "bench"
    with testing.database():
        _let_the_cast_in()
        _give_numbers()
        headers = logged_in("alice@acme.example", "acme")
        # A browser that has logged in has the cookie of the form, too.
        headers["Cookie"] += f"; {settings.CSRF_COOKIE_NAME}={get_random_string(32)}"
        redis = embedded.start_valkey(home)
        try:
            _static_files(redis)
            ours, baseline = _measure(redis, headers)
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


def _static_files(redis: str) -> None:
    """Collect what pages link to, as a start does: without the manifest no page is drawn."""
    for command in (["assets"], ["collectstatic", "--noinput", "--verbosity", "0"]):
        subprocess.run([sys.executable, "manage.py", *command], env=environment(redis), stdout=sys.stderr, check=True)


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


def _measure(redis: str, headers: dict[str, str]) -> tuple[list[float], list[float]]:
    """Return the times of our server and of the baseline; they take turns, so that a busy machine slows both."""
    note(f"pages: {ROUNDS} rounds of {ROUND_SECONDS:.0f} s each")
    ours: list[float] = []
    baseline: list[float] = []
    with (
        daphne("portal.asgi:application", environment(redis)) as our_port,
        daphne("tests.bench.django_asgi:application", environment(redis)) as their_port,
    ):
        for port in (our_port, their_port):
            ask(port, "/numbers/", headers, clients=CLIENTS, seconds=WARM_UP)
        for _ in range(ROUNDS):
            ours += ask(our_port, "/numbers/", headers, clients=CLIENTS, seconds=ROUND_SECONDS)
            baseline += ask(their_port, "/numbers/", headers, clients=CLIENTS, seconds=ROUND_SECONDS)
    return ours, baseline
