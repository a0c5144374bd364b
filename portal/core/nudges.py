"""Nudges: messages that make somebody look at the database now and not at the next sweep; they carry no data.

A lost one costs time and nothing else, so that no failure here may ever fail the write that it follows.
"""

import asyncio
import logging
import threading
from collections.abc import Coroutine
from functools import lru_cache
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import InMemoryChannelLayer, get_channel_layer

logger = logging.getLogger(__name__)
WORKERS = "workers"
PAGES = "default"


def nudge(worker: str, first: str = "") -> None:
    """Wake the worker on this channel (`manage.py runworker <worker> --layer workers`).

    It does all that there is to do, and may begin with what is named.
    """
    _send(WORKERS, "send", worker, {"type": "nudge", "first": first})


def nudge_group(group: str) -> None:
    """Wake every consumer in this group, such as `node.3`."""
    _send(PAGES, "group_send", group, {"type": "nudge"})


def topic(tenant_id: int | None, msp_id: int | None, name: str) -> None:
    """Tell the open pages of this customer and this MSP that what they show under this name has changed."""
    message = {"type": "topic.changed", "topic": name}
    if tenant_id:
        _send(PAGES, "group_send", f"tenant.{tenant_id}", message)
    if msp_id:
        _send(PAGES, "group_send", f"msp.{msp_id}", message)


def _send(alias: str, method: str, target: str, message: dict[str, Any]) -> None:
    layer = get_channel_layer(alias)
    if isinstance(layer, InMemoryChannelLayer):
        async_to_sync(_quietly)(getattr(layer, method)(target, message))
    elif layer is not None:
        asyncio.run_coroutine_threadsafe(_quietly(getattr(layer, method)(target, message)), _loop())


async def _quietly(sending: Coroutine[Any, Any, None]) -> None:
    try:
        await sending
    except Exception:
        logger.warning("A nudge was lost; the sweep will do its work.", exc_info=True)


@lru_cache(maxsize=1)
def _loop() -> asyncio.AbstractEventLoop:
    # One loop for the life of the process keeps its connections; a loop for each nudge would open new ones.
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="nudges", daemon=True).start()
    return loop
