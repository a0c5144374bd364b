"""What nodes are told of their customers' money: shares of what is left, when it is news, and to whom."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from channels.db import database_sync_to_async as sync_to_async

from conftest import LAB
from portal.db import contexts
from sbc import protocol, services
from sbc.models import Alarm, Node, Spool
from sbc.node import credit
from sbc.services import credits
from sbc.tests.fake_node import FakeNode
from sbc.tests.rated import DEAR, call
from tenants.models import Customer, Region
from voice.rating import accounts, limits
from voice.rating.models import Account

EURO = 1_000_000
AT = datetime(2026, 11, 28, 12, tzinfo=UTC)


@pytest.fixture
def node(region: Region) -> Node:
    node = services.add_node(Node(region=region, name="sbc-1"), by=LAB)[0]
    with contexts.ingest():
        Spool.objects.create(id=uuid.UUID(int=1), node=node)
        Node.objects.filter(pk=node.pk).update(boot="there")
    return node


def prepaid(customer: Customer, **changed: Any) -> None:
    with contexts.msp(customer.msp):
        account = limits.account_of(customer)
        for name, value in {"kind": Account.Kind.PREPAID, **changed}.items():
            setattr(account, name, value)
        limits.save_terms(account, by=LAB)


class Line:
    """A connection's memory of what its node was told."""

    def __init__(self, node: Node, spool: int = 1) -> None:
        self.node, self.spool = node, uuid.UUID(int=spool)
        self.told: dict[int, credits.Told] = {}
        self.rows: dict[str, str] = {}

    def ask(self, after: float = 0, held: dict[str, int] | None = None) -> list[protocol.Credit]:
        found = credits.credits_for(self.node, self.spool, self.told, held or {}, AT + timedelta(seconds=after))
        for message, told in found:
            self.told[message.tenant] = told
            if message.base is None:
                mine = str(message.tenant)
                self.rows = {key: value for key, value in self.rows.items() if key.partition(":")[0] != mine}
            self.rows |= {row.key: row.value for row in message.set}
            for gone in message.delete:
                del self.rows[gone.key]
        return [message for message, _told in found]

    def left(self, customer: Customer) -> int:
        return credit.read(self.rows[str(customer.pk)]).left


def top_up(customer: Customer, euros: int, reference: str) -> None:
    accounts.top_up(customer.pk, euros * EURO, "EUR", reference=reference, by=LAB)


def test_a_node_holds_what_is_left_and_what_calls_cost(node: Node, acme: Customer, decks: Any) -> None:
    prepaid(acme)
    top_up(acme, 18, "pi_1")
    line = Line(node)

    [whole] = line.ask()

    known = credit.read(line.rows[str(acme.pk)])
    assert (whole.base, whole.version, known.left, known.counted) == (None, int(AT.timestamp() * 1000), 18 * EURO, 0)
    assert known.price_of("out", "+49301000", {}) == credit.Price(DEAR, 0, 1, 1, 0, None)
    assert known.price_of("in", "+49301000", {}) is known.price_of("internal", "+49301000", {}) is None
    # 18 euros at 0.18 a minute; before the node has counted by itself that is the longest call.
    assert ";c=x.6000;" in line.rows[str(acme.pk)]


def test_it_is_told_again_when_that_is_news_and_not_for_every_call(node: Node, acme: Customer, decks: Any) -> None:
    prepaid(acme)
    top_up(acme, 100, "pi_1")
    line = Line(node)
    line.ask()

    accounts.correct(acme.pk, -4 * EURO, "EUR", reference="calls 1", by=LAB)
    assert not line.ask(60)
    accounts.correct(acme.pk, -4 * EURO, "EUR", reference="calls 2", by=LAB)
    assert not line.ask(1)
    [delta] = line.ask(11)
    assert (delta.base, [row.key for row in delta.set], line.left(acme)) == (
        int(AT.timestamp() * 1000), [str(acme.pk)], 92 * EURO,
    )  # fmt: skip
    # Used up or topped up: at once.
    accounts.correct(acme.pk, -93 * EURO, "EUR", reference="calls 3", by=LAB)
    assert [each.base for each in line.ask(11.5)] == [delta.version]
    top_up(acme, 50, "pi_2")
    assert line.ask(12) and line.left(acme) == 49 * EURO
    top_up(acme, 50, "pi_3")
    assert line.ask(13) and line.left(acme) == 99 * EURO


