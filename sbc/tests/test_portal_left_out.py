"""A row that a node does not take keeps nothing else out, and is told until it is mended."""

from typing import Any

import pytest
from channels.db import database_sync_to_async as sync_to_async

from portal.core.audit import Actor
from portal.db import contexts
from sbc import services
from sbc.models import Alarm, Deployment
from sbc.selectors import scope_status
from sbc.tests.fake_node import FakeNode
from tenants.models import Customer
from tenants.services.customers import resume_customer, suspend_customer

pytestmark = pytest.mark.django_db(transaction=True)
LAB = Actor.system("tests")
OWN = "127.0.9.77"
db = sync_to_async


def suspend(customer: Customer) -> None:
    with contexts.msp(customer.msp):
        suspend_customer(customer, reason="fraud", by=LAB)
    services.compile_revisions()


def resume(customer: Customer) -> None:
    with contexts.msp(customer.msp):
        resume_customer(customer, by=LAB)
    services.compile_revisions()


def alarms() -> list[str]:
    with contexts.ingest():
        return list(Alarm.objects.open().filter(kind="refused").values_list("text", flat=True))


def deployment(customer: Customer) -> Deployment:
    with contexts.ingest():
        return Deployment.objects.get(scope=f"cust:{customer.pk}")


async def test_what_a_node_left_out_is_an_alarm_beside_a_suspension_that_is_live(
    node: FakeNode, token: str, acme: Customer, client_of: Any, operator: Any, alice: Any
) -> None:
    await db(services.compile_revisions)()
    await node.dial()
    await node.settle()
    row: Any = {"table": "ip", "key": f"{acme.pk}:{OWN}", "reason": "a source address that is the SBC's own"}

    await db(suspend)(acme)
    apply = await node.hear()
    await node.ack(apply, left_out=[row])
    await node.silent()

    assert ";st=0;" in node.rows["tn", str(acme.pk)]
    await db(acme.refresh_from_db)()
    assert acme.is_live
    [text] = await db(alarms)()
    assert OWN in text and "the SBC's own" in text and acme.name in text

    def page(path: str, *who: Any) -> str:
        return " ".join(client_of(*who).get(path).content.decode().split())

    url = f"/rollout/{(await db(deployment)(acme)).pk}/"
    for who in ((operator,), (alice, acme)):
        shown = await db(page)(url, *who)
        assert "Partly live" in shown and OWN in shown and "runs what is wanted but for what it left out" in shown
        listed = await db(page)("/rollout/?state=partly", *who)
        assert "1 configuration is live but for what its SBC left out." in listed and OWN in listed
        assert "Everything is live" not in listed

    await node.hang_up()
    back = FakeNode(token, spool=node.spool)
    back.held, back.rows = node.held, node.rows
    await back.dial()
    await back.settle()
    assert OWN in (await db(deployment)(acme)).error, "another line alone mends nothing"

    await db(resume)(acme)
    await back.ack(await back.hear())
    await back.silent()
    assert await db(alarms)() == []

    def status_now() -> str:
        with contexts.customer(acme):
            return str(scope_status(acme).word)

    assert await db(status_now)() == "Live"
    await back.hang_up()
