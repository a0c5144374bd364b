"""Which calls are ended because their media is gone, and which are not."""

import pytest

from sbc.node.records import Answered, Facts
from sbc.node.silence import WHY, Silence

pytestmark = pytest.mark.asyncio


class Node:
    """Stands in for the engine, the record files, rtpengine and the clock."""

    def __init__(self):
        self.calls: list[Answered] = []
        self.media: dict[str, bool] = {}
        self.ended: list[str] = []
        self.now = 0.0
        self.silence = Silence(self, self, self, gone_for=240, clock=lambda: self.now)

    def answered(self, now, at_least):
        return [call for call in self.calls if now - call.at >= at_least]

    async def carried(self, call_ids):
        return {each: self.media[each] for each in call_ids if each in self.media}

    async def set_deadlines(self, deadlines):
        self.ended += [(call, why) for _dialog, call, _seconds, why in deadlines]

    async def look_for(self, seconds: int) -> list[str]:
        """Look once a minute for so long; give the calls that were ended meanwhile."""
        self.ended = []
        for _ in range(seconds // 60):
            self.now += 60
            await self.silence.look(int(self.now * 1000), 60_000)
        assert all(why == WHY for _call, why in self.ended)
        return [call for call, _why in self.ended]


@pytest.fixture
def node() -> Node:
    node = Node()
    node.calls = [call("a"), call("b")]
    node.media = {"a@x": True, "b@x": True}
    return node


def call(name: str, **facts: str) -> Answered:
    return Answered(name, 0, 0, 200, Facts(call_id=f"{name}@x", **facts), dialog="1.2")


async def test_a_call_is_ended_once_its_media_has_been_gone_for_a_while(node: Node):
    assert await node.look_for(600) == []
    node.media["b@x"] = False

    assert await node.look_for(240) == []
    assert await node.look_for(60) == ["b"]


async def test_a_call_whose_media_comes_back_goes_on(node: Node):
    await node.look_for(60)
    node.media["a@x"] = False
    await node.look_for(180)
    node.media["a@x"] = True
    await node.look_for(60)
    node.media["a@x"] = False

    assert await node.look_for(240) == []


async def test_a_silent_rtpengine_says_nothing_of_any_call(node: Node):
    await node.look_for(60)
    node.media = {}

    assert await node.look_for(3600) == []


async def test_a_call_whose_media_was_never_seen_is_left_alone(node: Node):
    node.media = {"a@x": False, "b@x": False}

    assert await node.look_for(3600) == []


async def test_an_emergency_call_is_left_alone(node: Node):
    node.calls = [call("a", direction="emergency")]
    await node.look_for(60)
    node.media["a@x"] = False

    assert await node.look_for(3600) == []
