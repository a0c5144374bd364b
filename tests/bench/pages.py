"""What a customer's page costs: 25 numbers, logged in, all middleware, ten people at once."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import django

from tests.bench.figure import Figure, emit, note, percentile
from tests.bench.load import ask

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
        headers = _logged_in()
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


def _logged_in() -> dict[str, str]:
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore

    from portal.core.audit import Actor
    from portal.db import contexts
    from tenants.middleware import SESSION_HOST
    from tenants.models import Customer, Domain, User
    from voice.inventory.models import StockNumber
    from voice.numbers.allocation import allocate

    with contexts.public():
        acme = Customer.objects.select_related("msp").get(label="acme")
        alice = User.objects.get(email="alice@acme.example")
    with contexts.msp(acme.msp):
        stock = [StockNumber(msp=acme.msp, e164=f"+4930555{n:05}", country="DE") for n in range(200)]
        stock = StockNumber.objects.bulk_create(stock)
    with contexts.msp(acme.msp, customer=acme):
        allocate([each.pk for each in stock], acme, by=Actor.system("bench"))
    with contexts.customer(acme):
        host = Domain.objects.filter(tenant=acme).values_list("domain", flat=True).get()
    with contexts.public():
        session = SessionStore()
        session[SESSION_KEY] = str(alice.pk)
        session[BACKEND_SESSION_KEY] = "allauth.account.auth_backends.AuthenticationBackend"
        session[HASH_SESSION_KEY] = alice.get_session_auth_hash()
        session[SESSION_HOST] = host
        session.save()
    return {"Host": host, "Cookie": f"session={session.session_key}"}


def _measure(application: str, redis: str, headers: dict[str, str]) -> list[float]:
    note(f"pages: {application}")
    with _daphne(application, redis) as port:
        ask(port, "/numbers/", headers, clients=CLIENTS, seconds=WARM_UP)
        return ask(port, "/numbers/", headers, clients=CLIENTS, seconds=SECONDS)


@contextmanager
def _daphne(application: str, redis: str) -> Iterator[int]:
    from django.conf import settings

    database = settings.DATABASES["default"]
    url = f"postgresql://{database['USER']}:{database['PASSWORD']}@/{database['NAME']}?host={database['HOST']}"
    if database["PORT"]:
        url += f"&port={database['PORT']}"
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "DATABASE_URL": url,
        "REDIS_URL": redis,
        "SECRET_KEY": settings.SECRET_KEY,
        "SECRET_BOX_KEYS": ",".join(settings.SECRET_BOX_KEYS),
        "DEBUG": "0",
        "LOG_LEVEL": "WARNING",
        "STROWGER_DEMO": "1",
    }
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "daphne", "-v", "0", "-b", "127.0.0.1", "-p", str(port), application]
    server = subprocess.Popen(command, env=environment, stdout=sys.stderr, stderr=sys.stderr)
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield port
    finally:
        server.terminate()
        server.wait(20)
