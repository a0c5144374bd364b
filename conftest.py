"""The ground of all tests: a database of their own, the cast, and the walls between tests.

Alice edits Acme, Victor may only look, Mallory is an administrator at Globex. Nadia owns Northwind, the MSP of both;
Initech is a customer of Fabrikam, another MSP.
"""

import os
import shutil
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
from channels.testing import application as communicators
from django.conf import settings
from django.db import close_old_connections, connections, transaction
from django.test import Client
from hypothesis import HealthCheck
from hypothesis import settings as tries

from portal import embedded, testing
from portal.core.audit import Actor
from portal.db import contexts
from tenants.middleware import SESSION_HOST
from tenants.models import BaseDomain, Customer, Domain, Membership, Msp, Region, User
from tenants.services.customers import create_customer
from tenants.services.msps import create_msp

pytest_plugins = ("tests.second_tries", "tests.sharing")
PASSWORD = "correct horse battery staple"
LAB = Actor.system("tests")
# Channels lets its test clients keep connections of threads open; whoever copies a test's database ends them, and
# the next test of that thread would run into it.
communicators.no_op = close_old_connections
# What Hypothesis tries is never timed: a busy machine is no fault of ours.
tries.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
tries.load_profile("untimed")


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment: None, django_db_blocker: object) -> Iterator[None]:
    """Start the server, migrate once for each state of the migrations, and let the cast in."""
    with django_db_blocker.unblock(), testing.database():  # type: ignore[attr-defined]
        _let_the_cast_in()
        testing.keep_baseline()
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With CI=true a test that is left out has failed: every part has to be there."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("CI") == "true":
        report.outcome, report.longrepr = "failed", f"left out: {report.longrepr}"
    return report


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give tests over real sockets and daemons a second try: a machine that stalls for a second is no fault of ours.

    A second try is printed as `R` and named at the end; what fails twice has failed, and so has a run with many of them
    (`tests.second_tries`). RERUNS=0 shows what the first try says.
    """
    reruns = int(os.environ.get("RERUNS", "1"))
    here = Path(__file__).parent / "tests"
    for item in items:
        if kind := {here / "browser": "browser", here / "system": "sip"}.get(item.path.parent):
            item.add_marker(getattr(pytest.mark, kind))
        if not (item.get_closest_marker("sip") or item.get_closest_marker("browser")):
            continue
        if reruns:
            item.add_marker(pytest.mark.flaky(reruns=reruns))


@pytest.fixture(autouse=True)
def _no_context() -> Iterator[None]:
    """Begin and end every test as nobody: a context that leaks is a wall that is missing."""
    connections["default"].use(contexts.NOBODY)  # type: ignore[attr-defined]
    yield
    connections["default"].use(contexts.NOBODY)  # type: ignore[attr-defined]


@pytest.fixture(scope="session")
def valkey_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real Valkey, for the few tests of the live path."""
    home = embedded.default_home(Path("var").resolve()) / "test" / f"valkey-{tmp_path_factory.getbasetemp().name}"
    yield embedded.start_valkey(home)
    embedded.stop(home)
    shutil.rmtree(home, ignore_errors=True)


# The MSPs and customers. `acme` also puts the test into Acme's context: its tables are what the test sees.


@pytest.fixture
def region(db: None) -> Region:
    return Region.objects.get(slug="lab")


@pytest.fixture
def northwind(db: None) -> Msp:
    return Msp.objects.get(slug="northwind")


@pytest.fixture
def fabrikam(db: None) -> Msp:
    return Msp.objects.get(slug="fabrikam")


@pytest.fixture
def acme(db: None) -> Customer:
    customer = _customer("acme")
    contexts.use_customer(customer)
    return customer


@pytest.fixture
def globex(db: None) -> Customer:
    return _customer("globex")


@pytest.fixture
def initech(db: None) -> Customer:
    return _customer("initech")


@pytest.fixture
def alice(db: None) -> User:
    return User.objects.get(email="alice@acme.example")


@pytest.fixture
def victor(db: None) -> User:
    return User.objects.get(email="victor@acme.example")


@pytest.fixture
def mallory(db: None) -> User:
    return User.objects.get(email="mallory@globex.example")


@pytest.fixture
def nadia(db: None) -> User:
    return User.objects.get(email="nadia@northwind.example")


@pytest.fixture
def operator(db: None) -> User:
    return User.objects.get(email="operator@strowger.example")


@pytest.fixture
def client_of(db: None) -> Callable[..., Client]:
    """Return a maker of browsers: `client_of(alice, acme)` is logged in at the customer's, MSP's or operator's host."""

    def browser(user: User | None, place: Customer | Msp | None = None) -> Client:
        with contexts.public():
            if isinstance(place, Customer):
                owned = Domain.objects.filter(tenant_id=place.pk)
            elif place is not None:
                owned = Domain.objects.filter(msp_id=place.pk, kind=Domain.Kind.MSP)
            else:
                owned = Domain.objects.filter(kind=Domain.Kind.OPERATOR)
            host = owned.values_list("domain", flat=True).first() or f"console.{settings.PLATFORM_DOMAIN}"
        client = Client(headers={"host": host})
        if user is not None:
            with contexts.public():
                client.force_login(user)
            session = client.session
            session[SESSION_HOST] = host
            session.save()
        return client

    return browser


def _customer(label: str) -> Customer:
    with contexts.public():
        return Customer.objects.select_related("msp").get(label=label)


def _let_the_cast_in() -> None:
    with transaction.atomic():
        region = Region(
            name="Lab", slug="lab", allowed_networks=["127.0.9.0/24"], microsoft_networks=["127.0.8.0/24"],
            microsoft_names=[{"fqdn": f"{name}.pstnhub.microsoft.com", "address": f"127.0.8.{number}", "port": 5061}
                             for number, name in enumerate(("sip", "sip2", "sip3"), 1)],
        )  # fmt: skip
        region.save()
        made: dict[str, Customer] = {}
        msps: dict[str, Msp] = {}
        for slug, customers in {"northwind": {"acme": "DE", "globex": "US"}, "fabrikam": {"initech": "GB"}}.items():
            msp = create_msp(Msp(name=slug.title(), slug=slug, support_email=f"help@{slug}.example"), by=LAB)
            with contexts.msp(msp):
                BaseDomain(msp=msp, region=region, fqdn=f"sbc.{slug}.example").save()
            for label, country in customers.items():
                made[label] = create_customer(
                    Customer(msp=msp, name=label.title(), label=label, country=country, time_zone="Europe/Berlin"),
                    by=LAB,
                )
            msps[slug] = msp
        User.objects.create_user("operator@strowger.example", PASSWORD, name="Olga", is_operator=True)
        for email, place, role in (
            ("alice@acme.example", "acme", "admin"),
            ("victor@acme.example", "acme", "viewer"),
            ("mallory@globex.example", "globex", "admin"),
        ):
            user = User.objects.create_user(email, PASSWORD, name=email.split("@")[0].title())
            with contexts.customer(made[place]):
                Membership(user=user, tenant=made[place], role=role).save()
        nadia = User.objects.create_user("nadia@northwind.example", PASSWORD, name="Nadia")
        with contexts.msp(msps["northwind"]):
            Membership(user=nadia, msp=msps["northwind"], role="owner").save()
