"""A node's token, and a node played by hand that has not dialled yet."""

from collections.abc import AsyncIterator

import pytest

from portal.core.audit import Actor
from sbc import services
from sbc.models import Node
from sbc.tests.fake_node import FakeNode
from tenants.models import Region


@pytest.fixture
def token(region: Region) -> str:
    return services.add_node(Node(region=region, name="sbc-lab-1"), by=Actor.system("tests"))[1]


@pytest.fixture
async def node(token: str) -> AsyncIterator[FakeNode]:
    fake = FakeNode(token)
    yield fake
    await fake.hang_up()
