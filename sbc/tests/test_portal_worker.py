"""The worker that compiles, as `manage.py runworker` starts it."""

import asyncio
import contextlib
from typing import Any

import pytest

from sbc import services
from sbc.consumers import SbcWorker


async def test_it_compiles_when_nudged_and_starts_without_a_warning(
    monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder
) -> None:
    compiled, inbox = asyncio.Event(), asyncio.Queue[dict[str, Any]]()
    loop = asyncio.get_running_loop()
    monkeypatch.setattr(services, "compile_revisions", lambda first: loop.call_soon_threadsafe(compiled.set))

    async def nowhere(message: Any) -> None:
        """Take what nobody sends."""

    worker = asyncio.create_task(SbcWorker()({"type": "channel"}, inbox.get, lambda message: nowhere(message)))
    inbox.put_nowait({"type": "nudge"})
    try:
        await asyncio.wait_for(compiled.wait(), 5)
    finally:
        worker.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await worker

    assert not [each for each in recwarn if "async_to_sync" in str(each.message)]
