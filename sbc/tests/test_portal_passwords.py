"""The passwords of trunks: each change of one reaches the nodes, and no revision tells what it is."""

from importlib import import_module
from typing import Any

import pytest
from channels.db import database_sync_to_async as sync_to_async
from django.db import connection

from portal.core.models import AuditEntry
from portal.db import contexts
from sbc import compiler, services
from sbc.models import Revision
from sbc.tests.fake_node import FakeNode
from tenants.models import Customer
from voice.carriers.models import Trunk
from voice.carriers.services import save_trunk
from voice.carriers.tests.make import own_trunk

pytestmark = pytest.mark.django_db(transaction=True)
MIGRATION = import_module("voice.carriers.migrations.0005_password_versions")
db = sync_to_async


def bring(customer: Customer, by: Any, username: str = "acme") -> Trunk:
    with contexts.customer(customer):
        trunk = own_trunk(customer, by, auth="digest", username=username, password="first of all")
    services.compile_revisions()
    return trunk


def change(customer: Customer, by: Any, **facts: Any) -> None:
    with contexts.customer(customer):
        trunk = Trunk.objects.get(tenant=customer)
        for name, value in facts.items():
            setattr(trunk, name, value)
        save_trunk(trunk, by=by)
    services.compile_revisions()


def stored(scope: str) -> str:
    with contexts.ingest():
        return str(list(Revision.objects.filter(scope=scope).values_list("rows", flat=True)))


async def test_a_changed_password_goes_to_the_node_and_into_no_revision(
    node: FakeNode, acme: Customer, alice: Any
) -> None:
    trunk = await db(bring)(acme, alice)
    await node.dial()
    await node.settle()
    login = ("au", f"{trunk.gateway}.p")
    assert node.rows[login] == "first of all"

    await db(change)(acme, alice, password="second of all")
    await node.settle()
    assert node.rows[login] == "second of all"
    await db(change)(acme, alice, name="Another name")
    assert not [row for apply in await node.settle() for row in apply.set if row.table == "au"]

    revisions = await db(stored)(f"cust:{acme.pk}")
    assert f"secret:trunk:{trunk.pk}" in revisions and "of all" not in revisions


async def test_a_user_name_like_a_reference_stays_what_it_is(node: FakeNode, acme: Customer, alice: Any) -> None:
    trunk = await db(bring)(acme, alice, username="secret:trunk:x")
    await node.dial()
    await node.settle()

    said = {key: node.rows["au", f"{trunk.gateway}.{key}"] for key in ("u", "p")}
    assert said == {"u": "secret:trunk:x", "p": "first of all"}


def test_the_log_says_that_a_password_changed_and_not_to_what(acme: Customer, alice: Any) -> None:
    bring(acme, alice)
    change(acme, alice, password="second of all")
    change(acme, alice, name="Another name")

    with contexts.customer(acme):
        changed = [entry.changes for entry in AuditEntry.objects.filter(verb="trunk.saved").order_by("at")]
    assert ("password", "••••", "•••• (new)") in changed[1] and len(changed[1]) == 1
    assert changed[2] == [("name", "Own line", "Another name")]
    assert "of all" not in str(changed)


async def test_a_password_of_before_the_upgrade_is_sent_once_more(
    node: FakeNode, acme: Customer, globex: Customer, alice: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An older version left a changed one where it was."""

    def upgrade() -> None:
        with contexts.owner(), connection.cursor() as cursor:
            cursor.execute(MIGRATION.OPEN)
        services.compile_revisions()

    monkeypatch.setattr(compiler, "SECRET", "secret:trunk:{}")
    trunk = await db(bring)(acme, alice)
    await node.dial()
    await node.settle()
    monkeypatch.undo()

    await db(upgrade)()

    sent = [(apply.scope, row.key) for apply in await node.settle() for row in apply.set]
    assert sent == [(f"cust:{acme.pk}", f"{trunk.gateway}.p")]
