"""A change of an MSP that a node does not take holds up what names it, and none of its customers otherwise."""

import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from channels.db import database_sync_to_async as sync_to_async
from django.urls import reverse

from portal.core.audit import Actor
from portal.db import contexts
from sbc import protocol, services
from sbc.models import Deployment, Node
from sbc.selectors import scope_status
from sbc.tests.fake_node import FakeNode
from tenants.models import Customer, Msp, Region
from tenants.scopes import config_changed
from tenants.services.customers import suspend_customer
from voice.carriers.models import Trunk
from voice.carriers.services import grant_trunk
from voice.carriers.tests.make import shared_trunk
from voice.routing.models import Route
from voice.routing.services import save_route

pytestmark = pytest.mark.django_db(transaction=True)
LAB = Actor.system("tests")
KINDS = pytest.mark.parametrize("kind", ["refused", "held"])
db = sync_to_async


@pytest.fixture
async def node(region: Region, northwind: Msp, acme: Customer) -> AsyncIterator[FakeNode]:
    """A node that runs everything that is wanted."""

    def token() -> str:
        with contexts.ingest():
            config_changed(northwind)
        services.compile_revisions()
        return services.add_node(Node(region=region, name="sbc-lab-1"), by=LAB)[1]

    fake = FakeNode(await db(token)())
    await fake.dial()
    await fake.settle()
    yield fake
    await fake.hang_up()


def new_trunk(msp: Msp) -> Trunk:
    with contexts.msp(msp):
        trunk = shared_trunk(msp, LAB)
    services.compile_revisions()
    return trunk


def change(customer: Customer) -> None:
    with contexts.ingest():
        config_changed(customer)
    services.compile_revisions()


def route_over(customer: Customer, trunk: Trunk) -> None:
    with contexts.msp(customer.msp):
        grant_trunk(trunk, customer, by=LAB)
    with contexts.customer(customer):
        save_route(Route(pattern="+44*", action="route"), [trunk.pk], customer=customer, by=LAB)
    services.compile_revisions()


def suspend(customer: Customer) -> None:
    with contexts.msp(customer.msp):
        suspend_customer(customer, reason="fraud", by=LAB)
    services.compile_revisions()


def gauges(waiting: dict[str, str]) -> protocol.Gauges:
    return protocol.Gauges(
        at=int(time.time() * 1000), engine="memory", calls=0, cps=0, kamailio=True, daemons={}, trunks={}, microsoft={},
        drift=[], waiting=waiting, spooled=0,
    )  # fmt: skip


async def refuse(node: FakeNode, apply: protocol.Apply, kind: str) -> None:
    """Answer as a node does that will not take this version, whole or not."""
    said = {"scope": apply.scope, "version": apply.version, "reason": "no"}
    if kind == "held":
        return await node.say(protocol.Held(nonce=apply.nonce, **said))
    await node.say(protocol.Nack(nonce=apply.nonce, row=None, **said))
    whole = await node.hear()
    await node.say(protocol.Nack(nonce=whole.nonce, row=None, **said))


async def hear_of(node: FakeNode, customer: Customer) -> protocol.Apply:
    apply = await node.hear()
    assert apply.scope == f"cust:{customer.pk}"
    return apply


@KINDS
async def test_a_customer_waits_for_no_change_of_its_msp_that_it_does_not_name(
    node: FakeNode, acme: Customer, northwind: Msp, kind: str
) -> None:
    await db(new_trunk)(northwind)
    await refuse(node, await node.hear(), kind)
    await node.silent()

    await db(change)(acme)
    apply = await hear_of(node, acme)

    assert f"msp:{northwind.pk}" not in apply.needs
    await node.ack(apply)
    await node.silent()
    await db(acme.refresh_from_db)()
    assert acme.is_live


@KINDS
async def test_what_waited_already_is_sent_again_when_the_change_of_the_msp_is_refused(
    node: FakeNode, acme: Customer, northwind: Msp, kind: str
) -> None:
    await db(new_trunk)(northwind)
    outer = await node.hear()
    await db(change)(acme)
    early = await hear_of(node, acme)
    assert early.needs[outer.scope] == outer.version

    await refuse(node, outer, kind)
    again = await hear_of(node, acme)

    assert again.version == early.version and outer.scope not in again.needs


async def test_a_change_that_names_what_was_refused_waits_and_says_so(
    node: FakeNode, acme: Customer, northwind: Msp, client_of: Any, alice: Any
) -> None:
    trunk = await db(new_trunk)(northwind)
    outer = await node.hear()
    await refuse(node, outer, "refused")
    await node.silent()

    await db(route_over)(acme, trunk)
    apply = await hear_of(node, acme)
    await node.say(gauges({apply.scope: f"waits for {outer.scope} version {outer.version}"}))
    await node.silent()

    def shown() -> tuple[str, str]:
        with contexts.ingest():
            mine = Deployment.objects.get(scope=apply.scope)
        with contexts.customer(acme):
            chip = scope_status(acme)
        path = reverse("rollout:detail", args=[mine.pk], urlconf="portal.urls_customer")
        return f"{chip.word}: {chip.detail}", client_of(alice, acme).get(path).content.decode()

    assert apply.needs[outer.scope] == outer.version
    words = "It uses what a change of Northwind brings, and this SBC has not taken that change."
    chip, page = await db(shown)()
    assert chip == f"Going live: {words}" and words in page


async def test_what_waits_for_a_change_on_its_way_says_for_whose(
    node: FakeNode, acme: Customer, northwind: Msp
) -> None:
    await db(new_trunk)(northwind)
    outer = await node.hear()
    await db(change)(acme)
    apply = await hear_of(node, acme)

    await node.say(gauges({apply.scope: f"waits for {outer.scope} version {outer.version}"}))
    await node.silent()

    said = await db(lambda: Deployment.objects.get(scope=apply.scope).error)()
    assert said == "It waits for a change of Northwind that this SBC does not run yet."


async def test_a_suspension_waits_for_nothing_that_a_node_refused(
    node: FakeNode, acme: Customer, northwind: Msp
) -> None:
    trunk = await db(new_trunk)(northwind)
    outer = await node.hear()
    await refuse(node, outer, "refused")
    await db(route_over)(acme, trunk)
    assert outer.scope in (await hear_of(node, acme)).needs

    await db(suspend)(acme)
    for _more in range(2):  # with all that is wanted, then alone
        apply = await hear_of(node, acme)

    assert [row.table for row in apply.set] == ["tn"] and ";st=0;" in apply.set[0].value and not apply.delete
    assert apply.needs.get(outer.scope) != outer.version
