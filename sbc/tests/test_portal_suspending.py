"""Whatever else of a customer stands in its own way, its suspension reaches the node."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from channels.db import database_sync_to_async as sync_to_async

from portal.core.audit import Actor
from portal.db import contexts
from sbc import protocol, services
from sbc.models import Alarm, Node
from sbc.tests.fake_node import FakeNode
from tenants.models import Customer, Region
from tenants.scopes import config_changed
from tenants.services.customers import resume_customer, suspend_customer
from voice.carriers.models import Trunk
from voice.carriers.tests.make import own_trunk

pytestmark = pytest.mark.django_db(transaction=True)
LAB = Actor.system("tests")
db = sync_to_async


@pytest.fixture
async def node(region: Region, acme: Customer) -> AsyncIterator[FakeNode]:
    """A node that runs everything that is wanted."""

    def token() -> str:
        services.compile_revisions()
        return services.add_node(Node(region=region, name="sbc-lab-1"), by=LAB)[1]

    fake = FakeNode(await db(token)())
    await fake.dial()
    await fake.settle()
    yield fake
    await fake.hang_up()


def suspend(customer: Customer) -> None:
    with contexts.msp(customer.msp):
        suspend_customer(customer, reason="fraud", by=LAB)
    services.compile_revisions()


def bring_and_be_suspended(customer: Customer, by: Any) -> None:
    with contexts.customer(customer):
        own_trunk(customer, by)
    suspend(customer)


def resume(customer: Customer) -> None:
    with contexts.msp(customer.msp):
        resume_customer(customer, by=LAB)
    services.compile_revisions()


def alarms(kind: str) -> list[str]:
    with contexts.ingest():
        return list(Alarm.objects.open().filter(kind=kind).values_list("text", flat=True))


def suspended(rows: dict[tuple[str, str], str], customer: Customer) -> dict[tuple[str, str], str]:
    key = "tn", str(customer.pk)
    return rows | {key: rows[key].replace(";st=1;", ";st=0;")}


async def test_a_customer_that_cannot_be_compiled_is_suspended_all_the_same(
    node: FakeNode, acme: Customer, alice: Any
) -> None:
    before = dict(node.rows)

    def break_it() -> None:
        with contexts.customer(acme):
            trunk = own_trunk(acme, alice, auth="digest", username="u", password="p")
            Trunk.objects.filter(pk=trunk.pk).update(username="u\x01")

    await db(break_it)()
    await db(services.compile_revisions)()
    assert await node.silent() and "control character" in (await db(alarms)("compile"))[0]

    await db(suspend)(acme)
    await node.ack(await node.hear())
    await node.silent()

    assert node.rows == suspended(before, acme) != before
    assert "control character" in (await db(alarms)("compile"))[0]
    await db(acme.refresh_from_db)()
    assert acme.is_live


async def refuse(node: FakeNode, apply: protocol.Apply, kind: str) -> None:
    """Answer as a node does that will not take this version, whole or not."""
    said = {"scope": apply.scope, "version": apply.version, "reason": "no"}
    if kind == "held":
        return await node.say(protocol.Held(nonce=apply.nonce, **said))
    await node.say(protocol.Nack(nonce=apply.nonce, row=None, **said))
    whole = await node.hear()
    await node.say(protocol.Nack(nonce=whole.nonce, row=None, **said))


@pytest.mark.parametrize("kind", ["refused", "held"])
async def test_what_a_node_does_not_take_keeps_no_suspension_out(
    node: FakeNode, acme: Customer, alice: Any, kind: str
) -> None:
    before = dict(node.rows)
    version = node.held[f"cust:{acme.pk}"]

    await db(bring_and_be_suspended)(acme, alice)
    await refuse(node, await node.hear(), kind)
    apply = await node.hear()
    await node.ack(apply)
    await node.silent()

    assert apply.version > version and [row.table for row in apply.set] == ["tn"] and not apply.delete
    assert node.rows == suspended(before, acme) != before
    await db(acme.refresh_from_db)()
    assert acme.is_live
    # What was refused is tried again with the next change.
    await db(resume)(acme)
    await node.ack(await node.hear())
    assert node.rows.items() > before.items() and ("ip", f"{acme.pk}:127.0.9.20") in node.rows


async def test_a_suspension_that_is_refused_itself_is_an_alarm_and_not_tried_for_ever(
    node: FakeNode, acme: Customer, alice: Any
) -> None:
    await db(bring_and_be_suspended)(acme, alice)
    await refuse(node, await node.hear(), "refused")
    await refuse(node, await node.hear(), "refused")

    assert await node.silent()
    assert "refused" in (await db(alarms)("refused"))[0]


async def test_of_a_customer_that_is_not_suspended_nothing_is_made_up(node: FakeNode, acme: Customer) -> None:
    def change() -> None:
        with contexts.ingest():
            config_changed(acme)
        services.compile_revisions()

    await db(change)()
    await refuse(node, await node.hear(), "held")

    assert await node.silent()
