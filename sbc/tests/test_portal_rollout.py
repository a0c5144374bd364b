"""From a raised version to a node that runs it, over the real WebSocket consumer."""

from importlib import import_module
from typing import Any

import pytest
from channels.db import database_sync_to_async as sync_to_async
from django.db import connection
from django.db.models import F, QuerySet
from django.urls import reverse

from portal.core.audit import Actor
from portal.db import contexts
from sbc import facts, protocol, services
from sbc.models import Alarm, Deployment, Node, Revision
from sbc.tests.fake_node import FakeNode
from tenants.models import Customer, Msp, Region
from tenants.scopes import config_changed

pytestmark = pytest.mark.django_db(transaction=True)
LAB = Actor.system("tests")
MIGRATION = import_module("tenants.migrations.0012_public_networks_reach_nodes")
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


def opened(region: Region) -> set[str]:
    """Return the networks that the newest revision of a region lets trunks use."""
    with contexts.ingest():
        newest = Revision.objects.filter(scope=f"region:{region.pk}").latest("version")
    return {value for table, key, value in newest.rows if "allow" in key}


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


def test_a_customer_for_whom_somebody_waits_goes_first_but_not_before_its_msp(
    acme: Customer, globex: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    services.compile_revisions()
    with contexts.owner():
        for outer in (Region, Msp):
            outer.objects.update(live_version=F("config_version"))

    def order(*changed: Customer | Msp) -> list[str]:
        """Return the scopes in the order in which they are compiled once all of these have changed."""
        with contexts.ingest():
            last = Revision.objects.latest("pk").pk
            for scope in changed:
                config_changed(scope)
        services.compile_revisions(first=f"cust:{globex.pk}")
        with contexts.ingest():
            return list(Revision.objects.filter(pk__gt=last).order_by("pk").values_list("scope", flat=True))

    mine, others, outer = f"cust:{globex.pk}", f"cust:{acme.pk}", f"msp:{acme.msp_id}"
    assert acme.pk < globex.pk
    assert order(acme, globex) == [mine, others]
    assert order(acme.msp, acme, globex) == [outer, others, mine]
    # Who has been closed meanwhile is nobody's to compile.
    with contexts.owner():
        Msp.objects.update(live_version=F("config_version"))
        Customer.objects.filter(pk=globex.pk).update(state="closed", config_version=F("config_version") + 1)
    assert order() == []


def test_revisions_never_change(acme: Customer) -> None:
    services.compile_revisions()
    with contexts.ingest():
        revision = Revision.objects.get(scope=f"cust:{acme.pk}")
        with pytest.raises(Exception, match=str(revision)):
            revision.save()
        with pytest.raises(Exception, match="permission denied"):
            Revision.objects.update(rows=[])


def test_unchanged_routing_keeps_its_generation(acme: Customer) -> None:
    services.compile_revisions()
    change(acme)

    with contexts.ingest():
        first, second = Revision.objects.filter(scope=f"cust:{acme.pk}").order_by("version")
    assert second.generation == first.generation
    assert (second.added, second.changed, second.removed) == (0, 0, 0)


def test_one_customer_that_cannot_be_compiled_holds_up_nobody(
    acme: Customer, globex: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = services.compiling.facts
    real = facts.customer_facts

    def broken(customer: Customer, **more: Any) -> Any:
        if customer.pk == acme.pk:
            raise ValueError("a name with a semicolon")
        return real(customer, **more)

    monkeypatch.setattr(facts, "customer_facts", broken)
    services.compile_revisions()

    with contexts.ingest():
        assert Revision.objects.filter(scope=f"cust:{globex.pk}").exists()
        assert not Revision.objects.filter(scope=f"cust:{acme.pk}").exists()
    assert "semicolon" in alarms("compile")[0]


def test_a_region_without_networks_opens_the_public_ones_after_an_upgrade_too(
    region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an older version made of the empty list was no network at all."""
    monkeypatch.setattr(facts, "for_nodes", lambda *_networks: ([], []))
    with contexts.ingest():
        Region.objects.filter(pk=region.pk).update(allowed_networks=[])
        config_changed(region)
    services.compile_revisions()
    monkeypatch.undo()
    assert opened(region) == set()

    with contexts.owner(), connection.cursor() as cursor:
        cursor.execute(MIGRATION.OPEN)
    services.compile_revisions()

    assert opened(region) == {"0.0.0.0/0"}
