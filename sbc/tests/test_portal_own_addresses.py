"""The addresses that nodes listen at are no trunk's: not to be saved, and not compiled where one has them already."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from channels.db import database_sync_to_async as sync_to_async

from portal.core.audit import Actor
from portal.db import contexts
from sbc import services
from sbc.models import Alarm, Node
from sbc.tests.fake_node import FakeNode
from tenants.models import Customer, Msp, Region
from tenants.services.customers import suspend_customer
from voice.carriers.models import Trunk
from voice.carriers.services import grant_trunk
from voice.carriers.tests.make import own_trunk, shared_trunk

pytestmark = pytest.mark.django_db(transaction=True)
LAB = Actor.system("tests")
OWN = "127.0.9.77"
db = sync_to_async


@pytest.fixture
async def node(token: str) -> AsyncIterator[FakeNode]:
    fake = FakeNode(token)
    fake.addresses = [OWN, "127.0.5.1"]
    yield fake
    await fake.hang_up()


@pytest.fixture
def known(region: Region) -> Iterator[Node]:
    """A node that has said where it listens."""
    node, _token = services.add_node(Node(region=region, name="sbc-lab-2"), by=LAB)
    Node.objects.filter(pk=node.pk).update(addresses=[OWN])
    yield node


def suspend(customer: Customer) -> None:
    with contexts.msp(customer.msp):
        suspend_customer(customer, reason="fraud", by=LAB)
    services.compile_revisions()


def bring(customer: Customer, by: Any, **facts: Any) -> Trunk:
    with contexts.customer(customer):
        return own_trunk(customer, by, **facts)


def complaints(customer: Customer | None = None) -> list[str]:
    with contexts.ingest():
        found = Alarm.objects.open().filter(kind="compile", tenant=customer)
        return list(found.values_list("text", flat=True))


def sources(node: FakeNode) -> list[str]:
    return [key for table, key in node.rows if table == "ip"]


async def test_a_customer_with_a_trunk_at_the_sbc_is_suspended_on_it(
    node: FakeNode, acme: Customer, alice: Any
) -> None:
    """Saved before any node had said where it listens."""
    trunk = await db(bring)(acme, alice, host="127.0.9.20", source_addresses=["127.0.9.20", OWN])
    await db(services.compile_revisions)()
    await node.dial()
    await db(services.compile_revisions)()
    await node.settle()

    assert sources(node) == [f"{acme.pk}:127.0.9.20"] and ("gw", trunk.gateway) in node.rows
    assert OWN in (await db(complaints)(acme))[0]

    await db(suspend)(acme)
    await node.ack(await node.hear())
    await node.silent()
    assert ";st=0;" in node.rows["tn", str(acme.pk)]


async def test_a_shared_trunk_at_the_sbc_holds_up_neither_its_msp_nor_who_has_it(
    node: FakeNode, acme: Customer, northwind: Msp, nadia: Any
) -> None:
    def share() -> Trunk:
        with contexts.msp(northwind):
            trunk = shared_trunk(northwind, nadia, source_addresses=["127.0.9.1", OWN])
            grant_trunk(trunk, acme, by=nadia)
        services.compile_revisions()
        return trunk

    await db(share)()
    await node.dial()
    await db(services.compile_revisions)()
    await node.settle()

    assert sorted(sources(node)) == sorted([f"{acme.pk}:127.0.9.1", f"m{northwind.pk}:127.0.9.1"])
    assert OWN in (await db(complaints)())[0] and await db(complaints)(acme) == []


async def test_a_node_that_moves_gives_its_old_address_back(
    node: FakeNode, token: str, acme: Customer, alice: Any
) -> None:
    await db(bring)(acme, alice, host="127.0.9.20", source_addresses=[OWN])
    await node.dial()
    await db(services.compile_revisions)()
    await node.settle()
    assert sources(node) == []
    await node.hang_up()

    moved = FakeNode(token, spool=node.spool)
    moved.held, moved.rows, moved.addresses = node.held, node.rows, ["127.0.9.78"]
    await moved.dial()
    await db(services.compile_revisions)()
    await moved.settle()

    assert sources(moved) == [f"{acme.pk}:{OWN}"]
    assert await db(complaints)(acme) == []
    await moved.hang_up()


def test_the_form_and_the_api_refuse_the_address_of_an_sbc(
    known: Node, acme: Customer, alice: Any, client_of: Any
) -> None:
    browser = client_of(alice, acme)
    facts = {"name": "Own line", "host": "127.0.9.20", "port": 5060, "transport": "udp", "auth": "ip", "channels": 0,
             "cps": 0, "forwarded_caller": "original"}  # fmt: skip

    answer = browser.post("/trunks/new/", facts | {"source_addresses": OWN, "row_version": 0})
    said = browser.post("/api/v1/trunks/", facts | {"source_addresses": [OWN]}, content_type="application/json")
    host = browser.post("/api/v1/trunks/", facts | {"host": OWN}, content_type="application/json")

    words = f"{OWN} is the address of an SBC of the region Lab. Enter the carrier's address."
    assert answer.context["form"].errors == {"source_addresses": [words]}
    assert (said.status_code, host.status_code) == (400, 400)
    assert words in str(said.json()) and words in str(host.json())
    with contexts.customer(acme):
        assert not Trunk.objects.exists()


def test_a_node_out_of_service_keeps_no_address(known: Node, acme: Customer, alice: Any) -> None:
    services.disable_node(known, by=LAB)

    assert own_trunk(acme, alice, host=OWN).source_addresses == [OWN]
