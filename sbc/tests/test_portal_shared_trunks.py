"""What an MSP changes of a shared trunk reaches the rows of the customers that have it, and no more than those."""

from typing import Any

import pytest
from channels.db import database_sync_to_async as sync_to_async
from django.db import transaction

from portal.db import contexts
from sbc import services
from sbc.tests.fake_node import FakeNode
from sbc.tests.test_portal_locks import in_thread, wait_for_a_waiter
from tenants.models import Customer, Msp
from tenants.scopes import config_changed
from voice.carriers.lists import set_emergency_trunks
from voice.carriers.models import Trunk
from voice.carriers.services import grant_trunk, save_trunk
from voice.carriers.tests.make import shared_trunk
from voice.edits import locked

pytestmark = pytest.mark.django_db(transaction=True)
db = sync_to_async


def share(msp: Msp, customer: Customer, by: Any) -> Trunk:
    with contexts.msp(msp):
        trunk = shared_trunk(msp, by)
        grant_trunk(trunk, customer, by=by)
        set_emergency_trunks(msp, customer.country, [trunk], by=by)
    services.compile_revisions()
    return trunk


def change(trunk: Trunk, by: Any, **facts: Any) -> None:
    with contexts.msp(trunk.msp):
        stored = Trunk.objects.get(pk=trunk.pk)
        for name, value in facts.items():
            setattr(stored, name, value)
        save_trunk(stored, by=by)
    services.compile_revisions()


def save(customer: Customer) -> None:
    with contexts.customer(customer):
        config_changed(customer)
    services.compile_revisions()


@pytest.fixture
async def trunk(node: FakeNode, northwind: Msp, acme: Customer, globex: Customer, nadia: Any) -> Trunk:
    """One that Acme has and Globex has not, on a node."""
    trunk = await db(share)(northwind, acme, nadia)
    await node.dial()
    await node.settle()
    return trunk


async def test_a_customer_takes_calls_from_a_carriers_new_address_and_no_more_from_the_old(
    node: FakeNode, trunk: Trunk, acme: Customer, nadia: Any
) -> None:
    await db(change)(trunk, nadia, source_addresses=["127.0.9.1", "127.0.9.5"])
    await node.settle()
    assert {key for table, key in node.rows if table == "ip" and key.startswith(f"{acme.pk}:")} == {
        f"{acme.pk}:127.0.9.1", f"{acme.pk}:127.0.9.5",
    }  # fmt: skip

    await db(change)(trunk, nadia, source_addresses=["127.0.9.5"])
    scopes = {apply.scope for apply in await node.settle()}
    assert ("ip", f"{acme.pk}:127.0.9.1") not in node.rows
    assert scopes == {f"msp:{acme.msp_id}", f"cust:{acme.pk}"}, "nobody else waits for anything"


@pytest.mark.parametrize("facts", [{"name": "Berlin"}, {"channels": 5}, {"host": "127.0.9.9"}, {"enabled": False}])
async def test_what_stands_in_no_customers_rows_opens_no_version_of_theirs(
    node: FakeNode, trunk: Trunk, acme: Customer, nadia: Any, facts: dict[str, Any]
) -> None:
    await db(change)(trunk, nadia, **facts)

    assert {apply.scope for apply in await node.settle()} == {f"msp:{acme.msp_id}"}


async def test_a_trunk_that_is_switched_on_again_carries_emergency_calls_at_once(
    node: FakeNode, trunk: Trunk, acme: Customer, nadia: Any
) -> None:
    """Whatever the customer saved while it was off."""
    await db(change)(trunk, nadia, enabled=False)
    await db(save)(acme)
    await node.settle()
    assert node.rows["gw", trunk.gateway].endswith(";st=0")
    assert node.rows["em", f"{acme.pk}:112"] == f"x=0;g={trunk.gateway}"

    await db(change)(trunk, nadia, enabled=True)
    await node.settle()
    assert node.rows["gw", trunk.gateway].endswith(";st=1")


def test_who_shares_a_trunk_and_who_changes_it_do_not_wait_for_each_other(
    northwind: Msp, acme: Customer, nadia: Any
) -> None:
    def give() -> None:
        with contexts.msp(northwind):
            grant_trunk(trunk, acme, by=nadia)

    def list_it() -> None:
        with contexts.msp(northwind):
            set_emergency_trunks(northwind, "DE", [trunk], by=nadia)

    with contexts.msp(northwind):
        trunk = shared_trunk(northwind, nadia)
    for other in (give, list_it):
        with contexts.msp(northwind), transaction.atomic():
            # As saving it does.
            locked(Trunk.objects.get(pk=trunk.pk))
            thread = in_thread(other)
            wait_for_a_waiter()
            config_changed(northwind)
            config_changed(acme)
        thread.join(10)
        assert not thread.is_alive()

    with contexts.msp(northwind):
        assert trunk.grants.open().count() == trunk.emergency_lines.count() == 1
