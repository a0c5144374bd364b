"""Nudges on their way to a worker, through a real Valkey."""

import asyncio

from portal.core.nudge_layer import MOST_WAITING, NudgeLayer


async def test_a_nudge_waits_for_a_worker_and_wakes_only_one(valkey_url):
    portal, first, second = (NudgeLayer(valkey_url) for _ in range(3))
    await portal.send("sbc", {"type": "nudge"})

    assert await first.receive("sbc") == {"type": "nudge"}
    waiting = asyncio.ensure_future(second.receive("sbc"))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    await portal.send("mail", {"type": "nudge"})
    await portal.send("sbc", {"type": "nudge"})
    assert await waiting == {"type": "nudge"}


async def test_many_nudges_that_nobody_takes_are_a_few(valkey_url):
    layer = NudgeLayer(valkey_url)
    for _ in range(3 * MOST_WAITING):
        await layer.send("busy", {"type": "nudge"})

    assert await layer._client().llen("strowger:nudges:busy") == MOST_WAITING


async def test_a_worker_outlives_a_failure_of_valkey(monkeypatch, valkey_url):
    monkeypatch.setattr("portal.core.nudge_layer.AGAIN_AFTER", 0.01)
    layer = NudgeLayer(valkey_url)
    waiting = asyncio.ensure_future(layer.receive("later"))
    await asyncio.sleep(0.05)
    await layer._client().client_kill_filter(_type="normal", skipme=True)
    await layer.send("later", {"type": "nudge"})

    assert await asyncio.wait_for(waiting, 5) == {"type": "nudge"}
