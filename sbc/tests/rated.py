"""What tests of prices stand on: a node that sends calls, a trunk, and a deck on either side of it."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from portal.core.audit import Actor
from portal.db import contexts
from sbc import ingest, protocol, services
from sbc.models import Node, Spool
from sbc.tests.fake_node import record
from tenants.models import Customer, Msp, Region
from voice.carriers.models import Trunk
from voice.rating.models import RateDeck
from voice.rating.tests.make import ask, give, stored_deck, stored_rate

LAB = Actor.system("tests")
DEAR, CHEAP = 180_000, 61_237


@pytest.fixture
def send(region: Region) -> Callable[..., int]:
    """Return what sends records as the lab's node."""
    node = services.add_node(Node(region=region, name="sbc-lab-1"), by=LAB)[0]
    with contexts.ingest():
        spool = Spool.objects.create(id=uuid.uuid4(), node=node).pk

    def send(*items: dict[str, Any]) -> int:
        return ingest.take_records(node, spool, protocol.Records(first=items[0]["seq"], items=list(items)))

    return send


@pytest.fixture
def trunk(northwind: Msp) -> Trunk:
    with contexts.msp(northwind):
        return Trunk.objects.create(msp=northwind, name="Carrier A", host="192.0.2.1")


@pytest.fixture
def decks(northwind: Msp, acme: Customer, trunk: Trunk) -> tuple[RateDeck, RateDeck]:
    """Acme pays 0.18 a minute to Germany, the trunk asks 0.061237."""
    with contexts.msp(northwind):
        sell = stored_deck(northwind, free=["internal", "emergency", "in"])
        stored_rate(sell, "49", DEAR, destination="Germany")
        buy = stored_deck(northwind, "Carrier A", "buy", free=["internal", "emergency", "in"])
        stored_rate(buy, "49", CHEAP, destination="DE")
        give(sell, acme)
        ask(buy, trunk.pk)
    return sell, buy


def call(seq: int, customer: Customer, trunk: Trunk | None = None, **changed: Any) -> dict[str, Any]:
    """A minute to Germany over a trunk, as a node would send it."""
    egress = {"egress": trunk.gateway, "attempts": []} if trunk else {}
    return record(seq, customer.pk, **egress, **changed)
