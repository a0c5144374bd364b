"""Records on their way to the portal: each once, whatever breaks."""

import asyncio
import time

import pytest

from sbc.node import link as link_module
from sbc.tests.node_portal import eventually, running

pytestmark = pytest.mark.usefixtures("short_waits")


def cdr(number: int) -> dict:
    return {
        "kind": "cdr",
        "id": f"c{number}",
        "tenant": 17,
        "call_id": "x" * 40,
        "user_agent": "y" * 60,
        "attempts": [],
    }


async def test_records_arrive_once_whatever_breaks_in_between(portal, tmp_path):
    async with running(portal, tmp_path) as node:
        await portal.connected()
        for number in range(40):
            node.spool.store([cdr(number)] * 1)
            node.link.records_spooled()
            if number % 10 == 3:
                portal.acknowledges = not portal.acknowledges  # stored, and nobody told
            if number % 10 == 7:
                await (await portal.connected()).close()
            if number % 20 == 15:
                await portal.stop()
                node.spool.store([cdr(1000 + number)])
                await portal.start()
            await asyncio.sleep(0.005)
    portal.acknowledges = True
    async with running(portal, tmp_path) as node:
        await eventually(lambda: len(portal.records) == 42)
        await eventually(lambda: len(node.spool) == 0)

    assert sorted(seq for _, seq in portal.records) == list(range(1, 43))
    assert len({record["id"] for record in portal.records.values()}) == 42


async def test_nothing_is_forgotten_before_it_is_acknowledged(portal, tmp_path):
    portal.acknowledges = False
    async with running(portal, tmp_path) as node:
        node.spool.store([cdr(number) for number in range(20_000)])
        node.link.records_spooled()
        # No more than the window is under way.
        await eventually(lambda: len(portal.records) == link_module.WINDOW * link_module.BATCH)
        await asyncio.sleep(0.1)

        assert len(portal.records) == link_module.WINDOW * link_module.BATCH
        assert len(node.spool) == 20_000


async def test_an_old_copy_of_the_spool_is_noticed(portal, tmp_path):
    async with running(portal, tmp_path) as node:
        spool = node.spool.uuid
        portal.spools[spool] = 500
        await (await portal.connected()).close()
        await eventually(lambda: node.spool.uuid != spool)
        await eventually(lambda: portal.hellos[-1].spool == node.spool.uuid)
        node.spool.store([cdr(1)])
        node.link.records_spooled()
        await eventually(lambda: portal.records)

    assert list(portal.records) == [(node.spool.uuid, 1)]


async def test_many_records_go_fast(portal, tmp_path):
    async with running(portal, tmp_path) as node:
        await portal.connected()
        node.spool.store([cdr(number) for number in range(40_000)])
        began = time.perf_counter()
        node.link.records_spooled()
        await eventually(lambda: len(portal.records) == 40_000, 30)
        await eventually(lambda: len(node.spool) == 0)
        rate = 40_000 / (time.perf_counter() - began)

    # One process plays both sides here; the point is that no batch waits for the one before it.
    assert rate > 5_000, rate
