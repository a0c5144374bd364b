"""What the portal's figures stand on: PostgreSQL that writes to disk, Valkey, the cast, and how processes find them."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

import django

if TYPE_CHECKING:
    from sbc.models import Node


@dataclass(frozen=True)
class Ground:
    """`folder` is ours alone; with `environment` the portal's processes find the same database and Valkey."""

    folder: Path
    redis: str
    environment: dict[str, str]

    def admin(self) -> str:
        """Return the address of the database for its superuser, whom no policy holds back."""
        from django.conf import settings

        from portal import embedded

        return embedded.admin_url(self.folder, settings.DATABASES["default"]["NAME"])


@contextmanager
def ground() -> Iterator[Ground]:
    """Give a migrated database with the cast in it, as durable as in production, and take everything down after."""
    django.setup()
    from conftest import _let_the_cast_in
    from portal import embedded, testing

    folder = embedded.default_home(Path("var").resolve()) / f"bench-{os.getpid()}"
    try:
        embedded.start_postgres(folder)
        redis = embedded.start_valkey(folder)
        with mock.patch.dict(os.environ, TEST_DATABASE_ADMIN_URL=embedded.admin_url(folder)), testing.database():
            _let_the_cast_in()
            yield Ground(folder, redis, environment(redis))
    finally:
        embedded.stop(folder)
        shutil.rmtree(folder, ignore_errors=True)


def environment(redis: str) -> dict[str, str]:
    """Return the environment of portal processes that share this process's database."""
    from django.conf import settings

    database = settings.DATABASES["default"]
    url = f"postgresql://{database['USER']}:{database['PASSWORD']}@/{database['NAME']}?host={database['HOST']}"
    if database["PORT"]:
        url += f"&port={database['PORT']}"
    return {
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


def logged_in(email: str, label: str) -> dict[str, str]:
    """Return the Host and Cookie headers of this person at this customer's portal."""
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore

    from portal.db import contexts
    from tenants.middleware import SESSION_HOST
    from tenants.models import Customer, Domain, User

    with contexts.public():
        customer = Customer.objects.select_related("msp").get(label=label)
        user = User.objects.get(email=email)
    with contexts.customer(customer):
        host = Domain.objects.filter(tenant=customer).values_list("domain", flat=True).get()
    with contexts.public():
        session = SessionStore()
        session[SESSION_KEY] = str(user.pk)
        session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        session[SESSION_HOST] = host
        session.save()
    return {"Host": host, "Cookie": f"session={session.session_key}"}


def a_node(name: str = "bench-1") -> "tuple[Node, str]":
    """Return a new node of the lab region with its token."""
    from portal.core.audit import Actor
    from portal.db import contexts
    from sbc import services
    from sbc.models import Node
    from tenants.models import Region

    with contexts.public():
        node = Node(region=Region.objects.get(slug="lab"), name=name)
        return services.add_node(node, by=Actor.system("bench"))


def speak_through(redis: str) -> None:
    """Let this process nudge workers and pages as the portal does; the tests' layers stay inside one process."""
    from channels.layers import channel_layers
    from channels_redis.pubsub import RedisPubSubChannelLayer

    from portal.core.nudge_layer import NudgeLayer

    channel_layers.set("default", RedisPubSubChannelLayer(hosts=[redis]))
    channel_layers.set("workers", NudgeLayer(redis))
