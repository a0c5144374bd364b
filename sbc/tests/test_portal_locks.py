"""Answers of nodes beside whoever compiles, and beside each other: no circle of waiting, and none is overlooked."""

import threading
import time
import uuid
from collections.abc import Callable

import pytest
from django.db import connection, connections, transaction

from portal.core.audit import Actor
from portal.db import contexts
from sbc import protocol, services
from sbc.models import Node
from sbc.services import compiling, nodes, receipts, sending
from tenants.models import Customer, Region
from tenants.scopes import config_changed

pytestmark = pytest.mark.django_db(transaction=True)


def a_node(region: Region, name: str) -> Node:
    """Return a node that has been welcomed and asks for everything."""
    node, _token = services.add_node(Node(region=region, name=name), by=Actor.system("tests"))
    hello = protocol.Hello(
        node=name, boot=uuid.uuid4().hex, spool=str(uuid.uuid4()), software="test", held={}, next_sequence=1
    )
    nodes.welcome(node, hello)
    with contexts.ingest():
        return Node.objects.select_related("region").get(pk=node.pk)


def answer_to(node: Node, scope: str) -> protocol.Ack:
    """Return the answer of a node that has applied what is sent to it of a scope."""
    asked = next(each for each in sending.revisions_for(node) if each.scope == scope)
    return protocol.Ack(scope=scope, version=asked.version, nonce=asked.nonce, took_ms=1.0)


def in_thread(work: Callable[[], None]) -> threading.Thread:
    def run() -> None:
        try:
            work()
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def wait_for_a_waiter() -> None:
    """Return once somebody waits for a lock of ours."""
    until = time.monotonic() + 5
    with connection.cursor() as cursor:
        while time.monotonic() < until:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone() != (0,):
                return
            time.sleep(0.01)


def live_version(customer: Customer) -> int:
    with contexts.ingest():
        return Customer.objects.values_list("live_version", flat=True).get(pk=customer.pk)


def test_an_answer_and_a_compiler_do_not_wait_for_each_other(region: Region, acme: Customer) -> None:
    with contexts.ingest():
        config_changed(acme)
    services.compile_revisions()
    node = a_node(region, "sbc-lab-1")
    ack = answer_to(node, f"cust:{acme.pk}")

    with contexts.ingest(), transaction.atomic():
        # As a compiler does: the scope first, then its deployments.
        Customer.objects.select_for_update(no_key=True, of=("self",)).get(pk=acme.pk)
        answering = in_thread(lambda: receipts.acked(node, ack))
        wait_for_a_waiter()
        compiling.want(acme, ack.version + 1, at=node.token_made)
    answering.join(10)

    assert not answering.is_alive()
    assert live_version(acme) == ack.version


def test_limits_are_divided_again_beside_a_compiler(region: Region, acme: Customer) -> None:
    services.compile_revisions()
    first, second = (a_node(region, name) for name in ("sbc-lab-1", "sbc-lab-2"))
    with contexts.ingest():
        version = Customer.objects.get(pk=acme.pk).config_version

    with contexts.ingest(), transaction.atomic():
        Customer.objects.select_for_update(no_key=True, of=("self",)).get(pk=acme.pk)
        leaving = in_thread(lambda: services.disable_node(second, by=Actor.system("tests")))
        wait_for_a_waiter()
        compiling.want(acme, version + 1, at=first.token_made)
    leaving.join(10)

    assert not leaving.is_alive()
    with contexts.ingest():
        assert Node.objects.get(pk=second.pk).state == Node.State.DISABLED


def test_of_two_nodes_that_answer_at_once_none_is_overlooked(
    region: Region, acme: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with contexts.ingest():
        config_changed(acme)
    services.compile_revisions()
    both = [a_node(region, name) for name in ("sbc-lab-1", "sbc-lab-2")]
    acks = [answer_to(node, f"cust:{acme.pk}") for node in both]
    together, move = threading.Barrier(2, timeout=5), receipts.move_live_versions

    def move_together(scopes: list[str]) -> None:
        together.wait()
        move(scopes)
        together.wait()

    monkeypatch.setattr(receipts, "move_live_versions", move_together)
    answering = [in_thread(lambda n=node, a=ack: receipts.acked(n, a)) for node, ack in zip(both, acks, strict=True)]
    for thread in answering:
        thread.join(10)

    assert live_version(acme) == acks[0].version
