"""From a raised version to a node that runs it, over the real WebSocket consumer."""

from typing import Any

import pytest
from channels.db import database_sync_to_async as sync_to_async
from django.db.models import QuerySet
from django.urls import reverse

from portal.core.audit import Actor
from portal.db import contexts
from sbc import protocol, services
from sbc.models import Alarm, Deployment, Node
from sbc.tests.fake_node import FakeNode
from tenants.models import Customer, Region
from tenants.scopes import config_changed

pytestmark = pytest.mark.django_db(transaction=True)
LAB = Actor.system("tests")
db = sync_to_async


def change(customer: Customer) -> int:
    with contexts.ingest():
        version = config_changed(customer)
    services.compile_revisions()
    return version


def deployment(scope: str) -> Deployment:
    with contexts.ingest():
        return Deployment.objects.get(scope=scope)


def live_version(customer: Customer) -> int:
    with contexts.ingest():
        return Customer.objects.get(pk=customer.pk).live_version


def alarms(kind: str) -> list[str]:
    with contexts.ingest():
        return list(Alarm.objects.open().filter(kind=kind).values_list("text", flat=True))


async def test_a_new_node_gets_every_scope_outer_first(node: FakeNode, acme: Customer) -> None:
    await db(services.compile_revisions)()
    await node.dial()

    applies = await node.settle()

    kinds = [apply.scope.partition(":")[0] for apply in applies]
    assert kinds == sorted(kinds, key=["region", "msp", "cust"].index)
    assert node.rows["tn", str(acme.pk)].startswith(f"m={acme.msp_id};st=1;")
    assert await db(live_version)(acme) == node.held[f"cust:{acme.pk}"]