@pytest.mark.django_db(transaction=True)  # the days of records outlive a test
def test_calls_are_counted_up_to_the_record_that_the_balance_has(
    send: Any, acme: Customer, trunk: Any, decks: Any
) -> None:
    prepaid(acme)
    top_up(acme, 1, "pi_1")
    send(call(1, acme, trunk), call(2, acme, trunk))
    with contexts.ingest():
        spool = Spool.objects.select_related("node").get()
    line = Line(spool.node)
    line.spool = spool.pk

    line.ask()

    known = credit.read(line.rows[str(acme.pk)])
    assert (known.left, known.counted) == (EURO - 2 * DEAR, 2)


def test_several_nodes_share_what_is_left(node: Node, region: Region, acme: Customer, decks: Any) -> None:
    prepaid(acme)
    top_up(acme, 10, "pi_1")
    other = services.add_node(Node(region=region, name="sbc-2"), by=LAB)[0]
    first = Line(node)
    first.ask()
    assert first.left(acme) == 10 * EURO  # the other has never been heard of

    with contexts.ingest():
        Node.objects.filter(pk=other.pk).update(boot="there")
    first.ask(11)
    second = Line(other)
    second.ask(11)
    assert first.left(acme) == second.left(acme) == 5 * EURO

    services.disable_node(other, by=LAB)
    first.ask(30)
    assert first.left(acme) == 10 * EURO
    accounts.correct(acme.pk, -11 * EURO, "EUR", reference="calls", by=LAB)
    first.ask(31)
    assert first.left(acme) == -EURO


def test_who_pays_in_advance_makes_no_call_whose_price_nobody_knows(node: Node, acme: Customer, decks: Any) -> None:
    prepaid(acme)
    # As where the customer got another deck, and no rate leads to its currency.
    with contexts.ingest():
        Account.objects.filter(pk=acme.pk).update(currency="USD")
    accounts.top_up(acme.pk, 10 * EURO, "USD", reference="pi_1", by=LAB)
    line = Line(node)

    line.ask()

    # The deck is in euros: its calls would never reach this account.
    assert line.left(acme) == 0 and ";c=x.0;" in line.rows[str(acme.pk)]


def test_a_limit_that_is_lifted_is_taken_away_and_what_a_node_holds_too_much(
    node: Node, acme: Customer, globex: Customer, decks: Any
) -> None:
    prepaid(acme, kind="postpaid", spend_limit_micros=5 * EURO)
    line = Line(node)
    held = {f"credit:{globex.pk}": 7, f"credit:{acme.pk}": 10**15}
    acmes, stale = sorted(line.ask(held=held), key=lambda each: each.tenant)
    assert (stale.tenant, stale.base, stale.set, stale.version > 7) == (globex.pk, None, [], True)
    assert acmes.version == 10**15 + 1  # a clock that went back

    prepaid(acme, kind="postpaid", spend_limit_micros=None)
    [lifted] = line.ask(1, held=held)
    assert (lifted.tenant, lifted.set, line.rows) == (acme.pk, [], {})
    assert not line.ask(2, held=held)


def test_a_customer_without_limits_costs_nodes_nothing(node: Node, acme: Customer, decks: Any) -> None:
    top_up(acme, 10, "pi_1")

    assert not Line(node).ask()


@pytest.fixture
def dialled(region: Region) -> Iterator[FakeNode]:
    yield FakeNode(services.add_node(Node(region=region, name="sbc-lab-1"), by=LAB)[1])


@pytest.mark.django_db(transaction=True)
async def test_over_the_line_a_top_up_is_there_at_once_and_a_refusal_is_told_again(
    dialled: FakeNode, acme: Customer, decks: Any
) -> None:
    await sync_to_async(prepaid)(acme)
    await dialled.dial()
    await dialled.settle()
    assert await dialled.silent()  # an old node never says what it holds, and is told nothing

    await dialled.say(protocol.Credits(held={}))
    first = await dialled.hear()
    assert isinstance(first, protocol.Credit) and first.base is None
    await dialled.say(protocol.Ack(scope=first.scope, version=first.version, nonce=first.nonce, took_ms=1.0))
    await sync_to_async(top_up)(acme, 10, "pi_1")
    second = await dialled.hear()
    assert isinstance(second, protocol.Credit) and second.base == first.version

    refusal = {"scope": second.scope, "version": second.version, "nonce": second.nonce, "row": None, "reason": "no"}
    await dialled.say(protocol.Nack(**refusal))
    third = await dialled.hear()
    assert isinstance(third, protocol.Credit) and third.base is None
    with contexts.ingest():
        alarm = await sync_to_async(lambda: Alarm.objects.open().filter(subject="credit").count())()
    assert alarm == 1
    await dialled.hang_up()
