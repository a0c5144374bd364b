"""The passwords of trunks reach the nodes, and no revision tells what they are."""

from typing import Any

import pytest
from channels.db import database_sync_to_async as sync_to_async

from portal.db import contexts
from sbc import services
from sbc.tests.fake_node import FakeNode
from tenants.models import Customer
from voice.carriers.models import Trunk
from voice.carriers.tests.make import own_trunk

pytestmark = pytest.mark.django_db(transaction=True)
db = sync_to_async


def bring(customer: Customer, by: Any, username: str = "acme") -> Trunk:
    with contexts.customer(customer):
        trunk = own_trunk(customer, by, auth="digest", username=username, password="first of all")
    services.compile_revisions()
    return trunk


async def test_a_user_name_like_a_reference_stays_what_it_is(node: FakeNode, acme: Customer, alice: Any) -> None:
    trunk = await db(bring)(acme, alice, username="secret:trunk:x")
    await node.dial()
    await node.settle()

    said = {key: node.rows["au", f"{trunk.gateway}.{key}"] for key in ("u", "p")}
    assert said == {"u": "secret:trunk:x", "p": "first of all"}
