"""Fixtures that a module of SIP tests imports: one SBC for the module, its rows as at the start for each test."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio

from sbc.tests.sip.stage import Stage, running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sbc(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """A running SBC."""
    async with AsyncExitStack() as stack:
        yield await stack.enter_async_context(running(tmp_path_factory.mktemp("sbc")))


@pytest_asyncio.fixture(loop_scope="module")
async def stage(sbc: Stage) -> AsyncIterator[Stage]:
    """The SBC with its first rows, and nobody on the line."""
    yield sbc
    await sbc.hang_up()
    await sbc.reset()