async def test_what_is_compiled_while_a_node_is_welcomed_reaches_it(
    node: FakeNode, acme: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await db(services.compile_revisions)()
    lock, versions = QuerySet.select_for_update, []

    def just_before(self: Any, **options: Any) -> Any:
        if self.model is Deployment and not versions:
            versions.append(0)
            versions[0] = change(acme)
        return lock(self, **options)

    monkeypatch.setattr(QuerySet, "select_for_update", just_before)
    await node.dial()
    await node.settle()

    assert versions == [node.held[f"cust:{acme.pk}"]]


async def test_a_change_goes_out_as_a_delta_and_becomes_live(node: FakeNode, acme: Customer) -> None:
    await db(services.compile_revisions)()
    await node.dial()
    await node.settle()

    version = await db(change)(acme)
    apply = await node.hear()

    assert (apply.scope, apply.version, apply.base) == (f"cust:{acme.pk}", version, version - 1)
    assert await db(live_version)(acme) == version - 1
    await node.ack(apply)
    await node.silent()
    assert await db(live_version)(acme) == version
    assert (await db(deployment)(apply.scope)).state == "acked"


@pytest.fixture
async def running(node: FakeNode, acme: Customer) -> FakeNode:
    """A node that runs everything that is wanted."""
    await db(services.compile_revisions)()
    await node.dial()
    await node.settle()
    return node


async def test_a_refusal_of_one_customer_leaves_the_others_alone(
    running: FakeNode, acme: Customer, globex: Customer
) -> None:
    await db(change)(acme)
    refused = await running.hear()
    row: Any = {"table": "dn", "key": "4930"}
    nack = {"scope": refused.scope, "version": refused.version, "reason": "no such table", "row": row}

    await running.say(protocol.Nack(nonce=refused.nonce, **nack))
    whole = await running.hear()
    assert whole.base is None, "a refused delta is tried once more as the whole state"
    await running.say(protocol.Nack(nonce=whole.nonce, **nack))
    assert await running.silent()

    failed = await db(deployment)(refused.scope)
    assert (failed.state, failed.error, failed.row) == ("refused", "no such table", row)
    assert "no such table" in (await db(alarms)("refused"))[0]
    version = await db(change)(globex)
    await running.ack(await running.hear())
    await running.silent()
    assert await db(live_version)(globex) == version

    await db(change)(acme)
    await running.ack(await running.hear())
    await running.silent()
    assert await db(alarms)("refused") == []


@pytest.mark.parametrize("nonce", ["", "from-an-earlier-boot"])
async def test_late_and_foreign_answers_change_nothing(running: FakeNode, acme: Customer, nonce: str) -> None:
    version = await db(change)(acme)
    apply = await running.hear()

    await running.ack(apply, nonce=nonce)
    await running.silent()
    assert await db(live_version)(acme) == version - 1

    await running.ack(apply)
    await running.ack(apply)
    await running.silent()
    assert await db(live_version)(acme) == version


async def test_what_is_on_its_way_is_answered_before_the_next_is_sent(running: FakeNode, acme: Customer) -> None:
    await db(change)(acme)
    first = await running.hear()
    newest = await db(change)(acme)
    assert await running.silent()

    await running.ack(first)
    second = await running.hear()

    assert (second.version, second.base) == (newest, first.version)


async def test_a_held_change_waits_for_a_person(running: FakeNode, acme: Customer) -> None:
    version = await db(change)(acme)
    apply = await running.hear()
    await running.say(
        protocol.Held(scope=apply.scope, version=apply.version, nonce=apply.nonce, reason="would lose 300 of 900 rows")
    )
    assert await running.silent()
    waiting = await db(deployment)(apply.scope)
    assert waiting.state == "held"

    await db(services.approve)(waiting, by=LAB)
    again = await running.hear()

    assert again.approved and again.version == version
    await running.ack(again)
    await running.silent()
    assert await db(live_version)(acme) == version


async def test_a_node_that_was_away_goes_straight_to_the_newest(running: FakeNode, acme: Customer, token: str) -> None:
    await running.hang_up()
    held = running.held[f"cust:{acme.pk}"]
    for _ in range(3):
        newest = await db(change)(acme)
    assert await db(live_version)(acme) == held

    back = FakeNode(token, spool=running.spool)
    back.held = running.held
    await back.dial()
    apply = await back.hear()

    assert (apply.version, apply.base) == (newest, held)
    await back.hang_up()


async def test_a_token_that_is_used_twice_is_refused_and_alarmed(running: FakeNode, token: str) -> None:
    thief = FakeNode(token)
    await thief.line.connect(timeout=5)
    await thief.hello()

    assert await thief.hear() == protocol.STOLEN_TOKEN

    assert "Rotate the token" in (await db(alarms)("token"))[0]
    assert await running.silent(), "the node's own connection stays"


async def test_a_dead_connection_does_not_keep_the_node_out(token: str) -> None:
    def leave_a_name_behind() -> None:
        with contexts.ingest():
            Node.objects.update(channel="specific.gone!1", state="connected")

    await db(leave_a_name_behind)()

    back = FakeNode(token)

    assert (await back.dial()).node == "sbc-lab-1"
    await back.hang_up()


async def test_a_rotated_or_disabled_token_opens_nothing(running: FakeNode, token: str) -> None:
    node = await db(lambda: Node.objects.get())()
    fresh = await db(services.rotate_token)(node, by=LAB)
    assert await running.hear() == protocol.BAD_TOKEN

    old = FakeNode(token)
    await old.line.connect(timeout=5)
    assert await old.hear() == protocol.BAD_TOKEN

    await db(services.disable_node)(node, by=LAB)
    gone = FakeNode(fresh)
    await gone.line.connect(timeout=5)
    assert await gone.hear() == protocol.BAD_TOKEN


async def test_a_portal_restored_from_an_older_copy_raises_its_versions(acme: Customer, token: str) -> None:
    await db(services.compile_revisions)()
    node = FakeNode(token)
    node.held = {f"cust:{acme.pk}": 500}

    await node.dial()
    await db(services.compile_revisions)()
    applies = {apply.scope: apply for apply in await node.settle()}

    assert applies[f"cust:{acme.pk}"].version == 501
    assert applies[f"cust:{acme.pk}"].base is None
    await node.hang_up()


async def test_a_node_cannot_use_up_the_numbers_of_versions(acme: Customer, token: str) -> None:
    await db(services.compile_revisions)()
    node = FakeNode(token)
    node.held = {f"cust:{acme.pk}": 2**63 - 1}

    await node.dial()
    await node.settle()

    assert await db(lambda: Customer.objects.get(pk=acme.pk).config_version)() < 100
    assert "never was" in (await db(alarms)("message"))[0]
    await node.hang_up()


async def test_a_scope_that_left_the_node_is_dropped(token: str) -> None:
    node = FakeNode(token)
    node.held = {"cust:999": 4}
    await node.dial()

    said = await node.hear()

    assert (said.scope, said.approved) == ("cust:999", False)
    await node.say(protocol.Ack(scope="cust:999", version=0, nonce=said.nonce, took_ms=0.0))
    await node.silent()
    assert not await db(lambda: Deployment.objects.filter(scope="cust:999").exists())()
    await node.hang_up()


async def test_a_drop_that_takes_much_is_approved_on_its_page(token: str, client_of: Any, operator: Any) -> None:
    node = FakeNode(token)
    node.held = {"cust:999": 4}
    await node.dial()
    first = await node.hear()
    await node.say(protocol.Held(scope="cust:999", version=0, nonce=first.nonce, reason="300 of this node's 900 rows"))
    assert await node.silent(2.5), "nothing more is said until a person has looked at it"
    waiting = await db(deployment)("cust:999")
    assert (waiting.state, waiting.wanted, waiting.running) == ("held", 0, 4)
    assert "cust:999" in (await db(alarms)("held"))[0]

    def approve() -> str:
        browser = client_of(operator)
        page = browser.get(reverse("rollout:detail", args=[waiting.pk], urlconf="portal.urls_operator"))
        browser.post(reverse("rollout:approve", args=[waiting.pk], urlconf="portal.urls_operator"))
        return str(page.content.decode())

    page = await db(approve)()
    assert "300 of this node&#x27;s 900 rows" in page and "Approve the removal" in page
    second = await node.hear()
    assert (second.scope, second.approved) == ("cust:999", True) and second.nonce != first.nonce
    await node.say(protocol.Ack(scope="cust:999", version=0, nonce=second.nonce, took_ms=0.0))
    assert await node.silent()
    assert await db(alarms)("held") == []
    await node.hang_up()


async def test_two_nodes_share_the_limits_and_one_alone_has_them_whole(
    node: FakeNode, acme: Customer, region: Region
) -> None:
    def share(fake: FakeNode) -> str:
        return fake.rows["tn", str(acme.pk)].split(";cps=")[1].split(";")[0]

    await db(services.compile_revisions)()
    await node.dial()
    await node.settle()
    alone = share(node)
    second, token = await db(services.add_node)(Node(region=region, name="sbc-lab-2"), by=LAB)
    other = FakeNode(token)
    await other.dial()

    await db(services.compile_revisions)()
    for fake in (node, other, node, other):
        await fake.settle()

    assert (alone, share(node), share(other)) == ("5", "2", "2")
    await other.hang_up()
    await db(services.disable_node)(second, by=LAB)
    await db(services.compile_revisions)()
    await node.settle()
    assert share(node) == "5"
